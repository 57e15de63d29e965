// Events that cannot be handled: they are parked, wait, are tried again or dropped, and are never lost.
#include <algorithm>
#include <filesystem>

#include "everfold/base/error.h"
#include "everfold/projection/event_folder.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/verify_read_model.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

constexpr std::int64_t kPoison = 666;

// Writes the row and fails then, so that there is something to take back.
bool ThrowsAtPoison(std::string_view payload, const EventContext& context, RowStore& rows) {
  const bool handled = internal::Handle<Balances, Debited>(payload, context, rows);
  Debited event;
  event.ParseFromArray(payload.data(), static_cast<int>(payload.size()));
  if (event.value() == kPoison) throw std::runtime_error("no such number");
  return handled;
}

ProjectionType Debiting(EventHandler::OfPayload handler) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {handler};
  return type;
}
ProjectionType Poisoned() { return Debiting(ThrowsAtPoison); }

// Rows by sign, whatever the account is: what fails must wait for its sign, not for its account.
struct BySign {
  static constexpr ProjectionOptions kOptions{.name = "by_sign", .revision = 1};
  using Events = Types<Credited, Debited>;
  using ReadModels = Tables<Balance>;
  static std::string Key(const Credited&, const EventContext&) { return "plus"; }
  static std::string Key(const Debited&, const EventContext&) { return "minus"; }
  static void On(const Credited& e, const EventContext&, ReadModels& t) { Add("plus", e.value(), t); }
  static void On(const Debited& e, const EventContext&, ReadModels& t) {
    if (e.value() == kPoison) throw std::runtime_error("no such number");
    Add("minus", static_cast<std::int64_t>(e.value()), t);
  }

 private:
  static void Add(const std::string& sign, std::int64_t minor, ReadModels& t) {
    t.Of<Balance>().Edit(sign, [minor](Balance& row) { row.minor += minor; });
  }
};

class ParkingTest : public ::testing::Test {
 protected:
  std::vector<std::string> Rows() { return DumpTable(ledger_.projection().path(), "balance"); }

  std::vector<ParkedKey> Keys() {
    std::optional<absl::StatusOr<std::vector<ParkedKey>>> answer;
    ledger_.projection().ListParked([&](absl::StatusOr<std::vector<ParkedKey>> keys) { answer = std::move(keys); });
    ledger_.executor().RunUntilIdle();
    EXPECT_TRUE(answer.has_value() && answer->ok());
    return **answer;
  }
  absl::StatusOr<std::uint64_t> Retry(const std::string& key) {
    std::optional<absl::StatusOr<std::uint64_t>> answer;
    ledger_.projection().RetryParked(key, [&](absl::StatusOr<std::uint64_t> left) { answer = left; });
    ledger_.executor().RunUntilIdle();
    EXPECT_TRUE(answer.has_value());
    return *answer;
  }
  absl::StatusOr<std::uint64_t> Drop(const std::string& key, std::uint64_t version,
                                     const std::string& reason = "a test",
                                     const std::optional<StreamId>& stream = std::nullopt) {
    std::optional<absl::StatusOr<std::uint64_t>> answer;
    ledger_.projection().DropParked(key, stream, Version(version), reason,
                                    [&](absl::StatusOr<std::uint64_t> left) { answer = left; });
    ledger_.executor().RunUntilIdle();
    EXPECT_TRUE(answer.has_value());
    return *answer;
  }
  // What it has applied, parked and dropped is what the log has for it.
  void ExpectTalliesAreTheLogs() {
    std::vector<EventTally> log(Ledger::kPartitions);
    const auto subscription = Subscription::Start(ledger_.store(), BeginningOf(ledger_.store()));
    ASSERT_TRUE((*subscription)
                    ->Pull(1 << 20,
                           [&log](const RecordedEvent& event) {
                             if (event.event.type != kNoted) log[event.position.partition.value()] += TallyOf(event);
                             return absl::OkStatus();
                           })
                    .ok());
    const std::vector<PartitionTally> tallies = ledger_.projection().Describe().tallies;
    ASSERT_THAT(tallies, SizeIs(Ledger::kPartitions));
    for (std::size_t i = 0; i < log.size(); ++i) EXPECT_EQ(tallies[i].All(), log[i]) << "partition " << i;
    EXPECT_EQ(ledger_.projection().lag_events(), 0u);
  }
  std::uint64_t Count(EventTally PartitionTally::*part) {
    std::uint64_t count = 0;
    for (const PartitionTally& tally : ledger_.projection().Describe().tallies) count += (tally.*part).count;
    return count;
  }

  Ledger ledger_;
};

TEST_F(ParkingTest, FailingEventParksItsStreamAndOthersGoOn) {
  ledger_.Credit("a", 10);
  ledger_.Credit("b", 20);
  const ConsistencyToken token = ledger_.Debit("a", kPoison);
  ledger_.Credit("a", 1);  // waits behind it
  ledger_.Debit("b", 5);
  ledger_.RunProjection(Poisoned());

  EXPECT_TRUE(ledger_.projection().status().ok()) << ledger_.projection().status();
  EXPECT_THAT(Rows(), ElementsAre("'a'|10|1", "'b'|15|2"));
  const std::vector<ParkedKey> keys = Keys();
  ASSERT_THAT(keys, SizeIs(1));
  EXPECT_EQ(keys[0].key, "account/a");
  EXPECT_EQ(keys[0].events, 2u);
  EXPECT_EQ(keys[0].attempts, 1u);
  EXPECT_EQ(keys[0].error,
            absl::StrFormat("at ledger.v1.Debited, offset %d of partition %d (account/a version 2, sequence 3): the "
                            "handler threw: no such number",
                            token.positions[0].offset.value(), token.positions[0].partition.value()));
  EXPECT_EQ(ledger_.projection().Describe().parked_keys, 1u);
  ASSERT_THAT(ledger_.logger().lines(), SizeIs(1));
  EXPECT_EQ(ledger_.logger().lines()[0], (RecordingLogger::Line{LogLevel::kWarning,
                                                                "projection has parked events that it cannot handle",
                                                                {{"projection", "balances"}, {"parked_keys", "1"}}}));
  ExpectTalliesAreTheLogs();
  EXPECT_EQ(Count(&PartitionTally::parked), 2u);
}

TEST_F(ParkingTest, ParkedKeyStaysParkedAfterARestart) {
  ledger_.Debit("a", kPoison);
  ledger_.RunProjection(Poisoned());
  ledger_.CloseProjection();
  ledger_.Credit("a", 1);
  ledger_.RunProjection();  // the handler would take it by now, but order goes first
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(Keys()[0].events, 2u);
  ExpectTalliesAreTheLogs();
}

TEST_F(ParkingTest, RetryAfterTheFixEqualsACleanBuild) {
  for (int i = 0; i < 20; ++i) {
    ledger_.Credit(absl::StrFormat("a%d", i % 4), i);
    ledger_.Debit(absl::StrFormat("a%d", i % 4), i == 5 ? kPoison : 1);
  }
  ledger_.RunProjection(Poisoned(), 3);
  EXPECT_EQ(Keys()[0].events, 7u);
  ledger_.CloseProjection();
  ledger_.RunProjection();
  EXPECT_EQ(Retry("account/a1").value(), 0u);
  EXPECT_THAT(Keys(), IsEmpty());
  EXPECT_EQ(Rows(), ledger_.Fold(ledger_.store().DurableHead()));
  ExpectTalliesAreTheLogs();
  EXPECT_EQ(Count(&PartitionTally::parked), 0u);

  ledger_.Credit("a1", 100);  // not parked any more
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(Rows(), ledger_.Fold(ledger_.store().DurableHead()));
}

TEST_F(ParkingTest, RetryGoesAsFarAsItCan) {
  for (const std::int64_t minor : {kPoison, std::int64_t{1}, kPoison, std::int64_t{2}}) ledger_.Debit("a", minor);
  static bool first;
  first = true;
  ledger_.RunProjection(Debiting([](std::string_view payload, const EventContext& c, RowStore& rows) {
    if (first) throw std::runtime_error("not yet");
    if (c.version == Version(3)) throw std::runtime_error("the third");
    return internal::Handle<Balances, Debited>(payload, c, rows);
  }));
  EXPECT_EQ(Keys()[0].events, 4u);
  first = false;
  EXPECT_EQ(Retry("account/a").value(), 2u);
  EXPECT_THAT(Rows(), ElementsAre("'a'|-667|2"));
  EXPECT_EQ(Keys()[0].attempts, 2u);
  EXPECT_THAT(Keys()[0].error, HasSubstr("version 3, sequence 3): the handler threw: the third"));
  EXPECT_EQ(Retry("account/a").value(), 2u);
  EXPECT_EQ(Keys()[0].attempts, 3u);
  ExpectTalliesAreTheLogs();
}

// More than one transaction of them.
TEST_F(ParkingTest, LongQueueIsRetriedWhole) {
  ledger_.Debit("a", kPoison);
  for (int i = 0; i < 1300; ++i) ledger_.Credit("a", 1);
  ledger_.RunProjection(Poisoned());
  EXPECT_EQ(Keys()[0].events, 1301u);
  ledger_.CloseProjection();
  ledger_.RunProjection();
  EXPECT_EQ(Retry("account/a").value(), 0u);
  EXPECT_EQ(Rows(), ledger_.Fold(ledger_.store().DurableHead()));
  ExpectTalliesAreTheLogs();
}

TEST_F(ParkingTest, DroppedEventIsLeftOutAndTheOthersFollow) {
  ledger_.Credit("a", 10);
  ledger_.Debit("a", kPoison);
  ledger_.Credit("a", 1);
  ledger_.RunProjection(Poisoned());
  EXPECT_EQ(Drop("account/a", 2, "typed twice").value(), 0u);
  EXPECT_THAT(Rows(), ElementsAre("'a'|11|2"));
  EXPECT_THAT(Keys(), IsEmpty());
  ExpectTalliesAreTheLogs();
  EXPECT_EQ(Count(&PartitionTally::dropped), 1u);
}

TEST_F(ParkingTest, DropHoldsWheneverItIsBuiltAnew) {
  ledger_.Credit("a", 10);
  ledger_.Debit("a", kPoison);
  ledger_.Credit("a", 1);
  ledger_.RunProjection(Poisoned());
  ASSERT_TRUE(Drop("account/a", 2).ok());
  const std::vector<std::string> rows = Rows();
  ledger_.CloseProjection();
  std::filesystem::remove_all(ledger_.directory() + "/balances");
  ledger_.RunProjection();  // could handle it by now
  EXPECT_EQ(Rows(), rows);
  ExpectTalliesAreTheLogs();
  EXPECT_EQ(Count(&PartitionTally::dropped), 1u);
}

// The decision is durable, and the process ends before the file has it.
TEST_F(ParkingTest, DropThatWasDecidedBeforeACrashIsApplied) {
  ledger_.Debit("a", kPoison);
  ledger_.Credit("a", 1);
  ledger_.RunProjection(Poisoned());
  bool appended = false;
  ledger_.projection().DropParked("account/a", std::nullopt, Version(1), "why not",
                                  [](const absl::StatusOr<std::uint64_t>&) {});
  const std::uint64_t before = ledger_.store().DurableSequence().value();
  ASSERT_TRUE(ledger_.executor().RunUntil([&] {
    appended = ledger_.store().DurableSequence().value() > before;
    return appended;
  }));
  ledger_.Crash();
  ledger_.OpenStore();
  ledger_.RunProjection(Poisoned());
  EXPECT_EQ(Count(&PartitionTally::dropped), 1u);
  EXPECT_EQ(Retry("account/a").value_or(0), 0u);
  EXPECT_THAT(Rows(), ElementsAre("'a'|1|1"));
  ExpectTalliesAreTheLogs();
}

// The next opening applies what is decided: who asked is not told to try again.
TEST(ParkingClose, DropIsAnsweredWithOkWheneverItIsDurable) {
  int durable_and_late = 0;
  for (int steps = 0; steps < 40; ++steps) {
    Ledger ledger;
    ledger.Debit("a", kPoison);
    ledger.Credit("a", 1);
    ledger.RunProjection(Poisoned());
    const Sequence before = ledger.store().DurableSequence();
    std::optional<absl::StatusOr<std::uint64_t>> answer;
    ledger.projection().DropParked("account/a", std::nullopt, Version(1), "why not",
                                   [&answer](absl::StatusOr<std::uint64_t> left) { answer = std::move(left); });
    for (int i = 0; i < steps; ++i) ledger.executor().RunOne();
    const bool late = !answer.has_value();
    ledger.CloseProjection();
    ASSERT_TRUE(answer.has_value()) << steps;
    const bool durable = ledger.store().DurableSequence() > before;
    ASSERT_EQ(answer->ok(), durable) << steps << ": " << answer->status();
    if (!durable) continue;
    durable_and_late += late ? 1 : 0;
    EXPECT_LE(**answer, 1u) << "events that wait";
  }
  EXPECT_GT(durable_and_late, 0);
}

TEST_F(ParkingTest, DropNeedsAReasonAndAParkedKey) {
  ledger_.Debit("a", kPoison);
  ledger_.RunProjection(Poisoned());
  EXPECT_EQ(Drop("account/a", 1, "").status().message(), "the reason must have 1 to 1000 bytes, it has 0");
  EXPECT_EQ(Drop("account/a", 1, std::string(1001, 'x')).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Drop("account/a", 1, "\xff").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Drop("account/b", 1).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(Drop("account/b", 1).status()), reason::kNotParked);
  EXPECT_EQ(Drop("account/a", 2).status().message(),
            "the first event that waits with \"account/a\" is account/a version 1, not version 2; look at it, and ask "
            "again");
  EXPECT_EQ(Retry("account/b").status().message(), "projection balances has no parked key \"account/b\"");
  EXPECT_EQ(Keys()[0].events, 1u);
}

// Of two that ask for the same, or for one after the other before it is decided, one is told no.
TEST_F(ParkingTest, RepeatedDropDoesNotDropTheNextOne) {
  ledger_.Debit("a", kPoison);
  ledger_.Debit("a", kPoison);
  ledger_.RunProjection(Poisoned());
  std::vector<absl::StatusOr<std::uint64_t>> answers;
  const auto keep = [&answers](absl::StatusOr<std::uint64_t> left) { answers.push_back(left); };
  ledger_.projection().DropParked("account/a", std::nullopt, Version(1), "once", keep);
  ledger_.projection().DropParked("account/a", std::nullopt, Version(1), "twice", keep);
  ledger_.projection().RetryParked("account/a", keep);
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(Drop("account/a", 1).status().code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_THAT(answers, SizeIs(3));
  EXPECT_EQ(std::count_if(answers.begin(), answers.end(), [](const auto& a) { return a.ok(); }), 1);
  EXPECT_EQ(Keys()[0].events, 1u);
  EXPECT_EQ(Count(&PartitionTally::dropped), 1u);
  ExpectTalliesAreTheLogs();
}

// Whatever a handler says, operators and the log can hold it.
TEST_F(ParkingTest, AnyTextOfAHandlerIsKeptAsPrintableText) {
  static std::string text;
  for (const std::string& said :
       {std::string("\xff\xfe bytes\n"), std::string(1 << 20, 'x'), std::string(5000, '\xff')}) {
    text = said;
    Ledger ledger;
    ledger.Debit("a", 1);
    ledger.RunProjection(
        Debiting([](std::string_view, const EventContext&, RowStore&) -> bool { throw std::runtime_error(text); }));
    std::optional<absl::StatusOr<std::uint64_t>> left;
    ledger.projection().DropParked("account/a", std::nullopt, Version(1), "a test",
                                   [&](absl::StatusOr<std::uint64_t> l) { left = l; });
    ledger.executor().RunUntilIdle();
    ASSERT_TRUE(left.has_value() && left->ok()) << left->status();
    ledger.CloseProjection();
    const absl::Status opened = ledger.OpenProjection();
    EXPECT_TRUE(opened.ok()) << opened;
  }
}

struct ByCustomer {
  static constexpr ProjectionOptions kOptions{.name = "by_customer", .revision = 1};
  using Events = Types<Credited>;
  using ReadModels = Tables<Balance>;
  static std::string Key(const Credited&, const EventContext&) { return "\xff" + std::string(10'000, 'k'); }
  static void On(const Credited&, const EventContext&, ReadModels&) { throw std::runtime_error("no"); }
};

TEST_F(ParkingTest, AnyKeyIsKeptAsPrintableText) {
  ledger_.Credit("a", 1);
  ledger_.Credit("b", 1);
  ledger_.RunProjection(MakeProjectionType<ByCustomer>());
  ASSERT_THAT(Keys(), SizeIs(1));
  EXPECT_THAT(Keys()[0].key, ::testing::StartsWith("sha256:"));
  EXPECT_EQ(Keys()[0].events, 2u);
}

// Its key cannot be told, so it waits with its stream, and holds what follows it there.
TEST_F(ParkingTest, EventWhoseKeyCannotBeToldHoldsItsStream) {
  ledger_.Debit("a", 1);
  NewEvent broken = EventOf<Debited>(1);
  broken.payload = "\xff";
  ledger_.Append("a", {broken});
  ledger_.Debit("a", 2);
  ledger_.Debit("b", 4);
  ledger_.RunProjection(MakeProjectionType<BySign>());
  EXPECT_THAT(Rows(), ElementsAre("'minus'|5|0"));
  ASSERT_THAT(Keys(), SizeIs(1));
  EXPECT_EQ(Keys()[0].key, "account/a");
  EXPECT_EQ(Keys()[0].events, 2u);
}

TEST_F(ParkingTest, RowThatCannotBeParks) {
  ledger_.Debit("a", 1);
  ledger_.RunProjection(Debiting([](std::string_view, const EventContext&, RowStore& rows) {
    rows.Upsert(ReadModelTraits<Balance>::Schema(), [](ColumnWriter& out) { out.Text(1, "many"); });
    return true;
  }));
  EXPECT_TRUE(ledger_.projection().status().ok());
  EXPECT_THAT(Keys(), SizeIs(1));
  EXPECT_THAT(Rows(), IsEmpty());
}

TEST_F(ParkingTest, ThrownNumberAndUnreadablePayloadPark) {
  NewEvent broken = EventOf<Credited>(1);
  broken.payload = "\xff";
  ledger_.Append("a", {broken});
  ledger_.Debit("b", 1);
  ledger_.RunProjection(Debiting([](std::string_view, const EventContext&, RowStore&) -> bool { throw 7; }));
  const std::vector<ParkedKey> keys = Keys();
  ASSERT_THAT(keys, SizeIs(2));
  EXPECT_THAT(keys[0].error, HasSubstr("the payload is not a message of this type"));
  EXPECT_THAT(keys[1].error, HasSubstr("the handler threw"));
}

// What it catches up with is read ahead, and some of that is taken back: a row fails when it is written.
TEST_F(ParkingTest, CatchesUpWhateverIsAskedMeanwhile) {
  for (std::uint64_t seed = 1; seed <= 45; ++seed) {
    Ledger ledger(seed);
    SeededRandom random(seed);
    for (int i = 0; i < 30; ++i) ledger.Credit("a", 1);
    ledger.Debit("x", kPoison);
    ledger.RunProjection(Poisoned());
    ledger.CloseProjection();
    const std::string path = ledger.directory() + "/balances/1.db";
    Alter(path,
          "CREATE TRIGGER refuse BEFORE INSERT ON balance WHEN NEW.account = 't' BEGIN SELECT RAISE(ABORT, 'refused'); "
          "END");
    ledger.Credit("t", 1);
    for (int i = 0; i < 140; ++i) ledger.Append("a", std::vector<NewEvent>(500, EventOf<Credited>(1)));
    ASSERT_TRUE(ledger.OpenProjection(Poisoned(), 1'000).ok());
    ledger.projection().Start();
    for (std::uint64_t steps = 20 + random.Below(40); steps > 0; --steps) ledger.executor().RunOne();
    std::optional<absl::Status> answer;
    switch (seed % 5) {
      case 0:
      case 1:
      case 2:
        ledger.projection().RetryParked(
            "account/x", [&answer](const absl::StatusOr<std::uint64_t>& left) { answer = left.status(); });
        break;
      case 3:
        ledger.projection().DropParked(
            "account/x", std::nullopt, Version(1), "it is poison",
            [&answer](const absl::StatusOr<std::uint64_t>& left) { answer = left.status(); });
        break;
      default:
        ledger.projection().Compare(
            [&answer](const absl::StatusOr<VersionComparison>& compared) { answer = compared.status(); });
    }
    ledger.executor().RunUntilIdle();
    EXPECT_EQ(answer, absl::OkStatus()) << "seed " << seed;
    EXPECT_EQ(ledger.projection().lag_events(), 0u) << "seed " << seed;
    EXPECT_EQ(ledger.projection().status(), absl::OkStatus());
    EXPECT_THAT(DumpTable(path, "balance"), ElementsAre("'a'|70030|70030")) << "seed " << seed;
    const auto findings = VerifyTallies(Poisoned(), ledger.store(), ledger.projection().checkpoint(),
                                        ledger.projection().Describe().tallies);
    ASSERT_TRUE(findings.ok()) << findings.status();
    EXPECT_THAT(*findings, ::testing::IsEmpty()) << "seed " << seed;
    ledger.CloseProjection();
  }
}

TEST_F(ParkingTest, TooManyKeysStopItAndNothingIsLost) {
  for (int i = 0; i < 40; ++i) ledger_.Append("b", std::vector<NewEvent>(400, EventOf<Credited>(1)));
  for (std::size_t i = 0; i <= kMaxParkedKeys; ++i) ledger_.Debit(absl::StrFormat("a%03d", i), kPoison);
  constexpr std::size_t kBatch = 50;
  ledger_.RunProjection(Poisoned(), kBatch);
  const absl::Status status = ledger_.projection().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kReadModelStopped);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("projection balances stopped: 100 keys are parked with 100 of 16100 events; at most 100 keys"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("account/a100 would be the next, at ledger.v1.Debited"));
  // Those of the transaction that it could not end are taken back, and it says so.
  const std::size_t listed = ledger_.projection().Describe().parked_keys;
  EXPECT_THAT(listed, AllOf(Gt(kMaxParkedKeys - kBatch), Le(kMaxParkedKeys)));
  const std::string taken_back =
      absl::StrFormat("; %d of the keys are of the transaction that is taken back", kMaxParkedKeys - listed);
  const bool tells = status.message().find(taken_back) != status.message().npos;
  EXPECT_EQ(tells, listed < kMaxParkedKeys) << status;
  ledger_.executor().Advance(absl::Hours(1));  // another try would not help
  EXPECT_EQ(ledger_.projection().status(), status);

  ledger_.CloseProjection();
  ledger_.RunProjection();
  EXPECT_TRUE(ledger_.projection().status().ok());
  for (const ParkedKey& key : Keys()) EXPECT_EQ(Retry(key.key).value(), 0u);
  EXPECT_EQ(Rows(), ledger_.Fold(ledger_.store().DurableHead()));
  ExpectTalliesAreTheLogs();
}

TEST_F(ParkingTest, LargeShareOfTheEventsStopsIt) {
  for (std::size_t i = 0; i <= kMinKeysOfShare; ++i) ledger_.Debit(absl::StrFormat("a%03d", i), kPoison);
  ledger_.RunProjection(Poisoned());
  EXPECT_THAT(std::string(ledger_.projection().status().message()),
              HasSubstr("10 keys are parked with 10 of 10 events"));
}

// Parked, dropped and applied events are compared with the log; whatever is changed is found.
TEST_F(ParkingTest, VerifyComparesWithTheLog) {
  ledger_.Trade(30);
  for (const std::int64_t minor : {kPoison, std::int64_t{1}, std::int64_t{2}}) ledger_.Debit("x", minor);
  ledger_.Debit("y", kPoison);
  ledger_.RunProjection(Poisoned());
  ASSERT_TRUE(Drop("account/y", 1).ok());
  const std::string path = ledger_.projection().path();
  ledger_.CloseProjection();
  const auto verify = [this] {
    auto verified = VerifyReadModel(PosixFiles(), ledger_.directory(), Poisoned(), ledger_.store());
    EXPECT_TRUE(verified.ok()) << verified.status();
    return *verified;
  };
  EXPECT_EQ(verify().version, 1u);
  EXPECT_THAT(verify().findings, IsEmpty());
  EXPECT_EQ(verify().tally.parked.count, 3u);
  EXPECT_EQ(verify().tally.dropped.count, 1u);

  const std::vector<std::string> used =
      Select(path, "SELECT CAST(\"partition\" AS TEXT) FROM everfold_checkpoint WHERE applied_count > 0");
  Alter(path, "UPDATE everfold_checkpoint SET applied_low = applied_low + 1 WHERE applied_count > 0");
  EXPECT_THAT(verify().findings, SizeIs(used.size()));
  EXPECT_THAT(verify().findings[0], HasSubstr("projection balances: of partition 0 up to offset"));
  Alter(path, "UPDATE everfold_checkpoint SET applied_low = applied_low - 1 WHERE applied_count > 0");
  EXPECT_THAT(verify().findings, IsEmpty());
  Alter(path, "DELETE FROM everfold_parked_event WHERE version = 2");
  ASSERT_THAT(verify().findings, SizeIs(1));
  EXPECT_THAT(verify().findings[0], HasSubstr("are kept as parked, and counted"));
}

TEST_F(ParkingTest, VerifyOfOtherCodeSaysSo) {
  ledger_.Trade(3);
  ledger_.RunProjection();
  ledger_.CloseProjection();
  ProjectionType other = MakeProjectionType<Balances>();
  other.revision = 2;
  EXPECT_TRUE(VerifyReadModel(PosixFiles(), ledger_.directory(), other, ledger_.store())->other_code);
  other.name = "nobody";
  EXPECT_EQ(VerifyReadModel(PosixFiles(), ledger_.directory(), other, ledger_.store())->version, 0u);
}

TEST_F(ParkingTest, KeyIsWhatTheProjectionSaysItIs) {
  ledger_.Debit("a", 1);
  ledger_.Debit("a", kPoison);
  ledger_.Credit("a", 10);
  ledger_.Debit("b", 2);
  ledger_.RunProjection(MakeProjectionType<BySign>());
  EXPECT_THAT(Rows(), ElementsAre("'minus'|1|0", "'plus'|10|0"));
  ASSERT_THAT(Keys(), SizeIs(1));
  EXPECT_EQ(Keys()[0].key, "minus");
  EXPECT_EQ(Keys()[0].events, 2u);
  const absl::Status refused = Drop("minus", 2, "a test", StreamId{"", "account", "b"}).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(
      refused.message(),
      "the first event that waits with \"minus\" is account/a version 2, not \"account/b\" version 2; look at it, "
      "and ask again");
  EXPECT_EQ(Drop("minus", 2, "a test", StreamId{"", "account", "a"}).value(), 0u);
  EXPECT_THAT(Rows(), ElementsAre("'minus'|3|0", "'plus'|10|0"));
}

}  // namespace
}  // namespace everfold

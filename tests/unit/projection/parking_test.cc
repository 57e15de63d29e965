// Events that cannot be handled: they are parked, wait, are tried again or dropped, and are never lost.
#include <filesystem>

#include "everfold/base/error.h"
#include "everfold/projection/event_folder.h"
#include "everfold/projection/projection.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
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

ProjectionType Debiting(ProjectionType::Handler handler) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = handler;
  return type;
}
ProjectionType Poisoned() { return Debiting(ThrowsAtPoison); }

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
  absl::StatusOr<std::uint64_t> Drop(const std::string& key, const std::string& reason = "a test") {
    std::optional<absl::StatusOr<std::uint64_t>> answer;
    ledger_.projection().DropParked(key, reason, [&](absl::StatusOr<std::uint64_t> left) { answer = left; });
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
  EXPECT_EQ(Drop("account/a", "typed twice").value(), 0u);
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
  ASSERT_TRUE(Drop("account/a").ok());
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
  ledger_.projection().DropParked("account/a", "why not", [](const absl::StatusOr<std::uint64_t>&) {});
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

TEST_F(ParkingTest, DropNeedsAReasonAndAParkedKey) {
  ledger_.Debit("a", kPoison);
  ledger_.RunProjection(Poisoned());
  EXPECT_EQ(Drop("account/a", "").status().message(), "the reason has 0 bytes; it must have 1 to 1000");
  EXPECT_EQ(Drop("account/a", std::string(1001, 'x')).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Drop("account/b").status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(Drop("account/b").status()), reason::kNotParked);
  EXPECT_EQ(Retry("account/b").status().message(), "projection balances has no parked key \"account/b\"");
  EXPECT_EQ(Keys()[0].events, 1u);
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

TEST_F(ParkingTest, TooManyKeysStopItAndNothingIsLost) {
  for (int i = 0; i < 40; ++i) ledger_.Append("b", std::vector<NewEvent>(400, EventOf<Credited>(1)));
  for (std::size_t i = 0; i <= kMaxParkedKeys; ++i) ledger_.Debit(absl::StrFormat("a%03d", i), kPoison);
  ledger_.RunProjection(Poisoned(), 50);
  const absl::Status status = ledger_.projection().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kReadModelStopped);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("projection balances stopped: 100 keys are parked with 100 of 16100 events; at most 100 keys"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("account/a100 would be the next, at ledger.v1.Debited"));
  EXPECT_EQ(ledger_.projection().Describe().parked_keys, 100u);
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
  EXPECT_EQ(Drop("minus").value(), 0u);
  EXPECT_THAT(Rows(), ElementsAre("'minus'|3|0", "'plus'|10|0"));
}

}  // namespace
}  // namespace everfold

#include "everfold/app/stored_types.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "everfold/app/engine.h"
#include "everfold/app/parts.h"
#include "everfold/app/type_file.h"
#include "everfold/base/error.h"
#include "everfold/event/type_description.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/subscription/latest_events.h"
#include "everfold/subscription/subscription.h"
#include "everfold/telemetry/recording_logger.h"
#include "everfold/testing/scratch_directory.h"
#include "google/rpc/error_details.pb.h"
#include "tests/unit/decide/account.h"

namespace everfold {
namespace {

using account::v1::Account;
using account::v1::AccountBalance;
using account::v1::Credit;
using account::v1::Credited;
using account::v1::MakeCredited;
using account::v1::MakeCreditedInCents;
using account::v1::MakeCreditedInEuros;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::ScratchDirectory;

constexpr char kCredited[] = "account.v1.Credited";
constexpr char kMoneyIn[] = "account.v1.MoneyIn";
constexpr char kCents[] = "account.v1.CreditedInCents";
constexpr char kEuros[] = "account.v1.CreditedInEuros";

// An application whose store has events that earlier binaries wrote.
class StoredTypesTest : public ::testing::Test {
 protected:
  ~StoredTypesTest() override { Stop(); }

  absl::Status Start() {
    log_ = std::make_unique<MemoryLog>(storage_, executor_);
    Parts parts;
    parts.Aggregate<AccountDecider>().Projection<AccountBalances>();
    EngineOptions options;
    options.data_directory = directory_.path();
    options.logger = &logger_;
    auto engine = Engine::Start(options, parts, *log_, executor_, executor_.clock(), random_);
    if (engine.ok()) engine_ = *std::move(engine);
    return engine.status();
  }

  void Stop() {
    executor_.DropAll();
    engine_.reset();
    log_.reset();
    executor_.DropAll();
  }

  // As an earlier binary stored it.
  absl::Status Append(const std::string& id, const std::string& type, const google::protobuf::Message& event,
                      const std::string& fingerprint = "", std::optional<AppendCondition> condition = std::nullopt) {
    AppendRequest request;
    NewEvent stored;
    stored.type = type;
    stored.fingerprint = fingerprint;
    stored.payload = event.SerializeAsString();
    stored.tags = {"account:" + id};
    request.streams.push_back({.stream = {.tenant = "", .aggregate = "account", .id = id},
                               .expectation = StreamExpectation::Any(),
                               .events = {stored}});
    request.condition = std::move(condition);
    request.missed_events = 10;
    std::optional<absl::Status> done;
    engine_->store().Append(std::move(request), [&done](auto result) { done = result.status(); });
    executor_.RunUntil([&done] { return done.has_value(); });
    return *done;
  }

  absl::StatusOr<CommandOutcome> Send(const std::string& id) {
    const Credit command = account::v1::MakeCredit({.account_id = id, .amount_minor = 1});
    std::optional<absl::StatusOr<CommandOutcome>> outcome;
    CommandRequest request;
    request.command = &command;
    engine_->commands().Handle(std::move(request), [&outcome](auto answer) { outcome = std::move(answer); });
    executor_.RunUntil([&outcome] { return outcome.has_value(); });
    return *std::move(outcome);
  }

  // -1 if there is no row.
  std::int64_t BalanceOf(const std::string& id) {
    executor_.RunUntilIdle();
    std::optional<absl::Status> status;
    AccountBalance row;
    row.set_balance_minor(-1);
    using Traits = ReadModelTraits<AccountBalance>;
    engine_->queries().Get(
        Traits::Schema(), {}, [&id](ColumnWriter& key) { Traits::BindKey({id}, key); },
        [&row](const ColumnReader& found) { Traits::Read(found, row); },
        [&status](absl::Status result) { status = std::move(result); });
    executor_.RunUntil([&status] { return status.has_value(); });
    return row.balance_minor();
  }

  // Types of the events that a reader is handed which asks for Credited.
  std::vector<std::string> TypesFollowed() {
    std::vector<std::string> types;
    auto subscription =
        Subscription::Start(engine_->store(), {}, {.selection = {.query = {{{.types = {kCredited}, .tags = {}}}}}});
    EXPECT_TRUE(subscription.ok()) << subscription.status();
    EXPECT_TRUE((*subscription)
                    ->Pull(100,
                           [&types](const RecordedEvent& event) {
                             types.push_back(event.event.type);
                             return absl::OkStatus();
                           })
                    .ok());
    return types;
  }

  std::vector<std::string> Warnings() const {
    std::vector<std::string> warnings;
    for (const RecordingLogger::Line& line : logger_.lines()) {
      if (line.level != LogLevel::kWarning) continue;
      warnings.push_back(line.message);
      for (const LogField& field : line.fields) warnings.back() += " " + field.name + "=" + field.value;
    }
    return warnings;
  }

  std::string type_file() const { return directory_.path() + "/types"; }

  // What Credited was for a binary that wrote its amount as text.
  static v1::TypeDescription OtherCredited() {
    v1::TypeDescription other = DescribeType(*Credited::descriptor());
    other.set_fingerprint(std::string(32, 'f'));
    other.mutable_messages(0)->mutable_fields(0)->set_type("string");
    return other;
  }
  void Keep(const v1::TypeDescription& type) {
    v1::TypeDescriptions types;
    *types.add_types() = type;
    ASSERT_EQ(WriteTypeFile(PosixFiles(), type_file(), types), absl::OkStatus());
  }

  ScratchDirectory directory_;
  RecordingLogger logger_;
  ManualExecutor executor_;
  SeededRandom random_{1};
  std::shared_ptr<MemoryLogStorage> storage_ = std::make_shared<MemoryLogStorage>(
      LogIdentity{.epoch = {std::string(16, 'e')}, .partitions = 4, .key = std::string(32, 'k')});
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(StoredTypesTest, CommandsFoldWhatIsStoredOtherwise) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(Append("a", kMoneyIn, MakeCredited({.amount_minor = 5})), absl::OkStatus());
  ASSERT_EQ(Append("a", kEuros, MakeCreditedInEuros({.euros = 2})), absl::OkStatus());
  const auto outcome = Send("a");
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(std::get<CommandReceipt>(*outcome).version, Version(3));
}

TEST_F(StoredTypesTest, ProjectionsAreHandedTheEventsOfToday) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(Append("a", kMoneyIn, MakeCredited({.amount_minor = 5})), absl::OkStatus());
  ASSERT_EQ(Append("a", kEuros, MakeCreditedInEuros({.euros = 2})), absl::OkStatus());
  ASSERT_EQ(Append("a", "account.v0.Cents", MakeCreditedInCents({.cents = 10})), absl::OkStatus());
  ASSERT_TRUE(Send("a").ok());
  EXPECT_EQ(BalanceOf("a"), 216);
}

TEST_F(StoredTypesTest, AProjectionParksAnEventWhoseUpcastThrows) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(Append("a", kCents, MakeCreditedInCents({.cents = 13})), absl::OkStatus());
  executor_.RunUntilIdle();
  std::vector<ParkedKey> parked;
  engine_->projections()[0]->ListParked(
      [&parked](absl::StatusOr<std::vector<ParkedKey>> keys) { parked = *std::move(keys); });
  executor_.RunUntilIdle();
  ASSERT_EQ(parked.size(), 1u);
  EXPECT_EQ(parked[0].key, "account/a");
  EXPECT_THAT(parked[0].error, HasSubstr("the handler threw: unlucky"));
}

TEST_F(StoredTypesTest, ReadersThatAskForATypeAreHandedAllThatIsReadAsIt) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(Append("a", kMoneyIn, MakeCredited({.amount_minor = 5})), absl::OkStatus());
  ASSERT_EQ(Append("b", "account.v1.Closed", account::v1::Closed()), absl::OkStatus());
  ASSERT_EQ(Append("b", kCents, MakeCreditedInCents({.cents = 1})), absl::OkStatus());
  ASSERT_TRUE(Send("a").ok());
  EXPECT_THAT(TypesFollowed(), ElementsAre(kMoneyIn, kCents, kCredited));

  std::vector<std::string> latest;
  const LatestOptions options{.selection = {.query = {{{.types = {kCredited}, .tags = {}}}}}};
  ASSERT_TRUE(ReadLatest(engine_->store(), options, [&latest](const RecordedEvent& event) {
                latest.push_back(event.event.type);
                return absl::OkStatus();
              }).ok());
  EXPECT_THAT(latest, ElementsAre(kCredited, kCents, kMoneyIn));
}

TEST_F(StoredTypesTest, ConditionsOnATypeMeetAllThatIsReadAsIt) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(Append("a", kMoneyIn, MakeCredited({.amount_minor = 5})), absl::OkStatus());
  const AppendCondition no_credit{.fail_if_events_match = {{{.types = {kCredited}, .tags = {"account:a"}}}},
                                  .after = Sequence(0)};
  const absl::Status failed = Append("a", kCents, MakeCreditedInCents({.cents = 1}), "", no_credit);
  EXPECT_EQ(failed.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(failed), reason::kConditionFailed);
  const AppendCondition other_tag{.fail_if_events_match = {{{.types = {kCredited}, .tags = {"account:b"}}}},
                                  .after = Sequence(0)};
  EXPECT_EQ(Append("a", kCents, MakeCreditedInCents({.cents = 1}), "", other_tag), absl::OkStatus());
}

// Another append on its way is compared without the index.
TEST_F(StoredTypesTest, ConditionsMeetWhatIsOnItsWay) {
  ASSERT_EQ(Start(), absl::OkStatus());
  std::vector<absl::Status> done;
  for (int i = 0; i < 2; ++i) {
    NewEvent event;
    event.type = kMoneyIn;
    event.payload = MakeCredited({.amount_minor = 1}).SerializeAsString();
    AppendRequest request;
    request.streams.push_back({.stream = {.tenant = "", .aggregate = "account", .id = "a"},
                               .expectation = StreamExpectation::Any(),
                               .events = {event}});
    request.condition =
        AppendCondition{.fail_if_events_match = {{{.types = {kCredited}, .tags = {}}}}, .after = Sequence(0)};
    engine_->store().Append(std::move(request), [&done](auto result) { done.push_back(result.status()); });
  }
  executor_.RunUntilIdle();
  ASSERT_EQ(done.size(), 2u);
  EXPECT_EQ(done[0], absl::OkStatus());
  EXPECT_EQ(ReasonOf(done[1]), reason::kConditionFailed);
}

TEST_F(StoredTypesTest, AnUnknownTypeFaultsItsStreamAlone) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(Append("a", "account.v9.Frozen", MakeCredited({.amount_minor = 5})), absl::OkStatus());
  const absl::Status refused = Send("a").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), reason::kUnknownType);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("account.v9.Frozen"));
  EXPECT_TRUE(Send("b").ok());
  EXPECT_EQ(ReasonOf(Send("a").status()), reason::kUnknownType);
  // A projection that has no handler for it goes on.
  EXPECT_EQ(BalanceOf("b"), 1);
  EXPECT_EQ(engine_->projections()[0]->status(), absl::OkStatus());

  Stop();
  EXPECT_EQ(Start(), absl::OkStatus());  // it is no reason not to start
}

TEST_F(StoredTypesTest, KeepsDescriptionsOfWhatItMayWrite) {
  ASSERT_EQ(Start(), absl::OkStatus());
  const auto types = ReadTypeFile(PosixFiles(), type_file());
  ASSERT_TRUE(types.ok()) << types.status();
  std::vector<std::string> names;
  for (const v1::TypeDescription& type : types->types()) names.push_back(type.name());
  EXPECT_THAT(names, ::testing::IsSupersetOf({kCredited, kCents, kEuros, "account.v1.Closed"}));
  EXPECT_THAT(names, ::testing::SizeIs(4));
}

TEST_F(StoredTypesTest, StartsAgainWithTheSameTypes) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_TRUE(Send("a").ok());
  Stop();
  const auto written = std::filesystem::last_write_time(type_file());
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_TRUE(Send("a").ok());
  EXPECT_EQ(std::filesystem::last_write_time(type_file()), written);
}

TEST_F(StoredTypesTest, RefusesToMisreadWhatIsStored) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(Append("a", kCredited, MakeCredited({.amount_minor = 5}), OtherCredited().fingerprint()), absl::OkStatus());
  Stop();
  Keep(OtherCredited());
  const absl::Status refused = Start();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), reason::kIncompatibleType);
  EXPECT_EQ(refused.message(),
            "the store has events that this binary would misread:\n"
            "  account.v1.Credited: field 1 of account.v1.Credited was `string amount_minor` and is `int64 "
            "amount_minor`; give the field of today a number that was never used, and reserve this one\n"
            "Or declare the changed event as a new one, and have the old one upcast to it (upcast_to).");
  // Nothing was kept of types that have written nothing.
  const auto types = ReadTypeFile(PosixFiles(), type_file());
  ASSERT_TRUE(types.ok());
  EXPECT_EQ(types->types_size(), 1);
}

TEST_F(StoredTypesTest, ComparesEventsUnderEarlierNames) {
  ASSERT_EQ(Start(), absl::OkStatus());
  v1::TypeDescription money_in = OtherCredited();
  money_in.set_name(kMoneyIn);
  ASSERT_EQ(Append("a", kMoneyIn, MakeCredited({.amount_minor = 5}), money_in.fingerprint()), absl::OkStatus());
  Stop();
  Keep(money_in);
  EXPECT_THAT(std::string(Start().message()), HasSubstr("account.v1.MoneyIn: field 1 of account.v1.Credited was"));
}

TEST_F(StoredTypesTest, StartsAfterACompatibleChange) {
  ASSERT_EQ(Start(), absl::OkStatus());
  v1::TypeDescription narrow = OtherCredited();
  narrow.mutable_messages(0)->mutable_fields(0)->set_type("int32");
  ASSERT_EQ(Append("a", kCredited, MakeCredited({.amount_minor = 5}), narrow.fingerprint()), absl::OkStatus());
  Stop();
  Keep(narrow);
  EXPECT_EQ(Start(), absl::OkStatus());
  EXPECT_EQ(BalanceOf("a"), 5);
}

TEST_F(StoredTypesTest, DoesNotMindTypesThatTheLogDoesNotHave) {
  Keep(OtherCredited());
  EXPECT_EQ(Start(), absl::OkStatus());
}

TEST_F(StoredTypesTest, TellsWhatItCannotCompare) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(Append("a", kCredited, MakeCredited({.amount_minor = 5}), std::string(32, 'x')), absl::OkStatus());
  Stop();
  ASSERT_EQ(Start(), absl::OkStatus());
  EXPECT_THAT(logger_.lines(),
              ::testing::Contains(RecordingLogger::Line{
                  LogLevel::kWarning, "an event type was changed, and how cannot be told", {{"type", kCredited}}}));
}

TEST_F(StoredTypesTest, AnEventThatDoesNotParseIsNamed) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_TRUE(Send("a").ok());
  AppendRequest request;
  NewEvent event;
  event.type = kCredited;
  event.payload = "\xff";
  request.streams.push_back({.stream = {.tenant = "", .aggregate = "account", .id = "a"},
                             .expectation = StreamExpectation::Any(),
                             .events = {event}});
  engine_->store().Append(std::move(request), [](const auto& result) { EXPECT_TRUE(result.ok()) << result.status(); });
  executor_.RunUntilIdle();
  const absl::Status refused = Send("a").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(refused.message(), "account/a version 2: the stored bytes of an event account.v1.Credited do not parse");
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(FindDetail(refused, info));
  EXPECT_EQ(info.reason(), reason::kDataLoss);
  EXPECT_EQ(info.metadata().at("stream"), "account/a");
  EXPECT_EQ(info.metadata().at("version"), "2");
  EXPECT_EQ(info.metadata().at("type"), kCredited);
}

TEST_F(StoredTypesTest, TellsThatTheStoreIsAnotherApplications) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_EQ(Append("a", "other.v1.Shipped", MakeCredited({.amount_minor = 5}), std::string(32, 's')), absl::OkStatus());
  ASSERT_EQ(Append("a", "other.v1.Raw", MakeCredited({.amount_minor = 5})), absl::OkStatus());
  EXPECT_EQ(Warnings(), (std::vector<std::string>{}));
  Stop();
  ASSERT_EQ(Start(), absl::OkStatus());
  EXPECT_THAT(Warnings(), ElementsAre("the store has events, and none of this application; is this its data directory? "
                                      "types=other.v1.Raw, other.v1.Shipped"));
}

// What is raw, or was a command once, is nobody's.
TEST_F(StoredTypesTest, TellsOfEventsThatAnotherApplicationHasWritten) {
  ASSERT_EQ(Start(), absl::OkStatus());
  ASSERT_TRUE(Send("a").ok());
  ASSERT_EQ(Append("b", "other.v1.Raw", MakeCredited({.amount_minor = 5})), absl::OkStatus());
  Stop();
  ASSERT_EQ(Start(), absl::OkStatus());
  EXPECT_EQ(Warnings(), (std::vector<std::string>{}));
  for (int i = 10; i < 22; ++i) {
    ASSERT_EQ(
        Append("b", absl::StrFormat("other.v1.Event%d", i), MakeCredited({.amount_minor = 5}), std::string(32, 's')),
        absl::OkStatus());
  }
  Stop();
  ASSERT_EQ(Start(), absl::OkStatus());
  EXPECT_THAT(Warnings(), ElementsAre("the store has events of types that this application does not have types="
                                      "other.v1.Event10, other.v1.Event11, other.v1.Event12, other.v1.Event13, "
                                      "other.v1.Event14, other.v1.Event15, other.v1.Event16, other.v1.Event17, "
                                      "other.v1.Event18, other.v1.Event19 and 2 more"));
}

TEST_F(StoredTypesTest, RefusesADamagedFile) {
  ASSERT_EQ(Start(), absl::OkStatus());
  Stop();
  std::string bytes = *ReadFile(PosixFiles(), type_file());
  for (const std::size_t at : {std::size_t{0}, std::size_t{8}, bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(type_file(), std::ios::binary) << damaged;
    EXPECT_EQ(ReasonOf(Start()), reason::kTypeFileDamaged) << at;
    Stop();
  }
  std::ofstream(type_file(), std::ios::binary) << bytes.substr(0, 10);
  EXPECT_EQ(Start().code(), absl::StatusCode::kDataLoss);
  Stop();
  bytes[4] = 2;
  std::ofstream(type_file(), std::ios::binary) << bytes;
  EXPECT_EQ(ReasonOf(Start()), reason::kFormatUnknown);
}

}  // namespace
}  // namespace everfold

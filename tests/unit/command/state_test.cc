// States of aggregates: asked for, saved, and loaded again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/command/state_loader.h"
#include "tests/unit/command/wallet_commands.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;
using wallet::v1::Deposited;
using wallet::v1::MakeDeposit;
using wallet::v1::MakeOpenWallet;
using wallet::v1::Wallet;
using wallet::v1::WalletDecider;

// The wallet, after somebody has changed what a deposit means.
struct OtherDecider : WalletDecider {
  using WalletDecider::Evolve;
  static void Evolve(Wallet& s, const Deposited& e) { s.set_balance_minor(s.balance_minor() + 2 * e.amount_minor()); }
};
// The same, by somebody who has told.
struct RevisedDecider : OtherDecider {
  static constexpr int kRevision = 2;
};

// Of which nothing can be read.
class DamagedSnapshots final : public SnapshotStore {
 public:
  absl::StatusOr<std::optional<Snapshot>> Find(const StreamId&, std::string_view) const override {
    return absl::DataLossError("damaged");
  }
  void Save(const StreamId&, std::string_view, Snapshot) override {}
  void Drop(const StreamId&) override {}
  SnapshotCounts counts() const override { return {}; }
  void Close(Task done) override { done(); }
};

class StateTest : public WalletCommandsTest {
 protected:
  StateTest() {
    options_.snapshots = snapshots_.get();
    options_.snapshot = {.every_events = 10, .check_every_loads = 0};
    options_.snapshot.on_wrong = [this](const StreamId& stream, Version version) {
      wrong_.push_back(stream.ToString() + " " + std::to_string(version.value()));
    };
    Open<WalletDecider>();
    Receipt(Send(MakeOpenWallet({.wallet_id = "w1"})));
  }

  template <class Decider>
  void Open() {
    OpenHandler(MakeAggregateType<Decider>(), options_);
  }
  // Runs what can be done of it. It must be accepted before the test ends.
  void Start(const google::protobuf::Message& command) {
    started_.push_back(WalletCommandsTest::Start(command));
    executor_.RunUntilIdle();
  }
  void TearDown() override {
    for (const Pending& outcome : started_) Receipt(outcome->value());
    handler_ = nullptr;  // before its snapshots
  }
  void Deposit(int times) {
    for (int i = 0; i < times; ++i) Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 1})));
  }

  std::shared_ptr<std::optional<absl::StatusOr<StateAnswer>>> Ask(StateRequest request) {
    auto answer = std::make_shared<std::optional<absl::StatusOr<StateAnswer>>>();
    handler_->GetState(std::move(request), [answer](auto state) { *answer = std::move(state); });
    EXPECT_FALSE(answer->has_value()) << "answered before GetState returned";
    executor_.RunUntilIdle();
    return answer;
  }
  absl::StatusOr<StateAnswer> Get(StateRequest request = {.stream = {"", "wallet", "w1"}}) {
    return std::move(*Ask(std::move(request))).value();
  }
  static std::int64_t BalanceIn(const absl::StatusOr<StateAnswer>& answer) {
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? dynamic_cast<const Wallet&>(*answer->state).balance_minor() : -1;
  }
  std::int64_t Balance() { return BalanceIn(Get()); }
  Version SavedVersion(const AggregateType& aggregate = MakeAggregateType<WalletDecider>()) {
    const auto found =
        snapshots_->Find({"", "wallet", "w1"}, SnapshotKeyOf(aggregate, storage_->identity().epoch)).value();
    return found.has_value() ? found->version : Version();
  }

  std::unique_ptr<SnapshotStore> snapshots_ = MakeMemorySnapshots();
  CommandHandlerOptions options_;
  std::vector<std::string> wrong_;
  std::vector<Pending> started_;
};

TEST_F(StateTest, IsThatOfTheHead) {
  Deposit(3);
  const absl::StatusOr<StateAnswer> answer = Get();
  EXPECT_EQ(BalanceIn(answer), 3);
  EXPECT_EQ(answer->version, Version(4));
  EXPECT_EQ(answer->token.positions.size(), 1u);
}

TEST_F(StateTest, OfAStreamThatDoesNotExistIsEmpty) {
  const absl::StatusOr<StateAnswer> answer = Get({.stream = {"", "wallet", "nobody"}});
  EXPECT_EQ(BalanceIn(answer), 0);
  EXPECT_EQ(answer->version, Version());
}

TEST_F(StateTest, IsNotToldBeforeItIsDurable) {
  log_->Hold();
  Start(MakeDeposit({.wallet_id = "w1", .amount_minor = 5}));
  const auto answer = Ask({.stream = {"", "wallet", "w1"}});
  EXPECT_FALSE(answer->has_value());
  log_->LetThrough();
  executor_.RunUntilIdle();
  EXPECT_EQ(BalanceIn(answer->value()), 5);
  EXPECT_EQ(answer->value()->version, Version(2));
}

TEST_F(StateTest, OfTheFailedIsNeverTold) {
  log_->Hold();
  auto kept = std::make_shared<wallet::v1::Deposit>(MakeDeposit({.wallet_id = "w1", .amount_minor = 5}));
  CommandRequest request;
  request.command = kept.get();
  handler_->Handle(std::move(request), [kept](const absl::StatusOr<CommandOutcome>& outcome) {
    EXPECT_EQ(outcome.status().code(), absl::StatusCode::kResourceExhausted);
  });
  const auto answer = Ask({.stream = {"", "wallet", "w1"}});
  log_->Fail();
  executor_.RunUntilIdle();
  EXPECT_EQ(BalanceIn(answer->value()), 0);
  EXPECT_EQ(answer->value()->version, Version(1));
}

TEST_F(StateTest, AsItWasAtAVersionOrATime) {
  Deposit(3);
  const absl::Time then = executor_.clock().Now();
  executor_.Advance(absl::Seconds(1));
  Deposit(4);
  const StreamId stream = {"", "wallet", "w1"};
  EXPECT_EQ(BalanceIn(Get({.stream = stream, .version = Version(2)})), 1);
  EXPECT_EQ(BalanceIn(Get({.stream = stream, .version = Version(0)})), 0);
  const absl::StatusOr<StateAnswer> past = Get({.stream = stream, .as_of = then});
  EXPECT_EQ(BalanceIn(past), 3);
  EXPECT_EQ(past->version, Version(4));
  EXPECT_EQ(BalanceIn(Get({.stream = stream, .as_of = then - absl::Hours(1)})), 0);
}

TEST_F(StateTest, WhatCannotBeAskedForIsRefused) {
  const StreamId stream = {"", "wallet", "w1"};
  const absl::Status beyond = Get({.stream = stream, .version = Version(99)}).status();
  EXPECT_EQ(beyond.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ReasonOf(beyond), reason::kBeyondHead);
  EXPECT_THAT(std::string(beyond.message()), HasSubstr("version 99 is asked for, it is at version 1"));
  EXPECT_EQ(Get({.stream = stream, .version = Version(1), .as_of = absl::UnixEpoch()}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Get({.stream = {"", "basket", "b1"}}).status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(Get({.stream = {"", "wallet", ""}}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(StateTest, IsSavedEveryNowAndThenAndLoadedFromThere) {
  Deposit(25);
  EXPECT_EQ(SavedVersion(), Version(20));
  Open<WalletDecider>();
  const std::uint64_t folded = handler_->stats().events_folded;
  EXPECT_EQ(Balance(), 25);
  EXPECT_EQ(handler_->stats().events_folded - folded, 6u) << "what came after the snapshot";
  EXPECT_EQ(handler_->stats().loaded_from_snapshot, 1u);
}

TEST_F(StateTest, ALongStreamWithoutASnapshotIsSavedWhenItIsLoaded) {
  options_.snapshots = nullptr;
  Open<WalletDecider>();
  Deposit(25);
  options_.snapshots = snapshots_.get();
  Open<WalletDecider>();
  EXPECT_EQ(Balance(), 25);
  EXPECT_EQ(SavedVersion(), Version(26));
}

TEST_F(StateTest, IsSavedOnlyWhenItIsDurable) {
  Deposit(8);
  log_->Hold();
  Start(MakeDeposit({.wallet_id = "w1", .amount_minor = 1}));
  EXPECT_EQ(SavedVersion(), Version());
  log_->LetThrough();
  executor_.RunUntilIdle();
  EXPECT_EQ(SavedVersion(), Version(10));
}

// Found by the simulation: the state of a decision that was taken back was saved with the next one.
TEST_F(StateTest, TheStateOfADecisionThatWasTakenBackIsNotSaved) {
  Deposit(8);
  log_->Hold();
  AppendRequest raw;
  StreamAppend& stream = raw.streams.emplace_back();
  stream.stream = {"", "wallet", "w1"};
  Deposited deposited;
  deposited.set_amount_minor(1000);
  NewEvent& event = stream.events.emplace_back();
  event.type = "wallet.v1.Deposited";
  event.payload = deposited.SerializeAsString();
  store_->Append(std::move(raw), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
  Start(MakeDeposit({.wallet_id = "w1", .amount_minor = 1}));  // decided on version 9, which is not the last any more
  log_->LetThrough();
  executor_.RunUntilIdle();
  const std::string key = SnapshotKeyOf(MakeAggregateType<WalletDecider>(), storage_->identity().epoch);
  const std::optional<Snapshot> saved = snapshots_->Find({"", "wallet", "w1"}, key).value();
  ASSERT_TRUE(saved.has_value());
  Wallet state;
  ASSERT_TRUE(state.ParseFromString(saved->state));
  EXPECT_EQ(saved->version, Version(10));
  EXPECT_EQ(state.balance_minor(), 1008);
}

TEST_F(StateTest, ASnapshotOfAnotherRevisionIsNotUsed) {
  Deposit(25);
  Open<RevisedDecider>();
  EXPECT_EQ(Balance(), 50);
  EXPECT_EQ(SavedVersion(MakeAggregateType<RevisedDecider>()), Version(26));
  EXPECT_EQ(SavedVersion(), Version()) << "in its place";
}

TEST_F(StateTest, ASnapshotOfAnotherEpochOrStateIsNotUsed) {
  const AggregateType aggregate = MakeAggregateType<WalletDecider>();
  const std::string key = SnapshotKeyOf(aggregate, {"0123456789abcdef"});
  EXPECT_NE(key, SnapshotKeyOf(aggregate, {"fedcba9876543210"}));
  AggregateType other = MakeAggregateType<WalletDecider>();
  other.initial_state = &Deposited::default_instance();
  EXPECT_NE(key, SnapshotKeyOf(other, {"0123456789abcdef"}));
  EXPECT_EQ(key.size(), kSnapshotKeyBytes);
}

TEST_F(StateTest, ASnapshotThatIsWrongIsFoundByTheSample) {
  Deposit(25);
  options_.snapshot.check_every_loads = 1;
  Open<WalletDecider>();
  EXPECT_EQ(Balance(), 25);
  EXPECT_EQ(handler_->stats().snapshots_checked, 1u);
  EXPECT_EQ(handler_->stats().snapshots_wrong, 0u);
  // Somebody changes Evolve and forgets the revision.
  Open<OtherDecider>();
  EXPECT_EQ(Balance(), 50);
  EXPECT_EQ(handler_->stats().snapshots_wrong, 1u);
  EXPECT_THAT(wrong_, ::testing::ElementsAre("wallet/w1 20"));
}

TEST_F(StateTest, ASnapshotBeyondTheStreamOrThatDoesNotParseIsDropped) {
  const std::string key = SnapshotKeyOf(MakeAggregateType<WalletDecider>(), storage_->identity().epoch);
  const StreamId stream = {"", "wallet", "w1"};
  Deposit(3);
  for (const Snapshot& wrong :
       {Snapshot{Version(99), Wallet().SerializeAsString()}, Snapshot{Version(2), "\xff\xff"}}) {
    snapshots_->Save(stream, key, wrong);
    Open<WalletDecider>();
    EXPECT_EQ(Balance(), 3);
    EXPECT_EQ(SavedVersion(), Version());
  }
}

TEST_F(StateTest, WithoutSnapshotsThatCanBeReadItIsFoldedFromTheFirstEvent) {
  Deposit(3);
  DamagedSnapshots damaged;
  options_.snapshots = &damaged;
  Open<WalletDecider>();
  EXPECT_EQ(Balance(), 3);
  EXPECT_EQ(handler_->stats().snapshots_unreadable, 1u);
  handler_ = nullptr;
}

// fold(0..n) == fold(snapshot(k), k+1..n)
TEST_F(StateTest, FoldingFromASnapshotIsFoldingFromTheBeginning) {
  const std::string key = SnapshotKeyOf(MakeAggregateType<WalletDecider>(), storage_->identity().epoch);
  const StreamId stream = {"", "wallet", "w1"};
  Deposit(30);
  for (std::uint64_t k = 1; k <= 31; ++k) {
    const absl::StatusOr<StateAnswer> past = Get({.stream = stream, .version = Version(k)});
    snapshots_->Save(stream, key, {Version(k), past->state->SerializeAsString()});
    Open<WalletDecider>();
    EXPECT_EQ(Balance(), 30) << "from version " << k;
  }
}

}  // namespace
}  // namespace everfold

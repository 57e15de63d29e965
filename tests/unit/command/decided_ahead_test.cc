// Commands that are decided on a state that is not durable yet: what is told of them, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "google/protobuf/wrappers.pb.h"
#include "tests/unit/command/wallet_commands.h"

namespace everfold {
namespace {

using wallet::v1::MakeDeposit;
using wallet::v1::MakeWithdraw;

class DecidedAheadTest : public WalletCommandsTest {
 protected:
  DecidedAheadTest() { OpenWithBalance("w1", 100); }

  // Runs what can be done of it.
  Pending Start(const google::protobuf::Message& command, const std::string& request_id = "") {
    Pending outcome = WalletCommandsTest::Start(command, {.request_id = request_id});
    executor_.RunUntilIdle();
    return outcome;
  }
  Pending Deposit(std::int64_t amount, const std::string& request_id = "") {
    return Start(MakeDeposit({.wallet_id = "w1", .amount_minor = amount}), request_id);
  }
  Pending Withdraw(std::int64_t amount, const std::string& request_id = "") {
    return Start(MakeWithdraw({.wallet_id = "w1", .amount_minor = amount}), request_id);
  }
  static Version VersionIn(const Pending& pending) { return Receipt(pending->value()).version; }
  static std::int64_t MissingIn(const Pending& pending) { return WalletCommandsTest::MissingIn(pending->value()); }
  void LetThrough() {
    log_->LetThrough();
    executor_.RunUntilIdle();
  }
  void Fail() {
    log_->Fail();
    executor_.RunUntilIdle();
  }
};

TEST_F(DecidedAheadTest, AStreamDoesNotWaitForTheDisk) {
  log_->Hold();
  const std::size_t before = log_->groups();
  std::vector<Pending> deposits;
  for (int i = 0; i < 100; ++i) deposits.push_back(Deposit(1));
  EXPECT_LE(log_->groups() - before, 10u) << "many commands share a group";
  for (const Pending& deposit : deposits) EXPECT_FALSE(deposit->has_value());
  LetThrough();
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(VersionIn(deposits[i]), Version(3 + i));
}

TEST_F(DecidedAheadTest, NothingIsToldBeforeWhatItHasSeenIsDurable) {
  log_->Hold();
  const Pending withdrawn = Withdraw(60);
  const Pending rejected = Withdraw(50);
  const Pending known = Deposit(1, "r1");
  const Pending repeat = Deposit(1, "r1");
  for (const Pending& pending : {withdrawn, rejected, known, repeat}) EXPECT_FALSE(pending->has_value());
  EXPECT_EQ(VersionOf("w1"), Version(2));
  LetThrough();
  EXPECT_EQ(VersionIn(withdrawn), Version(3));
  EXPECT_EQ(MissingIn(rejected), 10);
  EXPECT_EQ(VersionIn(known), Version(4));
  EXPECT_EQ(VersionIn(repeat), Version(4));
  EXPECT_TRUE(Receipt(repeat->value()).repeated);
  EXPECT_FALSE(Receipt(known->value()).repeated);
}

TEST_F(DecidedAheadTest, OtherStreamsAreNotHeldUp) {
  log_->Hold();
  const Pending held = Withdraw(60);
  const Pending other = Start(MakeDeposit({.wallet_id = "w2", .amount_minor = 1}));
  ASSERT_TRUE(other->has_value()) << "it appends nothing, and has seen nothing that is on its way";
  EXPECT_EQ(other->value().status().code(), absl::StatusCode::kNotFound);
  LetThrough();
  EXPECT_EQ(VersionIn(held), Version(3));
}

TEST_F(DecidedAheadTest, WhatStoodOnAFailedGroupIsDecidedAfreshInOrder) {
  log_->Hold();
  const Pending failed = Deposit(50);
  const Pending accepted_before = Withdraw(120);  // of 150: accepted, and 30 are left
  const Pending rejected_before = Withdraw(70);   // of 30: rejected
  Fail();
  EXPECT_EQ(failed->value().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(MissingIn(accepted_before), 20) << "of 100";
  EXPECT_EQ(VersionIn(rejected_before), Version(3)) << "of 100";
  EXPECT_EQ(MissingIn(Withdraw(31)), 1);
}

// The version that a command was decided on comes back with other events: numbers alone would not tell.
TEST_F(DecidedAheadTest, SomebodyElsesAppendInTheFailedOnesPlaceIsNotMistakenForIt) {
  log_->Hold();
  const Pending failed = Deposit(50);  // on its way, version 3
  DepositFromOutside(1);               // waits behind it in the committer
  const Pending stood_on_it = Withdraw(120);
  Fail();  // now the deposit from outside is version 3
  EXPECT_EQ(failed->value().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(MissingIn(stood_on_it), 19) << "of 101";
  EXPECT_EQ(VersionOf("w1"), Version(3));
}

TEST_F(DecidedAheadTest, SomebodyElsesAppendInBetweenIsSeenByAllBehindIt) {
  log_->Hold();
  const Pending first = Withdraw(60);
  DepositFromOutside(100);
  const Pending second = Withdraw(50);  // of 40: rejected, but for what came from outside
  const Pending third = Deposit(1);
  const Pending fourth = Withdraw(100);
  LetThrough();
  EXPECT_EQ(VersionIn(first), Version(3));
  // The rejection stands on the first command alone, and was right when that became durable.
  EXPECT_EQ(MissingIn(second), 10);
  EXPECT_EQ(VersionIn(third), Version(5));
  EXPECT_EQ(VersionIn(fourth), Version(6));
  EXPECT_EQ(MissingIn(Withdraw(42)), 1) << "100 - 60 + 100 + 1 - 100 are left";
}

TEST_F(DecidedAheadTest, AnEventThatCannotBeFoldedHarmsOnlyItsCommand) {
  log_->Hold();
  const Pending before = Withdraw(60);
  const Pending faulty = Deposit(13);
  const Pending behind = Withdraw(50);
  LetThrough();
  EXPECT_EQ(VersionIn(before), Version(3));
  EXPECT_EQ(ReasonOf(faulty->value().status()), reason::kDeciderFailed);
  EXPECT_EQ(MissingIn(behind), 10);
}

// Protobuf writes a string that is not UTF-8, and refuses to read it: stored, it would lock its stream for ever.
TEST_F(DecidedAheadTest, AnEventThatCannotBeReadAgainIsNotStored) {
  using google::protobuf::StringValue;
  AggregateType wallet = FaultyWallet();
  AggregateEvent& event = wallet.events["google.protobuf.StringValue"];
  event.name = "google.protobuf.StringValue";
  event.fingerprint = std::string(32, 'f');
  event.event_time = [](const google::protobuf::Message&) { return std::optional<absl::Time>(); };
  event.evolve_payload = [](google::protobuf::Message&, std::string_view payload) {
    return StringValue().ParseFromArray(payload.data(), static_cast<int>(payload.size()));
  };
  wallet.commands.at("wallet.v1.Withdraw").decide = [](const google::protobuf::Message&,
                                                       const google::protobuf::Message&, Context&) {
    auto noted = std::make_unique<StringValue>();
    noted->set_value("caf\xc3");  // a character that was cut in two
    AnyDecision decision;
    decision.events.push_back(std::move(noted));
    return decision;
  };
  OpenHandler(std::move(wallet));
  const absl::Status status = Withdraw(1)->value().status();
  EXPECT_EQ(ReasonOf(status), reason::kDeciderFailed) << status;
  EXPECT_EQ(VersionIn(Deposit(1)), Version(3)) << "the stream goes on";
}

TEST_F(DecidedAheadTest, ARepeatOfWhatFailsIsDecidedAfresh) {
  log_->Hold();
  const Pending failed = Deposit(50, "r1");
  const Pending repeat = Deposit(50, "r1");
  Fail();
  EXPECT_EQ(failed->value().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(VersionIn(repeat), Version(3));
  EXPECT_FALSE(Receipt(repeat->value()).repeated);
}

// A repeat that this process does not remember is found when it is appended: whoever stood on it is decided afresh.
TEST_F(DecidedAheadTest, AnOldRepeatIsFoundAndThoseBehindItAreDecidedAfresh) {
  EXPECT_EQ(VersionIn(Withdraw(60, "r1")), Version(3));
  OpenHandler(FaultyWallet());
  log_->Hold();
  const Pending first = Deposit(10);
  const Pending repeat = Withdraw(60, "r1");  // of 50: decided afresh it would be rejected
  const Pending old_repeat = Withdraw(20, "r2");
  const Pending behind = Withdraw(25);
  LetThrough();
  EXPECT_EQ(VersionIn(first), Version(4));
  EXPECT_EQ(VersionIn(repeat), Version(3));
  EXPECT_TRUE(Receipt(repeat->value()).repeated);
  EXPECT_EQ(VersionIn(old_repeat), Version(5));
  EXPECT_EQ(VersionIn(behind), Version(6));
  OpenHandler(FaultyWallet());
  log_->Hold();
  const Pending again = Withdraw(5, "r2");      // another request under the same id
  const Pending repeated = Withdraw(20, "r2");  // of 0
  const Pending last = Withdraw(5);
  LetThrough();
  EXPECT_EQ(ReasonOf(again->value().status()), reason::kIdempotencyKeyReused);
  EXPECT_EQ(VersionIn(repeated), Version(5));
  EXPECT_EQ(VersionIn(last), Version(7)) << "5 are left: nothing was taken twice";
}

TEST_F(DecidedAheadTest, DecidesNoFurtherAheadThanItsLimit) {
  OpenHandler(FaultyWallet(), {.max_decided_ahead_per_stream = 2});
  log_->Hold();
  const Pending first = Withdraw(60);
  const Pending second = Withdraw(40);
  const Pending late = Deposit(1);
  DepositFromOutside(1);
  LetThrough();
  EXPECT_EQ(VersionIn(first), Version(3));
  EXPECT_EQ(VersionIn(second), Version(4));
  EXPECT_EQ(VersionIn(late), Version(6)) << "decided only when there was room, behind what came from outside";
}

TEST_F(DecidedAheadTest, CloseWaitsForWhatIsOnItsWay) {
  log_->Hold();
  const Pending held = Withdraw(60);
  const Pending rejected = Withdraw(60);
  bool closed = false;
  handler_->Close([&closed] { closed = true; });
  executor_.RunUntilIdle();
  EXPECT_FALSE(closed);
  LetThrough();
  EXPECT_TRUE(closed);
  EXPECT_EQ(VersionIn(held), Version(3));
  EXPECT_EQ(MissingIn(rejected), 20);
}

}  // namespace
}  // namespace everfold

#include "everfold/decide/aggregate_type.h"

#include <gmock/gmock.h>

#include <stdexcept>

#include "everfold/base/error.h"
#include "everfold/event/fingerprint.h"
#include "wallet/v1/wallet.everfold.h"

namespace everfold {
namespace {

using testing::Key;
using testing::UnorderedElementsAre;
using namespace wallet::v1;  // NOLINT: the domain under test

// Throws where an amount asks for it.
struct WalletDecider {
  using Aggregate = Wallet;
  static Decision<Wallet> Decide(const Wallet&, const OpenWallet&, Context&) { return Emit(MakeWalletOpened()); }
  static Decision<Wallet> Decide(const Wallet&, const Deposit& c, Context&) {
    if (c.amount_minor() == 13) throw std::runtime_error("unlucky");
    if (c.amount_minor() == 14) throw 14;
    return Emit(MakeDeposited({.amount_minor = c.amount_minor()}));
  }
  static Decision<Wallet> Decide(const Wallet& s, const Withdraw& c, Context&) {
    return Reject(MakeInsufficientFunds({.missing_minor = c.amount_minor() - s.balance_minor()}));
  }
  static void Evolve(Wallet&, const WalletOpened&) {}
  static void Evolve(Wallet& s, const Deposited& e) {
    if (e.amount_minor() == 13) throw std::runtime_error("unlucky");
    s.set_balance_minor(s.balance_minor() + e.amount_minor());
  }
  static void Evolve(Wallet& s, const Withdrawn& e) { s.set_balance_minor(s.balance_minor() - e.amount_minor()); }
};

class AggregateTypeTest : public testing::Test {
 protected:
  absl::StatusOr<AnyDecision> Decide(const google::protobuf::Message& command, const Wallet& state = {}) {
    return type_.Decide(type_.commands.at(command.GetDescriptor()->full_name()), state, command, context_);
  }

  const AggregateType type_ = MakeAggregateType<WalletDecider>();
  const StreamId stream_;
  const Metadata metadata_;
  SeededRandom random_{1};
  Context context_{absl::UnixEpoch(), stream_, Version(0), metadata_, random_};
};

TEST_F(AggregateTypeTest, ListsCommandsAndEventsByName) {
  EXPECT_EQ(type_.name, "wallet");
  EXPECT_THAT(type_.commands,
              UnorderedElementsAre(Key("wallet.v1.OpenWallet"), Key("wallet.v1.Deposit"), Key("wallet.v1.Withdraw")));
  EXPECT_THAT(type_.events, UnorderedElementsAre(Key("wallet.v1.WalletOpened"), Key("wallet.v1.Deposited"),
                                                 Key("wallet.v1.Withdrawn")));
  EXPECT_EQ(type_.commands.at("wallet.v1.OpenWallet").expect, Expect::kNew);
  EXPECT_EQ(type_.commands.at("wallet.v1.Deposit").expect, Expect::kExisting);
  EXPECT_EQ(type_.events.at("wallet.v1.Deposited").fingerprint, FingerprintOf(*Deposited::descriptor()));
}

TEST_F(AggregateTypeTest, StartsFromAnEmptyState) {
  const auto state = type_.NewState();
  ASSERT_EQ(state->GetDescriptor(), Wallet::descriptor());
  EXPECT_EQ(state->ByteSizeLong(), 0u);
}

TEST_F(AggregateTypeTest, FindsTheIdAndValidates) {
  const CommandType& withdraw = type_.commands.at("wallet.v1.Withdraw");
  const Withdraw command = MakeWithdraw({.wallet_id = "w1", .amount_minor = 0});
  EXPECT_EQ(withdraw.id(command), "w1");
  Violations violations;
  withdraw.validate(command, absl::UnixEpoch(), violations);
  EXPECT_THAT(violations.kept(),
              testing::ElementsAre(Violation{"amount_minor", "int64.gt", "must be greater than 0, is 0"}));
}

TEST_F(AggregateTypeTest, DecidesOnTheState) {
  const auto accepted = Decide(MakeDeposit({.wallet_id = "w1", .amount_minor = 5}));
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  ASSERT_EQ(accepted->events.size(), 1u);
  const auto rejected = Decide(MakeWithdraw({.amount_minor = 7}), MakeWallet({.balance_minor = 5}));
  ASSERT_TRUE(rejected.ok()) << rejected.status();
  EXPECT_EQ(static_cast<const InsufficientFunds&>(*rejected->rejection.message).missing_minor(), 2);
}

TEST_F(AggregateTypeTest, AnswersInternalWhenDecideThrows) {
  const absl::Status known = Decide(MakeDeposit({.amount_minor = 13})).status();
  EXPECT_EQ(known.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(known), reason::kDeciderFailed);
  EXPECT_EQ(known.message(), "Decide(wallet, wallet.v1.Deposit) threw: unlucky");
  const absl::Status unknown = Decide(MakeDeposit({.amount_minor = 14})).status();
  EXPECT_EQ(unknown.message(), "Decide(wallet, wallet.v1.Deposit) threw: something that is not a std::exception");
}

TEST_F(AggregateTypeTest, EvolvesByEventAndByPayload) {
  Wallet state;
  EXPECT_TRUE(type_.Evolve(state, MakeDeposited({.amount_minor = 5})).ok());
  EXPECT_TRUE(
      type_.EvolveStored(state, "wallet.v1.Withdrawn", MakeWithdrawn({.amount_minor = 2}).SerializeAsString()).ok());
  EXPECT_EQ(state.balance_minor(), 3);
}

// The message that payloads are parsed into is used again: nothing of the event before may stay in it.
TEST_F(AggregateTypeTest, ForgetsThePayloadBefore) {
  Wallet state;
  EXPECT_TRUE(
      type_.EvolveStored(state, "wallet.v1.Deposited", MakeDeposited({.amount_minor = 5}).SerializeAsString()).ok());
  EXPECT_TRUE(type_.EvolveStored(state, "wallet.v1.Deposited", "").ok());
  EXPECT_EQ(state.balance_minor(), 5);
}

TEST_F(AggregateTypeTest, AnswersInternalWhenEvolveThrows) {
  Wallet state;
  const absl::Status status = type_.Evolve(state, MakeDeposited({.amount_minor = 13}));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), reason::kDeciderFailed);
  EXPECT_EQ(status.message(), "Evolve(wallet, wallet.v1.Deposited) threw: unlucky");
}

TEST_F(AggregateTypeTest, RefusesStoredEventsOfUnknownType) {
  Wallet state;
  const absl::Status status = type_.EvolveStored(state, "wallet.v1.Frozen", "");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kUnknownType);
}

TEST_F(AggregateTypeTest, ReportsPayloadsThatDoNotParse) {
  Wallet state;
  const absl::Status status = type_.EvolveStored(state, "wallet.v1.Deposited", "\xff");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
}

}  // namespace
}  // namespace everfold

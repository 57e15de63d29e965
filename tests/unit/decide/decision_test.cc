#include "everfold/decide/decision.h"

#include <gtest/gtest.h>

#include "shop/v1/shop.everfold.h"
#include "wallet/v1/wallet.everfold.h"

namespace everfold {
namespace {

using wallet::v1::Deposited;
using wallet::v1::InsufficientFunds;
using wallet::v1::Wallet;
using wallet::v1::WalletOpened;

AnyDecision Released(Decision<Wallet> decision) { return std::move(decision).Release(); }

TEST(DecisionTest, HoldsEventsInTheirOrder) {
  const AnyDecision decision =
      Released(Emit(wallet::v1::MakeWalletOpened(), wallet::v1::MakeDeposited({.amount_minor = 5})));
  EXPECT_FALSE(decision.rejected());
  ASSERT_EQ(decision.events.size(), 2u);
  EXPECT_EQ(decision.events[0]->GetDescriptor(), WalletOpened::descriptor());
  ASSERT_EQ(decision.events[1]->GetDescriptor(), Deposited::descriptor());
  EXPECT_EQ(static_cast<const Deposited&>(*decision.events[1]).amount_minor(), 5);
}

TEST(DecisionTest, HoldsAsManyEventsAsAVectorHas) {
  const std::vector<Deposited> deposits(3, wallet::v1::MakeDeposited({.amount_minor = 5}));
  EXPECT_EQ(Released(Emit(wallet::v1::MakeWalletOpened(), deposits)).events.size(), 4u);
  EXPECT_EQ(Released(Emit(deposits)).events.size(), 3u);
  EXPECT_TRUE(Released(Emit(std::vector<Deposited>())).events.empty());
}

TEST(DecisionTest, CopiesEventsThatStayWithTheCaller) {
  const Deposited deposited = wallet::v1::MakeDeposited({.amount_minor = 5});
  const AnyDecision decision = Released(Emit(deposited, deposited));
  EXPECT_EQ(decision.events.size(), 2u);
  EXPECT_EQ(deposited.amount_minor(), 5);
}

TEST(DecisionTest, HoldsARejectionWithItsCode) {
  const AnyDecision decision = Released(Reject(wallet::v1::MakeInsufficientFunds({.missing_minor = 20})));
  ASSERT_TRUE(decision.rejected());
  EXPECT_TRUE(decision.events.empty());
  EXPECT_EQ(decision.rejection.code, absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(decision.rejection.message->GetDescriptor(), InsufficientFunds::descriptor());
  EXPECT_EQ(static_cast<const InsufficientFunds&>(*decision.rejection.message).missing_minor(), 20);
}

TEST(DecisionTest, TakesTheCodeThatTheRejectionNames) {
  Decision<shop::v1::Order> decision = Reject(shop::v1::MakeOrderClosed());
  EXPECT_EQ(std::move(decision).Release().rejection.code, absl::StatusCode::kAlreadyExists);
}

TEST(DecisionTest, MayHoldNothing) {
  const AnyDecision decision = Released(Nothing());
  EXPECT_FALSE(decision.rejected());
  EXPECT_TRUE(decision.events.empty());
}

}  // namespace
}  // namespace everfold

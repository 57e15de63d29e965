#include "wallet.h"

#include <limits>

#include "everfold/testing/given.h"
#include "everfold/testing/project.h"
#include "everfold/testing/test_app.h"
#include "gtest/gtest.h"

namespace wallet::v1 {
namespace {

using everfold::testing::Given;
using everfold::testing::InStream;
using everfold::testing::Project;
using everfold::testing::TestApp;
using everfold::testing::TestLog;

constexpr std::int64_t kMax = WalletDecider::kMaxBalanceMinor;

TEST(Wallet, Opens) { Given<WalletDecider>().When(MakeOpenWallet({.wallet_id = "w1"})).Then(MakeWalletOpened({})); }

TEST(Wallet, TakesADeposit) {
  Given<WalletDecider>(MakeWalletOpened({}))
      .When(MakeDeposit({.wallet_id = "w1", .amount_minor = 100}))
      .Then(MakeDeposited({.amount_minor = 100}));
}

TEST(Wallet, RefusesAnAmountThatIsNotAboveZero) {
  Given<WalletDecider>(MakeWalletOpened({}))
      .When(MakeDeposit({.wallet_id = "w1", .amount_minor = 0}))
      .ThenInvalid("amount_minor", "int64.gt");
  Given<WalletDecider>(MakeWalletOpened({}))
      .When(MakeWithdraw({.wallet_id = "w1", .amount_minor = -5}))
      .ThenInvalid("amount_minor", "int64.gt");
}

TEST(Wallet, PaysOutTheLastCent) {
  Given<WalletDecider>(MakeWalletOpened({}), MakeDeposited({.amount_minor = 100}))
      .When(MakeWithdraw({.wallet_id = "w1", .amount_minor = 100}))
      .Then(MakeWithdrawn({.amount_minor = 100}));
}

TEST(Wallet, RefusesToOverdraw) {
  Given<WalletDecider>(MakeWalletOpened({}), MakeDeposited({.amount_minor = 130}), MakeWithdrawn({.amount_minor = 30}))
      .When(MakeWithdraw({.wallet_id = "w1", .amount_minor = 120}))
      .ThenRejected(MakeInsufficientFunds({.missing_minor = 20}));
}

TEST(Wallet, FillsUpToItsLimit) {
  Given<WalletDecider>(MakeWalletOpened({}), MakeDeposited({.amount_minor = kMax - 1}))
      .When(MakeDeposit({.wallet_id = "w1", .amount_minor = 1}))
      .Then(MakeDeposited({.amount_minor = 1}));
}

TEST(Wallet, RefusesMoreThanItsLimitWithoutOverflow) {
  Given<WalletDecider>(MakeWalletOpened({}), MakeDeposited({.amount_minor = kMax - 1}))
      .When(MakeDeposit({.wallet_id = "w1", .amount_minor = std::numeric_limits<std::int64_t>::max()}))
      .ThenRejected(MakeLimitExceeded({.room_minor = 1}));
}

TEST(Balances, ShowANewWalletAsEmpty) {
  Project<Balances>(InStream("w1", MakeWalletOpened({})))
      .ExpectRows(MakeWalletBalance({.wallet_id = "w1", .balance_minor = 0}));
}

TEST(Balances, AddUpEachWalletByItself) {
  Project<Balances>(
      InStream("w1", MakeWalletOpened({}), MakeDeposited({.amount_minor = 100}), MakeWithdrawn({.amount_minor = 30})),
      InStream("w2", MakeWalletOpened({}), MakeDeposited({.amount_minor = 5})))
      .ExpectRows(MakeWalletBalance({.wallet_id = "w1", .balance_minor = 70}),
                  MakeWalletBalance({.wallet_id = "w2", .balance_minor = 5}));
}

TEST(WalletApp, KeepsADepositOnDiskThroughACrash) {
  TestApp app(everfold::Parts().Aggregate<WalletDecider>().Projection<Balances>(), {.log = TestLog::kEmbedded});
  app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
  const auto deposit = MakeDeposit({.wallet_id = "w1", .amount_minor = 100});
  const auto receipt = app.Accepted(deposit, {.request_id = "r1"});
  app.Crash();
  ASSERT_TRUE(app.Open().ok());
  EXPECT_EQ(app.Accepted(deposit, {.request_id = "r1"}).sequence, receipt.sequence);
  EXPECT_EQ(app.Get<WalletBalance>({"w1"}, receipt.token)->balance_minor(), 100);
}

}  // namespace
}  // namespace wallet::v1

// A client that has lost its patience: a thousand copies of one command under one request id, and a crash in the
// middle.
#include <gtest/gtest.h>

#include <vector>

#include "everfold/testing/test_app.h"
#include "sample-apps/wallet/wallet.h"

namespace everfold {
namespace {

using testing::TestApp;
using wallet::v1::MakeDeposit;
using wallet::v1::MakeOpenWallet;

constexpr int kCopies = 1000;

void SendCopies(TestApp& app, std::vector<TestApp::Pending>& answers) {
  const auto deposit = MakeDeposit({.wallet_id = "w1", .amount_minor = 7});
  for (int i = 0; i < kCopies; ++i) answers.push_back(app.Start(deposit, {.request_id = "r1"}));
}

// Every acknowledgement names the same commit, and one at most says that it made it.
void CheckAnswers(const std::vector<TestApp::Pending>& answers) {
  int first = 0;
  for (const TestApp::Pending& answer : answers) {
    if (!answer->has_value()) continue;  // lost in the crash
    ASSERT_TRUE((*answer)->ok()) << (*answer)->status();
    const auto& receipt = std::get<CommandReceipt>(***answer);
    EXPECT_EQ(receipt.version, Version(2));
    first += receipt.repeated ? 0 : 1;
  }
  EXPECT_LE(first, 1);
}

TEST(Duplicates, AThousandCopiesAndACrashLeaveOneSetOfEvents) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    SCOPED_TRACE(seed);
    TestApp app(Parts().Aggregate<wallet::v1::WalletDecider>(), {.seed = seed});
    app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
    std::vector<TestApp::Pending> answers;
    SendCopies(app, answers);
    SeededRandom random(seed);
    for (std::uint64_t steps = random.Below(200); steps > 0 && app.executor().RunOne(); --steps) continue;
    app.Crash();
    ASSERT_EQ(app.Open(), absl::OkStatus());
    SendCopies(app, answers);
    app.Settle();
    CheckAnswers(answers);
    EXPECT_EQ(app.engine().store().VersionOf({"", "wallet", "w1"}).value(), Version(2));
  }
}

}  // namespace
}  // namespace everfold

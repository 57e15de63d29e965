#include "everfold/testing/test_app.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "everfold/base/error.h"
#include "everfold/testing/faulty_disk.h"
#include "sample-apps/wallet/wallet.h"

namespace everfold::testing {
namespace {

using ::testing::HasSubstr;
using wallet::v1::Balances;
using wallet::v1::MakeDeposit;
using wallet::v1::MakeOpenWallet;
using wallet::v1::WalletBalance;
using wallet::v1::WalletDecider;

Parts WalletParts() { return Parts().Aggregate<WalletDecider>().Projection<Balances>(); }

TestAppOptions OnDisk() {
  TestAppOptions options;
  options.log = TestLog::kEmbedded;
  options.partitions = 4;
  return options;
}

auto Deposit(std::int64_t amount) { return MakeDeposit({.wallet_id = "w1", .amount_minor = amount}); }

class TestAppTest : public ::testing::TestWithParam<TestLog> {
 protected:
  static TestAppOptions Options() {
    TestAppOptions options;
    options.log = GetParam();
    options.partitions = 4;
    return options;
  }
  // After a restart: the deposit is there, once, in the stream and in the read model, and is known by its id.
  static void ExpectDepositOf100(TestApp& app, const CommandReceipt& first) {
    const CommandReceipt again = app.Accepted(Deposit(100), {.request_id = "r1"});
    EXPECT_TRUE(again.repeated);
    EXPECT_EQ(again.sequence, first.sequence);
    EXPECT_EQ(again.recorded_at, first.recorded_at);
    const CommandReceipt next = app.Accepted(Deposit(1));
    EXPECT_EQ(next.version, Version(3));
    const auto row = app.Get<WalletBalance>({"w1"}, next.token);
    ASSERT_TRUE(row.ok()) << row.status();
    EXPECT_EQ(row->balance_minor(), 101);
  }
};

INSTANTIATE_TEST_SUITE_P(Logs, TestAppTest, ::testing::Values(TestLog::kMemory, TestLog::kEmbedded),
                         [](const auto& log) { return log.param == TestLog::kMemory ? "Memory" : "Embedded"; });

TEST_P(TestAppTest, GoesOnAfterAStop) {
  TestApp app(WalletParts(), Options());
  app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
  const CommandReceipt first = app.Accepted(Deposit(100), {.request_id = "r1"});
  app.Stop();
  ASSERT_EQ(app.Open(), absl::OkStatus());
  ExpectDepositOf100(app, first);
}

TEST_P(TestAppTest, GoesOnAfterACrash) {
  TestApp app(WalletParts(), Options());
  app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
  const CommandReceipt first = app.Accepted(Deposit(100), {.request_id = "r1"});
  const TestApp::Pending lost = app.Start(MakeOpenWallet({.wallet_id = "w2"}));
  app.Crash();
  ASSERT_EQ(app.Open(), absl::OkStatus());
  EXPECT_FALSE(lost->has_value()) << "nobody is told what a crash has cut";
  ExpectDepositOf100(app, first);
}

TEST_P(TestAppTest, GoesOnWithMoreStreamsThanAStartReadsAtOnce) {
  TestApp app(WalletParts(), Options());
  std::vector<TestApp::Pending> opened;
  for (int i = 0; i < 1500; ++i) opened.push_back(app.Start(MakeOpenWallet({.wallet_id = "w" + std::to_string(i)})));
  app.Settle();
  app.Stop();
  ASSERT_EQ(app.Open(), absl::OkStatus());
  EXPECT_EQ(app.Accepted(MakeDeposit({.wallet_id = "w1499", .amount_minor = 1})).version, Version(2));
}

TEST_P(TestAppTest, TimeStandsStillUnlessATestLetsItPass) {
  TestApp app(WalletParts(), Options());
  const CommandReceipt first = app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
  app.Advance(absl::Hours(5));
  const absl::Time before = app.executor().clock().Now();
  const CommandReceipt second = app.Accepted(Deposit(1));
  EXPECT_GE(second.recorded_at - first.recorded_at, absl::Hours(5));
  EXPECT_EQ(second.recorded_at, before);
}

TEST_P(TestAppTest, TheSameSeedGivesTheSameRun) {
  const auto run = [] {
    TestApp app(WalletParts(), Options());
    app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
    for (int i = 0; i < 10; ++i) app.Start(Deposit(1));
    app.Settle();
    app.Stop();
    return app.executor().trace_hash();
  };
  EXPECT_EQ(run(), run());
}

TEST(TestAppOnDisk, KeepsItsLogInFiles) {
  TestApp app(WalletParts(), OnDisk());
  app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
  EXPECT_EQ(app.embedded_log().size().sealed_files, 0u);
  std::optional<absl::Status> sealed;
  app.embedded_log().SealAll([&sealed](absl::Status status) { sealed = std::move(status); });
  ASSERT_TRUE(app.executor().RunUntil([&sealed] { return sealed.has_value(); }));
  EXPECT_EQ(*sealed, absl::OkStatus());
  EXPECT_EQ(app.embedded_log().size().sealed_files, 1u);
  EXPECT_EQ(app.embedded_log().VerifyFiles(), absl::OkStatus());
  for (const char* const part : {"log/journal", "log/sealed", "index", "read/balances/1.db", "types"}) {
    EXPECT_TRUE(std::filesystem::exists(app.directory() + "/" + part)) << part;
  }
}

TEST(TestAppOnDisk, RefusesToOpenOnDamagedFiles) {
  TestApp app(WalletParts(), OnDisk());
  app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
  app.Stop();
  std::filesystem::remove(app.directory() + "/log/high-water");
  const absl::Status refused = app.Open();
  EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss) << refused;
  EXPECT_EQ(ReasonOf(refused), reason::kDataLoss);
  EXPECT_EQ(ReasonOf(app.Open()), reason::kDataLoss) << "it may be tried again";
}

TEST(TestAppOnDisk, FillsUpWhenATestSaysSo) {
  std::uint64_t free = 1 << 30;
  TestAppOptions options = OnDisk();
  options.embedded.free_bytes = [&free] { return free; };
  TestApp app(WalletParts(), options);
  app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
  free = 0;
  const TestApp::Answer refused = app.Send(Deposit(1));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused.status()), reason::kDiskFull);
  free = 1 << 30;
  EXPECT_EQ(app.Accepted(Deposit(1)).version, Version(2));
}

TEST(TestAppOnDisk, KeepsWhatWasAcknowledgedWhenADiskLosesPower) {
  FaultyDisk disk;
  disk.set_free_bytes(1 << 30);
  TestAppOptions options = OnDisk();
  options.embedded.files = &disk;
  TestApp app(WalletParts(), options);
  app.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
  const CommandReceipt first = app.Accepted(Deposit(100), {.request_id = "r1"});
  app.Start(Deposit(7));
  SeededRandom random(3);
  disk.LosePower(random);
  app.Crash();
  disk.Restore();
  ASSERT_EQ(app.Open(), absl::OkStatus());
  const CommandReceipt again = app.Accepted(Deposit(100), {.request_id = "r1"});
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_FALSE(std::filesystem::exists(app.directory() + "/log")) << "it was the disk in memory";
}

TEST(TestAppOnDisk, OtherDirectoriesAreOtherStores) {
  TestApp one(WalletParts(), OnDisk());
  TestApp other(WalletParts(), OnDisk());
  one.Accepted(MakeOpenWallet({.wallet_id = "w1"}));
  EXPECT_EQ(ReasonOf(other.Send(Deposit(1)).status()), reason::kStreamNotFound);
}

}  // namespace
}  // namespace everfold::testing

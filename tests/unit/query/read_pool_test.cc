// What a connection keeps from one read to the next.
#include "everfold/query/read_pool.h"

#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "everfold/projection/sqlite.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

using BalanceTraits = ReadModelTraits<Balance>;

class ReadPoolTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ledger_.RunProjection();
    pool_.emplace(ledger_.projection(), ledger_.executor(), 2);
  }

  // -1 if there is no such row.
  std::int64_t BalanceOf(const std::string& account) {
    std::optional<std::int64_t> minor;
    pool_->Run([&minor, account](absl::StatusOr<ReadConnection*> connection) {
      ASSERT_TRUE(connection.ok()) << connection.status();
      minor = -1;
      const auto found = (*connection)
                             ->Get(
                                 BalanceTraits::Schema(), [&](ColumnWriter& out) { out.Text(0, account); },
                                 [&minor](const ColumnReader& in) { minor = in.Integer(1); });
      EXPECT_TRUE(found.ok()) << found.status();
    });
    ledger_.executor().RunUntilIdle();
    return minor.value();
  }
  void Credit(const std::string& account, std::int64_t minor) {
    ledger_.Credit(account, minor);
    ledger_.executor().RunUntilIdle();
  }
  // Past the projection, which nobody else ever does: who keeps a snapshot does not see it.
  void SetBehindItsBack(const std::string& account, std::int64_t minor) {
    auto database = sqlite::Database::Open(ledger_.projection().path(), sqlite::Access::kReadWrite).value();
    EXPECT_EQ(database->Execute(absl::StrFormat("UPDATE balance SET minor = %d WHERE account = '%s'", minor, account)),
              absl::OkStatus());
  }
  // Whether somebody still reads what is older than the newest commit.
  bool SomebodyHoldsUpTheWal() {
    auto database = sqlite::Database::Open(ledger_.projection().path(), sqlite::Access::kReadWrite).value();
    EXPECT_EQ(database->Execute("PRAGMA busy_timeout = 0"), absl::OkStatus());
    auto checkpoint = database->Prepare("PRAGMA wal_checkpoint(FULL)").value();
    EXPECT_TRUE(checkpoint->Step().value());
    return checkpoint->Integer(0) != 0 || checkpoint->Integer(1) != checkpoint->Integer(2);
  }

  Ledger ledger_;
  std::optional<ReadPool> pool_;
};

TEST_F(ReadPoolTest, ReadsSeeEachCommit) {
  for (std::int64_t i = 1; i <= 20; ++i) {
    EXPECT_EQ(BalanceOf("a"), i == 1 ? -1 : i - 1);
    Credit("a", 1);
    EXPECT_EQ(BalanceOf("a"), i);
  }
}

TEST_F(ReadPoolTest, ASnapshotIsKeptUntilTheNextCommit) {
  Credit("a", 1);
  EXPECT_EQ(BalanceOf("a"), 1);
  SetBehindItsBack("a", 100);
  EXPECT_EQ(BalanceOf("a"), 1);
  Credit("b", 1);
  EXPECT_EQ(BalanceOf("a"), 100);
}

TEST_F(ReadPoolTest, ASnapshotIsGivenUpBeforeACommit) {
  Credit("a", 1);
  EXPECT_EQ(BalanceOf("a"), 1);
  Credit("b", 1);
  EXPECT_FALSE(SomebodyHoldsUpTheWal());
}

TEST_F(ReadPoolTest, NoneIsKeptWhileACommitIsUnderWay) {
  Credit("a", 1);
  {
    const SnapshotGate::Commit commit(*ledger_.projection().snapshots());
    EXPECT_EQ(BalanceOf("a"), 1);
    SetBehindItsBack("a", 100);
    EXPECT_EQ(BalanceOf("a"), 100);
  }
  SetBehindItsBack("a", 200);
  EXPECT_EQ(BalanceOf("a"), 200);
}

TEST_F(ReadPoolTest, NoneIsKeptIfACommitBeganMeanwhile) {
  Credit("a", 1);
  pool_->Run([this](absl::StatusOr<ReadConnection*> connection) {
    std::int64_t minor = 0;
    const auto read = [&] {
      return (*connection)
          ->Get(
              BalanceTraits::Schema(), [](ColumnWriter& out) { out.Text(0, "a"); },
              [&minor](const ColumnReader& in) { minor = in.Integer(1); })
          .value();
    };
    EXPECT_TRUE(read());
    { const SnapshotGate::Commit commit(*ledger_.projection().snapshots()); }
    SetBehindItsBack("a", 100);
    EXPECT_TRUE(read());
    EXPECT_EQ(minor, 1) << "one read sees one moment";
  });
  ledger_.executor().RunUntilIdle();
  EXPECT_FALSE(SomebodyHoldsUpTheWal());
  EXPECT_EQ(BalanceOf("a"), 100);
}

// What begins and ends a snapshot is no part of a read, whose deadline may be over by then. SQLite asks every thousand
// steps of a statement, over all of its executions.
TEST_F(ReadPoolTest, ADeadlineEndsNothingButItsRead) {
  for (std::int64_t i = 1; i <= 1'200; ++i) {
    Credit("a", 1);
    std::int64_t minor = 0;
    pool_->Run([this, &minor](absl::StatusOr<ReadConnection*> connection) {
      const Clock& clock = ledger_.executor().clock();
      (*connection)->SetDeadline(clock, clock.Now() + absl::Seconds(1));
      EXPECT_TRUE((*connection)
                      ->Get(
                          BalanceTraits::Schema(), [](ColumnWriter& out) { out.Text(0, "a"); },
                          [&minor](const ColumnReader& in) { minor = in.Integer(1); })
                      .value());
    });
    ledger_.executor().RunUntilIdle();
    ASSERT_EQ(minor, i);
    ledger_.executor().Advance(absl::Seconds(2));
  }
  EXPECT_FALSE(SomebodyHoldsUpTheWal());
}

TEST_F(ReadPoolTest, NoneIsKeptAfterAnError) {
  Credit("a", 1);
  EXPECT_EQ(BalanceOf("a"), 1);
  pool_->Run([](absl::StatusOr<ReadConnection*> connection) {
    const auto refused = (*connection)
                             ->Get(
                                 BalanceTraits::Schema(), [](ColumnWriter& out) { out.CannotWrite(0, "no key"); },
                                 [](const ColumnReader&) {});
    EXPECT_FALSE(refused.ok());
  });
  ledger_.executor().RunUntilIdle();
  SetBehindItsBack("a", 100);
  EXPECT_EQ(BalanceOf("a"), 100);
}

// The file of before has a snapshot that was kept, and is synced before it is queried again.
TEST_F(ReadPoolTest, ARollbackWaitsForNoSnapshot) {
  Credit("a", 1);
  EXPECT_EQ(BalanceOf("a"), 1);
  absl::Status done = absl::InternalError("not done");
  ledger_.projection().Rebuild([&done](absl::Status status) { done = std::move(status); });
  ledger_.executor().RunUntilIdle();
  ASSERT_EQ(done, absl::OkStatus());
  Credit("a", 1);
  done = absl::InternalError("not done");
  ledger_.projection().Rollback([&done](absl::Status status) { done = std::move(status); });
  ledger_.executor().RunUntilIdle();
  ASSERT_EQ(done, absl::OkStatus());
  EXPECT_EQ(BalanceOf("a"), 2);
}

}  // namespace
}  // namespace everfold

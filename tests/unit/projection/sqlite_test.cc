#include "everfold/projection/sqlite.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/temporary_folder.h"

namespace everfold::sqlite {
namespace {

using ::testing::HasSubstr;

class SqliteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Database::Open(path_, Access::kReadWrite);
    ASSERT_TRUE(opened.ok()) << opened.status();
    database_ = *std::move(opened);
  }

  std::unique_ptr<Statement> Prepare(const std::string& sql) {
    auto statement = database_->Prepare(sql);
    EXPECT_TRUE(statement.ok()) << statement.status();
    return *std::move(statement);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/test.db";
  std::unique_ptr<Database> database_;
};

TEST_F(SqliteTest, StatementIsReusableAfterItsUse) {
  const auto statement = Prepare("SELECT ? + ?");
  for (int i = 0; i < 3; ++i) {
    const Use use(*statement);
    statement->Integer(0, i);
    statement->Integer(1, 40);
    ASSERT_TRUE(*statement->Step());
    EXPECT_EQ(statement->Integer(0), 40 + i);
    EXPECT_FALSE(*statement->Step());
  }
}

TEST_F(SqliteTest, UseForgetsParametersAtItsEnd) {
  const auto statement = Prepare("SELECT ?");
  {
    const Use use(*statement);
    statement->Text(0, "kept?");
  }
  ASSERT_TRUE(*statement->Step());
  EXPECT_TRUE(statement->IsNull(0));
}

TEST_F(SqliteTest, EmptyTextAndBlobAreNotNull) {
  const auto statement = Prepare("SELECT ?, ?, typeof(?1), typeof(?2)");
  statement->Text(0, std::string_view());
  statement->Blob(1, std::string_view());
  ASSERT_TRUE(*statement->Step());
  EXPECT_FALSE(statement->IsNull(0));
  EXPECT_FALSE(statement->IsNull(1));
  EXPECT_EQ(statement->Text(2), "text");
  EXPECT_EQ(statement->Text(3), "blob");
}

TEST_F(SqliteTest, RefusesNaN) {
  const auto statement = Prepare("SELECT ?");
  statement->Real(0, std::numeric_limits<double>::quiet_NaN());
  const auto stepped = statement->Step();
  EXPECT_EQ(stepped.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(stepped.status()), reason::kReadModelFailed);
  EXPECT_EQ(stepped.status().message(), "value 0 of the row is NaN, which SQLite cannot store");
}

TEST_F(SqliteTest, WritingBeyondTheParametersIsAnErrorOfTheStep) {
  const auto statement = Prepare("SELECT ?");
  statement->Integer(0, 1);
  statement->Integer(1, 2);
  const auto stepped = statement->Step();
  EXPECT_EQ(stepped.status().code(), absl::StatusCode::kInternal);
  EXPECT_THAT(std::string(stepped.status().message()), HasSubstr("column index out of range"));
  statement->Reset();
  EXPECT_TRUE(*statement->Step());
}

TEST_F(SqliteTest, SyntaxErrorIsInternal) {
  const auto statement = database_->Prepare("SELEC 1");
  EXPECT_EQ(statement.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(statement.status()), reason::kReadModelFailed);
  EXPECT_EQ(statement.status().message(), "SQLite: near \"SELEC\": syntax error (extended code 1)");
}

TEST_F(SqliteTest, BrokenConstraintIsFailedPrecondition) {
  ASSERT_TRUE(database_->Execute("CREATE TABLE t (a INTEGER NOT NULL) STRICT").ok());
  const absl::Status status = database_->Execute("INSERT INTO t VALUES (NULL)");
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(status.message(), "SQLite: NOT NULL constraint failed: t.a (extended code 1299)");
}

TEST_F(SqliteTest, FullDiskIsResourceExhausted) {
  ASSERT_TRUE(database_->Execute("CREATE TABLE t (a BLOB) STRICT; PRAGMA max_page_count = 3").ok());
  const absl::Status status = database_->Execute("INSERT INTO t VALUES (zeroblob(100000))");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "SQLite: database or disk is full (extended code 13)");
}

TEST_F(SqliteTest, FileOfSomethingElseIsDataLoss) {
  const std::string path = folder_.path() + "/letter.db";
  std::ofstream(path) << std::string(4096, 'x');
  const auto database = Database::Open(path, Access::kReadWrite);
  ASSERT_TRUE(database.ok()) << database.status();
  const absl::Status status = (*database)->Execute("SELECT * FROM sqlite_schema");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(status), reason::kReadModelDamaged);
  EXPECT_THAT(std::string(status.message()), HasSubstr("file is not a database"));
}

TEST_F(SqliteTest, FilesAreForTheirOwnerAlone) {
  const auto rights = [](const std::string& path) { return std::filesystem::status(path).permissions(); };
  constexpr auto kOwner = std::filesystem::perms::owner_read | std::filesystem::perms::owner_write;
  const std::string path = folder_.path() + "/private.db";
  {
    const auto database = Database::Open(path, Access::kReadWrite);
    ASSERT_TRUE(database.ok()) << database.status();
    ASSERT_TRUE((*database)->Execute("PRAGMA journal_mode = WAL; CREATE TABLE t (a BLOB) STRICT").ok());
    for (const char* const ending : {"", "-wal", "-shm"}) EXPECT_EQ(rights(path + ending), kOwner) << ending;
    // As an older everfold has left it.
    for (const char* const ending : {"", "-wal", "-shm"}) {
      std::filesystem::permissions(path + ending, kOwner | std::filesystem::perms::others_read);
    }
    ASSERT_TRUE(Database::Open(path, Access::kReadWrite).ok());
    for (const char* const ending : {"", "-wal", "-shm"}) EXPECT_EQ(rights(path + ending), kOwner) << ending;
  }
}

// A process has no lock on a file any more once it has closed it, however often it has it open.
TEST_F(SqliteTest, AnotherOpeningTakesNoLockAway) {
  ASSERT_TRUE(database_->Execute("CREATE TABLE t (a INTEGER) STRICT; BEGIN IMMEDIATE").ok());
  const std::string path = folder_.path() + "/test.db";
  ASSERT_TRUE(Database::Open(path, Access::kReadWrite).ok());
  const pid_t child = fork();
  if (child == 0) {
    // Another process must not get the lock that this one has.
    const int fd = open(path.c_str(), O_RDWR);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000001;  // SQLite's reserved byte
    lock.l_len = 1;
    _exit(fcntl(fd, F_SETLK, &lock) == 0 ? 1 : 0);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the lock was gone";
}

TEST_F(SqliteTest, ReadOnlyConnectionDoesNotCreateTheFile) {
  const auto database = Database::Open(folder_.path() + "/missing.db", Access::kReadOnly);
  EXPECT_EQ(database.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(database.status().message(), "SQLite: unable to open database file (extended code 14)");
}

TEST_F(SqliteTest, ReadOnlyConnectionDoesNotWrite) {
  ASSERT_TRUE(database_->Execute("CREATE TABLE t (a INTEGER) STRICT").ok());
  const auto database = Database::Open(path_, Access::kReadOnly);
  ASSERT_TRUE(database.ok()) << database.status();
  const absl::Status status = (*database)->Execute("INSERT INTO t VALUES (1)");
  EXPECT_EQ(status.message(), "SQLite: attempt to write a readonly database (extended code 8)");
}

TEST_F(SqliteTest, TellsWhetherATransactionIsOpen) {
  EXPECT_FALSE(database_->in_transaction());
  ASSERT_TRUE(database_->Execute("BEGIN").ok());
  EXPECT_TRUE(database_->in_transaction());
  ASSERT_TRUE(database_->Execute("ROLLBACK").ok());
  EXPECT_FALSE(database_->in_transaction());
}

TEST_F(SqliteTest, QuotedIdentifierIsNeverSql) {
  const std::string name = "t\" (a); DROP TABLE kept; --";
  EXPECT_EQ(Quoted(name), "\"t\"\" (a); DROP TABLE kept; --\"");
  ASSERT_TRUE(database_->Execute("CREATE TABLE kept (a INTEGER) STRICT").ok());
  ASSERT_TRUE(database_->Execute("CREATE TABLE " + Quoted(name) + " (\"order\" INTEGER) STRICT").ok());
  EXPECT_TRUE(database_->Execute("SELECT \"order\" FROM " + Quoted(name)).ok());
  EXPECT_TRUE(database_->Execute("SELECT * FROM kept").ok());
}

TEST_F(SqliteTest, MisspeltQuotedColumnIsAnErrorAndNotAText) {
  ASSERT_TRUE(database_->Execute("CREATE TABLE t (amount INTEGER) STRICT").ok());
  const auto statement = database_->Prepare("SELECT \"amuont\" FROM t");
  EXPECT_EQ(statement.status().message(), "SQLite: no such column: amuont (extended code 1)");
}

// As the vocabulary of tests opens it, in whatever directory they run.
TEST(SqliteInMemoryTest, LeavesNoFile) {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  const auto database = Database::Open(":memory:", Access::kReadWrite);
  const bool left = !std::filesystem::is_empty(folder.path());
  std::filesystem::current_path(before);
  ASSERT_TRUE(database.ok()) << database.status();
  EXPECT_TRUE((*database)->Execute("CREATE TABLE t (a)").ok());
  EXPECT_FALSE(left);
}

}  // namespace
}  // namespace everfold::sqlite

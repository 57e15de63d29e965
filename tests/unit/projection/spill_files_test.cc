#include "everfold/projection/spill_files.h"

#include <sqlite3.h>

#include <filesystem>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/projection/sqlite.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/temporary_folder.h"

namespace everfold::sqlite {
namespace {

constexpr char kRows[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ";

class SpillFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto database = Database::Open(path_, Access::kReadWrite);
    ASSERT_TRUE(database.ok()) << database.status();
    ASSERT_TRUE((*database)->Execute("CREATE TABLE t (a INTEGER) STRICT; INSERT INTO t VALUES (7)").ok());
  }

  // So many rows of 1000 bytes, in another order. The result is the first of them.
  absl::StatusOr<std::int64_t> Sort(Database& database, int rows) {
    const auto select = database.Prepare(
        absl::StrFormat("%sSELECT i, printf('%%.1000c', 'x') AS filling FROM n ORDER BY filling, i %% 1000 DESC, i",
                        absl::StrFormat(kRows, rows)));
    if (!select.ok()) return select.status();
    const absl::StatusOr<bool> found = (*select)->Step();
    if (!found.ok()) return found.status();
    return (*select)->Integer(0);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/1.db";
};

// More than memory takes: SQLite has asked for a file, which is not to be seen any more.
TEST_F(SpillFilesTest, LargeSortsComeToTheirEnd) {
  const auto database = Database::Open(path_, Access::kReadOnly);
  ASSERT_TRUE(database.ok()) << database.status();
  EXPECT_EQ(Sort(**database, 30'000).value(), 999);
  EXPECT_EQ(Sort(**database, 30'000).value(), 999);
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) names.push_back(file.path().filename());
  EXPECT_THAT(names, ::testing::Each(::testing::StartsWith("1.db")));
}

TEST_F(SpillFilesTest, WhatIsPutAsideIsBounded) {
  const auto database = Database::Open(path_, Access::kReadOnly);
  ASSERT_TRUE(database.ok()) << database.status();
  const absl::Status refused = Sort(**database, 400'000).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << refused;
  EXPECT_EQ(ReasonOf(refused), reason::kLimitExceeded);
  EXPECT_THAT(std::string(refused.message()), ::testing::HasSubstr("more than the 268435456 bytes"));
  EXPECT_EQ(Sort(**database, 30'000).value(), 999) << "what a query has put aside is free after it";
}

// The room is that of all files of the connection together, and theirs only while they are open.
TEST_F(SpillFilesTest, FilesAreOfTheFolderThatIsNamedAndOfBoundedSize) {
  const std::string folder = folder_.path() + "/spill";
  std::filesystem::create_directory(folder);
  SpillFiles spill(folder, 100'000);
  sqlite3_vfs* const vfs = sqlite3_vfs_find(spill.name());
  ASSERT_NE(vfs, nullptr);
  const auto open = [vfs](std::vector<char>& room) {
    room.resize(static_cast<std::size_t>(vfs->szOsFile));
    auto* const file = reinterpret_cast<sqlite3_file*>(room.data());
    EXPECT_EQ(vfs->xOpen(vfs, nullptr, file, SQLITE_OPEN_TEMP_JOURNAL | SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    return file;
  };
  std::vector<char> first_room, second_room;
  sqlite3_file* const first = open(first_room);
  sqlite3_file* const second = open(second_room);
  EXPECT_TRUE(std::filesystem::is_empty(folder)) << "it has no name";

  const std::string bytes(60'000, 'b');
  EXPECT_EQ(first->pMethods->xWrite(first, bytes.data(), 60'000, 0), SQLITE_OK);
  EXPECT_EQ(first->pMethods->xWrite(first, bytes.data(), 60'000, 0), SQLITE_OK) << "over itself";
  EXPECT_FALSE(spill.TakeExceeded());
  EXPECT_EQ(second->pMethods->xWrite(second, bytes.data(), 60'000, 0), SQLITE_FULL);
  EXPECT_TRUE(spill.TakeExceeded());
  EXPECT_FALSE(spill.TakeExceeded());
  EXPECT_EQ(first->pMethods->xTruncate(first, 30'000), SQLITE_OK);
  EXPECT_EQ(second->pMethods->xWrite(second, bytes.data(), 60'000, 0), SQLITE_OK);

  std::string read(40'000, 'r');
  EXPECT_EQ(first->pMethods->xRead(first, read.data(), 40'000, 0), SQLITE_IOERR_SHORT_READ);
  EXPECT_EQ(read, std::string(30'000, 'b') + std::string(10'000, '\0'));
  sqlite3_int64 size = 0;
  EXPECT_EQ(second->pMethods->xFileSize(second, &size), SQLITE_OK);
  EXPECT_EQ(size, 60'000);
  EXPECT_EQ(second->pMethods->xClose(second), SQLITE_OK);
  EXPECT_EQ(first->pMethods->xWrite(first, bytes.data(), 60'000, 30'000), SQLITE_OK);
  EXPECT_EQ(first->pMethods->xClose(first), SQLITE_OK);
}

}  // namespace
}  // namespace everfold::sqlite

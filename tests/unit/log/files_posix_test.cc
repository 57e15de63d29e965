#include <gmock/gmock.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <sys/stat.h>

#include <filesystem>

#include "everfold/base/error.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/log/files_contract.h"
#include "tests/unit/projection/file_size_limit.h"

namespace everfold {
namespace {

class OnThisMachine final : public FilesUnderTest {
 public:
  Files& files() override { return PosixFiles(); }
  std::string root() const override { return scratch_.path(); }

 private:
  ScratchDirectory scratch_;
};

INSTANTIATE_TEST_SUITE_P(Posix, FilesContract, testing::Values([] { return std::make_unique<OnThisMachine>(); }));

mode_t RightsOf(const std::string& path) {
  struct stat file {};
  EXPECT_EQ(stat(path.c_str(), &file), 0) << path;
  return file.st_mode & 0777;
}

class PosixFilesTest : public testing::Test {
 protected:
  std::string Path(const std::string& name) const { return scratch_.path() / name; }
  std::unique_ptr<File> Create(const std::string& name) { return files_.Create(Path(name)).value(); }

  ScratchDirectory scratch_;
  Files& files_ = PosixFiles();
};

TEST_F(PosixFilesTest, FilesAndDirectoriesAreForTheirOwnerAlone) {
  std::filesystem::path open_to_all = Path("journal");
  Create("journal");
  std::filesystem::permissions(open_to_all, std::filesystem::perms::all);
  Create("journal");
  ASSERT_EQ(files_.MakeDirectory(Path("a/b")), absl::OkStatus());
  EXPECT_EQ(RightsOf(Path("journal")), 0600u);
  EXPECT_EQ(RightsOf(Path("a")), 0700u);
  EXPECT_EQ(RightsOf(Path("a/b")), 0700u);
}

TEST_F(PosixFilesTest, WhatRocksDbTellsIsLeftOutWhereTheDiskFails) {
  std::shared_ptr<rocksdb::Logger> log;
  ASSERT_TRUE(files_.ForRocksDb()->NewLogger(Path("LOG"), rocksdb::IOOptions(), &log, nullptr).ok());
  rocksdb::Info(log, "%s", "before");
  {
    const FileSizeLimit failing(1);
    for (int i = 0; i < 3; ++i) rocksdb::Info(log, "%s", "lost");
  }
  rocksdb::Info(log, "%s", "after");
  const std::string told = ReadFile(files_, Path("LOG")).value();
  EXPECT_THAT(told, testing::MatchesRegex("[^ ]+ before\n[^ ]+ after\n"));
  EXPECT_EQ(log->GetLogFileSize(), told.size());
  EXPECT_EQ(RightsOf(Path("LOG")), 0600u);
}

TEST_F(PosixFilesTest, AFullDiskIsToldFromOtherErrors) {
  const std::unique_ptr<File> full = files_.Open("/dev/full").value();
  const absl::Status status = full->WriteAt(0, "x");
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), reason::kDiskFull);
  EXPECT_EQ(status.message(), "cannot write /dev/full: No space left on device");
}

TEST_F(PosixFilesTest, AWriteThatTheSystemCutsShortGoesOnToItsEndOrItsError) {
  const std::unique_ptr<File> file = Create("journal");
  FileSizeLimit limit(4'096);
  const absl::Status status = file->WriteAt(0, std::string(10'000, 'x'));
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), reason::kStorageFailed);
  EXPECT_EQ(status.message(), "cannot write " + Path("journal") + ": File too large");
  EXPECT_EQ(file->Size().value(), 4'096u);
}

TEST_F(PosixFilesTest, TellsTheFreeSpaceWhereItCan) {
  EXPECT_GT(files_.FreeBytes(scratch_.path()), 0u);
  EXPECT_EQ(files_.FreeBytes(Path("missing")), 0u);
}

TEST_F(PosixFilesTest, WhatRocksDbWritesIsForItsOwnerAlone) {
  std::unique_ptr<rocksdb::FSWritableFile> table;
  const rocksdb::IOStatus status = files_.ForRocksDb()->NewWritableFile(Path("1.sst"), {}, &table, nullptr);
  ASSERT_TRUE(status.ok()) << status.ToString();
  EXPECT_EQ(RightsOf(Path("1.sst")), 0600u);
}

}  // namespace
}  // namespace everfold

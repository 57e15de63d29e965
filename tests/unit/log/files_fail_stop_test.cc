#include <rocksdb/file_system.h>

#include "everfold/log/files/fail_stop.h"
#include "everfold/testing/faulty_disk.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

constexpr rocksdb::IODebugContext* kNoContext = nullptr;

class FailStopTest : public testing::Test {
 protected:
  std::unique_ptr<rocksdb::FSWritableFile> NewFile(const std::string& path) {
    std::unique_ptr<rocksdb::FSWritableFile> file;
    const rocksdb::IOStatus status = files_->NewWritableFile(path, {}, &file, kNoContext);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return file;
  }

  std::unique_ptr<rocksdb::FSRandomAccessFile> FileToRead(const std::string& path) {
    std::unique_ptr<rocksdb::FSRandomAccessFile> file;
    const rocksdb::IOStatus status = files_->NewRandomAccessFile(path, {}, &file, kNoContext);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return file;
  }
  rocksdb::IOStatus Read(const rocksdb::FSRandomAccessFile& file) {
    char bytes[3];
    rocksdb::Slice read;
    return file.Read(0, sizeof(bytes), options_, &read, bytes, kNoContext);
  }

  FaultyDisk disk_;
  std::shared_ptr<rocksdb::FileSystem> files_ = FailStop(disk_.ForRocksDb(), "/incoming");
  const rocksdb::IOOptions options_;
};

TEST_F(FailStopTest, ChangesNothingAfterTheFirstError) {
  const auto file = NewFile("/f");
  std::unique_ptr<rocksdb::FSDirectory> root;
  ASSERT_TRUE(files_->NewDirectory("/", options_, &root, kNoContext).ok());
  ASSERT_TRUE(file->Append("bytes", options_, kNoContext).ok());
  disk_.FailFrom(1, DiskFault::kSyncError, FaultTimes::kOnce);
  EXPECT_TRUE(file->Sync(options_, kNoContext).IsIOError());
  const std::uint64_t operations = disk_.operations();
  EXPECT_TRUE(file->Append("more", options_, kNoContext).IsIOError());
  EXPECT_TRUE(file->Sync(options_, kNoContext).IsIOError());
  EXPECT_TRUE(file->Truncate(0, options_, kNoContext).IsIOError());
  EXPECT_TRUE(root->Fsync(options_, kNoContext).IsIOError());
  EXPECT_TRUE(files_->DeleteFile("/f", options_, kNoContext).IsIOError());
  EXPECT_TRUE(files_->RenameFile("/f", "/g", options_, kNoContext).IsIOError());
  EXPECT_TRUE(files_->LinkFile("/f", "/g", options_, kNoContext).IsIOError());
  EXPECT_TRUE(files_->CreateDirIfMissing("/d", options_, kNoContext).IsIOError());
  std::unique_ptr<rocksdb::FSWritableFile> other;
  EXPECT_TRUE(files_->NewWritableFile("/g", {}, &other, kNoContext).IsIOError());
  EXPECT_EQ(disk_.operations(), operations);
}

TEST_F(FailStopTest, ReadsOn) {
  const auto file = NewFile("/f");
  ASSERT_TRUE(file->Append("bytes", options_, kNoContext).ok());
  disk_.FailFrom(1, DiskFault::kNoSpace, FaultTimes::kOnce);
  EXPECT_TRUE(file->Append("more", options_, kNoContext).IsNoSpace());
  std::string read;
  EXPECT_TRUE(rocksdb::ReadFileToString(files_.get(), "/f", &read).ok());
  EXPECT_EQ(read, "bytes");
}

TEST_F(FailStopTest, AFileThatCouldNotBeReadIsNotReadUntilItIsOpenedAgain) {
  ASSERT_TRUE(NewFile("/f")->Append("bytes", options_, kNoContext).ok());
  const auto file = FileToRead("/f"), other = FileToRead("/f");
  ASSERT_TRUE(Read(*file).ok());
  disk_.FailFrom(1, DiskFault::kIoError, FaultTimes::kOnce, DiskOperation::kRead);
  EXPECT_TRUE(Read(*file).IsIOError());
  const std::uint64_t reads = disk_.operations(DiskOperation::kRead);
  const rocksdb::IOStatus again = Read(*file);
  EXPECT_TRUE(again.IsIOError());
  EXPECT_NE(again.ToString().find("not read after its first error: IO error: "), std::string::npos) << again.ToString();
  char bytes[3];
  rocksdb::FSReadRequest request;
  request.offset = 0;
  request.len = sizeof(bytes);
  request.scratch = bytes;
  ASSERT_TRUE(file->MultiRead(&request, 1, options_, kNoContext).ok());
  EXPECT_TRUE(request.status.IsIOError());
  EXPECT_EQ(disk_.operations(DiskOperation::kRead), reads);
  EXPECT_TRUE(Read(*other).ok());
  EXPECT_TRUE(Read(*FileToRead("/f")).ok());
  EXPECT_TRUE(NewFile("/g")->Append("bytes", options_, kNoContext).ok());
}

TEST_F(FailStopTest, ChangesNothingAfterAFileToBeIngestedCouldNotBeRead) {
  ASSERT_TRUE(files_->CreateDir("/incoming", options_, kNoContext).ok());
  const auto written = NewFile("/incoming/f");
  const auto file = FileToRead("/incoming/f");
  disk_.FailFrom(1, DiskFault::kIoError, FaultTimes::kOnce, DiskOperation::kRead);
  EXPECT_TRUE(Read(*file).IsIOError());
  EXPECT_TRUE(written->Append("bytes", options_, kNoContext).IsIOError());
}

TEST_F(FailStopTest, WhatIsNotThereIsNoError) {
  EXPECT_TRUE(files_->DeleteFile("/missing", options_, kNoContext).IsPathNotFound());
  EXPECT_TRUE(files_->RenameFile("/missing", "/g", options_, kNoContext).IsPathNotFound());
  EXPECT_TRUE(NewFile("/f")->Append("bytes", options_, kNoContext).ok());
}

}  // namespace
}  // namespace everfold

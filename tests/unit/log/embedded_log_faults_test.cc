// The embedded log on a disk that is full or damaged, step by step.
#include <optional>

#include "everfold/base/error.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/testing/faulty_disk.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"

namespace everfold {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kMuch = std::uint64_t{1} << 40;

class EmbeddedLogFaultsTest : public testing::Test {
 protected:
  EmbeddedLogFaultsTest() {
    disk_.set_free_bytes(kMuch);
    options_.directory = "/store";
    options_.partitions = 1;
    options_.reserved_bytes = 0;
    options_.journal_file_bytes = 256 << 10;
    options_.max_journal_files = 6;
    options_.seal_files = 3;
    options_.files = &disk_;
    options_.make_strand = [this](const std::string&) { return executor_.MakeStrand(); };
    Open();
  }
  ~EmbeddedLogFaultsTest() override { Die(); }

  void Open() {
    auto log = EmbeddedLog::Open(options_, executor_, random_);
    ASSERT_TRUE(log.ok()) << log.status();
    log_ = *std::move(log);
  }
  void Die() {
    executor_.DropAll();
    log_ = nullptr;
  }

  absl::Status Append(std::size_t bytes) {
    ChunkAppend chunk = MakeChunk(PartitionId(0), head_, {.events = 1, .payload_bytes = bytes});
    const PartitionHead head = chunk.new_head;
    absl::Status outcome = absl::UnknownError("not told");
    log_->Append({std::move(chunk)}, [&](absl::Status status) { outcome = std::move(status); });
    executor_.RunUntilIdle();
    if (outcome.ok()) head_ = head;
    return outcome;
  }
  absl::Status SealAll() {
    absl::Status outcome = absl::UnknownError("not told");
    log_->SealAll([&](absl::Status status) { outcome = std::move(status); });
    executor_.RunUntilIdle();
    return outcome;
  }
  // Enough files for a merge; nothing else is to be written any more.
  void MakeSmallFiles(int files = 8) {
    for (int file = 0; file < files; ++file) {
      for (int i = 0; i < 8; ++i) ASSERT_EQ(Append(10 << 10), absl::OkStatus());
      ASSERT_EQ(SealAll(), absl::OkStatus());
    }
    ASSERT_EQ(log_->size().sealed_files, files);
    executor_.Advance(absl::Milliseconds(20));  // the high-water mark
    executor_.RunUntilIdle();
  }
  // The time after which merges begin, and what they do.
  void BeIdle() {
    executor_.Advance(absl::Seconds(3));
    executor_.RunUntilIdle();
  }

  FaultyDisk disk_;
  ManualExecutor executor_{1};
  SeededRandom random_{1};
  EmbeddedLogOptions options_;
  std::unique_ptr<EmbeddedLog> log_;
  PartitionHead head_;
};

TEST_F(EmbeddedLogFaultsTest, MergesWhileItIsIdle) {
  MakeSmallFiles();
  BeIdle();
  EXPECT_EQ(log_->size().sealed_files, 1);
}

// No time passes, so that it is never idle.
TEST_F(EmbeddedLogFaultsTest, UnderLoadTheNumberOfSmallFilesIsBounded) {
  Die();
  options_.max_small_files = 20;
  Open();
  for (int file = 0; file < 100; ++file) {
    ASSERT_EQ(Append(10 << 10), absl::OkStatus());
    ASSERT_EQ(SealAll(), absl::OkStatus());
  }
  EXPECT_LT(log_->size().sealed_files, 40);  // of 100
}

TEST_F(EmbeddedLogFaultsTest, NothingIsMergedOnAFullDisk) {
  MakeSmallFiles();
  disk_.set_free_bytes(1 << 20);
  disk_.FailFrom(1, DiskFault::kNoSpace, FaultTimes::kForever, DiskOperation::kWrite | DiskOperation::kCreate);
  BeIdle();
  EXPECT_EQ(disk_.failures(), 0);
  disk_.StopFailing();
  disk_.set_free_bytes(kMuch);
  EXPECT_EQ(Append(1000), absl::OkStatus());
  EXPECT_EQ(SealAll(), absl::OkStatus());
  BeIdle();
  EXPECT_EQ(log_->size().sealed_files, 1);
}

TEST_F(EmbeddedLogFaultsTest, AFailedMergeEndsTheLogAndSaysWhy) {
  MakeSmallFiles();
  disk_.FailFrom(1, DiskFault::kNoSpace, FaultTimes::kForever, DiskOperation::kWrite | DiskOperation::kCreate);
  BeIdle();
  EXPECT_GT(disk_.failures(), 0);
  disk_.StopFailing();
  const absl::Status refused = Append(1000);
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(ReasonOf(refused), reason::kOutcomeUnknown);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("merging sealed files failed: "));
  EXPECT_THAT(std::string(refused.message()), HasSubstr("No space"));
}

// RocksDB's own recovery from a full disk, which is switched off, kept the end of the log waiting in one of thirty.
TEST_F(EmbeddedLogFaultsTest, AfterAFailedMergeTheLogEnds) {
  for (int i = 0; i < 60; ++i) {
    MakeSmallFiles();
    disk_.FailFrom(1, DiskFault::kNoSpace, FaultTimes::kForever, DiskOperation::kWrite | DiskOperation::kCreate);
    BeIdle();
    ASSERT_GT(disk_.failures(), 0);
    disk_.StopFailing();
    Die();
    ASSERT_EQ(disk_.RemoveAll("/store"), absl::OkStatus());
    head_ = PartitionHead();
    Open();
  }
}

TEST_F(EmbeddedLogFaultsTest, DamageThatAMergeMeetsEndsMergesAlone) {
  MakeSmallFiles(7);
  Die();
  std::string damaged;
  for (const std::string& file : disk_.AllFiles()) {
    if (!file.starts_with("/store/sealed/") || !file.ends_with(".sst")) continue;
    const bool of_checkpoint = *(*disk_.Open(file))->Size() < 10'000;
    if (damaged.empty() && !of_checkpoint) damaged = file;
  }
  disk_.FlipBit(damaged, 1000, 3);
  Open();
  for (int sealed = 0; sealed < 2; ++sealed) {
    ASSERT_EQ(Append(10 << 10), absl::OkStatus());
    ASSERT_EQ(SealAll(), absl::OkStatus());
    BeIdle();
  }
  EXPECT_EQ(log_->size().sealed_files, 9);
  EXPECT_EQ(log_->VerifyFiles().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Append(1000), absl::OkStatus());
}

TEST_F(EmbeddedLogFaultsTest, AfterAFullDiskAppendsGoOnWhenThereIsSpaceAgain) {
  disk_.FailFrom(1, DiskFault::kNoSpace, FaultTimes::kForever, DiskOperation::kCreate);
  disk_.set_free_bytes(1000);
  absl::Status refused;
  for (int i = 0; i < 100 && refused.ok(); ++i) refused = Append(100 << 10);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), reason::kDiskFull);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("1000 bytes are free"));
  EXPECT_GT(disk_.failures(), 0);
  disk_.StopFailing();
  disk_.set_free_bytes(kMuch);
  BeIdle();
  EXPECT_EQ(Append(100 << 10), absl::OkStatus());
}

TEST_F(EmbeddedLogFaultsTest, AnotherFileOfTheJournalEndsAFullDiskToo) {
  disk_.FailFrom(1, DiskFault::kNoSpace, FaultTimes::kForever, DiskOperation::kCreate);
  disk_.set_free_bytes(1000);
  absl::Status refused;
  for (int i = 0; i < 100 && refused.ok(); ++i) refused = Append(100 << 10);
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  disk_.StopFailing();  // there is room for a file, and none for a seal
  BeIdle();
  EXPECT_EQ(Append(100 << 10), absl::OkStatus());
  EXPECT_EQ(log_->size().sealed_files, 0);
}

}  // namespace
}  // namespace everfold

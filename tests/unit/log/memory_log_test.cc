#include "everfold/log/memory/memory_log.h"

#include "everfold/base/error.h"
#include "everfold/runtime/manual_executor.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"

namespace everfold {
namespace {

class MemoryLogTest : public testing::Test {
 protected:
  ManualExecutor executor_;
  std::shared_ptr<MemoryLogStorage> storage_ = std::make_shared<MemoryLogStorage>(
      LogIdentity{.epoch = {std::string(16, 'e')}, .partitions = 2, .key = std::string(32, 'k')});
};

TEST_F(MemoryLogTest, ACrashCanFallBetweenDurableAndTold) {
  auto log = std::make_unique<MemoryLog>(storage_, executor_);
  bool told = false;
  log->Append({MakeChunk(PartitionId(0), {})}, [&](absl::Status) { told = true; });
  EXPECT_EQ(storage_->Head(PartitionId(0)).chunk_number, 0);
  executor_.RunOne();
  EXPECT_EQ(storage_->Head(PartitionId(0)).chunk_number, 1);
  EXPECT_FALSE(told);
  log = nullptr;
  executor_.RunUntilIdle();
  EXPECT_FALSE(told);
}

TEST_F(MemoryLogTest, AnAppendThatNoStepHasReachedIsLostInACrash) {
  auto log = std::make_unique<MemoryLog>(storage_, executor_);
  log->Append({MakeChunk(PartitionId(0), {})}, [](absl::Status) { FAIL(); });
  log = nullptr;
  executor_.RunUntilIdle();
  EXPECT_EQ(storage_->Head(PartitionId(0)), PartitionHead());
}

TEST_F(MemoryLogTest, ASecondWriterOnTheSameStorageFencesTheFirst) {
  MemoryLog first(storage_, executor_);
  MemoryLog second(storage_, executor_);
  absl::Status first_status, second_status;
  second.Append({MakeChunk(PartitionId(0), {})}, [&](absl::Status status) { second_status = status; });
  executor_.RunUntilIdle();
  first.Append({MakeChunk(PartitionId(0), {})}, [&](absl::Status status) { first_status = status; });
  executor_.RunUntilIdle();
  EXPECT_EQ(second_status, absl::OkStatus());
  EXPECT_EQ(first_status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(first_status), reason::kHeadConflict);
}

TEST_F(MemoryLogTest, TheStorageOutlivesItsLogs) {
  std::unique_ptr<ChunkCursor> cursor;
  {
    MemoryLog log(storage_, executor_);
    log.Append({MakeChunk(PartitionId(1), {})}, [](absl::Status) {});
    executor_.RunUntilIdle();
  }
  MemoryLog log(storage_, executor_);
  EXPECT_EQ(log.identity(), storage_->identity());
  EXPECT_EQ(log.Head(PartitionId(1)).chunk_number, 1);
}

TEST(MemoryLogStorageDeathTest, NeedsAPartition) {
  EXPECT_DEATH(MemoryLogStorage({.epoch = {}, .partitions = 0, .key = ""}), "check failed: identity_.partitions >= 1");
}

}  // namespace
}  // namespace everfold

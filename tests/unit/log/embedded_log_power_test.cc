#include "everfold/log/embedded/embedded_log.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/log/log_driver.h"
#include "tests/unit/log/synced_sizes.h"

namespace everfold {
namespace {

// kill -9 leaves the kernel's page cache behind; a loss of power does not. An acknowledged chunk must be in what was
// synced before its acknowledgement.
TEST(EmbeddedLogPower, EveryAcknowledgedChunkSurvivesALossOfPower) {
  ScratchDirectory scratch;
  const auto log = OpenOrDie(scratch.path() / "store");
  PartitionHead head;
  std::vector<std::string> acknowledged;
  for (int i = 1; i <= 20; ++i) {
    const ChunkAppend chunk = MakeChunk(PartitionId(3), head);
    ASSERT_EQ(AppendAndWait(*log, {chunk}), absl::OkStatus());
    head = chunk.new_head;
    acknowledged.push_back(chunk.bytes);
    const auto left = scratch.path() / ("left-" + std::to_string(i));
    CopyAfterPowerLoss(scratch.path() / "store", left);
    const Reading reading = ReadPartition(*OpenOrDie(left), 3);
    EXPECT_EQ(reading.status, absl::OkStatus());
    ASSERT_EQ(reading.chunks, acknowledged);
  }
}

TEST(EmbeddedLogPower, ANewStoreSurvivesALossOfPower) {
  ScratchDirectory scratch;
  const auto log = OpenOrDie(scratch.path() / "store", 5);
  CopyAfterPowerLoss(scratch.path() / "store", scratch.path() / "left");
  EXPECT_EQ(OpenOrDie(scratch.path() / "left")->identity(), log->identity());
}

}  // namespace
}  // namespace everfold

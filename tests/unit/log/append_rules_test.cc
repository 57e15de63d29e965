#include "everfold/log/append_rules.h"

#include "everfold/base/error.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"

namespace everfold {
namespace {

const absl::Status kRefused = absl::ResourceExhaustedError("full");
const absl::Status kAborted = absl::AbortedError("stale");

TEST(CompareHeads, NamesTheFirstHeadThatDiffers) {
  const std::vector<PartitionHead> heads = {{Offset(4), 2}, {Offset(9), 3}};
  EXPECT_EQ(CompareHeads({MakeChunk(PartitionId(1), heads[1])}, heads), absl::OkStatus());
  const absl::Status conflict =
      CompareHeads({MakeChunk(PartitionId(0), heads[0]), MakeChunk(PartitionId(1), {Offset(8), 3})}, heads);
  EXPECT_EQ(conflict.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(conflict), reason::kHeadConflict);
  EXPECT_EQ(
      conflict.message(),
      "partition 1 ends with chunk 3 at offset 9, not with chunk 3 at offset 8: another writer has appended to it");
}

TEST(OutstandingAppends, AFailureSpreadsToLaterOnes) {
  OutstandingAppends appends;
  for (int i = 0; i < 3; ++i) appends.Begin();
  EXPECT_EQ(appends.Settle(absl::OkStatus()), absl::OkStatus());
  EXPECT_EQ(appends.Settle(kRefused), kRefused);
  EXPECT_EQ(appends.failure(), kRefused);
  EXPECT_EQ(appends.Settle(kAborted), kRefused);
}

TEST(OutstandingAppends, ForgetsARefusalWhenNoneIsOutstanding) {
  OutstandingAppends appends;
  appends.Begin();
  appends.Begin();
  EXPECT_EQ(appends.Settle(kRefused), kRefused);
  appends.End();
  EXPECT_EQ(appends.failure(), kRefused);
  EXPECT_EQ(appends.Settle(absl::OkStatus()), kRefused);
  appends.End();
  EXPECT_EQ(appends.failure(), absl::OkStatus());
}

TEST(OutstandingAppends, NeverForgetsAnUnknownOutcome) {
  OutstandingAppends appends;
  appends.Begin();
  const absl::Status unknown = appends.Settle(OutcomeUnknown("EIO"));
  EXPECT_EQ(unknown.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(ReasonOf(unknown), reason::kOutcomeUnknown);
  appends.End();
  EXPECT_EQ(appends.failure(), unknown);
}

TEST(CheckGroupDeathTest, MistakesOfTheOwnerAbort) {
  const ChunkAppend chunk = MakeChunk(PartitionId(3), {});
  CheckGroup({chunk}, 4);
  EXPECT_DEATH(CheckGroup({}, 4), "check failed: !group.empty\\(\\)");
  EXPECT_DEATH(CheckGroup({chunk}, 3), "check failed: append.partition.value\\(\\) < partitions");
  EXPECT_DEATH(CheckGroup({chunk, chunk}, 4), "check failed: InDistinctPartitions\\(group\\)");
  ChunkAppend skipping = chunk;
  skipping.new_head.chunk_number = 2;
  EXPECT_DEATH(CheckGroup({skipping}, 4), "check failed: append.new_head.chunk_number");
  ChunkAppend shrinking = MakeChunk(PartitionId(3), {Offset(5), 1});
  shrinking.new_head.offset = Offset(4);
  EXPECT_DEATH(CheckGroup({shrinking}, 4), "check failed: append.new_head.offset");
}

}  // namespace
}  // namespace everfold

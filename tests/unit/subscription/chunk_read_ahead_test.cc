#include "everfold/subscription/chunk_read_ahead.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "everfold/base/random.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/runtime/manual_executor.h"

namespace everfold {
namespace {

constexpr std::size_t kChunkBytes = 1'000;

// What a log would have of a partition.
struct FakePartition {
  std::size_t chunks = 0;
  std::size_t chunk_bytes = kChunkBytes;
  std::size_t fails_before = SIZE_MAX;  // a chunk, once
  std::atomic<std::size_t> reads = 0;
  std::atomic<bool> closed = false;

  static std::string ChunkAt(std::size_t i, std::size_t bytes = kChunkBytes) {
    return absl::StrCat(i, "/", std::string(bytes, 'c'));
  }
};

class FakeCursor final : public ChunkCursor {
 public:
  explicit FakeCursor(FakePartition& partition) : partition_(partition) {}
  ~FakeCursor() override { partition_.closed = true; }

  absl::StatusOr<bool> Next() override {
    ++partition_.reads;
    if (next_ == partition_.fails_before) {
      partition_.fails_before = SIZE_MAX;
      return absl::DataLossError("damaged");
    }
    if (next_ == partition_.chunks) return false;
    chunk_ = FakePartition::ChunkAt(next_++, partition_.chunk_bytes);
    return true;
  }
  std::string_view chunk() const override { return chunk_; }
  PartitionHead head() const override { return {.offset = Offset(10 * next_), .chunk_number = next_}; }

 private:
  FakePartition& partition_;
  std::size_t next_ = 0;
  std::string chunk_;
};

std::unique_ptr<ChunkCursor> Wrap(ChunkReadAhead& ahead, FakePartition& partition) {
  return ahead.Wrap(std::make_unique<FakeCursor>(partition));
}

// True as long as it stands on the chunk with number `i`.
::testing::AssertionResult StandsOn(const ChunkCursor& cursor, std::size_t i) {
  if (cursor.chunk() != FakePartition::ChunkAt(i)) return ::testing::AssertionFailure() << "not on chunk " << i;
  if (cursor.head() != PartitionHead{.offset = Offset(10 * (i + 1)), .chunk_number = i + 1}) {
    return ::testing::AssertionFailure() << "not at the head of chunk " << i;
  }
  return ::testing::AssertionSuccess();
}

TEST(ChunkReadAheadTest, HandsOutChunksInOrderWhoeverReadsThem) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    ManualExecutor executor(seed);
    SeededRandom random(seed);
    FakePartition partitions[3];
    ChunkReadAhead ahead(executor, 3);
    std::vector<std::unique_ptr<ChunkCursor>> cursors;
    for (FakePartition& partition : partitions) {
      partition.chunks = random.Below(400);
      cursors.push_back(Wrap(ahead, partition));
    }
    std::size_t next[3] = {};
    for (std::size_t left = 3; left > 0;) {
      for (std::size_t steps = random.Below(3); steps > 0; --steps) executor.RunOne();
      const std::size_t i = random.Below(3);
      if (next[i] == SIZE_MAX) continue;
      const bool found = cursors[i]->Next().value();
      ASSERT_EQ(found, next[i] < partitions[i].chunks) << "seed " << seed;
      if (!found) {
        --left;
        next[i] = SIZE_MAX;
        continue;
      }
      ASSERT_TRUE(StandsOn(*cursors[i], next[i]));
      ++next[i];
    }
  }
}

TEST(ChunkReadAheadTest, TellsAnErrorBehindTheChunksBeforeItAndGoesOn) {
  for (const std::size_t fails_before : {0, 1, 64, 65, 66, 67, 130, 200}) {
    for (const bool steps : {false, true}) {
      ManualExecutor executor;
      FakePartition partition{.chunks = 201, .fails_before = fails_before};
      ChunkReadAhead ahead(executor, 1);
      const auto cursor = Wrap(ahead, partition);
      for (std::size_t i = 0; i < 201; ++i) {
        if (steps) executor.RunUntilIdle();
        if (i == fails_before) {
          EXPECT_EQ(cursor->Next().status(), absl::DataLossError("damaged"));
        }
        ASSERT_TRUE(cursor->Next().value()) << i << " of " << fails_before;
        ASSERT_TRUE(StandsOn(*cursor, i));
      }
      EXPECT_FALSE(cursor->Next().value());
    }
  }
}

TEST(ChunkReadAheadTest, LooksAgainAtTheHead) {
  ManualExecutor executor;
  FakePartition partition{.chunks = 3};
  ChunkReadAhead ahead(executor, 1);
  const auto cursor = Wrap(ahead, partition);
  for (std::size_t i = 0; i < 3; ++i) ASSERT_TRUE(cursor->Next().value());
  executor.RunUntilIdle();
  EXPECT_FALSE(cursor->Next().value());
  EXPECT_FALSE(cursor->Next().value());
  partition.chunks = 5;
  executor.RunUntilIdle();
  for (std::size_t i = 3; i < 5; ++i) {
    ASSERT_TRUE(cursor->Next().value());
    EXPECT_TRUE(StandsOn(*cursor, i));
  }
  EXPECT_FALSE(cursor->Next().value());
}

TEST(ChunkReadAheadTest, ReadsNoMoreThanItHasRoomFor) {
  ManualExecutor executor;
  FakePartition partition{.chunks = 10'000};
  ChunkReadAhead ahead(executor, 1);
  const auto cursor = Wrap(ahead, partition);
  ASSERT_TRUE(cursor->Next().value());
  const std::size_t piece = partition.reads;
  executor.RunUntilIdle();
  EXPECT_EQ(partition.reads, 3 * piece);
  // Nothing has been taken since.
  for (std::size_t i = 1; i < piece; ++i) ASSERT_TRUE(cursor->Next().value());
  EXPECT_EQ(executor.RunUntilIdle(), 0u);
  EXPECT_EQ(partition.reads, 3 * piece);
}

TEST(ChunkReadAheadTest, ManyCursorsShareTheMemory) {
  ManualExecutor executor;
  FakePartition few{.chunks = 10'000};
  FakePartition many{.chunks = 10'000};
  ChunkReadAhead for_few(executor, 1);
  ChunkReadAhead for_many(executor, 1024);
  const auto of_few = Wrap(for_few, few);
  const auto of_many = Wrap(for_many, many);
  ASSERT_TRUE(of_few->Next().value());
  ASSERT_TRUE(of_many->Next().value());
  executor.RunUntilIdle();
  EXPECT_LE(few.reads * kChunkBytes, 3 * (65u << 10));
  EXPECT_LE(many.reads * kChunkBytes, (4u << 20) / 1024 + 3 * kChunkBytes);
}

// 16 cursors with chunks of 1 MB each: four of them, and a last one, are read ahead.
TEST(ChunkReadAheadTest, LargeChunksShareTheMemory) {
  constexpr std::size_t kLarge = 1 << 20;
  ManualExecutor executor;
  FakePartition partitions[16];
  ChunkReadAhead ahead(executor, 16);
  std::vector<std::unique_ptr<ChunkCursor>> cursors;
  const auto reads = [&partitions] {
    std::size_t sum = 0;
    for (const FakePartition& partition : partitions) sum += partition.reads;
    return sum;
  };
  for (FakePartition& partition : partitions) {
    partition.chunks = 100;
    partition.chunk_bytes = kLarge;
    cursors.push_back(Wrap(ahead, partition));
    ASSERT_TRUE(cursors.back()->Next().value());
  }
  executor.RunUntilIdle();
  EXPECT_EQ(reads(), 16 + 4u);
  // What has been handed out, and what has ended, makes room.
  for (const auto& cursor : cursors) {
    ASSERT_TRUE(cursor->Next().value());
    EXPECT_EQ(cursor->chunk(), FakePartition::ChunkAt(1, kLarge));
  }
  executor.RunUntilIdle();
  EXPECT_EQ(reads(), 2 * 16 + 4u);
  while (cursors.size() > 1) cursors.pop_back();
  const std::size_t before = reads();
  for (std::size_t i = 2; i < 5; ++i) {
    ASSERT_TRUE(cursors.front()->Next().value());
    EXPECT_EQ(cursors.front()->chunk(), FakePartition::ChunkAt(i, kLarge));
    executor.RunUntilIdle();
  }
  EXPECT_GT(reads(), before + 3);
}

TEST(ChunkReadAheadTest, PostsOneStepWhereNoneIsRun) {
  ManualExecutor executor;
  FakePartition partition{.chunks = 1'000};
  ChunkReadAhead ahead(executor, 1);
  const auto cursor = Wrap(ahead, partition);
  for (std::size_t i = 0; i < 1'000; ++i) ASSERT_TRUE(cursor->Next().value());
  EXPECT_FALSE(cursor->Next().value());
  EXPECT_EQ(executor.RunUntilIdle(), 1u);
}

TEST(ChunkReadAheadTest, ReadsNothingAfterItsEnd) {
  ManualExecutor executor;
  FakePartition partition{.chunks = 1'000};
  {
    ChunkReadAhead ahead(executor, 1);
    const auto cursor = Wrap(ahead, partition);
    ASSERT_TRUE(cursor->Next().value());
    ASSERT_TRUE(executor.RunOne());
  }
  EXPECT_TRUE(partition.closed);
  const std::size_t reads = partition.reads;
  EXPECT_EQ(executor.RunUntilIdle(), 1u);
  EXPECT_EQ(partition.reads, reads);
}

TEST(ChunkReadAheadTest, ReadsBesideThreads) {
  AsioExecutor executor(2);
  for (std::size_t round = 0; round < 20; ++round) {
    FakePartition partitions[4];
    ChunkReadAhead ahead(executor, 4);
    std::vector<std::unique_ptr<ChunkCursor>> cursors;
    for (FakePartition& partition : partitions) {
      partition.chunks = 500;
      cursors.push_back(Wrap(ahead, partition));
    }
    const std::size_t upto = round % 2 == 0 ? 500 : 25 * round;  // some end on their way
    for (std::size_t i = 0; i < upto; ++i) {
      for (const auto& cursor : cursors) {
        ASSERT_TRUE(cursor->Next().value());
        ASSERT_TRUE(StandsOn(*cursor, i));
      }
    }
    cursors.clear();
    for (const FakePartition& partition : partitions) EXPECT_TRUE(partition.closed);
  }
}

}  // namespace
}  // namespace everfold

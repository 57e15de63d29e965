#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/event/partitioning.h"
#include "everfold/runtime/disk_thread.h"
#include "everfold/store/store_index.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/store/index_checks.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t kPartitions = 4;
const StreamId kOne{"", "jar", "j1"};

class RecoverIndexTest : public ::testing::Test {
 protected:
  std::unique_ptr<StoreIndex> NewIndex() { return *StoreIndex::Open({}, log_.identity(), disk_, began_anew_); }
  StoreIndexOptions OnDisk() {
    StoreIndexOptions options;
    options.files = &PosixFiles();
    options.directory = (scratch_.path() / "index").string();
    options.max_memory_bytes = 20'000;
    return options;
  }
  void FillLog(int groups) {
    for (int i = 0; i < groups; ++i) {
      for (std::uint64_t commits = 1 + random_.Below(8); commits > 0; --commits) log_.Append(RandomCommit(random_));
      log_.EndGroup();
      log_.MoveTime(absl::Seconds(1));
    }
  }
  absl::Status Recover(StoreIndex& index) const { return RecoverIndex(log_, index, nullptr); }
  void ExpectBroken(const std::string& what) {
    const absl::Status status = Recover(*NewIndex());
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
    EXPECT_THAT(std::string(status.message()), HasSubstr(what));
  }
  std::uint32_t PartitionOfOne() const { return PartitionOf(kOne, kPartitions).value(); }
  // Three chunks with an event each, in one partition.
  std::vector<IndexLog::StoredChunk>& ThreeChunks() {
    for (int i = 0; i < 3; ++i) log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}});
    return log_.chunks(PartitionOfOne());
  }

  ScratchDirectory scratch_;
  DiskThread disk_{"index"};
  SeededRandom random_{1};
  IndexLog log_{kPartitions};
  std::string began_anew_;
};

TEST_F(RecoverIndexTest, TakesInTheWholeLog) {
  FillLog(100);
  const auto index = NewIndex();
  ASSERT_EQ(Recover(*index), absl::OkStatus());
  EXPECT_EQ(index->tail().last_sequence, log_.last_sequence());
  EXPECT_EQ(index->tail().last_recorded_at, log_.last_recorded_at() - absl::Seconds(1));
  ExpectSays(*index, log_);
}

TEST_F(RecoverIndexTest, TakesInNothingOfAnEmptyLog) {
  const auto index = NewIndex();
  ASSERT_EQ(Recover(*index), absl::OkStatus());
  EXPECT_EQ(index->tail().last_sequence, Sequence());
  EXPECT_EQ(index->tail().last_recorded_at, absl::InfinitePast());
}

TEST_F(RecoverIndexTest, GoesOnFromTheTail) {
  const auto index = NewIndex();
  for (int round = 0; round < 10; ++round) {
    FillLog(10);
    ASSERT_EQ(Recover(*index), absl::OkStatus());
    ExpectSays(*index, log_);
  }
}

// A log may leave out chunks without events that stand directly behind the offset that is read from.
TEST_F(RecoverIndexTest, MissesNoChunkWithoutEventsBehindTheTail) {
  const std::uint32_t partition = static_cast<std::uint32_t>(2);
  while (log_.Head(PartitionId(partition)).offset == Offset()) log_.AppendGroup(RandomCommit(random_));
  const auto index = NewIndex();
  ASSERT_EQ(Recover(*index), absl::OkStatus());
  for (int i = 0; i < 8; ++i)
    log_.AppendGroup({.command = {"test.v1.Fill", "c" + std::to_string(i), "f"}, .streams = {}});
  ASSERT_EQ(Recover(*index), absl::OkStatus());
  ExpectSays(*index, log_);
}

TEST_F(RecoverIndexTest, KeepsWithinItsMemory) {
  FillLog(300);
  const auto index = *StoreIndex::Open(OnDisk(), log_.identity(), disk_, began_anew_);
  ASSERT_EQ(Recover(*index), absl::OkStatus());
  EXPECT_FALSE(index->full());
  ExpectSays(*index, log_);
}

TEST_F(RecoverIndexTest, TellsHowFarItHasCome) {
  const StreamId stream{"", "jar", "j1"};
  for (int i = 0; i < 20; ++i) {
    log_.AppendGroup({.command = {}, .streams = {{stream, std::vector<std::vector<std::string>>(10'000)}}});
  }
  std::vector<std::uint64_t> events;
  const auto index = NewIndex();
  ASSERT_EQ(RecoverIndex(log_, *index,
                         [&](const IndexProgress& progress) {
                           events.push_back(progress.events);
                           EXPECT_EQ(progress.total, 200'000u);
                         }),
            absl::OkStatus());
  EXPECT_THAT(events, ::testing::ElementsAre(70'000u, 140'000u, 200'000u, 200'000u));
}

TEST_F(RecoverIndexTest, RefusesAnIndexThatIsAheadOfTheLog) {
  const auto index = NewIndex();
  ThreeChunks();
  ASSERT_EQ(Recover(*index), absl::OkStatus());
  log_.chunks(PartitionOfOne()).pop_back();
  log_.SetHead(PartitionOfOne(), log_.chunks(PartitionOfOne()).back().head);
  const absl::Status status = Recover(*index);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("behind chunk 2 (offset 2): the log ends here, but the index knows chunk 3 (offset 3)"));
}

TEST_F(RecoverIndexTest, RefusesAnIndexOfAnotherChunkAtItsTail) {
  ThreeChunks();
  const auto index = NewIndex();
  ASSERT_EQ(Recover(*index), absl::OkStatus());
  IndexLog::StoredChunk& last = log_.chunks(PartitionOfOne()).back();
  last.head.chain.digest[0] ^= 1;
  log_.SetHead(PartitionOfOne(), last.head);
  const absl::Status at_the_head = Recover(*index);
  EXPECT_EQ(at_the_head.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(at_the_head.message()), HasSubstr("the index knows another chunk of that number"));
}

TEST_F(RecoverIndexTest, RefusesAnIndexOfAnotherChunkBeforeTheHead) {
  IndexLog other(kPartitions);
  const auto index = NewIndex();
  for (const std::string& chunk : other.AppendGroup({.command = {}, .streams = {{kOne, {{"red"}}}}})) {
    ASSERT_EQ(index->Add(chunk), absl::OkStatus());
  }
  index->CompleteGroup(Sequence(1), other.last_recorded_at());
  ThreeChunks();
  const absl::Status status = Recover(*index);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("the index knows another chunk of that number"));
}

TEST_F(RecoverIndexTest, RefusesAGapInTheChunks) {
  auto& chunks = ThreeChunks();
  chunks.erase(chunks.begin() + 1);
  ExpectBroken("behind chunk 1 (offset 1): chunk 3 (offset 3) follows");
}

TEST_F(RecoverIndexTest, RefusesChunksOutOfOrder) {
  auto& chunks = ThreeChunks();
  std::swap(chunks[1], chunks[2]);
  ExpectBroken("behind chunk 1 (offset 1): chunk 3 (offset 3) follows");
}

TEST_F(RecoverIndexTest, RefusesARepeatedChunk) {
  auto& chunks = ThreeChunks();
  chunks[1] = chunks[0];
  ExpectBroken("behind chunk 1 (offset 1): chunk 1 (offset 1) follows");
}

TEST_F(RecoverIndexTest, RefusesALogThatEndsBeforeItsHead) {
  ThreeChunks().pop_back();
  ExpectBroken("behind chunk 2 (offset 2): the log ends here, but its head is chunk 3 (offset 3)");
}

TEST_F(RecoverIndexTest, RefusesAGapInTheSequences) {
  log_.AppendGroup({.command = {"test.v1.Fill", "a", "f"}, .streams = {}});
  ThreeChunks();
  log_.chunks(1).clear();
  log_.SetHead(1, {});
  ExpectBroken("commit 1 is missing; the next one that is there is 2");
}

TEST_F(RecoverIndexTest, CannotTellThatTheLastCommitIsMissingButByItsHead) {
  ThreeChunks().pop_back();
  log_.SetHead(PartitionOfOne(), log_.chunks(PartitionOfOne()).back().head);
  const auto index = NewIndex();
  EXPECT_EQ(Recover(*index), absl::OkStatus());  // nothing tells that there was more
  EXPECT_EQ(index->tail().last_sequence, Sequence(2));
}

TEST_F(RecoverIndexTest, RefusesAHeadThatIsNotTheLastChunks) {
  PartitionHead head = ThreeChunks().back().head;
  head.chain.digest[0] ^= 1;
  log_.SetHead(PartitionOfOne(), head);
  ExpectBroken("behind chunk 3 (offset 3): the log's head is another chunk of that number");
}

TEST_F(RecoverIndexTest, RefusesAChunkOfAnotherPartition) {
  ThreeChunks();
  const std::uint32_t other = (PartitionOfOne() + 1) % kPartitions;
  log_.chunks(other) = log_.chunks(PartitionOfOne());
  log_.SetHead(other, log_.Head(PartitionId(PartitionOfOne())));
  ExpectBroken("a chunk of partition " + std::to_string(PartitionOfOne()));
}

TEST_F(RecoverIndexTest, RefusesAChunkThatIsDamaged) {
  ThreeChunks()[1].bytes.back() ^= 1;
  const absl::Status status = Recover(*NewIndex());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("behind chunk 1 (offset 1)"));
}

TEST_F(RecoverIndexTest, RefusesAChunkWithADamagedHeader) {
  ThreeChunks()[1].bytes[0] ^= 1;
  ExpectBroken("behind chunk 1 (offset 1)");
}

TEST_F(RecoverIndexTest, RefusesVersionsThatDoNotFollow) {
  ThreeChunks();
  log_.LeaveOutVersions(kOne, 1);
  log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}});
  ExpectBroken("behind chunk 3 (offset 3): jar/j1 continues at version 5 after version 3");
}

TEST_F(RecoverIndexTest, TombstonesKeepTheirVersions) {
  ThreeChunks();
  log_.Erase(Sequence(2));
  log_.Erase(Sequence(3));
  const auto index = NewIndex();
  EXPECT_EQ(Recover(*index), absl::OkStatus());
  EXPECT_EQ(*index->VersionOf(kOne), Version(3));
  EXPECT_THAT(*index->PlacesAfter(kOne, Version(1), 9),
              ::testing::ElementsAre(StreamPlace{Version(2), Offset(2)}, StreamPlace{Version(3), Offset(3)}));
}

// With chunks of one group in several partitions, and commits in several chunks, no prefix that is checked in may hold
// a commit in part. The index stands for one that is killed at every checkpoint.
TEST_F(RecoverIndexTest, CompletesGroupsOnlyWhereCommitsAreWhole) {
  FillLog(30);
  auto options = OnDisk();
  options.max_memory_bytes = 0;  // every group is written
  for (int round = 0; round < 8; ++round) {
    auto index = *StoreIndex::Open(options, log_.identity(), disk_, began_anew_);
    ASSERT_EQ(Recover(*index), absl::OkStatus());
    ExpectSays(*index, log_);
    index.reset();  // without what was being written
    FillLog(5);
  }
}

}  // namespace
}  // namespace everfold

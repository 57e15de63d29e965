#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "everfold/base/error.h"
#include "everfold/runtime/disk_thread.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/index/idle_merging.h"
#include "everfold/store/index/index_database.h"
#include "everfold/store/store_index.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/store/index_checks.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr std::uint32_t kPartitions = 4;
const StreamId kOne{"", "jar", "j1"};

// An index with files, written when the test lets its strand run.
class IndexFilesTest : public ::testing::Test {
 protected:
  IndexFilesTest() {
    options_.files = &PosixFiles();
    options_.directory = (scratch_.path() / "index").string();
    options_.max_memory_bytes = 20'000;
    options_.command_retention = absl::Hours(60 * 24);  // longer than any test moves time
    options_.head_bytes = 4096;                         // so few that most streams are asked of the files
  }

  void Open() { OpenAs(log_.identity()); }
  void OpenAs(const LogIdentity& identity) {
    index_.reset();
    absl::StatusOr<std::unique_ptr<StoreIndex>> index = StoreIndex::Open(options_, identity, *strand_, began_anew_);
    ASSERT_EQ(index.status(), absl::OkStatus());
    index_ = *std::move(index);
  }
  void Recover() { ASSERT_EQ(RecoverIndex(log_, *index_, nullptr), absl::OkStatus()); }
  void Close() {
    bool closed = false;
    index_->Close([&] { closed = true; });
    executor_.RunUntilIdle();
    ASSERT_TRUE(closed);
    index_.reset();
  }
  void AddGroups(int groups) {
    for (int i = 0; i < groups; ++i) {
      for (std::uint64_t commits = random_.Below(8); commits > 0; --commits) log_.Append(RandomCommit(random_));
      log_.Append(RandomCommit(random_));
      AddGroup(log_, *index_);
    }
  }
  void Spill() { executor_.RunUntilIdle(); }

  ScratchDirectory scratch_;
  ManualExecutor executor_;
  std::unique_ptr<Strand> strand_ = executor_.MakeStrand();
  SeededRandom random_{1};
  IndexLog log_{kPartitions};
  StoreIndexOptions options_;
  std::string began_anew_;
  std::unique_ptr<StoreIndex> index_;
};

TEST_F(IndexFilesTest, BeginsEmptyWhereThereIsNone) {
  Open();
  EXPECT_EQ(began_anew_, "it is missing");
  EXPECT_EQ(index_->tail().last_sequence, Sequence());
  EXPECT_EQ(*index_->VersionOf(kOne), Version());
}

TEST_F(IndexFilesTest, AnEmptyIndexIsOpenedAgain) {
  Open();
  Open();
  EXPECT_EQ(began_anew_, "");
  EXPECT_EQ(index_->tail().last_recorded_at, absl::InfinitePast());
}

TEST_F(IndexFilesTest, SaysTheSameFromMemoryAndFiles) {
  Open();
  for (int round = 0; round < 30; ++round) {
    AddGroups(static_cast<int>(random_.Below(40)));
    if (random_.Below(3) > 0) Spill();
    log_.MoveTime(absl::Hours(7));
  }
  ASSERT_EQ(index_->health(), absl::OkStatus());
  ExpectSays(*index_, log_);
  Spill();
  ExpectSays(*index_, log_);
}

// In memory of many sizes, while streams and tags go on and new ones come, and generations are written.
TEST_F(IndexFilesTest, SaysTheSameWhileItReadsAfterAStartWhatThereIs) {
  Open();
  for (int start = 0; start < 12; ++start) {
    AddGroups(60);
    Close();
    options_.head_bytes = std::size_t{1024} << random_.Below(12);
    options_.tag_head_bytes = std::size_t{1024} << random_.Below(12);
    Open();
    ASSERT_EQ(began_anew_, "");
    for (int i = 0; i < 4; ++i) {
      AddGroups(10);
      for (std::uint64_t steps = random_.Below(4); steps > 0; --steps) executor_.RunOne();
      ExpectSays(*index_, log_);
    }
    Spill();
    AddGroups(5);
    ExpectSays(*index_, log_);
  }
}

TEST_F(IndexFilesTest, IsWhereItWasAfterClose) {
  Open();
  for (int round = 0; round < 10; ++round) {
    AddGroups(20);
    Spill();
    const LogTail tail = index_->tail();
    const TypeId types = index_->types().LastId(PartitionId(0));
    Close();
    Open();
    EXPECT_EQ(began_anew_, "");
    EXPECT_EQ(index_->tail().heads, tail.heads);
    EXPECT_EQ(index_->tail().last_sequence, tail.last_sequence);
    EXPECT_EQ(index_->tail().last_recorded_at, tail.last_recorded_at);
    EXPECT_EQ(index_->types().LastId(PartitionId(0)), types);
    ExpectSays(*index_, log_);
  }
}

TEST_F(IndexFilesTest, GoesOnFromItsLastCheckpointAfterAKill) {
  strand_ = std::make_unique<DiskThread>("index");  // which writes whenever it comes to it
  Open();
  for (int round = 0; round < 20; ++round) {
    AddGroups(static_cast<int>(random_.Below(100)));
    Open();  // what is not written by then finds nobody
    EXPECT_EQ(began_anew_, "");
    EXPECT_LE(index_->tail().last_sequence, log_.last_sequence());
    Recover();
    ExpectSays(*index_, log_);
  }
}

TEST_F(IndexFilesTest, CloseKeepsProgressThatHasNoEntries) {
  Open();
  log_.Append({.command = {}, .streams = {{kOne, {{}}}}});
  AddGroup(log_, *index_);
  Close();
  Open();
  log_.Append({.command = {}, .streams = {}});
  AddGroup(log_, *index_);
  Close();
  Open();
  EXPECT_EQ(index_->tail().last_sequence, Sequence(2));
}

TEST_F(IndexFilesTest, CloseWritesNothingInsideAGroup) {
  Open();
  log_.Append({.command = {}, .streams = {{kOne, {{}}}}});
  AddGroup(log_, *index_);
  ASSERT_EQ(index_->Add(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}).front()), absl::OkStatus());
  Close();
  Open();
  EXPECT_EQ(index_->tail().last_sequence, Sequence());
  Recover();
  ExpectSays(*index_, log_);
}

TEST_F(IndexFilesTest, NoCheckpointStandsInsideAGroup) {
  options_.max_memory_bytes = 0;
  Open();
  log_.Append({.command = {}, .streams = {{kOne, {{}}}}});
  AddGroup(log_, *index_);  // to be written
  log_.Append({.command = {}, .streams = {{kOne, {{}}}, {{"", "jar", "j2"}, {{}}}}});
  const std::vector<std::string> chunks = log_.EndGroup();
  ASSERT_EQ(chunks.size(), 2u);
  ASSERT_EQ(index_->Add(chunks[0]), absl::OkStatus());
  Spill();
  options_.max_memory_bytes = 1 << 20;
  Open();
  EXPECT_EQ(index_->tail().last_sequence, Sequence(1));
  Recover();
  ExpectSays(*index_, log_);
}

TEST_F(IndexFilesTest, IsFullWhileWritingLags) {
  Open();
  bool resumed = false;
  while (!index_->full()) AddGroups(1);
  index_->WhenRoom([&] { resumed = true; });
  EXPECT_FALSE(resumed);
  Spill();
  EXPECT_TRUE(resumed);
  EXPECT_FALSE(index_->full());
  ExpectSays(*index_, log_);
}

TEST_F(IndexFilesTest, AGroupLargerThanTheMemoryIsWrittenBehindTheOneBefore) {
  Open();
  while (!index_->full()) AddGroups(1);
  for (int i = 0; i < 1000; ++i) log_.Append(RandomCommit(random_));
  AddGroup(log_, *index_);
  Spill();
  EXPECT_FALSE(index_->full());
  ExpectSays(*index_, log_);
}

// Of the index when it is closed, which may add one. So few that RocksDB does not merge them by itself.
std::size_t RunsIn(const std::string& directory) {
  const auto database = IndexDatabase::Open(PosixFiles(), directory, 1 << 20);
  EXPECT_EQ(database.status(), absl::OkStatus());
  return (*database)->runs();
}

TEST_F(IndexFilesTest, MergesItsRunsWhileNothingIsAdded) {
  for (const bool merges : {false, true}) {
    if (merges) {
      options_.idle_timers = &executor_;
      options_.idle_merging = executor_.MakeStrand();
    }
    Open();
    for (int i = 0; i < 3; ++i) {
      AddGroups(150);
      Spill();
    }
    executor_.Advance(kIdleBeforeMerge);
    ExpectSays(*index_, log_);
    Close();
    const std::size_t runs = RunsIn(options_.directory);
    EXPECT_TRUE(merges ? runs <= 2 : runs > 2) << runs;
    Open();
    ExpectSays(*index_, log_);
    index_.reset();
  }
}

TEST_F(IndexFilesTest, MergesNothingWhileSomethingIsAdded) {
  options_.idle_timers = &executor_;
  options_.idle_merging = executor_.MakeStrand();
  Open();
  for (int i = 0; i < 3; ++i) {
    AddGroups(150);
    Spill();
  }
  for (int i = 0; i < 5; ++i) {
    executor_.Advance(kIdleBeforeMerge * 0.7);
    AddGroups(1);
  }
  Close();
  EXPECT_GT(RunsIn(options_.directory), 2u);
  Open();  // and then nothing comes
  executor_.Advance(kIdleBeforeMerge);
  Close();
  EXPECT_EQ(RunsIn(options_.directory), 1u);
  Open();
  ExpectSays(*index_, log_);
}

TEST_F(IndexFilesTest, AMergeEndsAtOnceWhenItIsCancelledAndIsMadeOnlyOfWhatIsSmall) {
  Open();
  for (int i = 0; i < 3; ++i) {
    AddGroups(150);
    Spill();
  }
  Close();
  const auto database = IndexDatabase::Open(PosixFiles(), options_.directory, 1 << 20);
  ASSERT_EQ(database.status(), absl::OkStatus());
  const std::size_t runs = (*database)->runs();
  ASSERT_GT(runs, 1u);
  std::atomic<bool> cancelled = true;
  EXPECT_EQ((*database)->MergeRuns(1 << 30, cancelled), absl::OkStatus());
  EXPECT_EQ((*database)->runs(), runs);
  cancelled = false;
  EXPECT_EQ((*database)->MergeRuns(1000, cancelled), absl::OkStatus());
  EXPECT_EQ((*database)->runs(), runs);
  EXPECT_EQ((*database)->MergeRuns(1 << 30, cancelled), absl::OkStatus());
  EXPECT_EQ((*database)->runs(), 1u);
}

TEST_F(IndexFilesTest, HoldsOneHolderOnly) {
  Open();
  std::string began_anew;
  const absl::Status second = StoreIndex::Open(options_, log_.identity(), *strand_, began_anew).status();
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(second), reason::kStoreLocked);
  EXPECT_EQ(began_anew, "");
}

TEST_F(IndexFilesTest, BeginsAnewForAnotherEpoch) {
  Open();
  AddGroups(20);
  Close();
  LogIdentity other = log_.identity();
  other.epoch.bytes[0] = 'x';
  OpenAs(other);
  EXPECT_THAT(began_anew_, HasSubstr("it belongs to epoch 30313233"));
  EXPECT_EQ(index_->tail().last_sequence, Sequence());
  OpenAs(other);
  EXPECT_EQ(began_anew_, "");
}

TEST_F(IndexFilesTest, BeginsAnewForAnotherNumberOfPartitions) {
  Open();
  AddGroups(20);
  Close();
  OpenAs(IdentityOfTests(8));
  EXPECT_EQ(began_anew_, "it was built for 4 partitions, the log has 8");
  EXPECT_EQ(index_->tail().heads.size(), 8u);
}

TEST_F(IndexFilesTest, RemovesWhatACrashLeftOnItsWay) {
  Open();
  index_.reset();
  const std::filesystem::path left = std::filesystem::path(options_.directory) / "incoming" / "streams.sst";
  std::filesystem::copy_file(std::filesystem::path(options_.directory) / "db" / "CURRENT", left);
  Open();
  EXPECT_EQ(began_anew_, "");
  EXPECT_FALSE(std::filesystem::exists(left));
  AddGroups(100);
  Spill();
  EXPECT_EQ(index_->health(), absl::OkStatus());
}

TEST_F(IndexFilesTest, FailsForGoodWhenItCannotWrite) {
  Open();
  AddGroups(40);
  Spill();
  const std::filesystem::path incoming = std::filesystem::path(options_.directory) / "incoming";
  std::filesystem::remove(incoming);
  std::ofstream(incoming) << "no directory";
  while (!index_->full()) AddGroups(1);
  bool resumed = false;
  index_->WhenRoom([&] { resumed = true; });
  Spill();
  EXPECT_TRUE(resumed);
  EXPECT_TRUE(index_->full());
  EXPECT_EQ(index_->health().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(index_->health()), reason::kStorageFailed);
  EXPECT_THAT(std::string(index_->health().message()),
              HasSubstr("the index in " + options_.directory + " cannot be written"));
  ExpectSays(*index_, log_);  // from memory and what was written before
  resumed = false;
  index_->WhenRoom([&] { resumed = true; });
  Spill();
  EXPECT_TRUE(resumed);
}

TEST_F(IndexFilesTest, WritesNoLogOfItsOwn) {
  Open();
  AddGroups(100);
  Spill();
  Close();
  int logs = 0;
  for (const auto& file : std::filesystem::directory_iterator(std::filesystem::path(options_.directory) / "db")) {
    if (file.path().extension() != ".log") continue;
    EXPECT_EQ(file.file_size(), 0u) << file.path();
    ++logs;
  }
  EXPECT_GT(logs, 0);
}

}  // namespace
}  // namespace everfold

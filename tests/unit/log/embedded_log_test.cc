#include "everfold/log/embedded/embedded_log.h"

#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "absl/strings/str_cat.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/event/partitioning.h"
#include "everfold/runtime/disk_thread.h"
#include "gmock/gmock.h"
#include "google/rpc/error_details.pb.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/log/log_driver.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

class EmbeddedLogTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<EmbeddedLog>> Open(std::uint32_t partitions) {
    return EmbeddedLog::Open(SmallLog(Store(), partitions), LogExecutor(), random_);
  }
  std::string Store() const { return scratch_.path() / "store"; }

  ScratchDirectory scratch_;
  SystemRandom random_;
};

TEST_F(EmbeddedLogTest, ANewStoreHas16PartitionsAndAnIdentityOfItsOwn) {
  const LogIdentity identity = OpenOrDie(Store())->identity();
  EXPECT_EQ(identity.partitions, kDefaultPartitions);
  EXPECT_THAT(identity.epoch.bytes, SizeIs(16));
  EXPECT_THAT(identity.key, SizeIs(32));
  const LogIdentity other = OpenOrDie(scratch_.path() / "other")->identity();
  EXPECT_NE(identity.epoch, other.epoch);
  EXPECT_NE(identity.key, other.key);
}

TEST_F(EmbeddedLogTest, OpensWithTheNumberOfPartitionsThatItHas) {
  const LogIdentity identity = OpenOrDie(Store(), 5)->identity();
  EXPECT_EQ(OpenOrDie(Store(), 0)->identity(), identity);
  EXPECT_EQ(OpenOrDie(Store(), 5)->identity(), identity);
}

TEST_F(EmbeddedLogTest, RefusesAnotherNumberOfPartitions) {
  OpenOrDie(Store(), 5);
  const absl::Status refused = Open(16).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), reason::kStoreMismatch);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("created with 5 partitions and cannot be opened with 16"));
}

TEST_F(EmbeddedLogTest, RefusesTooManyPartitions) {
  const absl::Status refused = Open(1025).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(refused.message(), "a store has 1 to 1024 partitions, not 1025");
  EXPECT_FALSE(fs::exists(Store()));
}

TEST_F(EmbeddedLogTest, RefusesFilesOfTheJournalThatNoRecordFitsInto) {
  for (const std::size_t bytes : {0, 512, 1000, 4097, 5000}) {
    EmbeddedLogOptions options = SmallLog(Store(), 1);
    options.journal_file_bytes = bytes;
    const absl::Status refused = EmbeddedLog::Open(options, LogExecutor(), random_).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << bytes;
    EXPECT_THAT(std::string(refused.message()), HasSubstr(absl::StrCat("journal_file_bytes is ", bytes)));
    EXPECT_FALSE(fs::exists(Store()));
  }
}

TEST_F(EmbeddedLogTest, RefusesASecondOpening) {
  const auto log = OpenOrDie(Store());
  const absl::Status refused = Open(0).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), reason::kStoreLocked);
}

TEST_F(EmbeddedLogTest, ItsFilesAreForTheOwnerAlone) {
  const auto log = OpenOrDie(Store());
  ASSERT_EQ(AppendAndWait(*log, {MakeChunk(PartitionId(0), {})}), absl::OkStatus());
  int files = 0;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(Store())) {
    const auto expected = fs::perms(entry.is_directory() ? 0700 : 0600);
    EXPECT_EQ(entry.status().permissions(), expected) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 10);
  EXPECT_EQ(fs::status(Store()).permissions(), fs::perms(0700));
}

TEST_F(EmbeddedLogTest, BelowTheReserveAppendsAreRefusedAndNothingIsLost) {
  std::atomic<std::uint64_t> free = 1000;
  EmbeddedLogOptions options = SmallLog(Store());
  options.reserved_bytes = 500;
  options.free_bytes = [&] { return free.load(); };
  auto opened = EmbeddedLog::Open(options, LogExecutor(), random_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EmbeddedLog& log = **opened;
  const ChunkAppend first = MakeChunk(PartitionId(0), {});
  ASSERT_EQ(AppendAndWait(log, {first}), absl::OkStatus());

  free = 499;
  const ChunkAppend second = MakeChunk(PartitionId(0), first.new_head);
  const absl::Status refused = AppendAndWait(log, {second});
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), reason::kDiskFull);
  google::rpc::RetryInfo retry;
  ASSERT_TRUE(FindDetail(refused, retry)) << "room may be made";
  EXPECT_GT(retry.retry_delay().seconds(), 0);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("499 bytes are free"));
  EXPECT_EQ(log.Head(PartitionId(0)), first.new_head);

  free = 500;
  CloseAndWait(log);
  *opened = nullptr;
  auto again = OpenOrDie(Store());
  EXPECT_EQ(AppendAndWait(*again, {second}), absl::OkStatus());
  EXPECT_THAT(ReadPartition(*again, 0).chunks, ElementsAre(*first.bytes, *second.bytes));
}

TEST_F(EmbeddedLogTest, AppendingGoesOnWhenThereIsSpaceAgain) {
  std::atomic<std::uint64_t> free = 0;
  EmbeddedLogOptions options = SmallLog(Store());
  options.reserved_bytes = 500;
  options.free_bytes = [&] { return free.load(); };
  auto opened = EmbeddedLog::Open(options, LogExecutor(), random_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const ChunkAppend chunk = MakeChunk(PartitionId(0), {});
  absl::Status status = AppendAndWait(**opened, {chunk});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  free = 500;
  // The refused append is outstanding until its callback has returned; one more may meet it.
  while (absl::IsResourceExhausted(status)) status = AppendAndWait(**opened, {chunk});
  EXPECT_EQ(status, absl::OkStatus());
}

TEST_F(EmbeddedLogTest, WhatWaitsDuringAWriteFollowsIt) {
  std::atomic<int> asked = 0;
  Notification first_is_asked, go_on;
  EmbeddedLogOptions options = SmallLog(Store());
  options.free_bytes = [&] {  // asked once for every append that is to be written
    if (++asked == 1) {
      first_is_asked.Notify();
      go_on.WaitForNotification();
    }
    return std::uint64_t{1};
  };
  auto opened = EmbeddedLog::Open(options, LogExecutor(), random_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  PartitionHead head;
  Notification last_ended;
  for (int i = 0; i < 100; ++i) {
    ChunkAppend chunk = MakeChunk(PartitionId(0), head);
    head = chunk.new_head;
    (*opened)->Append({std::move(chunk)}, [&, i](absl::Status status) {
      EXPECT_EQ(status, absl::OkStatus());
      if (i == 99) last_ended.Notify();
    });
    if (i == 0) first_is_asked.WaitForNotification();
  }
  go_on.Notify();
  last_ended.WaitForNotification();
  EXPECT_EQ(asked, 100);
  EXPECT_EQ((*opened)->Head(PartitionId(0)), head);
}

TEST_F(EmbeddedLogTest, SealsWhatFillsTheJournalAndReadsAllOfIt) {
  auto log = OpenOrDie(Store(), 4);
  std::vector<PartitionHead> heads(4);
  std::vector<std::vector<std::string>> written(4);
  for (int i = 0; i < 400; ++i) {
    std::vector<ChunkAppend> group;
    for (std::uint32_t partition = 0; partition < 4; ++partition) {
      group.push_back(MakeChunk(PartitionId(partition), heads[partition], {.events = 3, .payload_bytes = 1000}));
      heads[partition] = group.back().new_head;
      written[partition].push_back(*group.back().bytes);
    }
    ASSERT_EQ(AppendAndWait(*log, std::move(group)), absl::OkStatus());
  }
  EXPECT_GT(log->size().sealed_files, 0);  // 5 MB do not fit into the journal
  for (int opened = 0; opened < 2; ++opened) {
    for (std::uint32_t partition = 0; partition < 4; ++partition) {
      const Reading reading = ReadPartition(*log, partition);
      EXPECT_EQ(reading.status, absl::OkStatus());
      EXPECT_EQ(reading.chunks, written[partition]);
      EXPECT_EQ(log->Head(PartitionId(partition)), heads[partition]);
    }
    CloseAndWait(*log);
    log = nullptr;
    log = OpenOrDie(Store());
    EXPECT_EQ(log->VerifyFiles(), absl::OkStatus());
  }
}

TEST_F(EmbeddedLogTest, AGroupThatDoesNotFitIntoAFileOfTheJournalIsRefused) {
  const auto log = OpenOrDie(Store());
  const ChunkAppend big = MakeChunk(PartitionId(0), {}, {.events = 4, .payload_bytes = 100 << 10});
  const absl::Status refused = AppendAndWait(*log, {big});
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused), reason::kLimitExceeded);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("at most the 262144 bytes of a file of the journal"));
  EXPECT_EQ(log->Head(PartitionId(0)), PartitionHead());
}

TEST_F(EmbeddedLogTest, SealAllSealsWhatIsDurable) {
  auto log = OpenOrDie(Store());
  const ChunkAppend chunk = MakeChunk(PartitionId(0), {});
  ASSERT_EQ(AppendAndWait(*log, {chunk}), absl::OkStatus());
  EXPECT_EQ(log->size().sealed_files, 0);
  ASSERT_EQ(SealAndWait(*log), absl::OkStatus());
  EXPECT_EQ(log->size().sealed_files, 1);
  ASSERT_EQ(SealAndWait(*log), absl::OkStatus());
  EXPECT_EQ(log->size().sealed_files, 1);
  EXPECT_THAT(ReadPartition(*log, 0).chunks, ElementsAre(*chunk.bytes));
}

TEST_F(EmbeddedLogTest, AfterCloseSealAllAndBackupSayThatItIsClosed) {
  const auto log = OpenOrDie(Store());
  ASSERT_EQ(AppendAndWait(*log, {MakeChunk(PartitionId(0), {})}), absl::OkStatus());
  CloseAndWait(*log);
  const absl::Status sealed = SealAndWait(*log);
  EXPECT_EQ(sealed.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(sealed), reason::kStoreClosed);
  Notification ended;
  log->Backup({.directory = scratch_.path() / "backups", .made_at = {}}, [&](absl::StatusOr<MadeBackup> made) {
    EXPECT_EQ(ReasonOf(made.status()), reason::kStoreClosed);
    ended.Notify();
  });
  ended.WaitForNotification();
}

// The thread of the executor with one, on which its timers' tasks run.
std::thread::id ThreadOfTimers() {
  Notification told;
  std::thread::id id;
  LogExecutor().Post([&] {
    id = std::this_thread::get_id();
    told.Notify();
  });
  told.WaitForNotification();
  return id;
}

// Takes its time with the first task that a timer posts, and must not go meanwhile.
class SlowForTimers final : public Strand {
 public:
  SlowForTimers(std::thread::id timers, Notification& posting) : timers_(timers), posting_(posting) {}
  ~SlowForTimers() override { EXPECT_FALSE(busy_); }
  void Post(Task task) override {
    if (std::this_thread::get_id() == timers_ && !posting_.HasBeenNotified()) {
      busy_ = true;
      posting_.Notify();
      for (int i = 0; i < 10'000; ++i) std::this_thread::yield();
      busy_ = false;
    }
    thread_.Post(std::move(task));
  }

 private:
  const std::thread::id timers_;
  Notification& posting_;
  std::atomic<bool> busy_ = false;
  DiskThread thread_{"everfold-test"};
};

// That of the high-water mark, 10 ms after the append.
TEST_F(EmbeddedLogTest, ALogWaitsForATimersTaskThatIsRunningWhenItGoes) {
  Notification posting;
  EmbeddedLogOptions options = SmallLog(Store());
  options.make_strand = [&posting, timers = ThreadOfTimers()](const std::string&) {
    return std::make_unique<SlowForTimers>(timers, posting);
  };
  auto log = EmbeddedLog::Open(std::move(options), LogExecutor(), random_);
  ASSERT_TRUE(log.ok()) << log.status();
  ASSERT_EQ(AppendAndWait(**log, {MakeChunk(PartitionId(0), {})}), absl::OkStatus());
  posting.WaitForNotification();
  log->reset();
}

}  // namespace
}  // namespace everfold

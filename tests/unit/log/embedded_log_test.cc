#include "everfold/log/embedded/embedded_log.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <atomic>
#include <csignal>

#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/event/partitioning.h"
#include "gmock/gmock.h"
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
    return EmbeddedLog::Open({.directory = Store(), .partitions = partitions, .reserved_bytes = 0}, random_);
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
  for (const fs::directory_entry& entry : fs::directory_iterator(Store())) {
    EXPECT_EQ(entry.status().permissions(), fs::perms(0600)) << entry.path();
    ++files;
  }
  EXPECT_GT(files, 4);
  EXPECT_EQ(fs::status(Store()).permissions(), fs::perms(0700));
}

TEST_F(EmbeddedLogTest, BelowTheReserveAppendsAreRefusedAndNothingIsLost) {
  std::atomic<std::uint64_t> free = 1000;
  auto opened = EmbeddedLog::Open(
      {.directory = Store(), .reserved_bytes = 500, .free_bytes = [&] { return free.load(); }}, random_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EmbeddedLog& log = **opened;
  const ChunkAppend first = MakeChunk(PartitionId(0), {});
  ASSERT_EQ(AppendAndWait(log, {first}), absl::OkStatus());

  free = 499;
  const ChunkAppend second = MakeChunk(PartitionId(0), first.new_head);
  const absl::Status refused = AppendAndWait(log, {second});
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(refused), reason::kDiskFull);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("499 bytes are free"));
  EXPECT_EQ(log.Head(PartitionId(0)), first.new_head);

  free = 500;
  CloseAndWait(log);
  *opened = nullptr;
  auto again = OpenOrDie(Store());
  EXPECT_EQ(AppendAndWait(*again, {second}), absl::OkStatus());
  EXPECT_THAT(ReadPartition(*again, 0).chunks, ElementsAre(first.bytes, second.bytes));
}

TEST_F(EmbeddedLogTest, AppendingGoesOnWhenThereIsSpaceAgain) {
  std::atomic<std::uint64_t> free = 0;
  auto opened = EmbeddedLog::Open(
      {.directory = Store(), .reserved_bytes = 500, .free_bytes = [&] { return free.load(); }}, random_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const ChunkAppend chunk = MakeChunk(PartitionId(0), {});
  absl::Status status = AppendAndWait(**opened, {chunk});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  free = 500;
  // The refused append is outstanding until its callback has returned; one more may meet it.
  while (absl::IsResourceExhausted(status)) status = AppendAndWait(**opened, {chunk});
  EXPECT_EQ(status, absl::OkStatus());
}

TEST_F(EmbeddedLogTest, WhatWaitsDuringAWriteGoesIntoTheNextOne) {
  std::atomic<int> writes = 0;
  Notification first_is_writing, go_on;
  auto opened = EmbeddedLog::Open({.directory = Store(),
                                   .reserved_bytes = 0,
                                   .free_bytes =
                                       [&] {
                                         // Asked once before every write.
                                         if (++writes == 1) {
                                           first_is_writing.Notify();
                                           go_on.WaitForNotification();
                                         }
                                         return std::uint64_t{1};
                                       }},
                                  random_);
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
    if (i == 0) first_is_writing.WaitForNotification();
  }
  go_on.Notify();
  last_ended.WaitForNotification();
  EXPECT_EQ(writes, 2);
  EXPECT_EQ((*opened)->Head(PartitionId(0)), head);
}

TEST_F(EmbeddedLogTest, DestroyingItLetsOutstandingAppendsEnd) {
  auto log = OpenOrDie(Store());
  int ended = 0;
  PartitionHead head;
  for (int i = 0; i < 10; ++i) {
    ChunkAppend chunk = MakeChunk(PartitionId(0), head);
    head = chunk.new_head;
    log->Append({std::move(chunk)}, [&](absl::Status status) { ended += status.ok() ? 1 : 0; });
  }
  log = nullptr;
  EXPECT_EQ(ended, 10);
  EXPECT_EQ(OpenOrDie(Store())->Head(PartitionId(0)), head);
}

// While it lives, no file of this process grows beyond `bytes`: writing fails with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_;
  void (*handler_)(int);
};

TEST_F(EmbeddedLogTest, AfterAFailedWriteTheOutcomeIsUnknownAndTheLogIsOfNoMoreUse) {
  auto log = OpenOrDie(Store());
  const ChunkAppend kept = MakeChunk(PartitionId(0), {});
  ASSERT_EQ(AppendAndWait(*log, {kept}), absl::OkStatus());
  const ChunkAppend big = MakeChunk(PartitionId(0), kept.new_head, {.events = 4, .payload_bytes = 1 << 20});
  absl::Status failed;
  {
    FileSizeLimit limit(64 << 10);
    failed = AppendAndWait(*log, {big});
  }
  EXPECT_EQ(failed.code(), absl::StatusCode::kUnknown);
  EXPECT_EQ(ReasonOf(failed), reason::kOutcomeUnknown);
  EXPECT_THAT(std::string(failed.message()), HasSubstr("may have become durable or not"));
  EXPECT_EQ(log->Head(PartitionId(0)), kept.new_head);
  EXPECT_EQ(AppendAndWait(*log, {MakeChunk(PartitionId(1), {})}), failed);
  EXPECT_EQ(AppendAndWait(*log, {MakeChunk(PartitionId(0), kept.new_head)}), failed);
  EXPECT_THAT(ReadPartition(*log, 0).chunks, ElementsAre(kept.bytes));
  log = nullptr;
  // The torn write is no obstacle.
  EXPECT_THAT(ReadPartition(*OpenOrDie(Store()), 0).chunks, ElementsAre(kept.bytes));
}

}  // namespace
}  // namespace everfold

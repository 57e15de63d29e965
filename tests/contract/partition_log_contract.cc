#include "tests/contract/partition_log_contract.h"

#include <atomic>
#include <utility>

#include "everfold/base/error.h"
#include "everfold/event/chunk.h"
#include "gmock/gmock.h"
#include "tests/contract/chunk_making.h"

namespace everfold {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

PartitionLogContract::~PartitionLogContract() {
  if (log_ != nullptr) Close();
}

void PartitionLogContract::Open(std::uint32_t partitions) {
  partitions_ = partitions;
  auto opened = backend_->Open(partitions);
  ASSERT_TRUE(opened.ok()) << opened.status();
  log_ = *std::move(opened);
}

void PartitionLogContract::Close() {
  Notification closed;
  log_->Close([&](absl::Status status) {
    EXPECT_EQ(status, absl::OkStatus());
    closed.Notify();
  });
  ASSERT_TRUE(backend_->Await(closed));
  log_ = nullptr;
}

void PartitionLogContract::CloseAndReopen() {
  Close();
  Open(partitions_);
}

void PartitionLogContract::CrashAndReopen() {
  backend_->Crash(std::move(log_));
  Open(partitions_);
}

ChunkAppend PartitionLogContract::NextChunk(std::uint32_t partition, std::uint32_t events, std::size_t payload_bytes) {
  PartitionHead& end = ends_[partition];
  ChunkAppend chunk = MakeChunk(PartitionId(partition), end, {events, payload_bytes});
  end = chunk.new_head;
  return chunk;
}

void PartitionLogContract::ForgetUnwritten(std::uint32_t partition) { ends_[partition] = HeadOf(partition); }

PendingAppend& PartitionLogContract::Start(std::vector<ChunkAppend> group) {
  PendingAppend& append = *appends_.emplace_back(std::make_unique<PendingAppend>());
  log_->Append(std::move(group), [&append](absl::Status status) {
    append.status = std::move(status);
    append.ended.Notify();  // a second call would abort
  });
  return append;
}

absl::Status PartitionLogContract::Await(PendingAppend& append) {
  if (!backend_->Await(append.ended)) return absl::DeadlineExceededError("the append does not end");
  return append.status;
}

ChunkAppend PartitionLogContract::Add(std::uint32_t partition, std::uint32_t events, std::size_t payload_bytes) {
  ChunkAppend chunk = NextChunk(partition, events, payload_bytes);
  EXPECT_EQ(Append({chunk}), absl::OkStatus());
  return chunk;
}

std::vector<ReadChunk> PartitionLogContract::ReadAll(std::uint32_t partition, std::uint64_t after) {
  std::vector<ReadChunk> chunks;
  auto cursor = log_->Read(PartitionId(partition), Offset(after));
  EXPECT_TRUE(cursor.ok()) << cursor.status();
  absl::StatusOr<bool> more = (*cursor)->Next();
  for (; more.ok() && *more; more = (*cursor)->Next()) {
    chunks.push_back({std::string((*cursor)->chunk()), (*cursor)->head()});
  }
  EXPECT_TRUE(more.ok()) << more.status();
  return chunks;
}

ReadChunk AsRead(const ChunkAppend& append) { return {*append.bytes, append.new_head}; }

namespace {

MATCHER_P2(HeadIs, offset, chunk_number, "") {
  return arg.offset.value() == static_cast<std::uint64_t>(offset) &&
         arg.chunk_number == static_cast<std::uint64_t>(chunk_number);
}

TEST_P(PartitionLogContract, ANewLogIsEmpty) {
  Open();
  for (std::uint32_t partition = 0; partition < 16; ++partition) {
    EXPECT_EQ(HeadOf(partition), PartitionHead());
    EXPECT_THAT(ReadAll(partition), IsEmpty());
  }
}

TEST_P(PartitionLogContract, HasAnIdentity) {
  Open(7);
  EXPECT_EQ(log_->identity().partitions, 7);
  EXPECT_THAT(log_->identity().epoch.bytes, SizeIs(16));
  EXPECT_THAT(log_->identity().key, SizeIs(32));
}

TEST_P(PartitionLogContract, ReadsWhatWasAppended) {
  Open();
  const ChunkAppend first = Add(3, 2);
  const ChunkAppend second = Add(3, 5);
  EXPECT_THAT(HeadOf(3), HeadIs(7, 2));
  EXPECT_THAT(ReadAll(3), ElementsAre(AsRead(first), AsRead(second)));
  EXPECT_THAT(ReadAll(2), IsEmpty());
  EXPECT_THAT(ReadAll(4), IsEmpty());
}

TEST_P(PartitionLogContract, StoredChunksDecode) {
  Open();
  Add(0, 3);
  const auto chunk = DecodeChunk(ReadAll(0).at(0).bytes, TypeDictionary(16));
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->header.last_offset(), Offset(3));
}

TEST_P(PartitionLogContract, AppendNeverEndsBeforeItReturns) {
  Open();
  std::atomic<bool> returned = false;
  std::atomic<bool> ended_after_return = false;
  Notification ended;
  // The log works while this thread holds on inside of Append only if it called back on it: then `returned` is false.
  const auto caller = std::this_thread::get_id();
  log_->Append({NextChunk(0)}, [&](absl::Status) {
    ended_after_return = std::this_thread::get_id() != caller || returned;
    ended.Notify();
  });
  returned = true;
  ASSERT_TRUE(backend_->Await(ended));
  EXPECT_TRUE(ended_after_return);
}

TEST_P(PartitionLogContract, AppendsToSeveralPartitionsAtOnceOrSaysThatItCannot) {
  Open();
  const ChunkAppend a = NextChunk(0, 1), b = NextChunk(9, 2), c = NextChunk(15, 3);
  const absl::Status status = Append({c, a, b});
  if (!log_->atomic_across_partitions()) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(HeadOf(0), PartitionHead());
    return;
  }
  ASSERT_EQ(status, absl::OkStatus());
  EXPECT_THAT(ReadAll(0), ElementsAre(AsRead(a)));
  EXPECT_THAT(ReadAll(9), ElementsAre(AsRead(b)));
  EXPECT_THAT(ReadAll(15), ElementsAre(AsRead(c)));
}

TEST_P(PartitionLogContract, AStaleHeadIsRefusedAndLeavesNothing) {
  Open();
  const ChunkAppend stale = NextChunk(1);
  ForgetUnwritten(1);
  const ChunkAppend winner = Add(1, 4);
  const absl::Status refused = Append({stale});
  EXPECT_EQ(refused.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(refused), reason::kHeadConflict);
  EXPECT_EQ(
      refused.message(),
      "partition 1 ends with chunk 1 at offset 4, not with chunk 0 at offset 0: another writer has appended to it");
  EXPECT_THAT(ReadAll(1), ElementsAre(AsRead(winner)));
}

TEST_P(PartitionLogContract, AHeadThatIsNotReachedYetIsRefused) {
  Open();
  NextChunk(1);
  const ChunkAppend ahead = NextChunk(1);
  EXPECT_EQ(Append({ahead}).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(HeadOf(1), PartitionHead());
}

TEST_P(PartitionLogContract, AConflictInOnePartitionKeepsTheWholeGroupOut) {
  Open();
  Add(1);
  const ChunkAppend fits = NextChunk(0);
  ChunkAppend stale = MakeChunk(PartitionId(1), {});
  EXPECT_EQ(Append({fits, stale}).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(HeadOf(0), PartitionHead());
  EXPECT_THAT(ReadAll(0), IsEmpty());
}

TEST_P(PartitionLogContract, TheSameOffsetInAnotherChunkIsAConflict) {
  Open();
  Add(0, 0);  // no events: only the chunk number moves
  const ChunkAppend stale = MakeChunk(PartitionId(0), {});
  EXPECT_EQ(Append({stale}).code(), absl::StatusCode::kAborted);
}

TEST_P(PartitionLogContract, AppendingBeginsAnewAfterAConflict) {
  Open();
  Add(0);
  EXPECT_EQ(Append({MakeChunk(PartitionId(0), {})}).code(), absl::StatusCode::kAborted);
  // The failed append is outstanding until its callback has returned; one more may meet it.
  absl::Status status = Append({NextChunk(0)});
  while (absl::IsAborted(status)) {
    ForgetUnwritten(0);
    status = Append({NextChunk(0)});
  }
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_THAT(HeadOf(0), HeadIs(2, 2));
}

TEST_P(PartitionLogContract, SeveralAppendsMayBeOutstandingAndEndInOrder) {
  Open();
  constexpr int kAppends = 50;
  std::vector<int> order;
  Notification last_ended;
  std::vector<ReadChunk> expected;
  for (int i = 0; i < kAppends; ++i) {
    ChunkAppend chunk = NextChunk(0, static_cast<std::uint32_t>(i % 3));
    expected.push_back(AsRead(chunk));
    log_->Append({std::move(chunk)}, [&, i](absl::Status status) {
      EXPECT_EQ(status, absl::OkStatus());
      order.push_back(i);
      if (i == kAppends - 1) last_ended.Notify();
    });
  }
  ASSERT_TRUE(backend_->Await(last_ended));
  ASSERT_THAT(order, SizeIs(kAppends));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(ReadAll(0), expected);
}

TEST_P(PartitionLogContract, AFailureFailsEveryLaterOutstandingAppend) {
  Open();
  const ChunkAppend before = NextChunk(0);
  // Appends end in order, so none of the later ones has ended before all of them are outstanding.
  Notification all_started;
  PendingAppend good;
  log_->Append({before}, [&](absl::Status status) {
    good.status = std::move(status);
    all_started.WaitForNotification();
    good.ended.Notify();
  });
  PendingAppend& bad = Start({MakeChunk(PartitionId(1), {Offset(5), 5})});
  PendingAppend& same_partition = Start({MakeChunk(PartitionId(1), {Offset(6), 6})});
  PendingAppend& other_partition = Start({NextChunk(2)});
  all_started.Notify();
  EXPECT_EQ(Await(good), absl::OkStatus());
  EXPECT_EQ(Await(bad).code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Await(same_partition), bad.status);
  EXPECT_EQ(Await(other_partition), bad.status);
  EXPECT_THAT(ReadAll(0), ElementsAre(AsRead(before)));
  EXPECT_EQ(HeadOf(1), PartitionHead());
  EXPECT_EQ(HeadOf(2), PartitionHead());
}

TEST_P(PartitionLogContract, ChunksWithoutEventsMoveOnlyTheChunkNumber) {
  Open();
  const ChunkAppend outcome = Add(5, 0);
  EXPECT_THAT(HeadOf(5), HeadIs(0, 1));
  const ChunkAppend events = Add(5, 2);
  const ChunkAppend outcome_2 = Add(5, 0);
  const ChunkAppend outcome_3 = Add(5, 0);
  const ChunkAppend events_2 = Add(5, 1);
  EXPECT_THAT(HeadOf(5), HeadIs(3, 5));
  EXPECT_THAT(ReadAll(5),
              ElementsAre(AsRead(outcome), AsRead(events), AsRead(outcome_2), AsRead(outcome_3), AsRead(events_2)));
}

TEST_P(PartitionLogContract, ReadsFromTheChunkThatHoldsTheNextEvent) {
  Open();
  const ChunkAppend first = Add(0, 3), second = Add(0, 3), third = Add(0, 3);
  const auto [a, b, c] = std::tuple(AsRead(first), AsRead(second), AsRead(third));
  EXPECT_THAT(ReadAll(0, 0), ElementsAre(a, b, c));
  EXPECT_THAT(ReadAll(0, 1), ElementsAre(a, b, c));
  EXPECT_THAT(ReadAll(0, 2), ElementsAre(a, b, c));
  EXPECT_THAT(ReadAll(0, 3), ElementsAre(b, c));
  EXPECT_THAT(ReadAll(0, 5), ElementsAre(b, c));
  EXPECT_THAT(ReadAll(0, 6), ElementsAre(c));
  EXPECT_THAT(ReadAll(0, 8), ElementsAre(c));
  EXPECT_THAT(ReadAll(0, 9), IsEmpty());
  EXPECT_THAT(ReadAll(0, 1000), IsEmpty());
}

TEST_P(PartitionLogContract, ACursorAtTheHeadSeesWhatComesLater) {
  Open();
  auto cursor = *log_->Read(PartitionId(0), Offset(0));
  EXPECT_EQ(cursor->Next().value(), false);
  const ChunkAppend first = Add(0, 2);
  EXPECT_EQ(cursor->Next().value(), true);
  EXPECT_EQ(cursor->chunk(), *first.bytes);
  EXPECT_EQ(cursor->head(), first.new_head);
  EXPECT_EQ(cursor->Next().value(), false);
  EXPECT_EQ(cursor->Next().value(), false);
  const ChunkAppend second = Add(0, 0);
  const ChunkAppend third = Add(0, 1);
  EXPECT_EQ(cursor->Next().value(), true);
  EXPECT_EQ(cursor->chunk(), *second.bytes);
  EXPECT_EQ(cursor->Next().value(), true);
  EXPECT_EQ(cursor->chunk(), *third.bytes);
  EXPECT_EQ(cursor->Next().value(), false);
}

TEST_P(PartitionLogContract, ACursorBeyondTheHeadWaitsForItsOffset) {
  Open();
  Add(0, 2);
  auto cursor = *log_->Read(PartitionId(0), Offset(4));
  EXPECT_EQ(cursor->Next().value(), false);
  Add(0, 2);
  EXPECT_EQ(cursor->Next().value(), false);
  const ChunkAppend third = Add(0, 2);
  EXPECT_EQ(cursor->Next().value(), true);
  EXPECT_EQ(cursor->chunk(), *third.bytes);
}

TEST_P(PartitionLogContract, CursorsDoNotDisturbEachOther) {
  Open();
  Add(0), Add(1), Add(0), Add(1);
  auto a = *log_->Read(PartitionId(0), Offset(0));
  auto b = *log_->Read(PartitionId(1), Offset(1));
  auto c = *log_->Read(PartitionId(0), Offset(0));
  EXPECT_TRUE(*a->Next() && *b->Next() && *a->Next() && *c->Next());
  EXPECT_EQ(a->head().chunk_number, 2);
  EXPECT_EQ(b->head().chunk_number, 2);
  EXPECT_EQ(c->head().chunk_number, 1);
  EXPECT_EQ(a->Next().value(), false);
  EXPECT_EQ(b->Next().value(), false);
  EXPECT_EQ(c->Next().value(), true);
}

TEST_P(PartitionLogContract, NothingIsReadBeyondTheHead) {
  Open();
  constexpr int kAppends = 200;
  Notification last_ended;
  auto cursor = *log_->Read(PartitionId(0), Offset(0));
  for (int i = 0; i < kAppends; ++i) {
    log_->Append({NextChunk(0)}, [&, i](absl::Status) {
      if (i == kAppends - 1) last_ended.Notify();
    });
    while (*cursor->Next()) EXPECT_LE(cursor->head().offset, HeadOf(0).offset);
  }
  ASSERT_TRUE(backend_->Await(last_ended));
  while (*cursor->Next()) EXPECT_LE(cursor->head().offset, HeadOf(0).offset);
  EXPECT_EQ(cursor->head().offset, Offset(kAppends));
}

TEST_P(PartitionLogContract, ReopeningKeepsEverything) {
  Open();
  const LogIdentity identity = log_->identity();
  std::vector<ReadChunk> expected;
  for (std::uint32_t i = 0; i < 20; ++i) expected.push_back(AsRead(Add(6, i % 4)));
  Add(15, 1);
  CloseAndReopen();
  EXPECT_EQ(log_->identity(), identity);
  EXPECT_EQ(HeadOf(6), expected.back().head);
  EXPECT_THAT(HeadOf(15), HeadIs(1, 1));
  EXPECT_EQ(HeadOf(7), PartitionHead());
  EXPECT_EQ(ReadAll(6), expected);
}

TEST_P(PartitionLogContract, AppendingGoesOnAfterReopening) {
  Open();
  Add(0, 2);
  CloseAndReopen();
  Add(0, 3);
  CloseAndReopen();
  EXPECT_THAT(HeadOf(0), HeadIs(5, 2));
  EXPECT_THAT(ReadAll(0), SizeIs(2));
}

TEST_P(PartitionLogContract, ReopeningFindsAHeadOfChunksWithoutEvents) {
  Open();
  Add(0, 0), Add(0, 0), Add(1, 1), Add(1, 0);
  CloseAndReopen();
  EXPECT_THAT(HeadOf(0), HeadIs(0, 2));
  EXPECT_THAT(HeadOf(1), HeadIs(1, 2));
}

TEST_P(PartitionLogContract, WhatWasAcknowledgedSurvivesACrash) {
  Open();
  const LogIdentity identity = log_->identity();
  std::vector<ReadChunk> acknowledged;
  for (std::uint32_t i = 0; i < 20; ++i) acknowledged.push_back(AsRead(Add(2, i % 3, 500)));
  CrashAndReopen();
  EXPECT_EQ(log_->identity(), identity);
  EXPECT_EQ(ReadAll(2), acknowledged);
}

TEST_P(PartitionLogContract, ACrashKeepsOutstandingAppendsInOrderAndWhole) {
  Open();
  const ChunkAppend acknowledged = Add(0);
  std::vector<ReadChunk> started = {AsRead(acknowledged)};
  for (int i = 0; i < 20; ++i) {
    const ChunkAppend a = NextChunk(0), b = NextChunk(1);
    started.push_back(AsRead(a));
    if (log_->atomic_across_partitions()) Start({a, b});
  }
  CrashAndReopen();
  const std::vector<ReadChunk> kept = ReadAll(0);
  ASSERT_GE(kept.size(), 1);
  ASSERT_LE(kept.size(), started.size());
  EXPECT_TRUE(std::equal(kept.begin(), kept.end(), started.begin()));
  // A group is there in both of its partitions, or in none.
  EXPECT_THAT(ReadAll(1), SizeIs(kept.size() - 1));
}

TEST_P(PartitionLogContract, HintsComeAfterTheHeadMoved) {
  Open();
  Notification hinted;
  std::atomic<std::uint64_t> seen = 0;
  std::atomic<bool> notified = false;
  log_->Watch([&] {
    seen = HeadOf(0).offset.value();
    if (seen > 0 && !notified.exchange(true)) hinted.Notify();
  });
  PendingAppend& append = Start({NextChunk(0)});
  ASSERT_TRUE(backend_->Await(hinted));
  EXPECT_EQ(seen, 1);
  EXPECT_EQ(Await(append), absl::OkStatus());
  Close();
}

TEST_P(PartitionLogContract, EveryWatcherGetsHints) {
  Open();
  Notification hinted[2];
  std::atomic<bool> notified[2] = {false, false};
  for (int i = 0; i < 2; ++i) {
    log_->Watch([&, i] {
      if (HeadOf(0).chunk_number > 0 && !notified[i].exchange(true)) hinted[i].Notify();
    });
  }
  Add(0);
  EXPECT_TRUE(backend_->Await(hinted[0]));
  EXPECT_TRUE(backend_->Await(hinted[1]));
  Close();
}

TEST_P(PartitionLogContract, NoHintComesAfterClose) {
  Open();
  std::atomic<bool> closed = false;
  std::atomic<bool> late = false;
  log_->Watch([&] { late = late || closed; });
  for (int i = 0; i < 20; ++i) Start({NextChunk(0)});
  Notification ended;
  log_->Close([&](absl::Status) {
    closed = true;
    ended.Notify();
  });
  ASSERT_TRUE(backend_->Await(ended));
  log_ = nullptr;
  EXPECT_FALSE(late);
}

TEST_P(PartitionLogContract, CloseLetsOutstandingAppendsEnd) {
  Open();
  std::vector<PendingAppend*> appends;
  for (int i = 0; i < 20; ++i) appends.push_back(&Start({NextChunk(0)}));
  Notification closed;
  bool all_ended_before = true;
  log_->Close([&](absl::Status status) {
    EXPECT_EQ(status, absl::OkStatus());
    for (PendingAppend* append : appends) all_ended_before &= append->ended.HasBeenNotified();
    closed.Notify();
  });
  ASSERT_TRUE(backend_->Await(closed));
  EXPECT_TRUE(all_ended_before);
  for (PendingAppend* append : appends) EXPECT_EQ(append->status, absl::OkStatus());
  log_ = nullptr;
  Open();
  EXPECT_THAT(HeadOf(0), HeadIs(20, 20));
}

TEST_P(PartitionLogContract, WorksWithOnePartition) {
  Open(1);
  const ChunkAppend chunk = Add(0, 2);
  CloseAndReopen();
  EXPECT_EQ(log_->identity().partitions, 1);
  EXPECT_THAT(ReadAll(0), ElementsAre(AsRead(chunk)));
}

TEST_P(PartitionLogContract, WorksWith1024Partitions) {
  Open(1024);
  std::vector<ChunkAppend> group;
  for (std::uint32_t partition = 0; partition < 1024; ++partition) group.push_back(NextChunk(partition));
  if (log_->atomic_across_partitions()) {
    ASSERT_EQ(Append(group), absl::OkStatus());
  } else {
    for (const ChunkAppend& chunk : group) ASSERT_EQ(Append({chunk}), absl::OkStatus());
  }
  CloseAndReopen();
  for (std::uint32_t partition = 0; partition < 1024; ++partition) {
    ASSERT_THAT(ReadAll(partition), ElementsAre(AsRead(group[partition]))) << partition;
  }
}

TEST_P(PartitionLogContract, KeepsBigChunks) {
  Open();
  const ChunkAppend big = Add(0, 12, 1 << 20);
  const ChunkAppend small = Add(0);
  CloseAndReopen();
  EXPECT_THAT(ReadAll(0), ElementsAre(AsRead(big), AsRead(small)));
}

}  // namespace
}  // namespace everfold

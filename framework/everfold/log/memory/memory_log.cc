#include "everfold/log/memory/memory_log.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <utility>

#include "everfold/base/check.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/append_rules.h"

namespace everfold {

MemoryLogStorage::MemoryLogStorage(LogIdentity identity)
    : identity_(std::move(identity)), heads_(identity_.partitions), chunks_(identity_.partitions) {
  EVERFOLD_CHECK(identity_.partitions >= 1 && identity_.partitions <= kMaxPartitions);
}

absl::Status MemoryLogStorage::Append(std::vector<ChunkAppend> group) {
  MutexLock lock(&mutex_);
  EVERFOLD_RETURN_IF_ERROR(CompareHeads(group, heads_));
  for (ChunkAppend& append : group) {
    heads_[append.partition.value()] = append.new_head;
    chunks_[append.partition.value()].push_back({append.new_head, std::move(append.bytes)});
  }
  return absl::OkStatus();
}

PartitionHead MemoryLogStorage::Head(PartitionId partition) const {
  EVERFOLD_CHECK(partition.value() < identity_.partitions);
  MutexLock lock(&mutex_);
  return heads_[partition.value()];
}

const MemoryLogStorage::StoredChunk* MemoryLogStorage::FirstBehind(PartitionId partition, Offset after) const {
  if (after == Offset(0)) return ChunkAt(partition, 1);
  MutexLock lock(&mutex_);
  const std::deque<StoredChunk>& chunks = chunks_[partition.value()];
  const auto found = std::upper_bound(chunks.begin(), chunks.end(), after, [](Offset offset, const StoredChunk& chunk) {
    return offset < chunk.head.offset;
  });
  return found == chunks.end() ? nullptr : &*found;
}

const MemoryLogStorage::StoredChunk* MemoryLogStorage::ChunkAt(PartitionId partition,
                                                               std::uint64_t chunk_number) const {
  MutexLock lock(&mutex_);
  const std::deque<StoredChunk>& chunks = chunks_[partition.value()];
  return chunk_number > chunks.size() ? nullptr : &chunks[chunk_number - 1];
}

namespace {

class MemoryCursor final : public ChunkCursor {
 public:
  MemoryCursor(std::shared_ptr<const MemoryLogStorage> storage, PartitionId partition, Offset after)
      : storage_(std::move(storage)), partition_(partition), after_(after) {}

  absl::StatusOr<bool> Next() override {
    const auto* next = at_ == nullptr ? storage_->FirstBehind(partition_, after_)
                                      : storage_->ChunkAt(partition_, at_->head.chunk_number + 1);
    if (next != nullptr) at_ = next;
    return next != nullptr;
  }
  std::string_view chunk() const override { return *at_->bytes; }
  PartitionHead head() const override { return at_->head; }

 private:
  const std::shared_ptr<const MemoryLogStorage> storage_;
  const PartitionId partition_;
  const Offset after_;
  const MemoryLogStorage::StoredChunk* at_ = nullptr;
};

}  // namespace

// What the steps share with the log, so that a step that runs after a crash finds it closed instead of gone.
struct MemoryLog::Session {
  Session(std::shared_ptr<MemoryLogStorage> storage, Executor& executor)
      : storage(std::move(storage)), strand(executor.MakeStrand()) {}

  absl::Status Write(std::vector<ChunkAppend> group) {
    const absl::Status failure = outstanding.failure();
    return outstanding.Settle(failure.ok() ? storage->Append(std::move(group)) : failure);
  }

  void Tell(Done done, absl::Status status) {
    const bool moved = status.ok();
    done(std::move(status));
    outstanding.End();
    if (!moved || !open) return;
    for (Hint& hint : hints) hint();
  }

  const std::shared_ptr<MemoryLogStorage> storage;
  const std::unique_ptr<Strand> strand;
  OutstandingAppends outstanding;
  std::vector<Hint> hints;  // changed before the first append only
  std::atomic<bool> open = true;
};

MemoryLog::MemoryLog(std::shared_ptr<MemoryLogStorage> storage, Executor& executor)
    : session_(std::make_shared<Session>(std::move(storage), executor)) {}

MemoryLog::~MemoryLog() { session_->open = false; }

const LogIdentity& MemoryLog::identity() const { return session_->storage->identity(); }

Strand& MemoryLog::strand() const { return *session_->strand; }

void MemoryLog::Append(std::vector<ChunkAppend> group, Done done) {
  CheckGroup(group, identity().partitions);
  session_->outstanding.Begin();
  session_->strand->Post([session = session_, group = std::move(group), done = std::move(done)]() mutable {
    if (!session->open) return;
    absl::Status status = session->Write(std::move(group));
    Strand& strand = *session->strand;
    strand.Post([session = std::move(session), status = std::move(status), done = std::move(done)]() mutable {
      if (session->open) session->Tell(std::move(done), std::move(status));
    });
  });
}

PartitionHead MemoryLog::Head(PartitionId partition) const { return session_->storage->Head(partition); }

absl::StatusOr<std::unique_ptr<ChunkCursor>> MemoryLog::Read(PartitionId partition, Offset after) const {
  EVERFOLD_CHECK(partition.value() < identity().partitions);
  return std::make_unique<MemoryCursor>(session_->storage, partition, after);
}

void MemoryLog::Watch(Hint hint) { session_->hints.push_back(std::move(hint)); }

void MemoryLog::Close(Done done) {
  // Two steps, as an append has: behind the second one of the last append.
  session_->strand->Post([session = session_, done = std::move(done)]() mutable {
    Strand& strand = *session->strand;
    strand.Post([session = std::move(session), done = std::move(done)]() mutable {
      session->open = false;
      done(absl::OkStatus());
    });
  });
}

}  // namespace everfold

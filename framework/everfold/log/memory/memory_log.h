// A log in memory, for tests and simulations. What it holds is a storage of its own, which survives the log: destroy
// the log with appends outstanding, and open another one on the same storage, and you have seen a crash.
//
//   auto storage = std::make_shared<MemoryLogStorage>(LogIdentity{epoch, 16, key});
//   auto log = std::make_unique<MemoryLog>(storage, executor);
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/log/partition_log.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// The "disk": what is in it is durable. Threading: thread-safe.
class MemoryLogStorage {
 public:
  struct StoredChunk {
    PartitionHead head;  // the partition's head as of this chunk
    std::shared_ptr<const std::string> bytes;
  };

  // REQUIRES: 1 to kMaxPartitions partitions.
  explicit MemoryLogStorage(LogIdentity identity);

  const LogIdentity& identity() const { return identity_; }

  // Compares, then appends all chunks or none. ABORTED as PartitionLog::Append says.
  absl::Status Append(std::vector<ChunkAppend> group);
  PartitionHead Head(PartitionId partition) const;
  // The first chunk that ends behind `after`, with `after` = 0 the first of all; nullptr if there is none. What it
  // points to never changes or moves.
  const StoredChunk* FirstBehind(PartitionId partition, Offset after) const;
  // nullptr beyond the head. REQUIRES: chunk_number >= 1.
  const StoredChunk* ChunkAt(PartitionId partition, std::uint64_t chunk_number) const;

 private:
  const LogIdentity identity_;
  mutable Mutex mutex_;
  std::vector<PartitionHead> heads_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::deque<StoredChunk>> chunks_ ABSL_GUARDED_BY(mutex_);  // by partition, then by chunk number - 1
};

// Appends end as steps on a strand of the executor: one step makes an append durable, a later one tells, so that a
// crash can fall between the two.
//
// Lifetime: the executor outlives it. Destroyed with appends outstanding it is a crash: no `done` is called any more,
// and each append is durable or not. No step of the executor may run meanwhile.
class MemoryLog final : public PartitionLog {
 public:
  MemoryLog(std::shared_ptr<MemoryLogStorage> storage, Executor& executor);
  ~MemoryLog() override;

  const LogIdentity& identity() const override;
  Strand& strand() const override;
  bool atomic_across_partitions() const override { return true; }
  void Append(std::vector<ChunkAppend> group, Done done) override;
  PartitionHead Head(PartitionId partition) const override;
  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override;
  void Watch(Hint hint) override;
  void Close(Done done) override;

 private:
  struct Session;
  std::shared_ptr<Session> session_;
};

}  // namespace everfold

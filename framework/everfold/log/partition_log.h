// The log's port, small on purpose: everything above it works on any append-only store that can compare and append.
//
// The log is split into partitions. Each has one writer at a time, its owner, which numbers the events densely, packs
// them into chunks (event/chunk.h) and checks every condition itself; a backend keeps bytes, in order, and needs no
// knowledge of what is in them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/chain.h"
#include "everfold/event/position.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// End of a partition: its last event, the number of its last chunk (dense, first is 1), and the chain as of that chunk.
// A chunk without events moves only chunk number and chain. All zero is before the first.
struct PartitionHead {
  Offset offset;
  std::uint64_t chunk_number = 0;
  Chain chain = {};
  friend bool operator==(const PartitionHead&, const PartitionHead&) = default;
};

// One chunk to append. The bytes are shared, because whoever appends them has use for them once they are durable.
// REQUIRES: new_head.chunk_number == expected_head.chunk_number + 1, offsets do not decrease.
struct ChunkAppend {
  PartitionId partition;
  PartitionHead expected_head;
  PartitionHead new_head;
  std::shared_ptr<const std::string> bytes;
};

// Walks a partition's chunks in order. Threading: one thread at a time, not always the same one. Lifetime: not longer
// than its log, nor beyond its Close.
class ChunkCursor {
 public:
  virtual ~ChunkCursor() = default;
  // Moves to the next chunk, the first one at the first call. False at the durable head; a later call looks again.
  // Damaged, missing or unreadable chunks are an error (DATA_LOSS, or another one of the backend), never an end.
  virtual absl::StatusOr<bool> Next() = 0;
  // REQUIRES: the last Next returned true. Valid until the next call of Next.
  virtual std::string_view chunk() const = 0;
  virtual PartitionHead head() const = 0;  // the partition's head as of this chunk
};

// What a log is; fixed when it is created.
struct LogIdentity {
  Epoch epoch;                   // of this history
  std::uint32_t partitions = 0;  // 1 to kMaxPartitions
  std::string key;               // 32 secret bytes, for fingerprints of requests
  friend bool operator==(const LogIdentity&, const LogIdentity&) = default;
};

// Threading: Append and Close from one thread at a time; everything else is thread-safe.
// Lifetime: no callback may destroy the log that calls it. Destroying a log without Close leaves open what becomes of
// outstanding appends, as a crash does; whether their `done` is still called depends on the backend.
class PartitionLog {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using Hint = absl::AnyInvocable<void()>;

  virtual ~PartitionLog() = default;

  virtual const LogIdentity& identity() const = 0;
  // Where every `done` and hint is called. An owner that takes its own steps there, too, spares a change of threads.
  virtual Strand& strand() const = 0;
  // Without it, an append to several partitions is refused with FAILED_PRECONDITION.
  virtual bool atomic_across_partitions() const = 0;

  // Appends all chunks or none, each to another partition. The bytes are chunks as event/chunk.h writes them, and what
  // their headers say agrees with `new_head`.
  //   OK                  durable, and visible to Read and Head
  //   ABORTED             a partition's head is not the expected one (HEAD_CONFLICT): nothing was written, and somebody
  //                       else has
  //   RESOURCE_EXHAUSTED  there is no room (DISK_FULL): nothing was written
  //   INVALID_ARGUMENT    the group is larger than the log takes at once, which is 15 MB or more (LIMIT_EXCEEDED):
  //                       nothing was written
  //   any other error     the outcome is unknown (OUTCOME_UNKNOWN), and every later append fails the same way
  // Several appends may be outstanding, each expecting the head that the one before will leave; they end in the order
  // of the calls. After one has failed, all later ones fail with its status, until none is outstanding: from then on,
  // unless the outcome is unknown, appending begins anew.
  // `done` is called once, on strand(), never before Append returns; the append is outstanding
  // until `done` has returned. REQUIRES: `group` is not empty, its partitions are distinct and exist; not closed.
  virtual void Append(std::vector<ChunkAppend> group, Done done) = 0;

  // The partition's durable head. REQUIRES: the partition exists.
  virtual PartitionHead Head(PartitionId partition) const = 0;

  // The chunks that hold events behind `after`, never beyond the durable head; the first of them may begin before it.
  // With `after` = 0 it is every chunk. Otherwise chunks without events that stand directly behind `after` may be left
  // out. `after` may lie beyond the head: there is nothing to read then until the head has passed it.
  // REQUIRES: the partition exists.
  virtual absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const = 0;

  // Calls `hint` after the head of some partition moved, until the log closes. A hint may come late, once for several
  // moves, or for no reason; it must not block. REQUIRES: called before the first append.
  virtual void Watch(Hint hint) = 0;

  // Lets outstanding appends end, then calls `done`, after which no hint comes. Nothing may be called after Close but
  // the destructor, once `done` has returned.
  virtual void Close(Done done) = 0;
};

}  // namespace everfold

// The durable end of the log that is not sealed yet, in memory.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/log/partition_log.h"

namespace everfold {

// A chunk, shared by all who read it.
struct TailChunk {
  Offset first_offset;
  PartitionHead head;  // the partition's head as of it
  std::shared_ptr<const std::string> bytes;
};

using TailChunkPtr = std::shared_ptr<const TailChunk>;

// Threading: thread-safe.
class Tail {
 public:
  // The tail is empty, and the partitions end with `heads`.
  explicit Tail(std::vector<PartitionHead> heads);

  PartitionHead Head(PartitionId partition) const;
  std::vector<PartitionHead> Heads() const;
  // Adds chunks that follow on their partition's head, all at once.
  void Append(const std::vector<std::pair<PartitionId, TailChunkPtr>>& chunks);

  // The chunk of that number; nullptr if it is sealed, or not there yet.
  TailChunkPtr ChunkAt(PartitionId partition, std::uint64_t chunk_number) const;
  // The first chunk that ends behind `after`; nullptr if that is sealed, or not there yet.
  TailChunkPtr FirstBehind(PartitionId partition, Offset after) const;
  // The chunks up to the head, in order.
  std::vector<TailChunkPtr> ChunksUpTo(PartitionId partition, const PartitionHead& head) const;
  // Forgets the chunks up to the heads, which are sealed. They are returned, so that they go where nobody waits for it.
  std::vector<TailChunkPtr> Drop(const std::vector<PartitionHead>& sealed);

 private:
  struct PartitionTail {
    PartitionHead sealed;  // the chunk before the first one here
    PartitionHead head;
    std::deque<TailChunkPtr> chunks;
  };
  const PartitionTail& At(PartitionId partition) const ABSL_SHARED_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::vector<PartitionTail> partitions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

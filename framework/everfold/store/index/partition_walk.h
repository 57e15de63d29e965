// The chunks of one partition behind what the index knows, in order.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/chunk_header.h"
#include "everfold/log/partition_log.h"

namespace everfold {

// Threading: one thread. Lifetime: not longer than its log.
class PartitionWalk {
 public:
  // `known`: what the index has. DATA_LOSS if the log does not have it, or has something else there.
  static absl::StatusOr<PartitionWalk> Begin(const PartitionLog& log, PartitionId partition,
                                             const PartitionHead& known);

  // Moves to the next chunk, the first one at the first call; false at the log's head. DATA_LOSS for a chunk that is of
  // another partition, or out of order, and if the chunks end before the head.
  absl::StatusOr<bool> Next();

  // REQUIRES: the last Next returned true. Valid until the next call of Next.
  std::string_view chunk() const { return cursor_->chunk(); }
  const ChunkHeader& header() const { return header_; }
  PartitionId partition() const { return partition_; }
  const PartitionHead& end() const { return end_; }  // the log's head

 private:
  PartitionWalk(PartitionId partition, const PartitionHead& known, const PartitionHead& end);

  absl::StatusOr<bool> NextOfLog();
  absl::Status CheckKnown() const;
  absl::Status CheckFollows(Sequence before) const;
  std::string Follows() const;

  PartitionId partition_;
  std::uint64_t known_;  // chunk number
  PartitionHead at_;     // as of the last chunk that is known, or was given out
  PartitionHead end_;
  ChunkHeader header_;
  std::unique_ptr<ChunkCursor> cursor_;
};

}  // namespace everfold

// The commits that one sync makes durable, while they are being gathered.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "everfold/event/chunk.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/append.h"
#include "everfold/store/store_index.h"

namespace everfold {

// Checks each request against the durable index and the commits that are already in the group, in order.
// Threading: one thread. Lifetime: not longer than the index.
class CommitGroup {
 public:
  // `heads`: of all partitions, behind the group before.
  CommitGroup(const StoreIndex& index, std::vector<PartitionHead> heads, std::uint64_t writer_epoch, Sequence last);

  // Takes the request in as the next commit, or finds why not: then it changes nothing. A result that depends on the
  // group, also an error, may be told only when the group is durable.
  absl::StatusOr<AppendResult> Add(AppendRequest& request, absl::Time recorded_at);

  bool empty() const { return last_sequence_ == first_sequence_; }
  Sequence last_sequence() const { return last_sequence_; }
  std::size_t commits() const { return last_sequence_.value() - first_sequence_.value(); }
  std::size_t payload_bytes() const { return payload_bytes_; }
  const std::vector<PartitionHead>& heads() const { return heads_; }

  // One chunk for each partition that the group touches, in the log's form. REQUIRES: called once, after all Adds.
  std::vector<ChunkAppend> EncodeChunks();
  // The same, as the index takes them.
  const std::vector<Chunk>& chunks() const { return chunks_; }

 private:
  Version VersionOf(const StreamId& stream) const;
  absl::Status CheckExpectations(const AppendRequest& request) const;
  StreamResult AddStream(StreamAppend& stream, const Commit& shared, std::vector<PartitionId>& touched);
  Chunk& ChunkOf(PartitionId partition);

  const StoreIndex& index_;
  std::vector<PartitionHead> before_;
  std::vector<PartitionHead> heads_;
  std::uint64_t writer_epoch_;
  Sequence first_sequence_;  // of the group before
  Sequence last_sequence_;
  std::size_t payload_bytes_ = 0;
  absl::flat_hash_map<StreamId, Version> versions_;            // of streams that the group changes
  absl::flat_hash_map<CommandKey, RecordedCommand> commands_;  // that the group records
  absl::flat_hash_map<std::uint32_t, std::size_t> chunk_of_;   // partition -> index in chunks_
  std::vector<Chunk> chunks_;
};

}  // namespace everfold

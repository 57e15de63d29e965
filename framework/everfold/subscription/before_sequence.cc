#include "everfold/subscription/before_sequence.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_header.h"
#include "everfold/log/partition_log.h"

namespace everfold {
namespace {

// Of the first chunk with events behind the offset.
absl::StatusOr<ChunkHeader> ChunkBehind(const PartitionLog& log, PartitionId partition, Offset offset) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto cursor, log.Read(partition, offset));
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor->Next());
    if (!found) {
      return Error(
          absl::StatusCode::kDataLoss, reason::kDataLoss,
          absl::StrFormat("partition %d ends at offset %d, before its head", partition.value(), offset.value()));
    }
    EVERFOLD_ASSIGN_OR_RETURN(const ChunkHeader chunk, DecodeChunkHeader(cursor->chunk()));
    if (chunk.event_count > 0) return chunk;
  }
}

// Everything up to `low` is of earlier commits, everything behind `high` is not.
absl::StatusOr<Offset> BeforeSequenceIn(const PartitionLog& log, PartitionId partition, Sequence sequence, Offset low,
                                        Offset high) {
  while (low < high) {
    const Offset middle(low.value() + (high.value() - low.value()) / 2);
    EVERFOLD_ASSIGN_OR_RETURN(const ChunkHeader chunk, ChunkBehind(log, partition, middle));
    if (chunk.first_sequence >= sequence) {
      high = middle;
    } else if (chunk.last_sequence < sequence) {
      low = chunk.last_offset();
    } else {
      return std::max(low, Offset(chunk.first_offset.value() - 1));
    }
  }
  return low;
}

}  // namespace

absl::StatusOr<Checkpoint> BeforeSequence(const EventStore& store, Sequence sequence) {
  Checkpoint before = store.DurableHead();
  for (std::uint32_t i = 0; i < before.offsets.size(); ++i) {
    EVERFOLD_ASSIGN_OR_RETURN(before.offsets[i],
                              BeforeSequenceIn(store.log(), PartitionId(i), sequence, Offset(), before.offsets[i]));
  }
  return before;
}

}  // namespace everfold

#include "everfold/store/stream_reader.h"

#include <optional>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

bool Holds(const std::optional<Chunk>& chunk, Offset offset) {
  return chunk.has_value() && chunk->header.first_offset <= offset && offset <= chunk->header.last_offset();
}

absl::StatusOr<Chunk> ReadChunkAt(const PartitionLog& log, const Position& at) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ChunkCursor> cursor,
                            log.Read(at.partition, Offset(at.offset.value() - 1)));
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor->Next());
  if (found) {
    EVERFOLD_ASSIGN_OR_RETURN(std::optional<Chunk> chunk, DecodeChunk(cursor->chunk()));
    if (Holds(chunk, at.offset)) return *std::move(chunk);
  }
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("partition %d does not hold offset %d", at.partition.value(), at.offset.value()));
}

}  // namespace

absl::Status ReadStreamEvents(const PartitionLog& log, const StoreIndex& index, const StreamId& stream, Version after,
                              absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
  const PartitionId partition = PartitionOf(stream, log.identity().partitions);
  Version last = after;
  std::optional<Chunk> chunk;
  for (const StreamPlace& place : index.PlacesAfter(stream, after)) {
    if (Holds(chunk, place.first_offset)) continue;  // its chunk was visited with an earlier place
    EVERFOLD_ASSIGN_OR_RETURN(chunk, ReadChunkAt(log, {partition, place.first_offset}));
    EVERFOLD_RETURN_IF_ERROR(VisitEvents(*chunk, [&](const RecordedEvent& event) -> absl::Status {
      if (event.stream.stream != stream || event.version <= last) return absl::OkStatus();
      if (event.version != last.Next()) {
        return Error(
            absl::StatusCode::kDataLoss, reason::kDataLoss,
            absl::StrFormat("%s: version %d follows on %d", stream.ToString(), event.version.value(), last.value()));
      }
      last = event.version;
      return visit(event);
    }));
  }
  return absl::OkStatus();
}

}  // namespace everfold

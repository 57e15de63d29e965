#include "everfold/store/stream_reader.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

constexpr std::size_t kPlacesAtOnce = 1024;

bool Holds(const std::optional<Chunk>& chunk, Offset offset) {
  return chunk.has_value() && chunk->header.first_offset <= offset && offset <= chunk->header.last_offset();
}

absl::StatusOr<Chunk> ReadChunkAt(const PartitionLog& log, const StoreIndex& index, const Position& at) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ChunkCursor> cursor,
                            log.Read(at.partition, Offset(at.offset.value() - 1)));
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor->Next());
  if (found) {
    EVERFOLD_ASSIGN_OR_RETURN(std::optional<Chunk> chunk, DecodeChunk(cursor->chunk(), index.types()));
    if (Holds(chunk, at.offset)) return *std::move(chunk);
  }
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("partition %d does not hold offset %d", at.partition.value(), at.offset.value()));
}

// Walks a stream's places in the log.
class StreamWalk {
 public:
  StreamWalk(const PartitionLog& log, const StoreIndex& index, const StreamId& stream, Version after,
             absl::FunctionRef<absl::Status(const RecordedEvent&)> visit)
      : log_(log),
        index_(index),
        stream_(stream),
        partition_(PartitionOf(stream, log.identity().partitions)),
        last_(after),
        visit_(visit) {}

  absl::Status Run() {
    while (true) {
      EVERFOLD_ASSIGN_OR_RETURN(const std::vector<StreamPlace> places,
                                index_.PlacesAfter(stream_, last_, kPlacesAtOnce));
      const Version before = last_;
      for (const StreamPlace& place : places) EVERFOLD_RETURN_IF_ERROR(VisitPlace(place));
      if (places.size() < kPlacesAtOnce || last_ == before) return absl::OkStatus();
    }
  }

 private:
  absl::Status VisitPlace(const StreamPlace& place) {
    if (Holds(chunk_, place.first_offset)) return absl::OkStatus();  // its chunk was visited with an earlier place
    EVERFOLD_ASSIGN_OR_RETURN(chunk_, ReadChunkAt(log_, index_, {partition_, place.first_offset}));
    EVERFOLD_RETURN_IF_ERROR(VisitEvents(*chunk_, [this](const RecordedEvent& event) { return VisitEvent(event); }));
    PassErased();
    return absl::OkStatus();
  }

  // Moves behind those of the stream's next versions that tombstones of the chunk stand for.
  void PassErased() {
    for (const Commit& commit : chunk_->commits) {
      if (!commit.erased) continue;
      for (const StreamEvents& erased : commit.streams) {
        const bool follows = erased.stream == stream_ && erased.first_version <= last_.Next();
        if (follows) last_ = std::max(last_, erased.last_version());
      }
    }
  }

  absl::Status VisitEvent(const RecordedEvent& event) {
    if (event.stream.stream != stream_ || event.version <= last_) return absl::OkStatus();
    if (event.version != last_.Next()) PassErased();
    if (event.version != last_.Next()) {
      return Error(
          absl::StatusCode::kDataLoss, reason::kDataLoss,
          absl::StrFormat("%s: version %d follows on %d", stream_.ToString(), event.version.value(), last_.value()));
    }
    last_ = event.version;
    return visit_(event);
  }

  const PartitionLog& log_;
  const StoreIndex& index_;
  const StreamId& stream_;
  const PartitionId partition_;
  Version last_;
  absl::FunctionRef<absl::Status(const RecordedEvent&)> visit_;
  std::optional<Chunk> chunk_;
};

}  // namespace

absl::Status ReadStreamEvents(const PartitionLog& log, const StoreIndex& index, const StreamId& stream, Version after,
                              absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
  return StreamWalk(log, index, stream, after, visit).Run();
}

}  // namespace everfold

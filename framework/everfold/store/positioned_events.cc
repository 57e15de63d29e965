#include "everfold/store/positioned_events.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxOpenChunks = 16;  // of as many partitions; each may have megabytes

absl::Status Missing(const Position& at) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("partition %d does not hold offset %d, which the index names", at.partition.value(),
                               at.offset.value()));
}

}  // namespace

absl::StatusOr<bool> PositionedEvents::MoveTo(const Position& at) {
  EVERFOLD_ASSIGN_OR_RETURN(OpenChunk* const chunk, ChunkWith(at));
  while (chunk->at < at.offset && chunk->events.Next()) chunk->at = chunk->events.chunk().event().offset;
  EVERFOLD_RETURN_IF_ERROR(chunk->events.status());
  if (chunk->at != at.offset) return false;
  EVERFOLD_RETURN_IF_ERROR(chunk->events.Decode());
  current_ = chunk;
  return true;
}

// The partition's open chunk, or another one. Chunks without events may stand before it.
absl::StatusOr<PositionedEvents::OpenChunk*> PositionedEvents::ChunkWith(const Position& at) {
  const auto open = open_.find(at.partition.value());
  if (open != open_.end() && open->second->cursor->head().offset >= at.offset) return open->second.get();
  if (open_.size() >= kMaxOpenChunks) open_.clear();
  const Offset before(at.offset.value() - 1);
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<ChunkCursor> cursor, log_.Read(at.partition, before));
  do {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor->Next());
    if (!found) return Missing(at);
  } while (cursor->head().offset < at.offset);
  auto chunk = std::make_unique<OpenChunk>(std::move(cursor), everything_, types_, at.partition);
  EVERFOLD_RETURN_IF_ERROR(chunk->events.Open(chunk->cursor->chunk(), before));
  return (open_[at.partition.value()] = std::move(chunk)).get();
}

}  // namespace everfold

#include "everfold/store/stream_places.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

bool Holds(const CommitView& commit, Offset offset) {
  return commit.first_offset <= offset && offset < commit.first_offset.Plus(commit.event_count);
}

}  // namespace

StreamPlaces::StreamPlaces(const PartitionLog& log, const StreamId& stream)
    : log_(log), stream_(stream), partition_(PartitionOf(stream, log.identity().partitions)) {}

absl::Status StreamPlaces::MoveTo(const StreamPlace& place) {
  if (!Holds(place.first_offset)) EVERFOLD_RETURN_IF_ERROR(Load(place.first_offset));
  const bool passed = at_ != Offset() && place.first_offset <= at_;
  if (passed) chunk_ = opened_;
  at_ = place.first_offset;
  return FindIn(place);
}

absl::Status StreamPlaces::FindIn(const StreamPlace& place) {
  while (chunk_->NextCommit()) {
    if (!everfold::Holds(chunk_->commit(), place.first_offset)) continue;
    while (chunk_->NextStream()) {
      // A stream that was only checked stands where the next one begins.
      const StreamView& stream = chunk_->stream();
      if (stream.event_count > 0 && stream.first_offset == place.first_offset) return CheckIs(place);
    }
    break;
  }
  EVERFOLD_RETURN_IF_ERROR(chunk_->status());
  return Missing(place);
}

// Chunks without events may stand before the one that has it.
absl::Status StreamPlaces::Load(Offset offset) {
  opened_.reset();
  EVERFOLD_ASSIGN_OR_RETURN(cursor_, log_.Read(partition_, Offset(offset.value() - 1)));
  bool found = true;
  do {
    EVERFOLD_ASSIGN_OR_RETURN(found, cursor_->Next());
  } while (found && cursor_->head().offset < offset);
  if (found) {
    EVERFOLD_ASSIGN_OR_RETURN(opened_, ChunkReader::Open(cursor_->chunk()));
  }
  chunk_ = opened_;
  at_ = Offset();
  if (Holds(offset)) return absl::OkStatus();
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("%s: partition %d does not hold offset %d, which the index names",
                               stream_.ToString(), partition_.value(), offset.value()));
}

bool StreamPlaces::Holds(Offset offset) const {
  return opened_.has_value() && opened_->header().first_offset <= offset && offset <= opened_->header().last_offset();
}

absl::Status StreamPlaces::CheckIs(const StreamPlace& place) const {
  const StreamView& there = chunk_->stream();
  const bool same = there.first_version == place.first_version && there.id == stream_.id &&
                    there.aggregate == stream_.aggregate && chunk_->commit().tenant == stream_.tenant;
  return same ? absl::OkStatus() : Missing(place);
}

absl::Status StreamPlaces::Missing(const StreamPlace& place) const {
  return Error(
      absl::StatusCode::kDataLoss, reason::kDataLoss,
      absl::StrFormat("%s: version %d is not at offset %d of partition %d, where the index says it is",
                      stream_.ToString(), place.first_version.value(), place.first_offset.value(), partition_.value()));
}

}  // namespace everfold

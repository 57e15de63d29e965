#include "everfold/subscription/partition_events.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

// Fewer are read sooner than anybody else would begin.
constexpr std::uint64_t kManyEvents = 4'096;

}  // namespace

absl::StatusOr<PartitionEvents::Standing> PartitionEvents::Settle(std::size_t& bytes) {
  while (true) {
    if (on_event_) return events_.chunk().event().offset <= end_ ? Standing::kOnEvent : Standing::kAtHead;
    if (in_chunk_) {
      EVERFOLD_RETURN_IF_ERROR(FindInChunk());
      continue;
    }
    if (handled_ >= end_) {
      cursor_ = nullptr;  // it may hold on to files and memory of the log, and more may be long in coming
      return Standing::kAtHead;
    }
    if (bytes == 0) return Standing::kOutOfBytes;
    EVERFOLD_RETURN_IF_ERROR(NextChunk(bytes));
  }
}

absl::Status PartitionEvents::FindInChunk() {
  if (events_.Next()) {
    on_event_ = true;
    const Offset before(events_.chunk().event().offset.value() - 1);
    handled_ = std::max(handled_, std::min(before, end_));
    return absl::OkStatus();
  }
  EVERFOLD_RETURN_IF_ERROR(events_.status());
  in_chunk_ = false;
  handled_ = std::max(handled_, std::min(events_.chunk().header().last_offset(), end_));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ChunkCursor>> PartitionEvents::Read() const {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<ChunkCursor> cursor, log_.Read(partition_, handled_));
  if (read_ahead_ == nullptr || end_.value() - handled_.value() < kManyEvents) return cursor;
  return read_ahead_->Wrap(std::move(cursor));
}

absl::Status PartitionEvents::NextChunk(std::size_t& bytes) {
  if (cursor_ == nullptr) {
    EVERFOLD_ASSIGN_OR_RETURN(cursor_, Read());
  }
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor_->Next());
  if (!found) {
    return Error(
        absl::StatusCode::kDataLoss, reason::kDataLoss,
        absl::StrFormat("partition %d ends at offset %d, before its head", partition_.value(), handled_.value()));
  }
  bytes -= std::min(bytes, cursor_->chunk().size());
  EVERFOLD_RETURN_IF_ERROR(events_.Open(cursor_->chunk(), handled_));
  const Offset first = events_.chunk().header().first_offset;
  if (first > handled_.Next()) {
    return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                 absl::StrFormat("partition %d goes on at offset %d after %d", partition_.value(), first.value(),
                                 handled_.value()));
  }
  in_chunk_ = true;
  return absl::OkStatus();
}

}  // namespace everfold

#include "everfold/subscription/backward_events.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

constexpr std::uint64_t kLongestPiece = 8192;  // events
constexpr std::uint64_t kPieceBytes = 4 << 20;

}  // namespace

absl::StatusOr<BackwardEvents::Standing> BackwardEvents::Settle(std::size_t& bytes) {
  while (found_.empty()) {
    rest_ = unread_;
    if (unread_ == Offset()) return Standing::kAtBegin;
    if (bytes == 0) return Standing::kOutOfBytes;
    EVERFOLD_RETURN_IF_ERROR(ReadPiece(bytes));
  }
  rest_ = found_.back().event().offset;
  return Standing::kOnEvent;
}

void BackwardEvents::Pass() {
  rest_ = Offset(found_.back().event().offset.value() - 1);
  found_.pop_back();
}

absl::Status BackwardEvents::ReadPiece(std::size_t& bytes) {
  const Offset begin(unread_.value() - std::min(piece_, unread_.value()));
  chunks_.clear();
  std::uint64_t read_bytes = 0;
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ChunkCursor> cursor, log_.Read(partition_, begin));
  for (Offset read = begin; read < unread_; read = std::max(read, events_.chunk().header().last_offset())) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool more, cursor->Next());
    if (!more) {
      return Error(
          absl::StatusCode::kDataLoss, reason::kDataLoss,
          absl::StrFormat("partition %d ends at offset %d, before its head", partition_.value(), read.value()));
    }
    bytes -= std::min(bytes, cursor->chunk().size());
    read_bytes += cursor->chunk().size();
    EVERFOLD_RETURN_IF_ERROR(events_.Open(chunks_.emplace_back(cursor->chunk()), begin));
    EVERFOLD_RETURN_IF_ERROR(FindInChunk());
  }
  // The next one is twice as long, but not longer than memory is for, if its events are as large.
  const std::uint64_t fitting =
      std::max<std::uint64_t>(kPieceBytes * piece_ / std::max<std::uint64_t>(read_bytes, 1), 1);
  piece_ = std::min({2 * piece_, kLongestPiece, fitting});
  unread_ = begin;
  return absl::OkStatus();
}

absl::Status BackwardEvents::FindInChunk() {
  while (events_.Next() && events_.chunk().event().offset <= unread_) found_.push_back(events_.chunk());
  return events_.status();
}

}  // namespace everfold

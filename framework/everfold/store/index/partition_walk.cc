#include "everfold/store/index/partition_walk.h"

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/store/index/broken_log.h"

namespace everfold {
namespace {

// Behind the event before the last one that is known: chunks without events that stand directly behind an offset may be
// left out, and would be missed.
Offset BeforeLast(const PartitionHead& known) {
  return known.offset == Offset() ? Offset() : Offset(known.offset.value() - 1);
}

absl::Status CheckNotAhead(PartitionId partition, const PartitionHead& known, const PartitionHead& end) {
  const bool ahead = known.chunk_number > end.chunk_number || known.offset > end.offset;
  if (ahead) {
    return BrokenBehind(partition, end,
                        absl::StrFormat("the log ends here, but the index knows chunk %d (offset %d): the log has lost "
                                        "what it had acknowledged",
                                        known.chunk_number, known.offset.value()));
  }
  if (known.chunk_number < end.chunk_number || known == end) return absl::OkStatus();
  return BrokenBehind(partition, end, "the index knows another chunk of that number");
}

}  // namespace

PartitionWalk::PartitionWalk(PartitionId partition, const PartitionHead& known, const PartitionHead& end)
    : partition_(partition), known_(known.chunk_number), at_(known), end_(end) {}

absl::StatusOr<PartitionWalk> PartitionWalk::Begin(const PartitionLog& log, PartitionId partition,
                                                   const PartitionHead& known) {
  PartitionWalk walk(partition, known, log.Head(partition));
  EVERFOLD_RETURN_IF_ERROR(CheckNotAhead(partition, known, walk.end_));
  EVERFOLD_ASSIGN_OR_RETURN(walk.cursor_, log.Read(partition, BeforeLast(known)));
  return walk;
}

absl::StatusOr<bool> PartitionWalk::Next() {
  while (true) {
    const Sequence before = header_.last_sequence;
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, NextOfLog());
    if (!found) return false;
    if (header_.chunk_number > known_) {
      EVERFOLD_RETURN_IF_ERROR(CheckFollows(before));
      at_ = {header_.last_offset(), header_.chunk_number, header_.chain};
      return true;
    }
    EVERFOLD_RETURN_IF_ERROR(CheckKnown());
  }
}

absl::StatusOr<bool> PartitionWalk::NextOfLog() {
  if (at_ == end_) return false;
  if (at_.chunk_number == end_.chunk_number) {
    return BrokenBehind(partition_, at_, "the log's head is another chunk of that number");
  }
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor_->Next());
  if (!found) {
    return BrokenBehind(partition_, at_,
                        absl::StrFormat("the log ends here, but its head is chunk %d (offset %d)", end_.chunk_number,
                                        end_.offset.value()));
  }
  const absl::Status decoded = DecodeChunkHeader(cursor_->chunk(), header_);
  if (!decoded.ok()) return BrokenBehind(partition_, at_, std::string(decoded.message()));
  if (header_.partition == partition_) return true;
  return BrokenBehind(partition_, at_, absl::StrFormat("a chunk of partition %d", header_.partition.value()));
}

absl::Status PartitionWalk::CheckKnown() const {
  if (at_.chunk_number > known_) return BrokenBehind(partition_, at_, Follows());
  if (header_.chunk_number < known_ || header_.chain == at_.chain) return absl::OkStatus();
  return BrokenBehind(partition_, at_, "the index knows another chunk of that number");
}

absl::Status PartitionWalk::CheckFollows(Sequence before) const {
  if (header_.chunk_number != at_.chunk_number + 1 || header_.first_offset != at_.offset.Next()) {
    return BrokenBehind(partition_, at_, Follows());
  }
  if (header_.first_sequence > before) return absl::OkStatus();
  return BrokenBehind(
      partition_, at_,
      absl::StrFormat("commit %d follows on commit %d", header_.first_sequence.value(), before.value()));
}

std::string PartitionWalk::Follows() const {
  return absl::StrFormat("chunk %d (offset %d) follows", header_.chunk_number, header_.first_offset.value());
}

}  // namespace everfold

#include "everfold/log/embedded/log_cursor.h"

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_header.h"
#include "everfold/log/embedded/storage_error.h"

namespace everfold {
namespace {

class LogCursor final : public ChunkCursor {
 public:
  LogCursor(const SealedChunks& sealed, const Tail& tail, PartitionId partition, Offset after)
      : sealed_(sealed), tail_(tail), partition_(partition), after_(after) {}

  absl::StatusOr<bool> Next() override {
    if (AtLimit()) limit_ = tail_.Head(partition_);
    if (AtLimit()) return false;
    const absl::StatusOr<bool> found = Move();
    if (!found.ok()) from_sealed_ = nullptr;  // the next call looks at the same place again
    if (!found.ok() || *found) return found;
    return DataLoss(absl::StrFormat("partition %d ends behind offset %d; its head was at chunk %d, offset %d",
                                    partition_.value(), started_ ? at_.offset.value() : after_.value(),
                                    limit_.chunk_number, limit_.offset.value()));
  }
  std::string_view chunk() const override {
    return from_tail_ != nullptr ? std::string_view(*from_tail_->bytes) : from_sealed_->chunk();
  }
  PartitionHead head() const override { return at_; }

 private:
  // Before the first chunk is found its number is not known, and offsets decide.
  bool AtLimit() const {
    if (started_) return at_.chunk_number >= limit_.chunk_number;
    return after_ == Offset(0) ? limit_.chunk_number == 0 : after_ >= limit_.offset;
  }

  // A walk along sealed chunks goes on as far as it sees, which is what was there when it began. What is sealed goes
  // from the tail only after it can be read: who does not find the next chunk in the tail finds it among the sealed
  // ones by looking anew.
  absl::StatusOr<bool> Move() {
    if (from_sealed_ != nullptr) {
      EVERFOLD_ASSIGN_OR_RETURN(const bool found, NextSealed());
      if (found) return true;
      from_sealed_ = nullptr;
    }
    if (NextInTail()) return true;
    from_tail_ = nullptr;
    from_sealed_ = sealed_.Read(partition_, started_ ? at_.offset : after_, started_ ? at_.chunk_number + 1 : 0);
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, NextSealed());
    if (!found) from_sealed_ = nullptr;
    return found;
  }

  bool NextInTail() {
    TailChunkPtr next =
        started_ ? tail_.ChunkAt(partition_, at_.chunk_number + 1) : tail_.FirstBehind(partition_, after_);
    if (next == nullptr) return false;
    from_tail_ = std::move(next);
    at_ = from_tail_->head;
    started_ = true;
    return true;
  }

  absl::StatusOr<bool> NextSealed() {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, from_sealed_->Next());
    if (!found) return false;
    const ChunkHeader& header = from_sealed_->header();
    EVERFOLD_RETURN_IF_ERROR(CheckFollows(header));
    at_.offset = header.last_offset();
    at_.chunk_number = header.chunk_number;
    at_.chain = header.chain;
    started_ = true;
    return true;
  }

  absl::Status CheckFollows(const ChunkHeader& next) const {
    const bool follows = started_
                             ? next.chunk_number == at_.chunk_number + 1 && next.first_offset == at_.offset.Next()
                             : next.first_offset <= after_.Next() && (after_ != Offset(0) || next.chunk_number == 1);
    if (follows) return absl::OkStatus();
    return DataLoss(
        absl::StrFormat("partition %d: chunk %d begins at offset %d and does not follow chunk %d, offset %d",
                        partition_.value(), next.chunk_number, next.first_offset.value(), at_.chunk_number,
                        started_ ? at_.offset.value() : after_.value()));
  }

  const SealedChunks& sealed_;
  const Tail& tail_;
  const PartitionId partition_;
  const Offset after_;
  PartitionHead limit_;  // as far as it is known to go
  bool started_ = false;
  PartitionHead at_;  // the chunk last returned
  TailChunkPtr from_tail_;
  std::unique_ptr<SealedCursor> from_sealed_;
};

}  // namespace

std::unique_ptr<ChunkCursor> ReadLog(const SealedChunks& sealed, const Tail& tail, PartitionId partition,
                                     Offset after) {
  return std::make_unique<LogCursor>(sealed, tail, partition, after);
}

}  // namespace everfold

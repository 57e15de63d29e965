#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/store/index/partition_walk.h"
#include "everfold/store/index/sequence_window.h"
#include "everfold/store/store_index.h"

namespace everfold {
namespace {

constexpr std::uint64_t kEventsBetweenProgress = 1 << 16;

// Merges the partitions by the first sequence of their next chunks. A chunk's sequences lie among those of other
// partitions' chunks of its group, so that after a chunk some may be missing that are still to come; what lies below
// the first sequence of every next chunk is not.
class IndexRecovery {
 public:
  IndexRecovery(const PartitionLog& log, StoreIndex& index,
                const std::function<void(const IndexProgress&)>& on_progress)
      : log_(log),
        index_(index),
        on_progress_(on_progress),
        sequences_(index.tail().last_sequence),
        recorded_at_(index.tail().last_recorded_at) {}

  absl::Status Run() {
    EVERFOLD_RETURN_IF_ERROR(Begin());
    while (!next_.empty()) EVERFOLD_RETURN_IF_ERROR(TakeNext());
    EVERFOLD_RETURN_IF_ERROR(CheckNoneMissing(sequences_.largest().Next()));
    if (on_progress_) on_progress_(progress_);
    return absl::OkStatus();
  }

 private:
  absl::Status Begin() {
    if (index_.tail().last_sequence == Sequence()) EVERFOLD_RETURN_IF_ERROR(LookAhead());
    for (std::uint32_t i = 0; i < log_.identity().partitions; ++i) {
      const PartitionHead& known = index_.tail().heads[i];
      EVERFOLD_ASSIGN_OR_RETURN(PartitionWalk walk, PartitionWalk::Begin(log_, PartitionId(i), known));
      progress_.events += known.offset.value();
      progress_.total += walk.end().offset.value();
      EVERFOLD_RETURN_IF_ERROR(Advance(std::move(walk)));
    }
    return absl::OkStatus();
  }

  // About when the log ends.
  absl::Status LookAhead() {
    absl::Time until = absl::InfinitePast();
    for (std::uint32_t i = 0; i < log_.identity().partitions; ++i) {
      const Offset end = log_.Head(PartitionId(i)).offset;
      if (end == Offset()) continue;
      EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ChunkCursor> cursor,
                                log_.Read(PartitionId(i), Offset(end.value() - 1)));
      EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor->Next());
      if (!found) continue;  // it will be missed where it is to be read
      const absl::StatusOr<ChunkHeader> header = DecodeChunkHeader(cursor->chunk());
      if (header.ok()) until = std::max(until, header->base_time);
    }
    index_.ExpectRecordedUntil(until);
    return absl::OkStatus();
  }

  // Puts the walk in its place, by its next chunk.
  absl::Status Advance(PartitionWalk walk) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, walk.Next());
    if (!found) return absl::OkStatus();
    next_.push_back(std::move(walk));
    std::push_heap(next_.begin(), next_.end(), IsLater);
    return absl::OkStatus();
  }

  static bool IsLater(const PartitionWalk& a, const PartitionWalk& b) {
    return std::pair(a.header().first_sequence, a.partition()) > std::pair(b.header().first_sequence, b.partition());
  }

  absl::Status TakeNext() {
    std::pop_heap(next_.begin(), next_.end(), IsLater);
    PartitionWalk walk = std::move(next_.back());
    next_.pop_back();
    EVERFOLD_RETURN_IF_ERROR(CheckNoneMissing(walk.header().first_sequence));
    EVERFOLD_RETURN_IF_ERROR(index_.Add(walk.chunk()));
    EVERFOLD_RETURN_IF_ERROR(Mark(walk.chunk()));
    CountEvents(walk.header().event_count);
    EVERFOLD_RETURN_IF_ERROR(Advance(std::move(walk)));
    const bool nothing_open = next_.empty() || next_.front().header().first_sequence > sequences_.largest();
    return nothing_open && sequences_.dense() ? CompleteGroup() : absl::OkStatus();
  }

  absl::Status Mark(std::string_view bytes) {
    EVERFOLD_ASSIGN_OR_RETURN(ChunkReader chunk, ChunkReader::Open(bytes));
    recorded_at_ = std::max(recorded_at_, chunk.header().base_time);
    while (chunk.NextCommit()) {
      sequences_.Mark(chunk.commit().sequence);
      recorded_at_ = std::max(recorded_at_, chunk.commit().recorded_at);
    }
    return chunk.status();
  }

  // No chunk that is still to come has a sequence below `next`.
  absl::Status CheckNoneMissing(Sequence next) const {
    if (sequences_.complete().Next() >= next) return absl::OkStatus();
    return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                 absl::StrFormat("commit %d is missing; the next one that is there is %d",
                                 sequences_.complete().Next().value(), next.value()));
  }

  absl::Status CompleteGroup() {
    index_.CompleteGroup(sequences_.largest(), recorded_at_);
    if (!index_.full()) return absl::OkStatus();
    Notification has_room;
    index_.WhenRoom([&has_room] { has_room.Notify(); });
    has_room.WaitForNotification();
    return index_.health();
  }

  void CountEvents(std::uint64_t events) {
    const std::uint64_t before = progress_.events;
    progress_.events += events;
    const bool due = before / kEventsBetweenProgress != progress_.events / kEventsBetweenProgress;
    if (due && on_progress_) on_progress_(progress_);
  }

  const PartitionLog& log_;
  StoreIndex& index_;
  const std::function<void(const IndexProgress&)>& on_progress_;
  SequenceWindow sequences_;
  absl::Time recorded_at_;
  IndexProgress progress_;
  std::vector<PartitionWalk> next_;  // a heap; each stands on a chunk that is not taken in
};

}  // namespace

absl::Status RecoverIndex(const PartitionLog& log, StoreIndex& index,
                          const std::function<void(const IndexProgress&)>& on_progress) {
  return IndexRecovery(log, index, on_progress).Run();
}

}  // namespace everfold

#include "everfold/subscription/subscription.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk.h"

namespace everfold {
namespace {

// One partition's commits, in order, a chunk at a time.
class PartitionReader {
 public:
  PartitionReader(const EventStore& store, PartitionId partition, Offset after)
      : log_(store.log()), types_(store.types()), partition_(partition), read_to_(after) {}

  // How far the partition is durable. What is in the log behind it may use types that nobody knows yet.
  void SetHead(Offset head) { head_ = head; }

  // The next commit with events that were not handed out, or null when nothing more is durable.
  absl::StatusOr<const Commit*> Peek() {
    while (true) {
      if (const Commit* commit = Current(); commit != nullptr) return commit;
      EVERFOLD_ASSIGN_OR_RETURN(const bool more, LoadChunk());
      if (!more) return nullptr;
    }
  }
  // Offset of the first event of the commit that Peek returned.
  Offset first_offset() const { return next_offset_; }
  void Skip() {
    next_offset_ = next_offset_.Plus(chunk_->commits[next_commit_].event_count());
    ++next_commit_;
  }

 private:
  const Commit* Current() {
    while (chunk_.has_value() && next_commit_ < chunk_->commits.size()) {
      const Commit& commit = chunk_->commits[next_commit_];
      const std::uint64_t events = commit.event_count();
      const bool handed_out = next_offset_.value() + events <= read_to_.value() + 1;  // or none to hand out
      if (!handed_out) return &commit;
      Skip();
    }
    return nullptr;
  }

  absl::StatusOr<bool> LoadChunk() {
    if (chunk_.has_value()) read_to_ = std::max(read_to_, chunk_->header.last_offset());
    if (head_ <= read_to_) {
      cursor_ = nullptr;  // it may hold on to files and memory of the log, and more may be long in coming
      return false;
    }
    if (cursor_ == nullptr) {
      EVERFOLD_ASSIGN_OR_RETURN(cursor_, log_.Read(partition_, read_to_));
    }
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor_->Next());
    if (!found) {
      return Error(
          absl::StatusCode::kDataLoss, reason::kDataLoss,
          absl::StrFormat("partition %d ends at offset %d, before its head", partition_.value(), read_to_.value()));
    }
    EVERFOLD_ASSIGN_OR_RETURN(chunk_, DecodeChunk(cursor_->chunk(), types_));
    next_commit_ = 0;
    next_offset_ = chunk_->header.first_offset;
    if (next_offset_ > read_to_.Next()) {
      return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                   absl::StrFormat("partition %d goes on at offset %d after %d", partition_.value(),
                                   next_offset_.value(), read_to_.value()));
    }
    return true;
  }

  const PartitionLog& log_;
  const TypeDictionary& types_;
  const PartitionId partition_;
  Offset head_;
  Offset read_to_;  // everything up to here was handed out before, or with the chunks before
  std::unique_ptr<ChunkCursor> cursor_;
  std::optional<Chunk> chunk_;
  std::size_t next_commit_ = 0;
  Offset next_offset_;
};

class MergedSubscription final : public Subscription {
 public:
  MergedSubscription(const EventStore& store, Checkpoint from) : store_(store), checkpoint_(std::move(from)) {
    for (std::uint32_t i = 0; i < checkpoint_.offsets.size(); ++i) {
      readers_.emplace_back(store, PartitionId(i), checkpoint_.offsets[i]);
    }
  }

  absl::StatusOr<std::size_t> Pull(std::size_t max_events,
                                   absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) override {
    // Taken first: whatever has a sequence up to here is readable in every partition from now on, so the least sequence
    // among the partitions is the next one of the store.
    const Sequence durable = store_.DurableSequence();
    const Checkpoint head = store_.DurableHead();
    for (std::size_t i = 0; i < readers_.size(); ++i) readers_[i].SetHead(head.offsets[i]);
    std::size_t handed_out = 0;
    while (handed_out < max_events) {
      EVERFOLD_ASSIGN_OR_RETURN(const std::optional<std::size_t> next, NextPartition(durable));
      if (!next.has_value()) break;
      EVERFOLD_ASSIGN_OR_RETURN(const std::size_t count, HandOut(*next, max_events - handed_out, visit));
      handed_out += count;
    }
    return handed_out;
  }

  const Checkpoint& checkpoint() const override { return checkpoint_; }

 private:
  absl::StatusOr<std::optional<std::size_t>> NextPartition(Sequence durable) {
    std::optional<std::size_t> next;
    Sequence least = durable.Next();
    for (std::size_t i = 0; i < readers_.size(); ++i) {
      EVERFOLD_ASSIGN_OR_RETURN(const Commit* commit, readers_[i].Peek());
      if (commit == nullptr || commit->sequence >= least) continue;
      least = commit->sequence;
      next = i;
    }
    return next;
  }

  // The events of a partition's next commit that are behind the checkpoint, at most `limit`.
  absl::StatusOr<std::size_t> HandOut(std::size_t partition, std::size_t limit,
                                      absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
    PartitionReader& reader = readers_[partition];
    EVERFOLD_ASSIGN_OR_RETURN(const Commit* commit, reader.Peek());
    Offset& handled = checkpoint_.offsets[partition];
    Position position{PartitionId(static_cast<std::uint32_t>(partition)), reader.first_offset()};
    std::size_t count = 0;
    for (const StreamEvents& stream : commit->streams) {
      Version version = stream.first_version;
      for (const Event& event : stream.events) {
        if (position.offset > handled) {
          if (count == limit) return count;
          EVERFOLD_RETURN_IF_ERROR(visit({*commit, stream, event, version, position}));
          handled = position.offset;
          ++count;
        }
        version = version.Next();
        position.offset = position.offset.Next();
      }
    }
    reader.Skip();
    return count;
  }

  const EventStore& store_;
  Checkpoint checkpoint_;
  std::vector<PartitionReader> readers_;
};

absl::Status CheckHistory(const EventStore& store, const Checkpoint& from) {
  const LogIdentity& log = store.log().identity();
  if (from.epoch != log.epoch || from.offsets.size() != log.partitions) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kOtherHistory,
                 absl::StrFormat("the checkpoint belongs to history %s with %d partitions, the store is %s with %d",
                                 from.epoch.ToString(), from.offsets.size(), log.epoch.ToString(), log.partitions));
  }
  const Checkpoint head = store.DurableHead();
  for (std::size_t i = 0; i < from.offsets.size(); ++i) {
    if (from.offsets[i] <= head.offsets[i]) continue;
    return Error(
        absl::StatusCode::kDataLoss, reason::kDataLoss,
        absl::StrFormat("the checkpoint is at offset %d of partition %d, whose durable head is %d: the log has "
                        "lost events that were handled",
                        from.offsets[i].value(), i, head.offsets[i].value()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<Subscription>> Subscription::Start(const EventStore& store, const Checkpoint& from) {
  if (from.offsets.empty()) {
    return std::unique_ptr<Subscription>(std::make_unique<MergedSubscription>(store, BeginningOf(store)));
  }
  EVERFOLD_RETURN_IF_ERROR(CheckHistory(store, from));
  return std::unique_ptr<Subscription>(std::make_unique<MergedSubscription>(store, from));
}

Checkpoint BeginningOf(const EventStore& store) {
  const LogIdentity& log = store.log().identity();
  return {.epoch = log.epoch, .offsets = std::vector<Offset>(log.partitions)};
}

}  // namespace everfold

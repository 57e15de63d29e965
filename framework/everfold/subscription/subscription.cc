#include "everfold/subscription/subscription.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/subscription/partition_events.h"
#include "everfold/subscription/reading_checks.h"

namespace everfold {
namespace {

using Standing = PartitionEvents::Standing;

// Partitions by the sequence of their next event; of one sequence, the lowest partition first.
class Merge {
 public:
  struct Next {
    Sequence sequence;
    std::size_t partition;
    friend auto operator<=>(const Next&, const Next&) = default;
  };

  void Clear() { nexts_.clear(); }
  void Add(Next next) {
    nexts_.push_back(next);
    std::push_heap(nexts_.begin(), nexts_.end(), std::greater<>());
  }
  bool empty() const { return nexts_.empty(); }
  // REQUIRES, here and below: not empty.
  const Next& front() const { return nexts_.front(); }
  void PopFront() {
    std::pop_heap(nexts_.begin(), nexts_.end(), std::greater<>());
    nexts_.pop_back();
  }
  // The partition in front goes on with a later sequence.
  void MoveFront(Sequence sequence) {
    const Next moved{sequence, nexts_.front().partition};
    std::size_t hole = 0;
    for (std::size_t child = 1; child < nexts_.size(); child = 2 * hole + 1) {
      if (child + 1 < nexts_.size() && nexts_[child + 1] < nexts_[child]) ++child;
      if (!(nexts_[child] < moved)) break;
      nexts_[hole] = nexts_[child];
      hole = child;
    }
    nexts_[hole] = moved;
  }

 private:
  std::vector<Next> nexts_;  // a heap
};

class MergedSubscription final : public Subscription {
 public:
  MergedSubscription(const EventStore& store, Checkpoint from, SubscriptionOptions options)
      : store_(store), options_(std::move(options)), checkpoint_(std::move(from)) {
    for (std::uint32_t i = 0; i < checkpoint_.offsets.size(); ++i) {
      if (options_.partition.value_or(PartitionId(i)) != PartitionId(i)) continue;
      partitions_.emplace_back(PartitionId(i), store, options_.selection, checkpoint_.offsets[i]);
    }
  }

  absl::StatusOr<PullResult> Pull(std::size_t max_events, Visit visit) override {
    EVERFOLD_RETURN_IF_ERROR(CheckPull(max_events));
    // Taken first: whatever has a sequence up to here is readable in every partition from now on, so the least sequence
    // among the partitions is the next one of the store.
    last_ = store_.DurableSequence();
    if (options_.upto_sequence != Sequence()) last_ = std::min(last_, options_.upto_sequence);
    SetEnds();
    bytes_ = options_.max_bytes_a_pull;
    result_ = {};
    EVERFOLD_RETURN_IF_ERROR(HandOut(max_events, visit));
    return result_;
  }

  const Checkpoint& checkpoint() const override { return checkpoint_; }

 private:
  struct Partition {
    Partition(PartitionId partition, const EventStore& store, const EventSelection& selection, Offset after)
        : id(partition), events(store, selection, partition, after) {}
    const PartitionId id;
    PartitionEvents events;
  };

  void SetEnds() {
    const Checkpoint head = store_.DurableHead();
    const std::vector<Offset>& upto = options_.upto.offsets;
    for (Partition& partition : partitions_) {
      const std::uint32_t i = partition.id.value();
      partition.events.SetEnd(upto.empty() ? head.offsets[i] : std::min(head.offsets[i], upto[i]));
    }
  }

  absl::Status HandOut(std::size_t max_events, Visit visit) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool ready, SettleAll());
    if (!ready) return absl::OkStatus();
    while (!merge_.empty() && merge_.front().sequence <= last_) {
      if (result_.events == max_events) return absl::OkStatus();
      const std::size_t front = merge_.front().partition;
      PartitionEvents& events = partitions_[front].events;
      EVERFOLD_RETURN_IF_ERROR(events.Decode());
      EVERFOLD_RETURN_IF_ERROR(visit(events.event()));
      events.Pass();
      ++result_.events;
      EVERFOLD_ASSIGN_OR_RETURN(const Standing standing, Settle(front));
      if (standing == Standing::kOutOfBytes) return absl::OkStatus();
      if (standing == Standing::kAtHead) {
        merge_.PopFront();
      } else if (events.sequence() != merge_.front().sequence) {
        merge_.MoveFront(events.sequence());
      }
    }
    result_.caught_up = true;
    return absl::OkStatus();
  }

  // False if that takes more than one pull.
  absl::StatusOr<bool> SettleAll() {
    merge_.Clear();
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
      EVERFOLD_ASSIGN_OR_RETURN(const Standing standing, Settle(i));
      if (standing == Standing::kOutOfBytes) return false;
      if (standing == Standing::kOnEvent) merge_.Add({partitions_[i].events.sequence(), i});
    }
    return true;
  }

  // Whether or not it finds an event, the checkpoint moves over what it has passed.
  absl::StatusOr<Standing> Settle(std::size_t i) {
    Partition& partition = partitions_[i];
    const absl::StatusOr<Standing> standing = partition.events.Settle(bytes_);
    Offset& handled = checkpoint_.offsets[partition.id.value()];
    result_.moved = result_.moved || handled != partition.events.handled();
    handled = partition.events.handled();
    return standing;
  }

  const EventStore& store_;
  const SubscriptionOptions options_;
  Checkpoint checkpoint_;
  std::deque<Partition> partitions_;
  // Of the pull under way.
  Merge merge_;
  Sequence last_;
  std::size_t bytes_ = 0;
  PullResult result_;
};

absl::Status CheckOptions(const EventStore& store, const SubscriptionOptions& options) {
  if (options.max_bytes_a_pull == 0) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, "max_bytes_a_pull is 0; 1 is the least");
  }
  EVERFOLD_RETURN_IF_ERROR(CheckPart(store, options.selection, options.partition));
  EVERFOLD_RETURN_IF_ERROR(CheckEnd(store, options.upto));
  return CheckEnd(store, options.upto_sequence);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Subscription>> Subscription::Start(const EventStore& store, const Checkpoint& from,
                                                                  SubscriptionOptions options) {
  EVERFOLD_RETURN_IF_ERROR(CheckOptions(store, options));
  if (!from.offsets.empty()) EVERFOLD_RETURN_IF_ERROR(CheckHistory(store, from));
  store.stored_names().AddTo(options.selection.query);
  return std::make_unique<MergedSubscription>(store, from.offsets.empty() ? BeginningOf(store) : from,
                                              std::move(options));
}

Checkpoint BeginningOf(const EventStore& store) {
  const LogIdentity& log = store.log().identity();
  return {.epoch = log.epoch, .offsets = std::vector<Offset>(log.partitions)};
}

std::uint64_t EventsBefore(const Checkpoint& checkpoint) {
  std::uint64_t events = 0;
  for (const Offset offset : checkpoint.offsets) events += offset.value();
  return events;
}

}  // namespace everfold

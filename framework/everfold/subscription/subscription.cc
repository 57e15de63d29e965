#include "everfold/subscription/subscription.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"
#include "everfold/subscription/chunk_read_ahead.h"
#include "everfold/subscription/partition_events.h"
#include "everfold/subscription/reading_checks.h"

namespace everfold {
namespace {

using Standing = PartitionEvents::Standing;

// Partitions by the sequence of their next event; of one sequence, the lowest partition first. A tournament (Knuth, The
// Art of Computer Programming 3, 5.4.1): a partition that moves on plays against one loser a level, and as nobody can
// foretell who wins, nothing branches on it.
class Merge {
 public:
  explicit Merge(std::size_t partitions)
      : leaves_(std::bit_ceil(partitions)), winners_(2 * leaves_, kNone), losers_(leaves_, kNone) {}

  void Clear() { std::fill(winners_.begin(), winners_.end(), kNone); }
  void Add(std::size_t partition, Sequence sequence) { winners_[leaves_ + partition] = EntryOf(sequence, partition); }
  // After all have been added.
  void Begin() {
    for (std::size_t node = leaves_ - 1; node > 0; --node) {
      std::tie(winners_[node], losers_[node]) = std::minmax(winners_[2 * node], winners_[2 * node + 1]);
    }
    winner_ = winners_[1];
  }
  bool empty() const { return winner_ == kNone; }
  // REQUIRES, here and below: not empty.
  Sequence sequence() const { return Sequence(winner_ >> kPartitionBits); }
  std::size_t partition() const { return winner_ & kPartitionMask; }
  // The partition in front goes on with a later sequence, or not at all.
  void Move(Sequence sequence) { Play(EntryOf(sequence, partition())); }
  void Drop() { Play(kNone); }

 private:
  // Sequence and partition in one number, so that they are compared at once. There is room for 1.8e16 commits; what
  // claims to be one beyond them is behind the head, as those are.
  using Entry = std::uint64_t;
  static constexpr int kPartitionBits = std::bit_width(kMaxPartitions - 1);
  static constexpr Entry kPartitionMask = (Entry{1} << kPartitionBits) - 1;
  static constexpr Entry kNone = UINT64_MAX;
  static constexpr Entry kGreatestSequence = (kNone >> kPartitionBits) - 1;

  static Entry EntryOf(Sequence sequence, std::size_t partition) {
    return std::min(sequence.value(), kGreatestSequence) << kPartitionBits | partition;
  }

  void Play(Entry entry) {
    for (std::size_t node = (leaves_ + partition()) / 2; node > 0; node /= 2) {
      // The two change places if the loser comes first. By std::min and std::max it would be a branch.
      const Entry change = (losers_[node] ^ entry) & -Entry{losers_[node] < entry};
      losers_[node] ^= change;
      entry ^= change;
    }
    winner_ = entry;
  }

  const std::size_t leaves_;
  std::vector<Entry> winners_;  // of Begin, by node: the root is 1, the leaves come last
  std::vector<Entry> losers_;   // by node
  Entry winner_ = kNone;
};

class MergedSubscription final : public Subscription {
 public:
  MergedSubscription(const EventStore& store, Checkpoint from, SubscriptionOptions options)
      : store_(store), options_(std::move(options)), checkpoint_(std::move(from)), merge_(CountPartitions()) {
    if (options_.read_ahead != nullptr) read_ahead_.emplace(*options_.read_ahead, CountPartitions());
    for (std::uint32_t i = 0; i < checkpoint_.offsets.size(); ++i) {
      if (options_.partition.value_or(PartitionId(i)) != PartitionId(i)) continue;
      partitions_.emplace_back(PartitionId(i), store, options_.selection, checkpoint_.offsets[i],
                               read_ahead_.has_value() ? &*read_ahead_ : nullptr);
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
    Partition(PartitionId partition, const EventStore& store, const EventSelection& selection, Offset after,
              ChunkReadAhead* read_ahead)
        : id(partition), events(store, selection, partition, after, read_ahead) {}
    const PartitionId id;
    PartitionEvents events;
  };

  std::size_t CountPartitions() const { return options_.partition.has_value() ? 1 : checkpoint_.offsets.size(); }

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
    while (!merge_.empty() && merge_.sequence() <= last_) {
      if (result_.events == max_events) return absl::OkStatus();
      const std::size_t front = merge_.partition();
      PartitionEvents& events = partitions_[front].events;
      EVERFOLD_RETURN_IF_ERROR(events.Decode());
      EVERFOLD_RETURN_IF_ERROR(visit(events.event()));
      events.Pass();
      ++result_.events;
      EVERFOLD_ASSIGN_OR_RETURN(const Standing standing, Settle(front));
      if (standing == Standing::kOutOfBytes) return absl::OkStatus();
      if (standing == Standing::kAtHead) {
        merge_.Drop();
      } else if (events.sequence() != merge_.sequence()) {
        merge_.Move(events.sequence());
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
      if (standing == Standing::kOnEvent) merge_.Add(i, partitions_[i].events.sequence());
    }
    merge_.Begin();
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
  std::optional<ChunkReadAhead> read_ahead_;
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

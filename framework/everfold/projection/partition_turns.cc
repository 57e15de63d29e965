#include "everfold/projection/partition_turns.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "everfold/base/status.h"
#include "everfold/subscription/reading_checks.h"

namespace everfold {
namespace {

// Of a partition in one pull, however many there are.
constexpr std::size_t kMinBytesOfTurn = 64 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<Subscription>> PartitionTurns::Start(const EventFeed& feed, const Checkpoint& from,
                                                                    const SubscriptionOptions& options) {
  std::unique_ptr<PartitionTurns> turns(new PartitionTurns(from));
  SubscriptionOptions of_one = options;
  of_one.max_bytes_a_pull = std::max(kMinBytesOfTurn, options.max_bytes_a_pull / from.offsets.size());
  for (std::uint32_t i = 0; i < from.offsets.size(); ++i) {
    of_one.partition = PartitionId(i);
    EVERFOLD_ASSIGN_OR_RETURN(auto partition, feed.Subscribe(from, of_one));
    turns->partitions_.push_back(std::move(partition));
  }
  return turns;
}

absl::StatusOr<PullResult> PartitionTurns::Pull(std::size_t max_events, Visit visit) {
  EVERFOLD_RETURN_IF_ERROR(CheckPull(max_events));
  PullResult result;
  while (result.events < max_events && !result.caught_up) {
    EVERFOLD_ASSIGN_OR_RETURN(const PullResult pulled, PullTurn(max_events - result.events, visit));
    result.events += pulled.events;
    result.moved = result.moved || pulled.moved;
    at_head_ = pulled.caught_up ? at_head_ + 1 : 0;
    if (!pulled.caught_up) break;
    turn_ = (turn_ + 1) % partitions_.size();
    result.caught_up = at_head_ == partitions_.size();
  }
  if (result.caught_up) at_head_ = 0;
  return result;
}

// Also after an error, the checkpoint is past what was handed out.
absl::StatusOr<PullResult> PartitionTurns::PullTurn(std::size_t max_events, Visit visit) {
  Subscription& partition = *partitions_[turn_];
  absl::StatusOr<PullResult> pulled = partition.Pull(max_events, visit);
  checkpoint_.offsets[turn_] = partition.checkpoint().offsets[turn_];
  return pulled;
}

}  // namespace everfold

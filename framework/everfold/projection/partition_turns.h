// A subscription that takes the partitions in turns: each of them up to its head before the next one. Events of one
// partition come in their order, those of different partitions in any (ProjectionOrder::kPerPartition).
//
// While one partition is folded, only the rows that it feeds are in use: of a log with P partitions about a P-th of
// them, where rows belong to streams. They stay in the cache of rows until the partition ends, and are written once.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/projection/event_feed.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

// As Subscription, but for the order. `caught_up` is true if every partition has reached its head, each in its last
// turn. Threading: one thread at a time. Lifetime: the feed outlives it.
class PartitionTurns final : public Subscription {
 public:
  // `from` has offsets. Errors as EventFeed::Subscribe.
  static absl::StatusOr<std::unique_ptr<Subscription>> Start(const EventFeed& feed, const Checkpoint& from,
                                                             const SubscriptionOptions& options);

  absl::StatusOr<PullResult> Pull(std::size_t max_events, Visit visit) override;
  const Checkpoint& checkpoint() const override { return checkpoint_; }

 private:
  explicit PartitionTurns(Checkpoint from) : checkpoint_(std::move(from)) {}

  absl::StatusOr<PullResult> PullTurn(std::size_t max_events, Visit visit);

  Checkpoint checkpoint_;
  std::vector<std::unique_ptr<Subscription>> partitions_;
  std::size_t turn_ = 0;     // the partition that has it
  std::size_t at_head_ = 0;  // those before it that were left at their heads, one after the other
};

}  // namespace everfold

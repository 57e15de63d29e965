// Following the log from a checkpoint: first what is there, then what comes, without a gap and without a doubled event.
//
// A subscription is pulled. It reads every partition up to the durable sequence and hands out the events merged by
// sequence, so that an effect is never seen before its cause, and so that every reader sees the same order. That more
// has come is only a hint (EventStore::WatchDurable); whoever misses one sees the events at the next pull.
#pragma once

#include <cstdint>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/commit.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Threading: one thread at a time. Lifetime: not longer than its store.
class Subscription {
 public:
  // `from` with no offsets starts at the beginning.
  // FAILED_PRECONDITION (OTHER_HISTORY) if `from` is of another epoch or number of partitions; DATA_LOSS if it is
  // beyond the durable head: then the log has lost events that the reader has handled.
  static absl::StatusOr<std::unique_ptr<Subscription>> Start(const EventStore& store, const Checkpoint& from);
  virtual ~Subscription() = default;

  // Calls `visit` for up to `max_events` events behind the checkpoint, in the order of sequence, and moves the
  // checkpoint over each one whose visit returns OK. Returns how many; fewer than `max_events` means that the durable
  // head was reached. An error of `visit` or of the log ends the pull and is the result.
  virtual absl::StatusOr<std::size_t> Pull(std::size_t max_events,
                                           absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) = 0;

  // Behind the last event that was handed out.
  virtual const Checkpoint& checkpoint() const = 0;
};

// The checkpoint before the first event of the store.
Checkpoint BeginningOf(const EventStore& store);

}  // namespace everfold

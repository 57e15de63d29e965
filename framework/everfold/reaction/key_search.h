// What a reactor had in hand when it ended, found again after a start: one pass over the log for all of its keys. Each
// for itself (KeyEvents) would read the same events, as often as there are keys.
#pragma once

#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/reaction/key_queue.h"
#include "everfold/reaction/reactor_type.h"
#include "everfold/store/event_store.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

// Threading: one thread at a time. Lifetime: type and store outlive it.
class KeySearch {
 public:
  // From the commit with this sequence on, up to `upto`.
  KeySearch(const ReactorType& type, const EventStore& store, Sequence first, Checkpoint upto)
      : type_(type), store_(store), first_(first), upto_(std::move(upto)) {}

  // Adds to the searched keys of the queue what some of the next events are to them, as long as there is room. True if
  // there are no more. After an error of the log it may be called again.
  absl::StatusOr<bool> Continue(KeyQueue& queue, absl::FunctionRef<bool()> has_room);

 private:
  absl::Status Start();

  const ReactorType& type_;
  const EventStore& store_;
  const Sequence first_;
  const Checkpoint upto_;
  std::unique_ptr<Subscription> subscription_;  // null: to be started
  Checkpoint from_;                             // then, if it was before
};

}  // namespace everfold

// When states are saved.
#pragma once

#include <cstdint>
#include <functional>

#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"

namespace everfold {

struct SnapshotOptions {
  std::uint64_t every_events = 500;                              // since the last one, or the stream's beginning
  absl::Duration or_loaded_longer_than = absl::Milliseconds(5);  // whatever the number of events
  // One in so many states that come from a snapshot is folded from the first event as well, and compared; 0: none.
  std::uint64_t check_every_loads = 1000;
  // Called, from any thread, when one was wrong, and is dropped: code has changed without a new revision.
  std::function<void(const StreamId& stream, Version version)> on_wrong = nullptr;
};

}  // namespace everfold

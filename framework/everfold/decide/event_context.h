// Everything about an event beside its payload, for code that folds it: projections, processes.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "everfold/event/commit.h"
#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"

namespace everfold {

// Where an event stands. Lifetime: one call of a handler.
struct EventContext {
  const std::string& id;  // of the aggregate
  const StreamId& stream;
  Version version;
  Position position;
  Sequence sequence;
  absl::Time event_time;
  absl::Time recorded_at;
  const Metadata& metadata;
};

}  // namespace everfold

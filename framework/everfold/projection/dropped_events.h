// Events that a projection leaves out because an operator said so. Each decision is an event of the log, in the stream
// "$ops/<projection>" (everfold.v1.ParkedEventDropped), so that it holds whenever the projection is built anew.
#pragma once

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/event/recorded_event.h"
#include "everfold/event/stream_id.h"
#include "everfold/projection/parked_events.h"
#include "everfold/store/event_store.h"

namespace everfold {

// An event by what is the same in every store that it is exported to.
struct EventName {
  StreamId stream;
  Version version;
  friend auto operator<=>(const EventName&, const EventName&) = default;
};
inline EventName NameOf(const ParkedEvent& event) { return {event.stream, event.version}; }

using DroppedEvents = std::set<EventName>;

// Where a projection's are on record.
StreamId StreamOfDrops(const std::string& projection);
// Adds what an event of that stream says. DATA_LOSS if it is something else.
absl::Status AddDropped(const RecordedEvent& event, DroppedEvents& dropped);

// DATA_LOSS if something else stands in the stream, and what EventStore::ReadStream says.
absl::StatusOr<DroppedEvents> LoadDroppedEvents(const EventStore& store, const std::string& projection);

// The append that decides it. `error` is the one that parked the event.
AppendRequest DropOf(const std::string& projection, const ParkedEvent& event, const std::string& error,
                     const std::string& reason);

}  // namespace everfold

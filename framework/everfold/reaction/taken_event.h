// An event that waits for its reaction, apart from the chunk that it was read from.
#pragma once

#include <compare>
#include <string>

#include "absl/time/time.h"
#include "everfold/event/recorded_event.h"
#include "everfold/reaction/reactor_type.h"

namespace everfold {

// Where an event stands: in its stream, which is the same in every store, and in this one.
struct EventPlace {
  StreamId stream;
  Version version;
  Position position;
  Sequence sequence;
  friend bool operator==(const EventPlace&, const EventPlace&) = default;
};
EventPlace PlaceOf(const RecordedEvent& event);

// In the order in which events are handed out.
inline bool ComesBefore(const EventPlace& a, const EventPlace& b) {
  return a.sequence != b.sequence ? a.sequence < b.sequence : a.position < b.position;
}

struct TakenEvent {
  EventPlace place;
  std::string type;  // under which it is stored
  std::string payload;
  absl::Time event_time;
  absl::Time recorded_at;
  Metadata metadata;
  std::string command_id = {};  // of the command that it came of; empty if that had none
};
TakenEvent Take(const RecordedEvent& event);

// Reaction::id.
std::string ReactionId(const std::string& reactor, const StreamId& stream, Version version, absl::Time recorded_at);

}  // namespace everfold

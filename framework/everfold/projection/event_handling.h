// One event and the handler that wants it.
#pragma once

#include <string>
#include <string_view>

#include "absl/container/node_hash_map.h"
#include "absl/status/status.h"
#include "everfold/event/event_tally.h"
#include "everfold/event/recorded_event.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/row_store.h"
#include "everfold/subscription/subscription.h"
#include "google/protobuf/message_lite.h"

namespace everfold {

// How events of one stored type are handled.
struct EventRoute {
  EventHandler handler = {};
  ProjectionType::KeyOf key = nullptr;  // nullptr: the stream is the key
  StoredForm::Upcast upcast = nullptr;  // nullptr: the payload is taken as it is
};

// By the name under which the event is stored. Threading: immutable.
class EventRoutes {
 public:
  explicit EventRoutes(const ProjectionType& type);

  // Null if nobody handles the type. Lifetime: that of the routes.
  const EventRoute* Find(const std::string& stored) const {
    const auto found = routes_.find(stored);
    return found == routes_.end() ? nullptr : &found->second;
  }

 private:
  absl::node_hash_map<std::string, EventRoute> routes_;
};

// An event with what can be made of it before it is handled. Lifetime: the visit that it is handed to.
struct PreparedEvent {
  RecordedEvent event;
  const EventRoute& route;
  EventTally tally;
  // Its payload, as the route's handler takes it; null: the handler parses the payload itself.
  const google::protobuf::MessageLite* message = nullptr;
  // As RowCache::Expect takes them, of the events that come after this one.
  std::size_t soon = 0, later = 0;
};

// Calls the handler. Its errors, exceptions and rows that cannot be are DATA_LOSS, INTERNAL or what `rows` says.
absl::Status HandleEvent(const PreparedEvent& event, RowStore& rows);

// What the event is parked with, if it has to be (event/event_key.h). An event whose key cannot be told has its
// stream's.
std::string KeyOfEvent(const EventRoute& route, const RecordedEvent& event);

// Of the types that there are handlers for, so that what nobody handles is passed over unread.
SubscriptionOptions SubscriptionOf(const ProjectionType& type);

}  // namespace everfold

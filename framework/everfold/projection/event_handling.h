// One event and the handler that wants it.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "everfold/event/recorded_event.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/row_store.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

// How events of one stored type are handled.
struct EventRoute {
  ProjectionType::Handler handler = nullptr;  // nullptr: nobody handles the type
  ProjectionType::KeyOf key = nullptr;        // nullptr: the stream is the key
  StoredForm::Upcast upcast = nullptr;        // nullptr: the payload is taken as it is
};

// By the name under which the event is stored.
EventRoute RouteOf(const ProjectionType& type, const std::string& stored);

// Calls the handler. Its errors, exceptions and rows that cannot be are DATA_LOSS, INTERNAL or what `rows` says.
// REQUIRES: the route has a handler.
absl::Status HandleEvent(const EventRoute& route, const RecordedEvent& event, RowStore& rows);

// What the event is parked with, if it has to be (event/event_key.h). An event whose key cannot be told has its
// stream's.
std::string KeyOfEvent(const EventRoute& route, const RecordedEvent& event);

// Of the types that there are handlers for, so that what nobody handles is passed over unread.
SubscriptionOptions SubscriptionOf(const ProjectionType& type);

}  // namespace everfold

#include "everfold/projection/event_handling.h"

#include <exception>
#include <new>
#include <optional>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/event/event_key.h"

namespace everfold {
namespace {

EventContext ContextOf(const RecordedEvent& event) {
  return {.id = event.stream.stream.id,
          .stream = event.stream.stream,
          .version = event.version,
          .position = event.position,
          .sequence = event.commit.sequence,
          .event_time = event.event.event_time,
          .recorded_at = event.commit.recorded_at,
          .metadata = event.commit.metadata};
}

bool Handle(const PreparedEvent& prepared, RowStore& rows) {
  const EventRoute& route = prepared.route;
  const EventContext context = ContextOf(prepared.event);
  if (prepared.message != nullptr) {
    route.handler.of_message(*prepared.message, context, rows);
    return true;
  }
  const std::string_view payload = prepared.event.event.payload;
  if (route.upcast == nullptr) return route.handler.of_payload(payload, context, rows);
  const std::optional<std::string> upcast = route.upcast(payload);
  return upcast.has_value() && route.handler.of_payload(*upcast, context, rows);
}

// Exceptions end here: nothing throws across a folder.
absl::Status CallHandler(const PreparedEvent& event, RowStore& rows) {
  try {
    if (Handle(event, rows)) return absl::OkStatus();
    return absl::DataLossError("the payload is not a message of this type");
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("there was no memory for the handler");  // no fault of the event
  } catch (const std::exception& thrown) {
    return absl::InternalError(absl::StrFormat("the handler threw: %s", thrown.what()));
  } catch (...) {
    return absl::InternalError("the handler threw");
  }
}

std::optional<std::string> DeclaredKey(const EventRoute& route, const RecordedEvent& event) {
  const EventContext context = ContextOf(event);
  if (route.upcast == nullptr) return route.key(event.event.payload, context);
  const std::optional<std::string> upcast = route.upcast(event.event.payload);
  return upcast.has_value() ? route.key(*upcast, context) : std::nullopt;
}

}  // namespace

EventRoutes::EventRoutes(const ProjectionType& type) {
  const auto route = [&type](const std::string& event, StoredForm::Upcast upcast) {
    const auto key = type.keys.find(event);
    return EventRoute{type.handlers.at(event), key == type.keys.end() ? nullptr : key->second, upcast};
  };
  for (const auto& [name, handler] : type.handlers) routes_.emplace(name, route(name, nullptr));
  for (const auto& [name, form] : type.stored_forms) routes_.try_emplace(name, route(form.becomes, form.upcast));
}

absl::Status HandleEvent(const PreparedEvent& event, RowStore& rows) {
  absl::Status handled = CallHandler(event, rows);
  // What the rows say goes first: a handler may have thrown for it.
  return rows.status().ok() ? handled : rows.status();
}

std::string KeyOfEvent(const EventRoute& route, const RecordedEvent& event) {
  if (route.key != nullptr) {
    try {
      if (const std::optional<std::string> key = DeclaredKey(route, event); key.has_value()) return PrintableKey(*key);
    } catch (...) {
      // The stream's, then: the handler's own error tells what is wrong with the event.
    }
  }
  return KeyOfStream(event.stream.stream);
}

SubscriptionOptions SubscriptionOf(const ProjectionType& type) {
  std::vector<std::string> types;
  for (const auto& [name, handler] : type.handlers) types.push_back(name);
  for (const auto& [name, form] : type.stored_forms) types.push_back(name);
  SubscriptionOptions options;
  options.selection = SelectionOfTypes(types);
  return options;
}

}  // namespace everfold

#include "everfold/reaction/event_reaction.h"

#include <exception>
#include <new>
#include <optional>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/event/event_key.h"

namespace everfold {
namespace {

// The event of today that is stored under this name, and how it becomes that; nullptr if the payload is one.
struct Form {
  const std::string& event;
  StoredForm::Upcast upcast = nullptr;
};

Form FormOf(const ReactorType& type, const std::string& stored) {
  if (type.handlers.contains(stored)) return {.event = stored};
  const StoredForm& form = type.stored_forms.at(stored);
  return {.event = form.becomes, .upcast = form.upcast};
}

absl::Status CallHandler(const ReactorType& type, void* reactor, const TakenEvent& event, const Reaction& reaction) {
  const Form form = FormOf(type, event.type);
  const ReactorType::Handler handler = type.handlers.at(form.event);
  if (form.upcast == nullptr) return handler(reactor, event.payload, reaction);
  const std::optional<std::string> upcast = form.upcast(event.payload);
  if (!upcast.has_value()) return absl::DataLossError("the payload is not a message of this type");
  return handler(reactor, *upcast, reaction);
}

std::optional<std::string> DeclaredKey(const ReactorType& type, const Form& form, const ReactorType::KeyOf& key,
                                       const RecordedEvent& event) {
  const StreamId& stream = event.stream.stream;
  const std::string id = ReactionId(type.name, stream, event.version, event.commit.recorded_at);
  const Reaction reaction{.id = id,
                          .stream = stream,
                          .version = event.version,
                          .position = event.position,
                          .sequence = event.commit.sequence,
                          .event_time = event.event.event_time,
                          .recorded_at = event.commit.recorded_at,
                          .metadata = event.commit.metadata,
                          .attempt = 1};
  if (form.upcast == nullptr) return key(event.event.payload, reaction);
  const std::optional<std::string> upcast = form.upcast(event.event.payload);
  return upcast.has_value() ? key(*upcast, reaction) : std::nullopt;
}

}  // namespace

EventSelection SelectionOf(const ReactorType& type) {
  std::vector<std::string> types;
  for (const auto& [name, handler] : type.handlers) types.push_back(name);
  for (const auto& [name, form] : type.stored_forms) types.push_back(name);
  return SelectionOfTypes(types);
}

std::string KeyOfEvent(const ReactorType& type, const RecordedEvent& event) {
  if (type.keys.empty()) return KeyOfStream(event.stream.stream);
  const Form form = FormOf(type, event.event.type);
  const auto declared = type.keys.find(form.event);
  if (declared == type.keys.end()) return KeyOfStream(event.stream.stream);
  try {
    const std::optional<std::string> key = DeclaredKey(type, form, declared->second, event);
    if (key.has_value()) return PrintableKey(*key);
  } catch (...) {
    // The handler's own error tells what is wrong with the event.
  }
  return UntoldKeyOf(event.stream.stream);
}

std::string UntoldKeyOf(const StreamId& stream) { return KeyOfStream(stream) + " (no key)"; }

absl::Status ReactTo(const ReactorType& type, void* reactor, const TakenEvent& event, unsigned attempt) {
  const std::string id = ReactionId(type.name, event.place.stream, event.place.version, event.recorded_at);
  const Reaction reaction{.id = id,
                          .stream = event.place.stream,
                          .version = event.place.version,
                          .position = event.place.position,
                          .sequence = event.place.sequence,
                          .event_time = event.event_time,
                          .recorded_at = event.recorded_at,
                          .metadata = event.metadata,
                          .attempt = attempt};
  // Exceptions end here: nothing throws across a folder.
  try {
    return CallHandler(type, reactor, event, reaction);
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError("there was no memory for the handler");
  } catch (const std::exception& thrown) {
    return absl::InternalError(absl::StrFormat("the handler threw: %s", thrown.what()));
  } catch (...) {
    return absl::InternalError("the handler threw");
  }
}

bool IsWorthAnotherTry(const absl::Status& reaction) {
  switch (reaction.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kInternal:
      return true;
    default:
      return false;
  }
}

}  // namespace everfold

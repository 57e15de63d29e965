#include "everfold/store/raw_append_guard.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {

absl::Status RawAppendGuard::Check(const AppendRequest& request) const {
  const std::string& command = request.command.type;
  if (IsReservedName(command)) return ReservedName(command);
  if (!rules_.allow_registered && rules_.commands.contains(command)) {
    return Error(absl::StatusCode::kPermissionDenied, reason::kAggregateRegistered,
                 absl::StrFormat("%s is a command of this application, whose ids no other append takes", command),
                 {{"command", command}});
  }
  for (const StreamAppend& stream : request.streams) EVERFOLD_RETURN_IF_ERROR(CheckStream(stream));
  return absl::OkStatus();
}

absl::Status RawAppendGuard::CheckStream(const StreamAppend& stream) const {
  const std::string& aggregate = stream.stream.aggregate;
  if (IsReservedName(aggregate)) return ReservedName(aggregate);
  const auto registered = rules_.aggregates.find(aggregate);
  if (registered == rules_.aggregates.end()) return CheckForeignEvents(stream);
  if (!rules_.allow_registered) {
    return Error(absl::StatusCode::kPermissionDenied, reason::kAggregateRegistered,
                 absl::StrFormat("%s is changed by its commands; this application takes no other events of it",
                                 stream.stream.ToString()),
                 {{"aggregate", aggregate}});
  }
  for (const NewEvent& event : stream.events) {
    if (registered->second.contains(event.type)) continue;
    return Error(absl::StatusCode::kInvalidArgument, reason::kUnknownType,
                 absl::StrFormat("the aggregate %s has no event %s", aggregate, event.type),
                 {{"aggregate", aggregate}, {"type", event.type}});
  }
  return absl::OkStatus();
}

// Read models take events by their type, from whatever stream: one of an aggregate's would pass for the aggregate's
// own.
absl::Status RawAppendGuard::CheckForeignEvents(const StreamAppend& stream) const {
  if (rules_.allow_registered) return absl::OkStatus();
  for (const NewEvent& event : stream.events) {
    for (const auto& [aggregate, types] : rules_.aggregates) {
      if (!types.contains(event.type)) continue;
      return Error(
          absl::StatusCode::kPermissionDenied, reason::kAggregateRegistered,
          absl::StrFormat("%s is an event of the aggregate %s, which only its commands make", event.type, aggregate),
          {{"aggregate", aggregate}, {"type", event.type}});
    }
  }
  return absl::OkStatus();
}

}  // namespace everfold

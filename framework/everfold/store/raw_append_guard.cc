#include "everfold/store/raw_append_guard.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {

absl::Status RawAppendGuard::Check(const AppendRequest& request) const {
  for (const StreamAppend& stream : request.streams) EVERFOLD_RETURN_IF_ERROR(CheckStream(stream));
  return absl::OkStatus();
}

absl::Status RawAppendGuard::CheckStream(const StreamAppend& stream) const {
  const std::string& aggregate = stream.stream.aggregate;
  if (IsReservedName(aggregate)) return ReservedName(aggregate);
  const auto registered = rules_.aggregates.find(aggregate);
  if (registered == rules_.aggregates.end()) return absl::OkStatus();
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

}  // namespace everfold

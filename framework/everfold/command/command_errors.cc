#include "everfold/command/command_errors.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/error_message.h"
#include "everfold/base/unavailable.h"
#include "google/rpc/error_details.pb.h"

namespace everfold {

absl::Status CallerHasGone() {
  return Error(absl::StatusCode::kCancelled, reason::kCallerGone, "the caller had gone before the command was decided");
}

absl::Status UnreadableEvent(const std::string& type) {
  return Error(
      absl::StatusCode::kInternal, reason::kDeciderFailed,
      absl::StrFormat("Decide emitted an event %s that cannot be read again: is a string of it not UTF-8?", type),
      {{"type", type}});
}

absl::Status AtEvent(const absl::Status& error, const RecordedEvent& event) {
  const std::string stream = event.stream.stream.ToString();
  const std::string version = std::to_string(event.version.value());
  absl::Status placed = Annotate(absl::StrFormat("%s version %s", stream, version), error);
  google::rpc::ErrorInfo info;
  if (!FindDetail(placed, info)) return placed;
  (*info.mutable_metadata())["stream"] = stream;
  (*info.mutable_metadata())["version"] = version;
  AddDetail(placed, info);
  return placed;
}

absl::Status OutcomeIsTooLarge(const std::string& command, std::size_t bytes) {
  return Error(
      absl::StatusCode::kInternal, reason::kDeciderFailed,
      absl::StrFormat("%s was rejected, which is to be recorded: bytes of a recorded outcome: at most %d, there "
                      "are %d",
                      command, kMaxOutcomeBytes, bytes),
      {{"limit", std::to_string(kMaxOutcomeBytes)}, {"actual", std::to_string(bytes)}});
}

absl::Status CheckStoreIsOpen(const EventStore& store) {
  const absl::Status health = store.health();
  if (health.ok()) return health;
  return Unavailable(reason::kStoreClosed, absl::StrFormat("the store is closed: %s", std::string(health.message())));
}

}  // namespace everfold

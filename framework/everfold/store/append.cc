#include "everfold/store/append.h"

#include <set>

#include "absl/strings/str_format.h"
#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

// As base64, with the header's name.
constexpr std::size_t kMaxOutcomeHeaderBytes = (kMaxOutcomeBytes + 2) / 3 * 4 + sizeof(kOutcomeHeader) - 1;

absl::Status Invalid(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, message);
}

absl::Status ValidateText(std::string_view text, const char* what) {
  if (IsPrintableUtf8(text)) return absl::OkStatus();
  constexpr std::size_t kMostShown = 100;
  return Invalid(absl::StrFormat("%s must be printable UTF-8; its bytes are 0x%s%s", what,
                                 HexEncode(text.substr(0, kMostShown)), text.size() > kMostShown ? "..." : ""));
}

absl::Status ValidateHeaders(const Metadata& metadata) {
  for (const auto& [name, value] : metadata.headers) {
    if (IsReservedName(name)) return ReservedName(name);
  }
  return absl::OkStatus();
}

absl::Status ValidateOwner(const StreamAppend& stream) {
  if (IsReservedName(stream.stream.aggregate)) return ReservedName(stream.stream.aggregate);
  for (const NewEvent& event : stream.events) {
    if (IsReservedName(event.type)) return ReservedName(event.type);
  }
  return absl::OkStatus();
}

absl::Status ValidateCommandId(const CommandId& command) {
  if (!command.type.empty()) {
    EVERFOLD_RETURN_IF_ERROR(ValidateName(command.type, kMaxEventTypeBytes, "a command's type"));
  }
  if (command.empty()) return absl::OkStatus();
  if (command.type.empty()) return Invalid("a command id needs the command's type");
  EVERFOLD_RETURN_IF_ERROR(
      AtMost("bytes of a request's fingerprint", kMaxRequestFingerprintBytes, command.fingerprint.size()));
  return ValidateName(command.id, kMaxCommandIdBytes, "a command id (request_id)");
}

// As google.protobuf.Timestamp.
absl::Status ValidateTime(absl::Time time, const char* what) {
  static const absl::Time kFirst = absl::FromUnixSeconds(-62135596800);  // 0001-01-01
  static const absl::Time kEnd = absl::FromUnixSeconds(253402300800);    // 10000-01-01
  if (time >= kFirst && time < kEnd) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("%s is in the years 1 to 9999; this one is %s", what,
                               absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone())));
}

absl::Status ValidateEvent(const NewEvent& event) {
  EVERFOLD_RETURN_IF_ERROR(ValidateName(event.type, kMaxEventTypeBytes, "an event's type"));
  if (!event.fingerprint.empty() && event.fingerprint.size() != kTypeFingerprintBytes) {
    return Error(
        absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
        absl::StrFormat("the fingerprint of an event's type has %d bytes, or none; this one has %d",
                        kTypeFingerprintBytes, event.fingerprint.size()),
        {{"limit", std::to_string(kTypeFingerprintBytes)}, {"actual", std::to_string(event.fingerprint.size())}});
  }
  if (event.event_time.has_value()) EVERFOLD_RETURN_IF_ERROR(ValidateTime(*event.event_time, "an event's time"));
  EVERFOLD_RETURN_IF_ERROR(AtMost("bytes of an event", kMaxEventBytes, event.payload.size()));
  EVERFOLD_RETURN_IF_ERROR(AtMost("tags of an event", kMaxTagsPerEvent, event.tags.size()));
  for (const std::string& tag : event.tags) EVERFOLD_RETURN_IF_ERROR(ValidateTag(tag, "an event " + event.type));
  return absl::OkStatus();
}

absl::Status CheckDistinct(const std::vector<StreamAppend>& streams) {
  if (streams.size() == 1) return absl::OkStatus();
  std::set<StreamId> met;
  for (const StreamAppend& stream : streams) {
    if (met.insert(stream.stream).second) continue;
    return Invalid(absl::StrFormat("an append names %s twice", stream.stream.ToString()));
  }
  return absl::OkStatus();
}

// An outcome on its way from another store, by an import, has a limit of its own. 0 if there is none.
std::size_t RecordedOutcomeBytes(const Metadata& metadata) {
  const auto outcome = metadata.headers.find(kOutcomeHeader);
  return outcome == metadata.headers.end() ? 0 : outcome->first.size() + outcome->second.size();
}

}  // namespace

absl::Status ReservedName(std::string_view name) {
  return Error(absl::StatusCode::kPermissionDenied, reason::kReservedName,
               absl::StrFormat("names that begin with '$' are the framework's own: %s", name),
               {{"name", std::string(name)}});
}

std::size_t BytesOf(const Metadata& metadata) {
  std::size_t bytes = metadata.correlation_id.size() + metadata.causation_id.size() + metadata.actor.size() +
                      metadata.traceparent.size();
  for (const auto& [name, value] : metadata.headers) bytes += name.size() + value.size();
  return bytes;
}

absl::Status ValidateMetadata(const Metadata& metadata) {
  const std::size_t outcome = RecordedOutcomeBytes(metadata);
  EVERFOLD_RETURN_IF_ERROR(AtMost("bytes of metadata", kMaxMetadataBytes, BytesOf(metadata) - outcome));
  EVERFOLD_RETURN_IF_ERROR(AtMost("bytes of a recorded outcome in base64", kMaxOutcomeHeaderBytes, outcome));
  EVERFOLD_RETURN_IF_ERROR(ValidateText(metadata.correlation_id, "a correlation id"));
  EVERFOLD_RETURN_IF_ERROR(ValidateText(metadata.causation_id, "a causation id"));
  EVERFOLD_RETURN_IF_ERROR(ValidateText(metadata.actor, "an actor"));
  EVERFOLD_RETURN_IF_ERROR(ValidateText(metadata.traceparent, "a trace context"));
  for (const auto& [name, value] : metadata.headers) {
    EVERFOLD_RETURN_IF_ERROR(ValidateText(name, "the name of a header"));
    EVERFOLD_RETURN_IF_ERROR(ValidateText(value, "a header"));
  }
  return absl::OkStatus();
}

std::size_t PayloadBytesOf(const AppendRequest& request) {
  std::size_t bytes = 0;
  for (const StreamAppend& stream : request.streams) {
    for (const NewEvent& event : stream.events) bytes += event.payload.size();
  }
  return bytes;
}

absl::Status ValidateAppend(const AppendRequest& request) {
  EVERFOLD_RETURN_IF_ERROR(ValidateCommandId(request.command));
  EVERFOLD_RETURN_IF_ERROR(ValidateMetadata(request.metadata));
  if (!request.of_framework) EVERFOLD_RETURN_IF_ERROR(ValidateHeaders(request.metadata));
  if (request.not_before != absl::InfinitePast()) {
    EVERFOLD_RETURN_IF_ERROR(ValidateTime(request.not_before, "the earliest recorded time"));
  }
  if (request.streams.empty()) return Invalid("an append names at least one stream");
  EVERFOLD_RETURN_IF_ERROR(AtMost("streams of an append", kMaxStreamsPerCommit, request.streams.size()));
  std::size_t events = 0;
  for (const StreamAppend& stream : request.streams) {
    EVERFOLD_RETURN_IF_ERROR(ValidateStreamId(stream.stream));
    if (stream.stream.tenant != request.tenant) return Invalid("all streams of an append belong to its tenant");
    for (const NewEvent& event : stream.events) EVERFOLD_RETURN_IF_ERROR(ValidateEvent(event));
    if (!request.of_framework) EVERFOLD_RETURN_IF_ERROR(ValidateOwner(stream));
    events += stream.events.size();
  }
  EVERFOLD_RETURN_IF_ERROR(CheckDistinct(request.streams));
  EVERFOLD_RETURN_IF_ERROR(AtMost("missed events that are asked for", kMaxMissedEvents, request.missed_events));
  if (request.condition.has_value()) EVERFOLD_RETURN_IF_ERROR(ValidateQuery(request.condition->fail_if_events_match));
  if (events == 0 && request.command.empty()) {
    return Invalid("an append without events needs a command id (request_id), by which it is known");
  }
  if (events > 0 && !request.outcome.empty()) return Invalid("an append with events has no outcome of its own");
  EVERFOLD_RETURN_IF_ERROR(AtMost("bytes of a recorded outcome", kMaxOutcomeBytes, request.outcome.size()));
  EVERFOLD_RETURN_IF_ERROR(AtMost("bytes of an append", kMaxCommitBytes, PayloadBytesOf(request)));
  return AtMost("events of an append", kMaxEventsPerCommit, events);
}

}  // namespace everfold

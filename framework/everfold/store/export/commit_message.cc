#include "everfold/store/export/commit_message.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"

namespace everfold {
namespace {

absl::Status Invalid(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, message);
}

absl::Status Fill(const Event& event, absl::Time recorded_at, v1::ExportedEvent& message) {
  if (event.codec != PayloadCodec::kPlain) {
    return absl::UnimplementedError(
        absl::StrFormat("an event %s is stored compressed or encrypted, which an export does not hold", event.type));
  }
  message.set_type(event.type);
  message.set_fingerprint(event.fingerprint);
  if (event.event_time != recorded_at) *message.mutable_event_time() = TimestampOf(event.event_time);
  for (const std::string& tag : event.tags) message.add_tags(tag);
  message.set_payload(event.payload);
  return absl::OkStatus();
}

absl::Status Fill(const StreamEvents& stream, absl::Time recorded_at, v1::ExportedStream& message) {
  message.set_stream(stream.stream.ToString());
  message.set_first_version(stream.first_version.value());
  message.set_erased_events(stream.erased_events);
  for (const Event& event : stream.events) {
    EVERFOLD_RETURN_IF_ERROR(Fill(event, recorded_at, *message.add_events()));
  }
  return absl::OkStatus();
}

void Fill(const Metadata& metadata, v1::ExportedMetadata& message) {
  message.set_correlation_id(metadata.correlation_id);
  message.set_causation_id(metadata.causation_id);
  message.set_actor(metadata.actor);
  message.set_traceparent(metadata.traceparent);
  message.mutable_headers()->insert(metadata.headers.begin(), metadata.headers.end());
}

Metadata MetadataOf(const v1::ExportedMetadata& message) {
  return {.correlation_id = message.correlation_id(),
          .causation_id = message.causation_id(),
          .actor = message.actor(),
          .traceparent = message.traceparent(),
          .headers = {message.headers().begin(), message.headers().end()}};
}

// A store keeps microseconds, and an import changes nothing unseen.
absl::StatusOr<absl::Time> ExactTime(const google::protobuf::Timestamp& message, const char* what) {
  const absl::Time time = TimeOf(message);
  if (message.nanos() % 1000 == 0) return time;
  return Invalid(absl::StrFormat("%s is finer than a microsecond: %s", what,
                                 absl::FormatTime(absl::RFC3339_full, time, absl::UTCTimeZone())));
}

absl::StatusOr<NewEvent> TakeEvent(v1::ExportedEvent& message) {
  NewEvent event;
  event.type = std::move(*message.mutable_type());
  event.fingerprint = std::move(*message.mutable_fingerprint());
  event.payload = std::move(*message.mutable_payload());
  event.tags.assign(message.tags().begin(), message.tags().end());
  if (message.has_event_time()) {
    EVERFOLD_ASSIGN_OR_RETURN(event.event_time, ExactTime(message.event_time(), "event_time"));
  }
  return event;
}

absl::StatusOr<StreamAppend> TakeStream(v1::ExportedStream& message, const std::string& tenant) {
  StreamAppend stream;
  EVERFOLD_ASSIGN_OR_RETURN(stream.stream, ParseStreamId(message.stream(), tenant));
  EVERFOLD_RETURN_IF_ERROR(ValidateStreamId(stream.stream));  // errors below name it
  if (message.erased_events() > 0) {
    return Invalid(absl::StrFormat("%s has erased_events, and its commit is not erased", stream.stream.ToString()));
  }
  if (message.first_version() == 0) {
    return Invalid(
        absl::StrFormat("the first_version of %s is missing, or 0; versions begin with 1", stream.stream.ToString()));
  }
  stream.expectation = StreamExpectation::Exact(Version(message.first_version() - 1));
  stream.events.reserve(static_cast<std::size_t>(message.events_size()));
  for (v1::ExportedEvent& event : *message.mutable_events()) {
    EVERFOLD_ASSIGN_OR_RETURN(NewEvent taken, TakeEvent(event));
    stream.events.push_back(std::move(taken));
  }
  return stream;
}

}  // namespace

absl::Status Fill(const Commit& commit, v1::ExportedCommit& message) {
  message.set_sequence(commit.sequence.value());
  *message.mutable_recorded_at() = TimestampOf(commit.recorded_at);
  message.set_tenant(commit.tenant);
  message.set_erased(commit.erased);
  if (!commit.command.type.empty()) message.mutable_command()->set_type(commit.command.type);
  if (!commit.command.id.empty()) message.mutable_command()->set_id(commit.command.id);
  if (commit.metadata != Metadata()) Fill(commit.metadata, *message.mutable_metadata());
  for (const StreamEvents& stream : commit.streams) {
    EVERFOLD_RETURN_IF_ERROR(Fill(stream, commit.recorded_at, *message.add_streams()));
  }
  return absl::OkStatus();
}

absl::StatusOr<AppendRequest> TakeAppend(v1::ExportedCommit& message) {
  if (message.erased()) {
    return Invalid(
        "the commit was erased, and a store cannot be given events that are gone; a backup has the log as it is");
  }
  if (!message.has_recorded_at()) return Invalid("recorded_at is missing");
  AppendRequest request;
  EVERFOLD_ASSIGN_OR_RETURN(request.not_before, ExactTime(message.recorded_at(), "recorded_at"));
  request.tenant = message.tenant();
  request.command = {.type = message.command().type(), .id = message.command().id(), .fingerprint = {}};
  request.metadata = MetadataOf(message.metadata());
  request.of_framework = true;  // it was let in once
  request.of_import = true;
  request.streams.reserve(static_cast<std::size_t>(message.streams_size()));
  for (v1::ExportedStream& stream : *message.mutable_streams()) {
    EVERFOLD_ASSIGN_OR_RETURN(StreamAppend taken, TakeStream(stream, request.tenant));
    request.streams.push_back(std::move(taken));
  }
  return request;
}

}  // namespace everfold

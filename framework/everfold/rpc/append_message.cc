#include "everfold/rpc/append_message.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/consistency_token.h"
#include "google/protobuf/util/time_util.h"

namespace everfold {
namespace {

constexpr char kDefaultRequestType[] = "everfold.v1.AppendRequest";

absl::Status Invalid(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, message);
}

absl::StatusOr<StreamExpectation> ExpectationOf(const v1::StreamAppend& stream) {
  if (stream.has_version()) return StreamExpectation::Exact(Version(stream.version()));
  switch (stream.state()) {
    case v1::STREAM_STATE_UNSPECIFIED:
    case v1::STREAM_STATE_ANY:
      return StreamExpectation::Any();
    case v1::STREAM_STATE_NEW:
      return StreamExpectation::NoStream();
    case v1::STREAM_STATE_EXISTING:
      return StreamExpectation::Exists();
    default:
      return Invalid(absl::StrFormat("%s: state %d is none of StreamState", stream.stream(), stream.state()));
  }
}

absl::StatusOr<NewEvent> EventOf(const v1::NewEvent& message) {
  NewEvent event;
  event.type = message.type();
  event.fingerprint = message.fingerprint();
  event.payload = message.payload();
  event.tags.assign(message.tags().begin(), message.tags().end());
  if (message.has_event_time()) {
    EVERFOLD_ASSIGN_OR_RETURN(event.event_time, TimeOf(message.event_time(), "event_time"));
  }
  return event;
}

absl::StatusOr<StreamAppend> StreamOf(const v1::StreamAppend& message, const std::string& tenant) {
  StreamAppend stream;
  EVERFOLD_ASSIGN_OR_RETURN(stream.stream, ParseStreamId(message.stream(), tenant));
  EVERFOLD_ASSIGN_OR_RETURN(stream.expectation, ExpectationOf(message));
  stream.events.reserve(static_cast<std::size_t>(message.events_size()));
  for (const v1::NewEvent& event : message.events()) {
    EVERFOLD_ASSIGN_OR_RETURN(NewEvent taken, EventOf(event));
    stream.events.push_back(std::move(taken));
  }
  return stream;
}

// What makes a request another one: what it appends and on which condition. A repeat may have other metadata: it is
// another call.
std::string IdentityOf(const v1::AppendRequest& message) {
  v1::AppendRequest same;
  same.set_tenant(message.tenant());
  *same.mutable_streams() = message.streams();
  for (v1::StreamAppend& stream : *same.mutable_streams()) {
    const bool any = stream.state() == v1::STREAM_STATE_UNSPECIFIED || stream.state() == v1::STREAM_STATE_ANY;
    if (stream.has_state() && any) stream.clear_expectation();  // it says what nothing says
  }
  if (message.has_condition()) *same.mutable_condition() = message.condition();
  return same.SerializeAsString();
}

CommandId CommandOf(const v1::AppendRequest& message, const EventStore& store) {
  if (message.request_id().empty()) return {};
  return {.type = message.request_type().empty() ? kDefaultRequestType : message.request_type(),
          .id = message.request_id(),
          .fingerprint = store.FingerprintOfRequest(IdentityOf(message))};
}

void Fill(absl::Time from, google::protobuf::Timestamp& to) {
  to = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(absl::ToUnixMicros(from));
}

}  // namespace

Metadata MetadataOf(const v1::EventMetadata& message) {
  return {.correlation_id = message.correlation_id(),
          .causation_id = message.causation_id(),
          .actor = message.actor(),
          .traceparent = message.traceparent(),
          .headers = {message.headers().begin(), message.headers().end()}};
}

absl::StatusOr<absl::Time> TimeOf(const google::protobuf::Timestamp& time, const char* what) {
  constexpr std::int64_t kFirstSecond = -62135596800;  // 0001-01-01, as google/protobuf/timestamp.proto says
  constexpr std::int64_t kLastSecond = 253402300799;   // 9999-12-31
  const bool valid = time.seconds() >= kFirstSecond && time.seconds() <= kLastSecond && time.nanos() >= 0 &&
                     time.nanos() < 1'000'000'000;
  if (valid) return absl::FromUnixSeconds(time.seconds()) + absl::Nanoseconds(time.nanos());
  return Invalid(
      absl::StrFormat("%s is in the years 1 to 9999, with 0 to 999,999,999 nanoseconds; this one has %d "
                      "seconds and %d nanoseconds",
                      what, time.seconds(), time.nanos()));
}

EventQuery EventQueryOf(const v1::EventQuery& message) {
  EventQuery query;
  for (const v1::QueryItem& item : message.items()) {
    query.items.push_back(
        {.types = {item.types().begin(), item.types().end()}, .tags = {item.tags().begin(), item.tags().end()}});
  }
  return query;
}

absl::StatusOr<AppendRequest> AppendRequestOf(const v1::AppendRequest& message, const EventStore& store) {
  AppendRequest request;
  request.tenant = message.tenant();
  request.streams.reserve(static_cast<std::size_t>(message.streams_size()));
  for (const v1::StreamAppend& stream : message.streams()) {
    EVERFOLD_ASSIGN_OR_RETURN(StreamAppend taken, StreamOf(stream, message.tenant()));
    request.streams.push_back(std::move(taken));
  }
  if (message.has_condition()) {
    request.condition =
        AppendCondition{.fail_if_events_match = EventQueryOf(message.condition().fail_if_events_match()),
                        .after = Sequence(message.condition().after())};
  }
  if (message.has_metadata()) request.metadata = MetadataOf(message.metadata());
  request.command = CommandOf(message, store);
  request.missed_events = message.missed_events();
  return request;
}

void Fill(const AppendResult& result, const EventStore& store, v1::AppendResponse& message) {
  message.set_sequence(result.sequence.value());
  Fill(result.recorded_at, *message.mutable_recorded_at());
  for (const StreamResult& stream : result.streams) {
    v1::AppendedStream& appended = *message.add_streams();
    appended.set_stream(stream.stream.ToString());
    appended.set_version(stream.version.value());
    appended.set_partition(stream.position.partition.value());
    appended.set_offset(stream.position.offset.value());
  }
  message.set_consistency_token(EncodeToken(TokenOf(store, result)));
  message.set_repeated(result.repeated);
}

}  // namespace everfold

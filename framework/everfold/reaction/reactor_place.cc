#include "everfold/reaction/reactor_place.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/fingerprint.h"

namespace everfold {
namespace {

template <class Message>
NewEvent NewEventOf(const Message& message) {
  static const std::string* const fingerprint = new std::string(FingerprintOf(*Message::descriptor()));
  return {.type = Message::descriptor()->full_name(),
          .fingerprint = *fingerprint,
          .payload = message.SerializeAsString(),
          .event_time = {},
          .tags = {}};
}

v1::ReactorKey MessageOf(const ReactorKey& key) {
  v1::ReactorKey message;
  message.set_key(key.key);
  message.set_tenant(key.at.stream.tenant);
  message.set_stream(key.at.stream.ToString());
  message.set_version(key.at.version.value());
  message.set_partition(key.at.position.partition.value());
  message.set_offset(key.at.position.offset.value());
  message.set_sequence(key.at.sequence.value());
  message.set_passed(key.passed);
  message.set_attempts(key.attempts);
  message.set_error(key.error);
  if (key.next_attempt > absl::InfinitePast()) {
    *message.mutable_next_attempt_time() = TimestampOf(key.next_attempt);
  }
  message.set_parked(key.parked);
  return message;
}

absl::StatusOr<ReactorKey> KeyOf(const v1::ReactorKey& message) {
  EVERFOLD_ASSIGN_OR_RETURN(StreamId stream, ParseStreamId(message.stream(), message.tenant()));
  ReactorKey key{.key = message.key(),
                 .at = {.stream = std::move(stream),
                        .version = Version(message.version()),
                        .position = {PartitionId(message.partition()), Offset(message.offset())},
                        .sequence = Sequence(message.sequence())},
                 .passed = message.passed(),
                 .attempts = message.attempts(),
                 .error = message.error(),
                 .parked = message.parked()};
  if (message.has_next_attempt_time()) key.next_attempt = TimeOf(message.next_attempt_time());
  return key;
}

absl::Status NoCheckpoint(const RecordedEvent& event) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("version %d of %s is no checkpoint of a reactor", event.version.value(),
                               event.stream.stream.ToString()));
}

}  // namespace

NewEvent EventOf(const ReactorPlace& place) {
  v1::ReactorCheckpoint message;
  message.mutable_checkpoint()->set_epoch(place.checkpoint.epoch.bytes);
  for (const Offset offset : place.checkpoint.offsets) message.mutable_checkpoint()->add_offsets(offset.value());
  for (const ReactorKey& key : place.keys) *message.add_keys() = MessageOf(key);
  message.set_paused(place.paused);
  return NewEventOf(message);
}

absl::StatusOr<ReactorPlace> ReactorPlaceOf(const RecordedEvent& event) {
  v1::ReactorCheckpoint message;
  const bool decoded = event.event.type == v1::ReactorCheckpoint::descriptor()->full_name() &&
                       message.ParseFromArray(event.event.payload.data(), static_cast<int>(event.event.payload.size()));
  if (!decoded) return NoCheckpoint(event);
  ReactorPlace place{.checkpoint = {.epoch = {message.checkpoint().epoch()}, .offsets = {}},
                     .paused = message.paused()};
  for (const std::uint64_t offset : message.checkpoint().offsets()) place.checkpoint.offsets.emplace_back(offset);
  for (const v1::ReactorKey& key : message.keys()) {
    absl::StatusOr<ReactorKey> decoded_key = KeyOf(key);
    if (!decoded_key.ok()) return NoCheckpoint(event);
    place.keys.push_back(*std::move(decoded_key));
  }
  return place;
}

NewEvent DropOf(const ReactorKey& key, const std::string& reason) {
  v1::ReactionDropped message;
  message.set_tenant(key.at.stream.tenant);
  message.set_stream(key.at.stream.ToString());
  message.set_version(key.at.version.value());
  message.set_key(key.key);
  message.set_reason(reason);
  message.set_error(key.error);
  return NewEventOf(message);
}

NewEvent ResetOf(v1::ReactorResetTo to, const std::string& reason) {
  v1::ReactorReset message;
  message.set_to(to);
  message.set_reason(reason);
  return NewEventOf(message);
}

}  // namespace everfold

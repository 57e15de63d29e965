#include "everfold/rpc/received_event.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"
#include "everfold/rpc/append_message.h"

namespace everfold {
namespace {

absl::Status CannotBe(const v1::RecordedEvent& message, const std::string& why) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("the event that was sent from offset %d of partition %d cannot be: %s", message.offset(),
                               message.partition(), why));
}

std::optional<PayloadCodec> CodecOf(v1::PayloadEncoding encoding) {
  switch (encoding) {
    case v1::PAYLOAD_ENCODING_UNSPECIFIED:
      return PayloadCodec::kPlain;
    case v1::PAYLOAD_ENCODING_ZSTD:
      return PayloadCodec::kZstd;
    case v1::PAYLOAD_ENCODING_ENCRYPTED:
      return PayloadCodec::kEncrypted;
    default:
      return std::nullopt;
  }
}

}  // namespace

absl::Status VisitReceived(const v1::RecordedEvent& message,
                           absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
  const absl::StatusOr<StreamId> stream = ParseStreamId(message.stream(), message.tenant());
  if (!stream.ok()) return CannotBe(message, std::string(stream.status().message()));
  const std::optional<PayloadCodec> codec = CodecOf(message.encoding());
  if (!codec.has_value()) return CannotBe(message, absl::StrFormat("its encoding is %d", message.encoding()));
  EVERFOLD_ASSIGN_OR_RETURN(const absl::Time event_time, TimeOf(message.event_time(), "the time of an event"));
  EVERFOLD_ASSIGN_OR_RETURN(const absl::Time recorded_at, TimeOf(message.recorded_at(), "the time of a commit"));
  const CommandId command{.type = message.request_type(), .id = message.request_id(), .fingerprint = ""};
  const Metadata metadata = MetadataOf(message.metadata());
  const std::vector<std::string> tags(message.tags().begin(), message.tags().end());
  const Version version(message.version());
  return visit({.commit = {.sequence = Sequence(message.sequence()),
                           .recorded_at = recorded_at,
                           .command = command,
                           .metadata = metadata},
                .stream = {.stream = *stream, .first_version = version},
                .event = {.type = message.type(),
                          .fingerprint = message.fingerprint(),
                          .event_time = event_time,
                          .tags = tags,
                          .codec = *codec,
                          .payload = message.payload()},
                .version = version,
                .position = {PartitionId(message.partition()), Offset(message.offset())}});
}

}  // namespace everfold

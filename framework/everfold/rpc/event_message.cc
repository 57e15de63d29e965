#include "everfold/rpc/event_message.h"

#include "everfold/base/error.h"
#include "everfold/rpc/append_message.h"
#include "everfold/v1/group_checkpoint.pb.h"

namespace everfold {
namespace {

v1::PayloadEncoding EncodingOf(PayloadCodec codec) {
  switch (codec) {
    case PayloadCodec::kPlain:
      return v1::PAYLOAD_ENCODING_UNSPECIFIED;
    case PayloadCodec::kZstd:
      return v1::PAYLOAD_ENCODING_ZSTD;
    case PayloadCodec::kEncrypted:
      return v1::PAYLOAD_ENCODING_ENCRYPTED;
  }
  return v1::PAYLOAD_ENCODING_UNSPECIFIED;
}

void FillMetadata(const Metadata& metadata, v1::RecordedEvent& message) {
  if (metadata == Metadata()) return;
  v1::EventMetadata& to = *message.mutable_metadata();
  to.set_correlation_id(metadata.correlation_id);
  to.set_causation_id(metadata.causation_id);
  to.set_actor(metadata.actor);
  to.set_traceparent(metadata.traceparent);
  to.mutable_headers()->insert(metadata.headers.begin(), metadata.headers.end());
}

void FillPayload(const RecordedPayload& event, v1::RecordedEvent& message) {
  message.set_type(event.type);
  message.set_payload(event.payload.data(), event.payload.size());
  for (const std::string& tag : event.tags) message.add_tags(tag);
  Fill(event.event_time, *message.mutable_event_time());
  message.set_fingerprint(event.fingerprint);
  message.set_encoding(EncodingOf(event.codec));
}

}  // namespace

void Fill(const RecordedEvent& event, v1::RecordedEvent& message) {
  std::string& stream = *message.mutable_stream();
  stream.assign(event.stream.stream.aggregate).append(1, '/').append(event.stream.stream.id);
  message.set_tenant(event.stream.stream.tenant);
  message.set_version(event.version.value());
  message.set_sequence(event.commit.sequence.value());
  message.set_partition(event.position.partition.value());
  message.set_offset(event.position.offset.value());
  Fill(event.commit.recorded_at, *message.mutable_recorded_at());
  FillPayload(event.event, message);
  FillMetadata(event.commit.metadata, message);
  if (event.commit.command.empty()) return;
  message.set_request_id(event.commit.command.id);
  message.set_request_type(event.commit.command.type);
}

EventSelection EventSelectionOf(const v1::EventSelection& message) {
  EventSelection selection{.query = EventQueryOf(message.query()),
                           .framework_streams = message.framework_streams(),
                           .group_streams = message.group_streams()};
  if (message.has_tenant()) selection.tenant = message.tenant();
  return selection;
}

std::optional<PartitionId> PartitionOf(const v1::EventSelection& message) {
  if (!message.has_partition()) return std::nullopt;
  return PartitionId(message.partition());
}

v1::EventSelection EventSelectionMessage(const EventSelection& selection, std::optional<PartitionId> partition) {
  v1::EventSelection message;
  for (const QueryItem& item : selection.query.items) {
    v1::QueryItem& to = *message.mutable_query()->add_items();
    for (const std::string& type : item.types) to.add_types(type);
    for (const std::string& tag : item.tags) to.add_tags(tag);
  }
  if (selection.tenant.has_value()) message.set_tenant(*selection.tenant);
  message.set_framework_streams(selection.framework_streams);
  message.set_group_streams(selection.group_streams);
  if (partition.has_value()) message.set_partition(partition->value());
  return message;
}

std::string EncodeCheckpointBytes(const Checkpoint& checkpoint) {
  v1::GroupCheckpoint message;
  message.set_epoch(checkpoint.epoch.bytes);
  for (const Offset offset : checkpoint.offsets) message.add_offsets(offset.value());
  return message.SerializeAsString();
}

absl::StatusOr<Checkpoint> DecodeCheckpointBytes(const std::string& bytes) {
  if (bytes.empty()) return Checkpoint();
  v1::GroupCheckpoint message;
  if (!message.ParseFromString(bytes) || message.epoch().empty() || message.offsets().empty()) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 "the checkpoint is none that a response held; send one back as it is");
  }
  Checkpoint checkpoint{.epoch = {message.epoch()}, .offsets = {}};
  for (const std::uint64_t offset : message.offsets()) checkpoint.offsets.emplace_back(offset);
  return checkpoint;
}

}  // namespace everfold

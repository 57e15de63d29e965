#include "everfold/rpc/event_message.h"

#include "everfold/base/error.h"
#include "everfold/rpc/append_message.h"
#include "everfold/v1/group_checkpoint.pb.h"

namespace everfold {

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

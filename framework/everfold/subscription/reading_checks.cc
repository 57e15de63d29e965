#include "everfold/subscription/reading_checks.h"

#include <string>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

absl::Status CheckSameHistory(const EventStore& store, const Checkpoint& checkpoint) {
  const LogIdentity& log = store.log().identity();
  if (checkpoint.epoch == log.epoch && checkpoint.offsets.size() == log.partitions) return absl::OkStatus();
  return Error(
      absl::StatusCode::kFailedPrecondition, reason::kOtherHistory,
      absl::StrFormat("the checkpoint belongs to history %s with %d partitions, the store is %s with %d",
                      checkpoint.epoch.ToString(), checkpoint.offsets.size(), log.epoch.ToString(), log.partitions));
}

absl::Status BeyondHead(const std::string& what, std::uint64_t head) {
  return Error(absl::StatusCode::kOutOfRange, reason::kBeyondHead,
               absl::StrFormat("%s, whose durable head is %d", what, head), {{"head", std::to_string(head)}});
}

}  // namespace

absl::Status CheckPull(std::size_t max_events) {
  if (max_events > 0) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               "a pull is for 1 event or more, this one is for 0");
}

absl::Status CheckPart(const EventStore& store, const EventSelection& selection, std::optional<PartitionId> partition) {
  EVERFOLD_RETURN_IF_ERROR(ValidateSelection(selection));
  const std::uint32_t partitions = store.log().identity().partitions;
  if (!partition.has_value() || partition->value() < partitions) return absl::OkStatus();
  return Error(
      absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
      absl::StrFormat("there are %d partitions, numbered from 0, and no partition %d", partitions, partition->value()));
}

absl::Status CheckEnd(const EventStore& store, const Checkpoint& end) {
  if (end.offsets.empty()) return absl::OkStatus();
  EVERFOLD_RETURN_IF_ERROR(CheckSameHistory(store, end));
  const Checkpoint head = store.DurableHead();
  for (std::size_t i = 0; i < head.offsets.size(); ++i) {
    if (end.offsets[i] <= head.offsets[i]) continue;
    return BeyondHead(absl::StrFormat("the end is at offset %d of partition %d", end.offsets[i].value(), i),
                      head.offsets[i].value());
  }
  return absl::OkStatus();
}

absl::Status CheckEnd(const EventStore& store, Sequence end) {
  const Sequence durable = store.DurableSequence();
  if (end <= durable) return absl::OkStatus();
  return BeyondHead(absl::StrFormat("the end is at sequence %d of the store", end.value()), durable.value());
}

absl::Status CheckHistory(const EventStore& store, const Checkpoint& checkpoint) {
  EVERFOLD_RETURN_IF_ERROR(CheckSameHistory(store, checkpoint));
  const Checkpoint head = store.DurableHead();
  for (std::size_t i = 0; i < checkpoint.offsets.size(); ++i) {
    if (checkpoint.offsets[i] <= head.offsets[i]) continue;
    return Error(
        absl::StatusCode::kDataLoss, reason::kDataLoss,
        absl::StrFormat("the checkpoint is at offset %d of partition %d, whose durable head is %d: the log has "
                        "lost events that were handled",
                        checkpoint.offsets[i].value(), i, head.offsets[i].value()));
  }
  return absl::OkStatus();
}

}  // namespace everfold

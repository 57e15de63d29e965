// What is to be read, and how far it has been, as messages of everfold.v1.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/position.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold {

EventSelection EventSelectionOf(const v1::EventSelection& message);
std::optional<PartitionId> PartitionOf(const v1::EventSelection& message);

v1::EventSelection EventSelectionMessage(const EventSelection& selection, std::optional<PartitionId> partition);

// Opaque to callers: an everfold.v1.GroupCheckpoint.
std::string EncodeCheckpointBytes(const Checkpoint& checkpoint);
// No offsets for no bytes. INVALID_ARGUMENT for bytes that no response held.
absl::StatusOr<Checkpoint> DecodeCheckpointBytes(const std::string& bytes);

}  // namespace everfold

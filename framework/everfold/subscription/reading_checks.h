// What a reader of the whole log is told instead of events: that it asks for what there is not, or stands where the
// store has never been.
#pragma once

#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/position.h"
#include "everfold/store/event_store.h"

namespace everfold {

// INVALID_ARGUMENT if a pull is for no event.
absl::Status CheckPull(std::size_t max_events);

// INVALID_ARGUMENT for a malformed selection, or a partition that there is not.
absl::Status CheckPart(const EventStore& store, const EventSelection& selection, std::optional<PartitionId> partition);

// Of an end that was asked for; one without offsets, or 0, is none. OUT_OF_RANGE (BEYOND_HEAD) if it is beyond the
// durable head, FAILED_PRECONDITION (OTHER_HISTORY) if it belongs to another store.
absl::Status CheckEnd(const EventStore& store, const Checkpoint& end);
absl::Status CheckEnd(const EventStore& store, Sequence end);

// Whether a reader that has handled what the checkpoint says may go on with the store. FAILED_PRECONDITION
// (OTHER_HISTORY) if it is of another epoch or number of partitions; DATA_LOSS if it is beyond the durable head: then
// the log has lost events that were handled.
absl::Status CheckHistory(const EventStore& store, const Checkpoint& checkpoint);

}  // namespace everfold

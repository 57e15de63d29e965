// Where a reader begins that is to see everything from some commit on.
#pragma once

#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/store/event_store.h"

namespace everfold {

// A checkpoint before every event of that commit and of later ones; not far before it: it may also be before some
// events of earlier commits that share a chunk with one of those. Reads some chunks of each partition, as many as the
// logarithm of its events. Errors: of the log; DATA_LOSS for a damaged chunk.
absl::StatusOr<Checkpoint> BeforeSequence(const EventStore& store, Sequence sequence);

}  // namespace everfold

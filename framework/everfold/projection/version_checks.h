// What is looked at before a version of read models takes another one's place, or is compared with it. Nothing moves
// either of them meanwhile.
#pragma once

#include <cstddef>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/projection/event_folder.h"
#include "everfold/projection/next_version.h"
#include "everfold/projection/projection_type.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Folds on until it is at least as far as `target` in every partition.
absl::Status BringTo(const Checkpoint& target, NextVersion& next, std::size_t max_batch_events);

// FAILED_PRECONDITION (READ_MODEL_PARKS_MORE) if it parks a key that the current one does not. Only keys count whose
// first event that waits the current one has met, too, at `met`.
absl::Status CheckParksNoMore(const std::string& projection, NextVersion& next,
                              const absl::flat_hash_set<std::string>& parked_now, const Checkpoint& met);

// Folds on with the one that is behind until both have handled the same events. They come in the same order to both.
// The result is their number.
absl::StatusOr<std::uint64_t> BringToSameEvents(const ProjectionType& type, EventFolder& current, NextVersion& next,
                                                std::size_t max_batch_events);

// Compares the events that a version has left out, up to its checkpoint, with those that are on record as dropped: one
// that had taken an event in when that was dropped has it still. "" if it has left out just these; else what is wrong.
//   as EventStore::ReadStream
absl::StatusOr<std::string> FindUnheededDrops(const EventStore& store, const ProjectionType& type,
                                              const EventFolder& folder);

}  // namespace everfold

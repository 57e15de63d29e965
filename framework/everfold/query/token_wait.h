// Reading one's own writes: waiting until a projection has committed what a consistency token names.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/projection/projection.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// The positions of an encoded token. `history` is the projection's checkpoint.
//   INVALID_ARGUMENT     no token, or one with partitions that the store does not have
//   FAILED_PRECONDITION  of another history (OTHER_HISTORY)
absl::StatusOr<std::vector<Position>> PositionsOf(const std::string& token, const Checkpoint& history);

// Calls `done` on the executor once the projection has committed the positions, or with its error when it has stopped;
// UNAVAILABLE (READ_MODEL_BEHIND, with the lag in events and RetryInfo) when `timeout` is over before.
void WaitForPositions(Projection& projection, std::vector<Position> positions, absl::Duration timeout,
                      Executor& executor, Projection::WaitDone done);

}  // namespace everfold

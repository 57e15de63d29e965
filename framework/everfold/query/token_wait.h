// Reading one's own writes: waiting until a projection has committed what a consistency token names.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/consistency_token.h"
#include "everfold/event/position.h"
#include "everfold/projection/projection.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// An encoded token that a query of the projection may wait for; without positions for "".
//   INVALID_ARGUMENT     no token, or one with partitions that the store does not have
//   FAILED_PRECONDITION  of another history (OTHER_HISTORY)
//   OUT_OF_RANGE         of events that the log does not have (BEYOND_HEAD)
absl::StatusOr<ConsistencyToken> ReadToken(const std::string& text, const Projection& projection);

// An error of a projection that does not go on, with its lag, in events, in the metadata.
absl::Status WithLag(absl::Status status, const Projection& projection);

// Calls `done` on the executor once the projection has committed the positions, or with its error and the lag when it
// has stopped; UNAVAILABLE (READ_MODEL_BEHIND, with the lag in events and RetryInfo) when `timeout` is over before.
void WaitForPositions(Projection& projection, std::vector<Position> positions, absl::Duration timeout,
                      Executor& executor, Projection::WaitDone done);

}  // namespace everfold

// The answers to a command for which there is no room, or no time.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace everfold {

// RESOURCE_EXHAUSTED (OVERLOADED), with the limit and RetryInfo. `what` tells what has reached it.
absl::Status Overloaded(const std::string& what, std::size_t limit);

// DEADLINE_EXCEEDED, because the deadline passed before anything was done.
absl::Status TooLate();

}  // namespace everfold

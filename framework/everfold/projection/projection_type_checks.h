// What a projection's type must be before anything is built by it.
#pragma once

#include "absl/status/status.h"
#include "everfold/projection/projection_type.h"

namespace everfold {

// INVALID_ARGUMENT for a name, a revision or read models that cannot be.
absl::Status ValidateProjectionType(const ProjectionType& type);

}  // namespace everfold

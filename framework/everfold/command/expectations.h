// What a command expects of its stream, checked against the version that it is decided on.
#pragma once

#include "absl/status/status.h"
#include "everfold/command/routed_command.h"
#include "everfold/event/position.h"

namespace everfold {

// ALREADY_EXISTS, NOT_FOUND or ABORTED (VERSION_CONFLICT), with the actual version.
absl::Status CheckExpectations(const RoutedCommand& command, Version actual);

}  // namespace everfold

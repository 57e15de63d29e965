// A decision as the store takes it.
#pragma once

#include "absl/time/time.h"
#include "everfold/command/routed_command.h"
#include "everfold/decide/decision.h"
#include "everfold/store/append.h"

namespace everfold {

// Decided at that time, on the version that the command knows.
AppendRequest ToAppendRequest(const RoutedCommand& command, absl::Time decided_at, const AnyDecision& decision);

}  // namespace everfold

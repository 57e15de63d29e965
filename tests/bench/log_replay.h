// Reading a whole log as its readers do: by the port's cursors and the chunk reader.
#pragma once

#include "absl/status/statusor.h"
#include "everfold/event/event_type.h"
#include "everfold/log/partition_log.h"
#include "tests/bench/replay_work.h"

namespace everfold::bench {

// The type that Replay::kParseOne wants: one event in twenty has it.
const EventType& WantedType();

absl::StatusOr<ReplayResult> ReplayLog(const PartitionLog& log, const TypeDictionary& types, Replay replay,
                                       int threads);

}  // namespace everfold::bench

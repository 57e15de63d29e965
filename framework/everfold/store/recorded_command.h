// Commands that were handled, and their first results.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/store/append.h"
#include "everfold/store/store_index.h"

namespace everfold {

struct RecordedCommand {
  std::string fingerprint;  // of the request
  AppendResult result;
};

// The first result again; INVALID_ARGUMENT (IDEMPOTENCY_KEY_REUSED) if `request` is not the one that was recorded.
absl::StatusOr<AppendResult> RepeatedResult(const RecordedCommand& recorded, const CommandId& request);

// What the log says of a command that the index knows; nullopt if there is none. A commit over several partitions is
// put together from its parts.
absl::StatusOr<std::optional<RecordedCommand>> ReadCommand(const PartitionLog& log, const StoreIndex& index,
                                                           const CommandKey& command);

}  // namespace everfold

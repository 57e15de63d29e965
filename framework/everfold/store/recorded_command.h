// Commands that were handled, and their first results.
#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/store/append.h"
#include "everfold/store/store_index.h"

namespace everfold {

struct RecordedCommand {
  std::string fingerprint;  // of the request; empty if it had none, or came with an import (store/export/)
  AppendResult result;
};

// The first result again; INVALID_ARGUMENT (IDEMPOTENCY_KEY_REUSED) if `request` is not the one that was recorded.
// Where no fingerprint was recorded the id alone tells: to answer a repeat is what it is for, and to refuse all of them
// would have each caller that retries do its work twice, under another id.
absl::StatusOr<AppendResult> RepeatedResult(const RecordedCommand& recorded, const CommandId& request);

// What the log says of a command that the index knows; nullopt if there is none. A commit over several partitions is
// put together from its parts.
absl::StatusOr<std::optional<RecordedCommand>> ReadCommand(const PartitionLog& log, const StoreIndex& index,
                                                           const CommandKey& command);

}  // namespace everfold

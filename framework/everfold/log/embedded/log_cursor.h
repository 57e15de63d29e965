// Reading of the whole log: sealed chunks first, then the tail.
#pragma once

#include <memory>

#include "everfold/log/embedded/sealed_chunks.h"
#include "everfold/log/embedded/tail.h"
#include "everfold/log/partition_log.h"

namespace everfold {

// A cursor that trusts nothing: chunks must follow on each other from `after` to the durable head, whatever is said
// about an end. Lifetime: not longer than the two parts.
std::unique_ptr<ChunkCursor> ReadLog(const SealedChunks& sealed, const Tail& tail, PartitionId partition, Offset after);

}  // namespace everfold

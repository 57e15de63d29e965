// What a store learns from its log when it opens.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/store_index.h"

namespace everfold {

// Where the next commit goes on.
struct LogTail {
  std::vector<PartitionHead> heads;
  Sequence last_sequence;
  absl::Time last_recorded_at = absl::InfinitePast();
};

struct RecoveredLog {
  std::unique_ptr<StoreIndex> index;
  LogTail tail;
};

// Reads every chunk of the log. DATA_LOSS, naming the place, unless in each partition chunk numbers and offsets are
// dense, sequences grow and the end is its head; over all partitions sequences are dense; and versions follow on each
// other.
absl::StatusOr<RecoveredLog> RecoverLog(const PartitionLog& log);

}  // namespace everfold

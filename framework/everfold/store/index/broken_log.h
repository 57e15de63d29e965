// What is told when the chunks of a partition do not follow on each other.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "everfold/log/partition_log.h"

namespace everfold {

// DATA_LOSS: "partition 3, behind chunk 7 (offset 21): ...".
absl::Status BrokenBehind(PartitionId partition, const PartitionHead& head, const std::string& what);

}  // namespace everfold

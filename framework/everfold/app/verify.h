// The verb `verify`: is every byte of the log what was written?
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/event/position.h"
#include "everfold/log/partition_log.h"

namespace everfold {

struct PartitionCounts {
  PartitionId partition;
  std::uint64_t events = 0;
  std::uint64_t commits = 0;  // a commit over several partitions counts in each
  std::uint64_t streams = 0;
  friend bool operator==(const PartitionCounts&, const PartitionCounts&) = default;
};

// Decodes every chunk. DATA_LOSS, and where, for the first one that is damaged.
absl::StatusOr<std::vector<PartitionCounts>> CountPartitions(const PartitionLog& log);

// A table with a line for each partition that has commits, and the sums.
std::string FormatCounts(const std::vector<PartitionCounts>& counts);

// Opens the store, which checks that nothing is missing in the middle, counts, and prints the table.
ExitCode Verify(const std::string& app, const CommandLine& line);

}  // namespace everfold

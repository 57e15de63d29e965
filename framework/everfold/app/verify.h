// The verb `verify`: is every byte of the log what was written, and do the index and the read models say the same?
#pragma once

#include <string>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/app/parts.h"
#include "everfold/store/verify_log.h"

namespace everfold {

// A table with a line for each partition that has commits, and the sums.
std::string FormatCounts(const std::vector<VerifiedPartition>& partitions);
// A line for each thing that was found.
std::string FormatFindings(const VerifyReport& report);

// Opens the store, verifies it and, unless it is to be quick, the read models of the application's projections, and
// prints what is there and what was found.
ExitCode Verify(const std::string& app, const Parts& parts, const CommandLine& line);

}  // namespace everfold

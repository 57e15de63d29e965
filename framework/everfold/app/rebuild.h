// The verb `rebuild`: read models built anew from the log, beside those that are there, which are replaced when that is
// done.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/app/parts.h"

namespace everfold {

// Prints the progress, and how many events each projection has read.
ExitCode Rebuild(const std::string& app, const Parts& parts, const CommandLine& line);

// The projections of these names, all if there are none. INVALID_ARGUMENT, with those that there are, for another name.
absl::StatusOr<std::vector<ProjectionType>> SelectProjections(const Parts& parts,
                                                              const std::vector<std::string>& names);

}  // namespace everfold

// The verb `rebuild`: read models built anew from the log, beside those that are there, which are replaced when that is
// done.
#pragma once

#include <string>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/app/parts.h"

namespace everfold {

// Prints the progress, and how many events each projection has read.
ExitCode Rebuild(const std::string& app, const Parts& parts, const CommandLine& line);

}  // namespace everfold

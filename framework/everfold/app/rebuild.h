// The verb `rebuild`: read models deleted, and built anew from the log.
#pragma once

#include <string>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/app/parts.h"

namespace everfold {

// Prints the progress, and how many events each projection has read.
ExitCode Rebuild(const std::string& app, const Parts& parts, const CommandLine& line);

}  // namespace everfold

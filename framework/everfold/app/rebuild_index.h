// The verb `rebuild-index`: the index deleted, and built anew from the log.
#pragma once

#include <string>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"

namespace everfold {

// Shows the progress, and prints how many events the index was built from.
ExitCode RebuildIndex(const std::string& app, const CommandLine& line);

}  // namespace everfold

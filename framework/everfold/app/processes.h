// The verb `processes`: what an application that runs says of its processes, and is asked to do.
#pragma once

#include <string>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/app/parts.h"

namespace everfold {

// Messages of the processes among `parts` are shown as JSON.
ExitCode Processes(const std::string& app, const Parts& parts, const CommandLine& line);

}  // namespace everfold

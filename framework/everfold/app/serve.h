// The verb `serve`: an application that runs.
#pragma once

#include <string>

#include "everfold/app/app.h"
#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

// Returns after SIGINT or SIGTERM, or when the store has failed. Blocks.
ExitCode Serve(const std::string& app, const Parts& parts, const ServiceFactories& services, const CommandLine& line,
               Logger& logger);

}  // namespace everfold

// The verb `rebuild --ahead`: what this program will need of read models, built while the program of before still
// serves the same data, so that the first start after the deploy has only the last events to fold.
#pragma once

#include <string>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/app/parts.h"

namespace everfold {

// Prints the progress, and what is to be done next. Ended in between, by whatever, it goes on with the next call from
// the last transaction.
ExitCode RebuildAhead(const std::string& app, const Parts& parts, const CommandLine& line);

}  // namespace everfold

// The verbs `export` and `import`: a store as a file that any program can read, and a store made of such a file.
#pragma once

#include <string>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"

namespace everfold {

// Writes a new file, or to stdout, and says on stderr what it holds. After an error there is no file.
ExitCode Export(const std::string& app, const CommandLine& line);

// Makes a store of a file, or of stdin, verifies it, and prints what it holds.
ExitCode Import(const std::string& app, const CommandLine& line);

}  // namespace everfold

// The verbs `backup`, `restore` and `salvage`: copies of the log, and stores made of what there is.
#pragma once

#include <string>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/log/embedded/salvage.h"

namespace everfold {

// Adds a backup, of a store that is not running or, with an address, of one that is, and prints what it holds.
ExitCode Backup(const std::string& app, const CommandLine& line);

// Makes a store of a backup, and verifies it.
ExitCode Restore(const std::string& app, const CommandLine& line);

// Makes a store of what is whole of a damaged one, verifies it, and prints what is lost.
ExitCode Salvage(const std::string& app, const CommandLine& line);

// "backup 7 holds 1,234 events; 56,789 bytes were copied in 0.3 s\n"
std::string FormatBackup(const MadeBackup& made, absl::Duration took);
// What is kept, and what is lost, in lines.
std::string FormatSalvage(const SalvageReport& report);

}  // namespace everfold

// How an application's process ends. The numbers follow sysexits.h where it has one.
#pragma once

#include "absl/status/status.h"

namespace everfold {

enum class ExitCode {
  kOk = 0,
  kUsage = 2,           // the command line asks for something that there is not
  kSomethingLost = 65,  // the salvaged store is whole, and has less than the damaged one is known to have had
  kCannotListen = 69,   // an address is taken, or cannot be had
  kFatal = 70,          // the store failed while running, or could not be opened
  kDataDamaged = 74,    // stored bytes are damaged or missing; nothing was changed
  kDataInUse = 75,      // another process has the data directory open
  kKilledByUser = 130,  // a second SIGINT or SIGTERM, while the first was being obeyed
};

// For an error of opening or running a store. REQUIRES: !status.ok().
ExitCode ExitCodeOf(const absl::Status& status);

}  // namespace everfold

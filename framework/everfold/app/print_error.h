// Errors as the person at the terminal reads them.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace everfold {

// "wallet: cannot listen on 127.0.0.1:50051: address in use; ..." on stderr.
void PrintError(const std::string& app, const absl::Status& status);
// The same, of what is done with a store; for damage of its log with what to do now.
void PrintStoreError(const std::string& app, const absl::Status& status);

}  // namespace everfold

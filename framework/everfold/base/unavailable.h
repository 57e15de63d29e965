// The answer of what is closing or closed, be it for a while or for good.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "everfold/base/error.h"

namespace everfold {

// UNAVAILABLE, with the reason and with RetryInfo: nothing was changed, and after the time that a restart takes the
// caller may try again, here or elsewhere.
absl::Status Unavailable(const char* reason, const std::string& message, ErrorFields fields = {});

}  // namespace everfold

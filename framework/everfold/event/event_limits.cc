#include "everfold/event/event_limits.h"

#include <string>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"

namespace everfold {

absl::Status AtMost(const char* what, std::size_t limit, std::size_t actual) {
  if (actual <= limit) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("%s: at most %d, there are %d", what, limit, actual),
               {{"limit", std::to_string(limit)}, {"actual", std::to_string(actual)}});
}

}  // namespace everfold

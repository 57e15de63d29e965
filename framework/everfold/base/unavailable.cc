#include "everfold/base/unavailable.h"

#include "absl/time/time.h"

namespace everfold {
namespace {

constexpr absl::Duration kRestart = absl::Seconds(1);

}  // namespace

absl::Status Unavailable(const char* reason, const std::string& message, ErrorFields fields) {
  absl::Status status = Error(absl::StatusCode::kUnavailable, reason, message, fields);
  AddRetryInfo(status, kRestart);
  return status;
}

}  // namespace everfold

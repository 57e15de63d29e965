#include "everfold/command/overloaded.h"

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "everfold/base/error.h"

namespace everfold {
namespace {

constexpr absl::Duration kRetryAfter = absl::Milliseconds(20);

}  // namespace

absl::Status Overloaded(const std::string& what, std::size_t limit) {
  absl::Status status = Error(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
                              absl::StrFormat("%s: %d, the limit", what, limit), {{"limit", std::to_string(limit)}});
  AddRetryInfo(status, kRetryAfter);
  return status;
}

absl::Status TooLate() {
  return Error(absl::StatusCode::kDeadlineExceeded, reason::kDeadlineExceeded,
               "the deadline passed before the command was decided");
}

}  // namespace everfold

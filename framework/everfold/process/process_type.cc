#include "everfold/process/process_type.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxProcessNameBytes = 56;  // "$process_" and it are a stream's name

absl::Status Invalid(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, message);
}

bool IsName(const std::string& name, std::size_t max_bytes) {
  bool valid = !name.empty() && name[0] >= 'a' && name[0] <= 'z' && name.size() <= max_bytes;
  for (const char c : name) valid = valid && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
  return valid;
}

absl::Status CheckActivity(const std::string& process, const std::string& name, const ActivityOptions& options) {
  if (!IsName(name, kMaxAggregateNameBytes)) {
    return Invalid(absl::StrFormat("process %s: activity name %s is not of the form [a-z][a-z0-9_]*, at most %d bytes",
                                   process, ShownText(name), kMaxAggregateNameBytes));
  }
  const ActivityRetry& retry = options.retry;
  if (options.timeout <= absl::ZeroDuration() || options.attempt_timeout <= absl::ZeroDuration() ||
      options.timeout == absl::InfiniteDuration() || retry.attempts < 1 || retry.first_wait <= absl::ZeroDuration() ||
      retry.longest_wait < retry.first_wait || retry.longest_wait == absl::InfiniteDuration() ||
      options.concurrency < 1) {
    return Invalid(absl::StrFormat(
        "process %s, activity %s: times are longer than 0 and not for ever, and it is tried once or more, with one "
        "attempt or more at a time; it has a timeout of %s, of %s for an attempt, %d attempts, from %s to %s apart, "
        "and %d at a time",
        process, name, absl::FormatDuration(options.timeout), absl::FormatDuration(options.attempt_timeout),
        retry.attempts, absl::FormatDuration(retry.first_wait), absl::FormatDuration(retry.longest_wait),
        options.concurrency));
  }
  return absl::OkStatus();
}

}  // namespace

void ProcessType::AddStoredForms(const AggregateType& aggregate) {
  for (const auto& [stored, form] : aggregate.stored_forms) {
    if (events.contains(form.becomes)) stored_forms.emplace(stored, form);
  }
}

absl::Status ProcessType::Validate() const {
  if (!IsName(name, kMaxProcessNameBytes)) {
    return Invalid(absl::StrFormat("process name %s is not of the form [a-z][a-z0-9_]*, at most %d bytes",
                                   ShownText(name), kMaxProcessNameBytes));
  }
  if (!activity_named_twice.empty()) {
    return Invalid(absl::StrFormat("process %s: two of its activities are named %s", name, activity_named_twice));
  }
  for (const auto& [activity, type] : activities) {
    EVERFOLD_RETURN_IF_ERROR(CheckActivity(name, activity, type.options));
  }
  return absl::OkStatus();
}

}  // namespace everfold

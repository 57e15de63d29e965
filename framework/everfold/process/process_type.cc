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
  const auto check = [&](bool holds, const std::string& what) {
    return holds ? absl::OkStatus() : Invalid(absl::StrFormat("process %s, activity %s: %s", process, name, what));
  };
  const auto is_time = [](absl::Duration time) {
    return time > absl::ZeroDuration() && time < absl::InfiniteDuration();
  };
  const auto check_time = [&](const char* option, absl::Duration time) {
    return check(is_time(time),
                 absl::StrFormat("%s is longer than 0 and not for ever, not %s", option, absl::FormatDuration(time)));
  };
  const ActivityRetry& retry = options.retry;
  EVERFOLD_RETURN_IF_ERROR(check_time("timeout", options.timeout));
  EVERFOLD_RETURN_IF_ERROR(check(
      options.attempt_timeout > absl::ZeroDuration(),
      absl::StrFormat("attempt_timeout is longer than 0, not %s", absl::FormatDuration(options.attempt_timeout))));
  EVERFOLD_RETURN_IF_ERROR(check(retry.attempts >= 1, "retry.attempts is 1 or more, not 0"));
  EVERFOLD_RETURN_IF_ERROR(check_time("retry.first_wait", retry.first_wait));
  EVERFOLD_RETURN_IF_ERROR(check_time("retry.longest_wait", retry.longest_wait));
  EVERFOLD_RETURN_IF_ERROR(
      check(retry.longest_wait >= retry.first_wait,
            absl::StrFormat("retry.longest_wait, %s, is no less than retry.first_wait, %s",
                            absl::FormatDuration(retry.longest_wait), absl::FormatDuration(retry.first_wait))));
  return check(options.concurrency >= 1, "concurrency is 1 or more, not 0");
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

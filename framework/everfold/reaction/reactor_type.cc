#include "everfold/reaction/reactor_type.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/event/stream_id.h"

namespace everfold {
namespace {

absl::Status Invalid(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, message);
}

bool IsName(const std::string& name) {
  bool valid = !name.empty() && name[0] >= 'a' && name[0] <= 'z' && name.size() <= kMaxAggregateNameBytes;
  for (const char c : name) valid = valid && ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_');
  return valid;
}

}  // namespace

void ReactorType::AddStoredForms(const AggregateType& aggregate) {
  for (const auto& [stored, form] : aggregate.stored_forms) {
    if (handlers.contains(form.becomes)) stored_forms.emplace(stored, form);
  }
}

absl::Status ReactorType::Validate() const {
  if (!IsName(name)) {
    return Invalid(absl::StrFormat("reactor name %s is not of the form [a-z][a-z0-9_]*, at most %d bytes",
                                   ShownText(name), kMaxAggregateNameBytes));
  }
  if (concurrency < 1 || concurrency > kMaxReactorConcurrency) {
    return Invalid(
        absl::StrFormat("reactor %s: concurrency is 1 to %d, not %d", name, kMaxReactorConcurrency, concurrency));
  }
  if (retry.attempts < 1 || retry.first_wait <= absl::ZeroDuration() || retry.longest_wait < retry.first_wait ||
      retry.longest_wait == absl::InfiniteDuration()) {
    return Invalid(absl::StrFormat(
        "reactor %s: it is tried once or more, and waits longer than 0 and not for ever; it "
        "has %d attempts, from %s to %s apart",
        name, retry.attempts, absl::FormatDuration(retry.first_wait), absl::FormatDuration(retry.longest_wait)));
  }
  return absl::OkStatus();
}

}  // namespace everfold

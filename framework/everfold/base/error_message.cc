#include "everfold/base/error_message.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "everfold/base/check.h"

namespace everfold {
namespace {

// Abseil's own views are not the standard's everywhere.
absl::string_view ViewOf(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::Status WithMessage(const absl::Status& error, std::string_view message) {
  EVERFOLD_CHECK(!error.ok());
  absl::Status result(error.code(), ViewOf(message));
  error.ForEachPayload(
      [&result](absl::string_view url, const absl::Cord& payload) { result.SetPayload(url, payload); });
  return result;
}

absl::Status Annotate(std::string_view where, const absl::Status& error) {
  return WithMessage(error, absl::StrCat(ViewOf(where), ": ", error.message()));
}

absl::Status WithMore(const absl::Status& error, std::string_view more) {
  return WithMessage(error, absl::StrCat(error.message(), ViewOf(more)));
}

}  // namespace everfold

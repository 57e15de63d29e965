#include "everfold/app/print_error.h"

#include <cstdio>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"

namespace everfold {
namespace {

constexpr char kWhatToDoAboutDamage[] =
    "Before anything else, copy the directory as it is; then see 'restore' and 'salvage' in the guide Backup and "
    "recovery.\n";

}  // namespace

void PrintError(const std::string& app, const absl::Status& status) {
  absl::FPrintF(stderr, "%s: %s\n", app, status.message());
}

void PrintStoreError(const std::string& app, const absl::Status& status) {
  PrintError(app, status);
  if (ReasonOf(status) == reason::kDataLoss) std::fputs(kWhatToDoAboutDamage, stderr);
}

absl::Status WithMore(const absl::Status& status, const std::string& more) {
  if (status.ok()) return status;
  absl::Status result(status.code(), absl::StrFormat("%s%s", status.message(), more));
  status.ForEachPayload(
      [&result](absl::string_view type, const absl::Cord& payload) { result.SetPayload(type, payload); });
  return result;
}

}  // namespace everfold

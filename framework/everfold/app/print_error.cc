#include "everfold/app/print_error.h"

#include <cstdio>

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

}  // namespace everfold

#include "everfold/app/print_error.h"

#include <cstdio>

#include "absl/strings/str_format.h"

namespace everfold {

void PrintError(const std::string& app, const absl::Status& status) {
  absl::FPrintF(stderr, "%s: %s\n", app, status.message());
}

}  // namespace everfold

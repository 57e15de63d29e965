// Why the shop does not take a step, for people.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace everfold {

// Whether the same step was imported before, made from a row that said something else.
bool WasImportedOtherwise(const absl::Status& refusal);

// One line. Times are in RFC 3339.
std::string TextOf(const absl::Status& refusal);

}  // namespace everfold

// Other words for an error that is handed on. Its code and its details stay, so that callers still switch on them.
#pragma once

#include <string_view>

#include "absl/status/status.h"

namespace everfold {

// All of them REQUIRE an error.

absl::Status WithMessage(const absl::Status& error, std::string_view message);
// "<where>: <message>"
absl::Status Annotate(std::string_view where, const absl::Status& error);
// "<message><more>"
absl::Status WithMore(const absl::Status& error, std::string_view more);

}  // namespace everfold

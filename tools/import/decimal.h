// Amounts of money as text and as whole numbers of the smallest unit, without floating point in between.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace everfold {

// With two fraction digits "135.41" is 13541, "109.9" is 10990 and "99" is 9900. INVALID_ARGUMENT unless the text is
// -?[0-9]+(\.[0-9]{1,fraction_digits})? and fits; nothing is rounded.
absl::StatusOr<std::int64_t> ParseMinorUnits(std::string_view text, int fraction_digits);

// The other way: 10990 is "109.90".
std::string FormatMinorUnits(std::int64_t amount, int fraction_digits);

}  // namespace everfold

// The cells of the data set's rows as values. Errors are INVALID_ARGUMENT, and name the column and what is in the cell.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace everfold {

// What the cell holds, as far as an error may show it.
std::string Quoted(const std::string& text);

// 1 to 100 bytes of printable UTF-8. That is less than the shop takes, so that a payment's id and a request's id, which
// hold an order's, fit as well.
absl::Status CheckId(const std::string& text, const char* column);

// A whole number from `least` to 1000.
absl::StatusOr<std::int64_t> ParseNumber(const std::string& text, const char* column, std::int64_t least);

// 0 or more, in minor units, and no more than the shop takes.
absl::StatusOr<std::int64_t> ParseAmount(const std::string& text, const char* column);

absl::StatusOr<absl::Time> ParseTime(const std::string& text, const char* column);
// Nothing for an empty cell.
absl::StatusOr<std::optional<absl::Time>> ParseOptionalTime(const std::string& text, const char* column);

}  // namespace everfold

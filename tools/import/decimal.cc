#include "tools/import/decimal.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"

namespace everfold {
namespace {

absl::Status NotAnAmount(std::string_view text, const char* why) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("'%s' is not an amount: %s", text, why));
}

// Appends a digit. Works below zero, where int64 has one number more.
bool AppendDigit(int digit, std::int64_t& negative) {
  return !__builtin_mul_overflow(negative, 10, &negative) && !__builtin_sub_overflow(negative, digit, &negative);
}

}  // namespace

absl::StatusOr<std::int64_t> ParseMinorUnits(std::string_view text, int fraction_digits) {
  const bool minus = text.starts_with('-');
  const std::string_view number = text.substr(minus ? 1 : 0);
  const std::size_t point = std::min(number.find('.'), number.size());
  const std::string_view whole = number.substr(0, point);
  const std::string_view fraction = number.substr(std::min(point + 1, number.size()));
  if (whole.empty() || (point < number.size() && fraction.empty())) return NotAnAmount(text, "digits are missing");
  if (fraction.size() > static_cast<std::size_t>(fraction_digits)) return NotAnAmount(text, "too many decimal places");

  std::string digits = absl::StrFormat("%s%s", whole, fraction);
  digits.append(fraction_digits - fraction.size(), '0');
  std::int64_t negative = 0;
  for (const char c : digits) {
    if (!absl::ascii_isdigit(static_cast<unsigned char>(c))) return NotAnAmount(text, "it holds more than digits");
    if (!AppendDigit(c - '0', negative)) return NotAnAmount(text, "it is too large");
  }
  if (minus) return negative;
  std::int64_t amount = 0;
  if (__builtin_sub_overflow(0, negative, &amount)) return NotAnAmount(text, "it is too large");
  return amount;
}

std::string FormatMinorUnits(std::int64_t amount, int fraction_digits) {
  const bool minus = amount < 0;
  const std::uint64_t magnitude = minus ? 0 - static_cast<std::uint64_t>(amount) : static_cast<std::uint64_t>(amount);
  std::string text = absl::StrFormat("%0*d", fraction_digits + 1, magnitude);
  if (fraction_digits > 0) text.insert(text.size() - fraction_digits, ".");
  return minus ? "-" + text : text;
}

}  // namespace everfold

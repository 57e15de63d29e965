#include "codegen/literals.h"

#include <cmath>
#include <limits>

#include "absl/strings/str_format.h"
#include "codegen/names.h"

namespace everfold::codegen {
namespace {

template <class T>
std::string FloatingLiteral(T value) {
  if (std::isinf(value)) return value < 0 ? "-HUGE_VAL" : "HUGE_VAL";
  const std::string digits = TextOf(value);
  return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
}

}  // namespace

std::string TextOf(absl::Time value) { return absl::FormatTime(absl::RFC3339_full, value, absl::UTCTimeZone()); }
std::string TextOf(absl::Duration value) { return absl::FormatDuration(value); }
std::string TextOf(const std::string& value) { return CppLiteral(value); }

std::string Literal(std::int32_t value) { return TextOf(value); }
std::string Literal(std::int64_t value) {
  const bool lowest = value == std::numeric_limits<std::int64_t>::min();  // its digits alone would not fit
  return lowest ? "(-9223372036854775807 - 1)" : TextOf(value);
}
std::string Literal(std::uint32_t value) { return TextOf(value) + "u"; }
std::string Literal(std::uint64_t value) { return TextOf(value) + "u"; }
std::string Literal(float value) { return std::isinf(value) ? FloatingLiteral(value) : FloatingLiteral(value) + "f"; }
std::string Literal(double value) { return FloatingLiteral(value); }

std::string Literal(absl::Time value) {
  const std::int64_t seconds = absl::ToUnixSeconds(value);
  const std::int64_t nanos = absl::ToInt64Nanoseconds(value - absl::FromUnixSeconds(seconds));
  const std::string whole = absl::StrFormat("absl::FromUnixSeconds(%d)", seconds);
  return nanos == 0 ? whole : absl::StrFormat("(%s + absl::Nanoseconds(%d))", whole, nanos);
}

std::string Literal(absl::Duration value) {
  absl::Duration rest;
  const std::int64_t seconds = absl::IDivDuration(value, absl::Seconds(1), &rest);
  const std::string whole = absl::StrFormat("absl::Seconds(%d)", seconds);
  if (rest == absl::ZeroDuration()) return whole;
  return absl::StrFormat("(%s + absl::Nanoseconds(%d))", whole, absl::ToInt64Nanoseconds(rest));
}

std::string Literal(const std::string& value) {
  if (value.find('\0') == std::string::npos) return CppLiteral(value);
  return absl::StrFormat("std::string_view(%s, %d)", CppLiteral(value), value.size());
}

}  // namespace everfold::codegen

// Values of rules: as C++ writes them, and as callers are told of them.
#pragma once

#include <charconv>
#include <string>
#include <type_traits>

#include "absl/time/time.h"

namespace everfold::codegen {

// "5"; floating point in the fewest digits that read back as the same value.
template <class T>
requires std::is_arithmetic_v<T> std::string TextOf(T value) {
  char digits[64];
  return std::string(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}
std::string TextOf(absl::Time value);
std::string TextOf(absl::Duration value);
std::string TextOf(const std::string& value);  // quoted, escaped

// C++ expressions of these values.
std::string Literal(std::int32_t value);
std::string Literal(std::int64_t value);
std::string Literal(std::uint32_t value);
std::string Literal(std::uint64_t value);
std::string Literal(float value);
std::string Literal(double value);
std::string Literal(absl::Time value);
std::string Literal(absl::Duration value);
std::string Literal(const std::string& value);  // also with NUL characters

}  // namespace everfold::codegen

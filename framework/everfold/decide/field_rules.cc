#include "everfold/decide/field_rules.h"

#include <charconv>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxShownBytes = 64;

template <class T>
std::string Shortest(T value) {
  char digits[64];
  return std::string(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

// At most kMaxShownBytes, and no part of a UTF-8 character.
std::string_view Beginning(std::string_view text) {
  std::size_t size = kMaxShownBytes;
  while (size > kMaxShownBytes - 4 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

std::string Quoted(std::string_view text) {
  return absl::StrFormat("\"%s\"", absl::Utf8SafeCEscape({text.data(), text.size()}));
}

}  // namespace

std::string Shown(float value) { return Shortest(value); }
std::string Shown(double value) { return Shortest(value); }

std::string Shown(std::string_view text) {
  if (text.size() <= kMaxShownBytes) return Quoted(text);
  return absl::StrFormat("%s... (%d bytes)", Quoted(Beginning(text)), text.size());
}

std::string Shown(absl::Time value) { return absl::FormatTime(absl::RFC3339_full, value, absl::UTCTimeZone()); }
std::string Shown(absl::Duration value) { return absl::FormatDuration(value); }

std::string ItemOf(std::string_view field, int index) { return absl::StrFormat("%s[%d]", field, index); }

}  // namespace everfold

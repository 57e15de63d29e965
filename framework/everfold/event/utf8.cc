#include "everfold/event/utf8.h"

#include <cstddef>
#include <cstring>

namespace everfold {

std::uint32_t NextCodePoint(std::string_view& text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::uint32_t lead = byte(0);
  std::size_t size = 1;
  std::uint32_t code_point = lead;
  std::uint32_t least = 0;
  if (lead >= 0xf0 && lead <= 0xf4) {
    size = 4, code_point = lead & 0x07, least = 0x10000;
  } else if (lead >= 0xe0 && lead < 0xf0) {
    size = 3, code_point = lead & 0x0f, least = 0x800;
  } else if (lead >= 0xc2 && lead < 0xe0) {
    size = 2, code_point = lead & 0x1f, least = 0x80;
  } else if (lead >= 0x80) {
    return kInvalidCodePoint;
  }
  if (text.size() < size) return kInvalidCodePoint;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return kInvalidCodePoint;
    code_point = code_point << 6 | (byte(i) & 0x3f);
  }
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  if (code_point < least || code_point > 0x10ffff || surrogate) return kInvalidCodePoint;
  text.remove_prefix(size);
  return code_point;
}

// Eight bytes at a time, and one at a time, where they are ASCII.
bool IsUtf8(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  while (!text.empty()) {
    std::uint64_t eight = kHighBits;
    if (text.size() >= sizeof(eight)) std::memcpy(&eight, text.data(), sizeof(eight));
    if ((eight & kHighBits) == 0) {
      text.remove_prefix(sizeof(eight));
    } else if (static_cast<unsigned char>(text.front()) < 0x80) {
      text.remove_prefix(1);
    } else if (NextCodePoint(text) == kInvalidCodePoint) {
      return false;
    }
  }
  return true;
}

}  // namespace everfold

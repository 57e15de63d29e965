// UTF-8 (RFC 3629).
#pragma once

#include <cstdint>
#include <string_view>

namespace everfold {

inline constexpr std::uint32_t kInvalidCodePoint = 0xffffffff;

// Decodes one code point and advances; kInvalidCodePoint, and no step, where the bytes are no valid UTF-8.
// REQUIRES: not empty.
std::uint32_t NextCodePoint(std::string_view& text);

bool IsUtf8(std::string_view text);

}  // namespace everfold

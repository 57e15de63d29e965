#include "everfold/event/chunk_bytes.h"

#include <algorithm>

namespace everfold {

ByteReader::LongVarint ByteReader::ReadLongVarint(const unsigned char* at, const unsigned char* end) {
  std::uint64_t value = 0;
  for (int shift = 0; at != end; shift += 7) {
    const unsigned char byte = *at++;
    if (shift == 63 && byte > 1) break;
    value |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte >= 0x80) continue;
    if (byte == 0 && shift > 0) break;
    return {value, at};
  }
  return {0, nullptr};
}

const char* ByteReader::WhyNoVarint(const unsigned char* at, const unsigned char* end) {
  const unsigned char* const most = at + std::min<std::ptrdiff_t>(end - at, kMaxVarintBytes);
  const unsigned char* const last = std::find_if(at, most, [](unsigned char byte) { return byte < 0x80; });
  if (last == most && most - at < static_cast<std::ptrdiff_t>(kMaxVarintBytes)) return "the bytes end too early";
  if (last != most && *last == 0) return "a varint is longer than its number needs";
  return "a varint has more than 64 bits";
}

}  // namespace everfold

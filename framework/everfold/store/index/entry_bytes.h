// Numbers in keys and values of the index's entries, beside the varints of event/chunk_bytes.h. Byte by byte:
// docs/formats/index.md.
#pragma once

#include <cstdint>
#include <string>

#include "everfold/event/chunk_bytes.h"

namespace everfold {

// Big-endian, `width` bytes: keys sort as their numbers do. REQUIRES: the number fits.
void AppendFixed(std::string& out, std::uint64_t number, int width);
std::uint64_t TakeFixed(ByteReader& in, int width);

// One byte that counts those behind it, then the number without leading zeros, big-endian, all of it complemented: the
// larger number sorts first.
void AppendDescending(std::string& out, std::uint64_t number);
std::uint64_t TakeDescending(ByteReader& in);

}  // namespace everfold

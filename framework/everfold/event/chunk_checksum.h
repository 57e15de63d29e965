// The checksum that a chunk carries in its header (docs/formats/chunk.md).
#pragma once

#include <cstdint>
#include <string_view>

namespace everfold {

// Of everything but the checksum itself: XXH3 of what follows the header, with a seed that is the XXH3 of what stands
// before. The same on every processor, and faster on those that have AVX2. REQUIRES: there is a whole header.
std::uint64_t ChunkChecksum(std::string_view chunk);

}  // namespace everfold

// Bytes that somebody else chose, given to everything that reads chunks.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace everfold {

// How many of the inputs so far were chunks without damage: a driver with none has not come far.
std::uint64_t WholeChunksMet();

}  // namespace everfold

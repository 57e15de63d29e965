#include "everfold/event/chunk_checksum.h"

#include <xxhash.h>

#include "everfold/event/chunk_layout.h"

namespace everfold {

#if EVERFOLD_CHECKSUM_AVX2
// In a file of its own, that is compiled for AVX2.
std::uint64_t XxhWithSeedOfAvx2(const char* bytes, std::size_t size, std::uint64_t seed);
#endif

namespace {

std::uint64_t XxhWithSeed(std::string_view bytes, std::uint64_t seed) {
#if EVERFOLD_CHECKSUM_AVX2
  if (__builtin_cpu_supports("avx2")) return XxhWithSeedOfAvx2(bytes.data(), bytes.size(), seed);
#endif
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

}  // namespace

std::uint64_t ChunkChecksum(std::string_view chunk) {
  return XxhWithSeed(chunk.substr(kChunkHeaderBytes), XXH3_64bits(chunk.data(), header_at::kChecksum));
}

}  // namespace everfold

#include "everfold/event/chunk_checksum.h"

#include <xxhash.h>

#include <string>

#include "everfold/base/random.h"
#include "everfold/event/chunk_header.h"
#include "everfold/event/chunk_layout.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

// As docs/formats/chunk.md words it, by the library alone.
std::uint64_t ByTheDocument(const std::string& chunk) {
  const std::uint64_t seed = XXH3_64bits(chunk.data(), header_at::kChecksum);
  return XXH3_64bits_withSeed(chunk.data() + kChunkHeaderBytes, chunk.size() - kChunkHeaderBytes, seed);
}

std::string Bytes(std::size_t size) { return SeededRandom(size).Bytes(size); }

// XXH3 treats lengths up to 16, 128 and 240 in ways of their own, and longer ones in blocks of 1024.
TEST(ChunkChecksum, IsThatOfTheDocumentAtEveryLength) {
  for (std::size_t size = kChunkHeaderBytes; size < kChunkHeaderBytes + 3000; ++size) {
    const std::string chunk = Bytes(size);
    ASSERT_EQ(ChunkChecksum(chunk), ByTheDocument(chunk)) << size << " bytes";
  }
  const std::string large = Bytes((1 << 20) + 7);
  EXPECT_EQ(ChunkChecksum(large), ByTheDocument(large));
}

TEST(ChunkChecksum, DoesNotDependOnWhereTheBytesStand) {
  const std::string chunk = Bytes(1999);
  for (std::size_t at = 0; at < 64; ++at) {
    const std::string moved = std::string(at, 'x') + chunk;
    ASSERT_EQ(ChunkChecksum(std::string_view(moved).substr(at)), ByTheDocument(chunk)) << at;
  }
}

TEST(ChunkChecksum, LeavesItselfOut) {
  std::string chunk = Bytes(1999);
  const std::uint64_t before = ChunkChecksum(chunk);
  chunk.replace(header_at::kChecksum, 8, std::string(8, '\xff'));
  EXPECT_EQ(ChunkChecksum(chunk), before);
}

}  // namespace
}  // namespace everfold

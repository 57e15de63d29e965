#include "everfold/log/embedded/chunk_key.h"

#include "everfold/base/digest.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

ChunkKey Key(std::uint32_t partition, std::uint64_t offset, std::uint64_t chunk) {
  return {PartitionId(partition), Offset(offset), chunk};
}

TEST(ChunkKey, IsBigEndian) {
  EXPECT_EQ(HexEncode(EncodeChunkKey(Key(0x0102, 0x030405, 0x0607))), "010200000000000304050000000000000607");
}

TEST(ChunkKey, ComesBack) {
  for (const ChunkKey& key : {Key(0, 0, 1), Key(1023, UINT64_MAX, UINT64_MAX), Key(7, 300, 255)}) {
    EXPECT_EQ(DecodeChunkKey(EncodeChunkKey(key)), key);
  }
}

TEST(ChunkKey, BytesStandInTheOrderOfTheLog) {
  const std::vector<ChunkKey> in_order = {Key(0, 0, 1), Key(0, 0, 2),   Key(0, 255, 3), Key(0, 256, 4),
                                          Key(1, 1, 1), Key(255, 1, 1), Key(256, 1, 1)};
  for (std::size_t i = 1; i < in_order.size(); ++i) {
    EXPECT_LT(EncodeChunkKey(in_order[i - 1]), EncodeChunkKey(in_order[i]));
  }
}

TEST(ChunkKey, TheBeginOfAPartitionPartsItFromTheOneBefore) {
  EXPECT_LT(EncodeChunkKey(Key(254, UINT64_MAX, UINT64_MAX)), BeginOfPartition(PartitionId(255)));
  EXPECT_LT(BeginOfPartition(PartitionId(255)), EncodeChunkKey(Key(255, 0, 0)));
}

TEST(ChunkKey, RefusesOtherLengths) {
  EXPECT_EQ(DecodeChunkKey(std::string(17, 'x')), std::nullopt);
  EXPECT_EQ(DecodeChunkKey(std::string(19, 'x')), std::nullopt);
  EXPECT_EQ(DecodeChunkKey(""), std::nullopt);
}

}  // namespace
}  // namespace everfold

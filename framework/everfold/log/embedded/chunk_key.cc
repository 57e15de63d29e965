#include "everfold/log/embedded/chunk_key.h"

#include <bit>
#include <cstring>

namespace everfold {
namespace {

static_assert(std::endian::native == std::endian::little, "the bytes of a number are turned around");

constexpr std::size_t kPartitionBytes = 2;
constexpr std::size_t kChunkNumberAt = kPartitionBytes + 8;
constexpr std::size_t kChunkKeyBytes = kPartitionBytes + 8 + 8;

void PutBigEndian(std::string& out, std::uint64_t value, std::size_t bytes) {
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
}

std::uint64_t GetBigEndian64(const char* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof(value));
  return __builtin_bswap64(value);
}

std::uint32_t GetBigEndian16(const char* bytes) {
  return std::uint32_t{static_cast<unsigned char>(bytes[0])} << 8 | static_cast<unsigned char>(bytes[1]);
}

}  // namespace

std::string BeginOfPartition(PartitionId partition) {
  std::string bytes;
  PutBigEndian(bytes, partition.value(), kPartitionBytes);
  return bytes;
}

std::string EncodeChunkKey(const ChunkKey& key) {
  std::string bytes = BeginOfPartition(key.partition);
  PutBigEndian(bytes, key.last_offset.value(), 8);
  PutBigEndian(bytes, key.chunk_number, 8);
  return bytes;
}

std::optional<ChunkKey> DecodeChunkKey(std::string_view bytes) {
  if (bytes.size() != kChunkKeyBytes) return std::nullopt;
  static_assert(kPartitionBytes == 2);
  return ChunkKey{PartitionId(GetBigEndian16(bytes.data())), Offset(GetBigEndian64(bytes.data() + kPartitionBytes)),
                  GetBigEndian64(bytes.data() + kChunkNumberAt)};
}

}  // namespace everfold

#include "everfold/log/embedded/chunk_key.h"

namespace everfold {
namespace {

constexpr std::size_t kPartitionBytes = 2;
constexpr std::size_t kChunkKeyBytes = kPartitionBytes + 8 + 8;

void PutBigEndian(std::string& out, std::uint64_t value, std::size_t bytes) {
  while (bytes-- > 0) out.push_back(static_cast<char>(value >> (8 * bytes)));
}

std::uint64_t GetBigEndian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return value;
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
  const auto partition = static_cast<std::uint32_t>(GetBigEndian(bytes.substr(0, kPartitionBytes)));
  return ChunkKey{PartitionId(partition), Offset(GetBigEndian(bytes.substr(2, 8))), GetBigEndian(bytes.substr(10))};
}

}  // namespace everfold

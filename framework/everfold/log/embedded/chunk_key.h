// Keys of the sealed chunks: big-endian, so that RocksDB's order of bytes is the order of the log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "everfold/event/position.h"

namespace everfold {

struct ChunkKey {
  PartitionId partition;
  Offset last_offset;  // the partition's offset as of the chunk
  std::uint64_t chunk_number = 0;
  friend bool operator==(const ChunkKey&, const ChunkKey&) = default;
};

std::string EncodeChunkKey(const ChunkKey& key);  // 18 bytes
// nullopt for bytes that are no chunk's key.
std::optional<ChunkKey> DecodeChunkKey(std::string_view bytes);
// Below every key of the partition, and above every key of the one before.
std::string BeginOfPartition(PartitionId partition);

}  // namespace everfold

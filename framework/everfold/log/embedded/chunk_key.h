// Keys of the chunks: big-endian, so that RocksDB's order of bytes is the order of the log.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "everfold/log/partition_log.h"

namespace everfold {

struct ChunkKey {
  PartitionId partition;
  PartitionHead head;  // the partition's head as of the chunk
  friend bool operator==(const ChunkKey&, const ChunkKey&) = default;
};

std::string EncodeChunkKey(const ChunkKey& key);  // 18 bytes
// nullopt for bytes that are no chunk's key.
std::optional<ChunkKey> DecodeChunkKey(std::string_view bytes);
// Below every key of the partition, and above every key of the one before.
std::string BeginOfPartition(PartitionId partition);

// Above every chunk's key: no partition has such a number.
inline constexpr char kIdentityKey[] = "\xff\xffidentity";

}  // namespace everfold

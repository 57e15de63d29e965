// Chunks for tests of logs: real ones, with nothing of interest in them.
#pragma once

#include <cstdint>

#include "everfold/log/partition_log.h"

namespace everfold {

struct ChunkShape {
  std::uint32_t events = 1;
  std::size_t payload_bytes = 10;  // of each event
};

// The chunk that follows `head` in the partition. The same arguments make the same bytes.
ChunkAppend MakeChunk(PartitionId partition, PartitionHead head, ChunkShape shape = {});

}  // namespace everfold

// Which partition a stream lives in.
#pragma once

#include <cstdint>
#include <string>

#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"

namespace everfold {

inline constexpr std::uint32_t kDefaultPartitions = 16;
inline constexpr std::uint32_t kMaxPartitions = 1024;

// What decides the partition: the part of the id between '{' and '}' if there is one that is not empty, else the whole
// stream name. Streams with equal placement share a partition.
void AppendPlacement(const StreamId& stream, std::string& out);

// xxh3_64(tenant, 0x00, placement) % partitions. REQUIRES: partitions in [1, kMaxPartitions].
PartitionId PartitionOf(const StreamId& stream, std::uint32_t partitions);

}  // namespace everfold

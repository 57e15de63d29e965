#include "everfold/event/partitioning.h"

#include <xxhash.h>

#include "everfold/base/check.h"

namespace everfold {

std::string_view PlacementOf(const StreamId& stream, std::string& scratch) {
  const std::size_t open = stream.id.find('{');
  if (open != std::string::npos) {
    const std::size_t close = stream.id.find('}', open + 1);
    if (close != std::string::npos && close > open + 1) {
      return std::string_view(stream.id).substr(open + 1, close - open - 1);
    }
  }
  scratch = stream.ToString();
  return scratch;
}

PartitionId PartitionOf(const StreamId& stream, std::uint32_t partitions) {
  EVERFOLD_CHECK(partitions >= 1 && partitions <= kMaxPartitions);
  std::string scratch;
  const std::string_view placement = PlacementOf(stream, scratch);
  std::string key = stream.tenant;
  key.push_back('\0');
  key.append(placement);
  return PartitionId(static_cast<std::uint32_t>(XXH3_64bits(key.data(), key.size()) % partitions));
}

}  // namespace everfold

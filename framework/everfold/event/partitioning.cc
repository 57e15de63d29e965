#include "everfold/event/partitioning.h"

#include <xxhash.h>

#include <string_view>

#include "everfold/base/check.h"

namespace everfold {

namespace {

// The text between '{' and '}' of the id; empty if there is none.
std::string_view TaggedPart(std::string_view id) {
  const std::size_t open = id.find('{');
  if (open == std::string_view::npos) return {};
  const std::size_t close = id.find('}', open + 1);
  return close == std::string_view::npos ? std::string_view() : id.substr(open + 1, close - open - 1);
}

}  // namespace

void AppendPlacement(const StreamId& stream, std::string& out) {
  if (const std::string_view tagged = TaggedPart(stream.id); !tagged.empty()) {
    out.append(tagged);
  } else {
    out.append(stream.aggregate).append("/").append(stream.id);
  }
}

PartitionId PartitionOf(const StreamId& stream, std::uint32_t partitions) {
  EVERFOLD_CHECK(partitions >= 1 && partitions <= kMaxPartitions);
  thread_local std::string key;  // it is made for every append
  key.assign(stream.tenant).push_back('\0');
  AppendPlacement(stream, key);
  return PartitionId(static_cast<std::uint32_t>(XXH3_64bits(key.data(), key.size()) % partitions));
}

}  // namespace everfold

#include "everfold/event/event_tally.h"

#include <xxhash.h>

#include "absl/strings/str_format.h"

namespace everfold {
namespace {

std::uint64_t Hash(const std::string& text, std::uint64_t seed) {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace

std::string EventTally::Hex() const { return absl::StrFormat("%016x%016x", high, low); }

EventTally TallyOf(const RecordedEvent& event) {
  const StreamId& stream = event.stream.stream;
  const std::uint64_t names = Hash(event.event.type, Hash(stream.id, Hash(stream.aggregate, Hash(stream.tenant, 0))));
  const XXH128_hash_t payload = XXH3_128bits_withSeed(event.event.payload.data(), event.event.payload.size(), names);
  const std::uint64_t parts[] = {event.position.partition.value(),
                                 event.position.offset.value(),
                                 event.version.value(),
                                 event.commit.sequence.value(),
                                 payload.low64,
                                 payload.high64};
  const XXH128_hash_t all = XXH3_128bits(parts, sizeof(parts));
  return {.count = 1, .low = all.low64, .high = all.high64};
}

}  // namespace everfold

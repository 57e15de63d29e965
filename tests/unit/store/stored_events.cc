#include "tests/unit/store/stored_events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "everfold/event/chunk.h"

namespace everfold {
namespace {

absl::Status AppendEventsOf(const PartitionLog& log, PartitionId partition, const TypeDictionary& types,
                            std::vector<StoredEvent>& events) {
  auto cursor = log.Read(partition, Offset(0));
  if (!cursor.ok()) return cursor.status();
  while (true) {
    const absl::StatusOr<bool> found = (*cursor)->Next();
    if (!found.ok() || !*found) return found.status();
    const absl::StatusOr<Chunk> chunk = DecodeChunk((*cursor)->chunk(), types);
    if (!chunk.ok()) return chunk.status();
    const absl::Status visited = VisitEvents(*chunk, [&](const RecordedEvent& event) {
      events.push_back(
          {event.commit.sequence, event.position, event.stream.stream, event.event.type, event.event.tags});
      return absl::OkStatus();
    });
    if (!visited.ok()) return visited;
  }
}

}  // namespace

std::vector<StoredEvent> StoredEvents(const PartitionLog& log, const TypeDictionary& types) {
  std::vector<StoredEvent> events;
  for (std::uint32_t i = 0; i < log.identity().partitions; ++i) {
    EXPECT_EQ(AppendEventsOf(log, PartitionId(i), types, events), absl::OkStatus());
  }
  std::sort(events.begin(), events.end(), [](const StoredEvent& a, const StoredEvent& b) {
    return std::tie(a.sequence, a.position) < std::tie(b.sequence, b.position);
  });
  return events;
}

}  // namespace everfold

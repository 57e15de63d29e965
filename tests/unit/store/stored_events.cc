#include "tests/unit/store/stored_events.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "everfold/event/event_reader.h"

namespace everfold {
namespace {

absl::Status AppendEventsOf(const PartitionLog& log, PartitionId partition, const TypeDictionary& types,
                            std::vector<StoredEvent>& events) {
  const EventSelection everything{.framework_streams = true, .group_streams = true};
  auto cursor = log.Read(partition, Offset(0));
  if (!cursor.ok()) return cursor.status();
  while (true) {
    const absl::StatusOr<bool> found = (*cursor)->Next();
    if (!found.ok() || !*found) return found.status();
    EventReader reader(everything, types, partition);
    if (const absl::Status opened = reader.Open((*cursor)->chunk(), Offset(0)); !opened.ok()) return opened;
    while (reader.Next()) {
      if (const absl::Status decoded = reader.Decode(); !decoded.ok()) return decoded;
      const RecordedEvent event = reader.event();
      events.push_back({event.commit.sequence,
                        event.position,
                        event.stream.stream,
                        event.event.type,
                        {event.event.tags.begin(), event.event.tags.end()}});
    }
    if (!reader.status().ok()) return reader.status();
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

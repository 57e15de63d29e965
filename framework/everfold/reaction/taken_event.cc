#include "everfold/reaction/taken_event.h"

#include "absl/strings/str_format.h"
#include "everfold/base/uuid.h"

namespace everfold {

EventPlace PlaceOf(const RecordedEvent& event) {
  return {.stream = event.stream.stream,
          .version = event.version,
          .position = event.position,
          .sequence = event.commit.sequence};
}

TakenEvent Take(const RecordedEvent& event) {
  return {.place = PlaceOf(event),
          .type = event.event.type,
          .payload = std::string(event.event.payload),
          .event_time = event.event.event_time,
          .recorded_at = event.commit.recorded_at,
          .metadata = event.commit.metadata,
          .command_id = event.commit.command.id};
}

// No part can hold a line's end, so different events have different texts. The time tells events apart that took the
// same version of a stream in two histories of a store, before and after a restore.
std::string ReactionId(const std::string& reactor, const StreamId& stream, Version version, absl::Time recorded_at) {
  return UuidOfName(absl::StrFormat("reaction\n%s\n%s\n%s\n%d\n%d", reactor, stream.tenant, stream.ToString(),
                                    version.value(), absl::ToUnixMicros(recorded_at)));
}

}  // namespace everfold

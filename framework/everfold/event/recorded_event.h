// An event as a reader is handed it: what it is, and everything about where it stands.
//
// Nothing is copied but what has to be put together; the rest points into the chunk that is being read.
#pragma once

#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "absl/types/span.h"
#include "everfold/event/commit.h"
#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"

namespace everfold {

// Lifetime, of all four: the visit that they are handed to. Whoever keeps something copies it.
struct RecordedCommit {
  Sequence sequence;
  absl::Time recorded_at;
  const CommandId& command;
  const Metadata& metadata;
};

struct RecordedStream {
  const StreamId& stream;  // the tenant is part of it
  Version first_version;   // of the commit's events in this stream
};

struct RecordedPayload {
  const std::string& type;         // full message name
  const std::string& fingerprint;  // as Event::fingerprint
  absl::Time event_time;
  absl::Span<const std::string> tags;
  PayloadCodec codec;
  std::string_view payload;  // the serialized message
};

struct RecordedEvent {
  RecordedCommit commit;
  RecordedStream stream;
  RecordedPayload event;
  Version version;
  Position position;
};

}  // namespace everfold

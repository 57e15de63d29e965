// What travels from an append to the log, and from the log to every reader.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/event/stream_id.h"

namespace everfold {

// Who and what caused a commit. Every field may be empty.
struct Metadata {
  std::string correlation_id;  // the business conversation
  std::string causation_id;    // the command or event before this one
  std::string actor;           // who; unverified until authentication is configured
  std::string traceparent;     // W3C Trace Context
  std::map<std::string, std::string> headers;
  friend bool operator==(const Metadata&, const Metadata&) = default;
};

// Identity of a command for idempotency; unique within (tenant, type).
struct CommandId {
  std::string type;         // the command's full message name
  std::string id;           // the caller's request_id; empty: the command has no identity
  std::string fingerprint;  // HMAC of the request, so that another request under the same id is noticed
  bool empty() const { return id.empty(); }
  friend bool operator==(const CommandId&, const CommandId&) = default;
};

// How an event's payload is stored.
enum class PayloadCodec : std::uint8_t { kPlain = 0, kZstd = 1, kEncrypted = 2 };

struct Event {
  std::string type;         // full message name
  std::string fingerprint;  // of the type as its writer knew it, 32 bytes; empty for raw events
  absl::Time event_time;    // when it happened; the commit's recorded time unless the event says otherwise
  std::vector<std::string> tags;
  PayloadCodec codec = PayloadCodec::kPlain;
  std::string payload;  // the serialized message
  friend bool operator==(const Event&, const Event&) = default;
};

// The events that a commit adds to one stream.
struct StreamEvents {
  StreamId stream;
  Version first_version;
  std::vector<Event> events;
  std::uint64_t erased_events = 0;  // of a tombstone, which has these instead

  std::uint64_t event_count() const { return events.size() + erased_events; }
  Version last_version() const { return Version(first_version.value() + event_count() - 1); }
  friend bool operator==(const StreamEvents&, const StreamEvents&) = default;
};

// One append, as one partition sees it: a commit over several partitions has a part in each, all with the same
// sequence. Times are kept in microseconds.
struct Commit {
  Sequence sequence;
  absl::Time recorded_at;  // never steps back from one sequence to the next
  std::string tenant;
  CommandId command;
  Metadata metadata;
  std::vector<StreamEvents> streams;  // may be empty: a recorded outcome
  bool erased = false;                // a tombstone: command, metadata and events are gone

  std::uint64_t event_count() const {
    std::uint64_t count = 0;
    for (const StreamEvents& stream : streams) count += stream.event_count();
    return count;
  }
  friend bool operator==(const Commit&, const Commit&) = default;
};

}  // namespace everfold

// What an append asks for, and what it is told.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/event/commit.h"
#include "everfold/event/event_limits.h"
#include "everfold/store/append_chain.h"
#include "everfold/store/append_condition.h"
#include "everfold/store/stream_expectation.h"

namespace everfold {

// An event on its way into the store.
struct NewEvent {
  std::string type;                      // full message name
  std::string fingerprint;               // of the type; may be empty for raw appends
  std::string payload;                   // the serialized message
  std::optional<absl::Time> event_time;  // default: the commit's recorded time
  std::vector<std::string> tags;
};

// True for the framework's own names, which begin with '$'.
inline bool IsReservedName(std::string_view name) { return !name.empty() && name.front() == '$'; }
// PERMISSION_DENIED (RESERVED_NAME).
absl::Status ReservedName(std::string_view name);

struct StreamAppend {
  StreamId stream;
  StreamExpectation expectation = StreamExpectation::Any();
  std::vector<NewEvent> events;
};

// One atomic append. Its streams are distinct and belong to the request's tenant. A stream without events is only
// checked; a request without any event needs a command id, and records that the command was handled.
struct AppendRequest {
  std::string tenant;
  CommandId command;
  Metadata metadata;
  absl::Time not_before = absl::InfinitePast();  // the recorded time is not earlier, even if the clock steps back
  std::vector<StreamAppend> streams;
  std::optional<AppendCondition> condition = {};  // beside the expectations of the streams
  // What becomes of the command, where it adds no event: told again to who repeats it (AppendResult::outcome). Any
  // bytes.
  std::string outcome = {};
  // At most so many of the events that a conflict shows to have been missed come with it (everfold.v1.MissedEvents).
  std::size_t missed_events = 0;
  // Set by who decides on what is not durable yet; an append that stands on one that was not made is refused.
  ChainLink link = {};
  bool of_framework = false;  // may append to streams of the framework's own, and its types
  // For an import alone: it was recorded once, by another store, and is recorded again as it was, without a look for an
  // earlier one under its command id. Later repeats find the last one.
  bool of_import = false;
};

struct StreamResult {
  StreamId stream;
  Version version;    // after the append
  Position position;  // of its last event; of the partition's head, if the append gave it none
  friend bool operator==(const StreamResult&, const StreamResult&) = default;
};

struct AppendResult {
  Sequence sequence;
  absl::Time recorded_at;
  std::vector<StreamResult> streams;  // one for each stream of the request, in its order
  // The command id was known: this is the first result again, but for streams that were only checked: they may be left
  // out.
  bool repeated = false;
  std::string outcome = {};  // of a repeat: what was recorded with it
};

// In the metadata of a commit: base64 of AppendRequest::outcome.
inline constexpr char kOutcomeHeader[] = "$outcome";

// Limits of one append; larger requests are refused with INVALID_ARGUMENT and change nothing.
inline constexpr std::size_t kMaxEventBytes = 1 << 20;
inline constexpr std::size_t kMaxEventsPerCommit = 1000;
inline constexpr std::size_t kMaxCommitBytes = 8 << 20;  // of payloads
inline constexpr std::size_t kMaxStreamsPerCommit = 100;
inline constexpr std::size_t kTypeFingerprintBytes = 32;  // exactly, or none
inline constexpr std::size_t kMaxRequestFingerprintBytes = 64;
inline constexpr std::size_t kMaxTagsPerEvent = 20;
inline constexpr std::size_t kMaxCommandIdBytes = 200;
inline constexpr std::size_t kMaxMetadataBytes = 16 << 10;
inline constexpr std::size_t kMaxOutcomeBytes = 256 << 10;  // beside the metadata
inline constexpr std::size_t kMaxMissedEvents = 1000;

// Bytes of all payloads.
std::size_t PayloadBytesOf(const AppendRequest& request);

// Of all its texts.
std::size_t BytesOf(const Metadata& metadata);

// INVALID_ARGUMENT, with the limit and the value, for metadata that no store would take.
absl::Status ValidateMetadata(const Metadata& metadata);

// INVALID_ARGUMENT, with the limit and the value, for a request that no store would take; PERMISSION_DENIED for names
// that begin with '$', unless it comes from the framework.
absl::Status ValidateAppend(const AppendRequest& request);

}  // namespace everfold

// What a projection could not take in, as its file keeps it: parked keys, each with the events that wait behind the one
// that failed. Only where the events stand is kept; what they hold is in the log.
//
//   everfold_parked_key    key, when it was parked, how often its first event was tried, the last error
//   everfold_parked_event  partition, offset, sequence, key, type, stream (tenant, aggregate, id), version, digest
//
// All of it changes in the transaction of the rows and the checkpoint.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/event_tally.h"
#include "everfold/event/position.h"
#include "everfold/event/recorded_event.h"
#include "everfold/projection/sqlite.h"

namespace everfold {

struct ParkedKey {
  std::string key;
  absl::Time parked_at;        // recorded time of the event that failed first
  std::uint64_t attempts = 1;  // of the first event that waits
  std::string error;           // of the last attempt
  std::uint64_t events = 0;    // that wait, the failed one included
};

struct ParkedEvent {
  Position position;
  Sequence sequence;
  std::string key;
  std::string type;
  StreamId stream;
  Version version;
  EventTally tally;
};

// Threading: one thread at a time. Lifetime: not longer than its database. The caller has begun a transaction before it
// changes something.
class ParkedEvents {
 public:
  static constexpr std::size_t kMaxErrorBytes = 2000;

  static const char* CreateTablesSql();
  // The tables exist.
  static absl::StatusOr<std::unique_ptr<ParkedEvents>> Prepare(sqlite::Database& database);

  absl::Status AddKey(const std::string& key, absl::Time parked_at, const std::string& error);
  absl::Status AddEvent(const std::string& key, const RecordedEvent& event, const EventTally& tally);
  // `error` is kept as printable text, of kMaxErrorBytes at most. One more attempt at its first event has failed.
  absl::Status FailAgain(const std::string& key, const std::string& error);
  absl::Status RemoveEvent(const Position& position);
  absl::Status RemoveKey(const std::string& key);

  // In the order of the key.
  absl::StatusOr<std::vector<ParkedKey>> Keys();
  absl::StatusOr<std::optional<ParkedKey>> FindKey(const std::string& key);
  absl::StatusOr<std::optional<ParkedEvent>> Find(const StreamId& stream, Version version);
  // The first ones of a key, in the order in which they are to be handled.
  absl::StatusOr<std::vector<ParkedEvent>> EventsOf(const std::string& key, std::size_t limit);

 private:
  ParkedEvents() = default;

  std::unique_ptr<sqlite::Statement> add_key_, add_event_, fail_again_, remove_event_, remove_key_, keys_, find_key_,
      find_, events_;
};

}  // namespace everfold

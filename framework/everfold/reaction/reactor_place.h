// How far a reactor has come, as it is kept in the log: the newest event of the stream "$reactor/<name>"
// (everfold.v1.ReactorCheckpoint). It is small whatever waits: of each key only where its events begin.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/event/recorded_event.h"
#include "everfold/reaction/taken_event.h"
#include "everfold/store/append.h"
#include "everfold/v1/reactor_checkpoint.pb.h"

namespace everfold {

// Events of one key up to the checkpoint that are not done.
struct ReactorKey {
  std::string key;
  EventPlace at;
  bool passed = false;         // that event is done; those behind it are not
  std::uint32_t attempts = 0;  // in vain
  std::string error = {};      // of the last attempt
  // When it is tried again by itself; InfinitePast: at once.
  absl::Time next_attempt = absl::InfinitePast();
  bool parked = false;  // it waits for an operator
  friend bool operator==(const ReactorKey&, const ReactorKey&) = default;
};

struct ReactorPlace {
  Checkpoint checkpoint;
  std::vector<ReactorKey> keys = {};
  bool paused = false;
  friend bool operator==(const ReactorPlace&, const ReactorPlace&) = default;
};

// Of the key's error as much as is kept.
inline constexpr std::size_t kMaxReactorErrorBytes = 300;

NewEvent EventOf(const ReactorPlace& place);
// DATA_LOSS for an event that is none.
absl::StatusOr<ReactorPlace> ReactorPlaceOf(const RecordedEvent& event);

// For the record: an event that is not reacted to because an operator said so; another place to go on from.
NewEvent DropOf(const ReactorKey& key, const std::string& reason);
NewEvent ResetOf(v1::ReactorResetTo to, const std::string& reason);

}  // namespace everfold

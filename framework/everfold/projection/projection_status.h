// What an operator is told of a projection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/projection/read_model_file.h"

namespace everfold {

enum class ProjectionState {
  kRunning,
  kStale,    // what is queried was built by other code, and gets no more events; its successor is being built
  kDamaged,  // what was queried is damaged, and nothing is; its successor is being built
  kPaused,   // by an operator
  kStopped,  // by an error: ProjectionStatus::error
};

// A version of the read models that is to take the current one's place.
struct RebuildProgress {
  std::uint32_t version = 0;
  bool rollback = false;         // it was current before
  std::uint64_t events = 0;      // of the log that it has passed
  std::uint64_t total = 0;       // that the log has
  double events_per_second = 0;  // since it began, or went on after a restart
  absl::Duration left = absl::InfiniteDuration();
  absl::Status error = {};  // why it does not get on, and tries again
};

struct ProjectionStatus {
  std::string name;
  int revision = 0;  // of the code
  ProjectionState state = ProjectionState::kRunning;
  absl::Status error = {};
  std::string built_anew_because = {};  // while what is queried, or was, waits for its successor
  bool stalled = false;                 // there are events, and it has not moved for some time
  std::uint32_t version = 0;            // that is queried; 0: none
  std::uint32_t previous = 0;           // that a rollback would go to; 0: none
  Checkpoint checkpoint = {};
  std::uint64_t lag_events = 0;  // of the log, behind the durable head
  absl::Duration lag = {};       // since the last event that it has taken in was recorded; 0 without lag_events
  std::vector<PartitionTally> tallies = {};  // one for each partition; none if it gets no events
  std::uint64_t parked_keys = 0;
  std::optional<RebuildProgress> rebuild = {};
};

}  // namespace everfold

// What an operator is told of a reactor.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/event/position.h"

namespace everfold {

enum class ReactorState : std::uint8_t {
  kRunning,
  kPaused,   // by an operator
  kStopped,  // by an error: ReactorStatus::error
};

struct ReactorStatus {
  std::string name;
  ReactorState state = ReactorState::kRunning;
  absl::Status error = {};
  bool paused = false;             // also where an error has stopped it
  Checkpoint checkpoint = {};      // what is taken from the log; without offsets while that is not known
  std::uint64_t lag_events = 0;    // of the log, that are not taken yet
  absl::Duration lag = {};         // since the last event that it has taken was recorded; 0 without lag_events
  std::uint64_t done = 0;          // reactions since it was opened
  std::uint64_t taken_keys = 0;    // with events that are taken and not done, those below included
  std::uint64_t waiting_keys = 0;  // for another try
  std::uint64_t parked_keys = 0;
  std::uint64_t held_events = 0;  // in memory
};

}  // namespace everfold

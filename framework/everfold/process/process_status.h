// What an operator is told of a process.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/event/position.h"
#include "everfold/reaction/reactor_status.h"

namespace everfold {

struct ProcessStatus {
  std::string name;
  ReactorState state = ReactorState::kRunning;
  absl::Status error = {};
  Checkpoint checkpoint = {};            // up to where events are taken
  std::uint64_t lag_events = 0;          // of the log, that are not taken yet
  absl::Duration lag = {};               // since the last event that it has taken was recorded; 0 without lag_events
  std::uint64_t instances = 0;           // open
  std::uint64_t in_flight = 0;           // commands and activities of theirs, as far as the directory knows
  std::uint64_t timers = 0;              // that are set, likewise
  std::uint64_t parked = 0;              // instances
  std::uint64_t waiting_sends = 0;       // commands that were sent in vain, and are sent again
  absl::Status send_error = {};          // of the last of them
  std::uint64_t activities_in_vain = 0;  // that were tried in vain, and are tried again
  absl::Status activity_error = {};      // of the last one of a kind, whose name stands before it
  // Since it was opened:
  std::uint64_t steps = 0;
  std::uint64_t commands_sent = 0;  // first tries
  std::uint64_t timers_fired = 0;
  std::uint64_t inputs_left_out = 0;  // to instances that had ended
};

// What of an instance waits for an operator, or for another try.
struct ParkedInstance {
  // Key of its stream. Of an event whose instance cannot be told: "order/o1 (no key)", of the event's stream.
  std::string instance;
  std::string input;  // "order/o1@3", "command 4/0", "activity 4/0", "timer 4/payment"
  std::string error;
  bool parked = true;                                // else it is tried again by itself
  absl::Time next_attempt = absl::InfiniteFuture();  // when
  friend bool operator==(const ParkedInstance&, const ParkedInstance&) = default;
};

}  // namespace everfold

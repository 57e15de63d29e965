// An instance that has something to do, or had a while ago.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/process/process_input.h"
#include "everfold/process/process_instance.h"
#include "everfold/runtime/executor.h"
#include "google/protobuf/message.h"

namespace everfold {

// After so many attempts of a command operators hear of it.
inline constexpr unsigned kAttemptsUntilTold = 5;

// A command on its way.
struct CommandFlight {
  enum class State : std::uint8_t {
    kSent,      // its answer is awaited
    kWaiting,   // for another try
    kAnswered,  // refused; that is an input
    kExpired,   // it is too old to be sent again without a word of an operator
  };
  State state = State::kSent;
  unsigned attempts = 0;
  bool taken_up = false;       // it was on record before this process began
  absl::Status error = {};     // of the last one
  bool being_dropped = false;  // an operator's word is on its way into the log
  absl::Time next_attempt = {};
  std::unique_ptr<Timer> retry = {};
};

// An activity that runs.
struct ActivityRun {
  std::string key = {};
  unsigned attempts = 0;
  std::uint64_t attempt = 0;  // which one is under way; answers of others are late
  bool waits_for_turn = false;
  std::string turn = {};              // the activity whose turn the one under way has (attempt_turns.h); empty: none
  bool perhaps_effect = false;        // of an attempt that has ended, or was begun before a restart
  bool answered = false;              // that is an input
  std::string in_vain = {};           // the activity, if its last attempt was in vain and it is tried again
  absl::Status error = {};            // of the last attempt
  std::unique_ptr<Timer> timer = {};  // of the next attempt, or of the end of this one
  std::unique_ptr<Timer> deadline = {};
};

struct WaitingInput {
  ProcessInput input;
  // Of an event, or of an answer from outside; else null.
  absl::AnyInvocable<void(absl::Status)> done = nullptr;
  bool counted = false;  // among the timers that are taken at a time; not while its instance waits for an operator
};

// Threading: strand-bound.
struct ProcessSlot {
  std::string key;                               // of its stream
  std::optional<ProcessInstance> instance = {};  // as its stream has it; none: it is not loaded
  std::deque<WaitingInput> inputs = {};
  bool appending = false;
  std::unique_ptr<Timer> retry = {};  // of the first input, after the log did not take its step
  std::string parked = {};            // why the first input is parked, which is no event; empty if it is not
  absl::Time parked_at = {};
  // An operator leaves something out with the step that is being appended: it is told, or `was_parked` is parked again.
  absl::AnyInvocable<void(absl::Status)> dropping = nullptr;
  std::string was_parked = {};
  bool ends_first = false;                          // the step that is being appended is of the first input
  std::map<OutgoingRef, std::string> answers = {};  // from outside that have ended activities, by their ids
  std::string held_by = {};                         // the event for it that is parked: nothing else is taken
  std::string turned_away = {};                     // the event that parks behind an input that is parked
  std::map<OutgoingRef, CommandFlight> flights = {};
  std::map<OutgoingRef, ActivityRun> runs = {};
  std::vector<OutgoingRef> accepted = {};  // not on record
  absl::Time accepted_since = {};
  std::optional<std::list<std::string>::iterator> idle = {};  // its place among those with nothing to do

  bool has_nothing_to_do() const {
    return inputs.empty() && !appending && parked.empty() && held_by.empty() && flights.empty() && runs.empty() &&
           accepted.empty();
  }
};

}  // namespace everfold

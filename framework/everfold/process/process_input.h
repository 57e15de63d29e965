// What comes in to an instance of a process.
#pragma once

#include <string>
#include <variant>

#include "absl/time/time.h"
#include "everfold/process/process_instance.h"
#include "everfold/process/route.h"
#include "everfold/reaction/taken_event.h"

namespace everfold {

struct EventInput {
  TakenEvent event;
  Route route;  // of the event
  // It was looked up, and is in no step, although it stands before the last event that was taken: in a store that was
  // imported, places are other ones.
  bool is_new = false;
  std::string key = {};  // under which the reactor of events has it
};
struct RefusalInput {
  OutgoingRef command;
  AnyRefusal refusal;
};
struct OutcomeInput {
  OutgoingRef activity;
  AnyOutcome outcome;
  std::string answer_id = {};  // of an answer from outside
};
struct TimerInput {
  std::string name;
  Version version;  // of the step that set it
};
using ProcessInput = std::variant<EventInput, RefusalInput, OutcomeInput, TimerInput>;

// By which operators name it: "order/o1@3", "command 4/0", "activity 4/0", "timer 4/payment".
std::string NameOf(const ProcessInput& input);
std::string NameOf(const StreamId& stream, Version version);  // of an event
// For messages: "event shop.v1.OrderPlaced of order/o1 version 3", "the refusal of command 0 of step 4", ...
std::string TextOf(const ProcessInput& input);

}  // namespace everfold

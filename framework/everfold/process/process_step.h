// The pure heart of a process: an instance and an input give a step, or tell that there is none to make.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/random.h"
#include "everfold/process/process_input.h"
#include "everfold/process/process_instance.h"
#include "everfold/process/process_type.h"
#include "everfold/v1/process_step.pb.h"
#include "google/protobuf/message.h"

namespace everfold {

// Which instance the event is for; its stream has the event's tenant. Errors are the process's own:
//   FAILED_PRECONDITION  Route threw, or has an id that cannot be one (DECIDER_FAILED)
//   DATA_LOSS            the payload does not parse
// REQUIRES: the process wants the event.
absl::StatusOr<Route> RouteOf(const ProcessType& type, const TakenEvent& event);
StreamId StreamOfInstance(const ProcessType& type, const std::string& tenant, const std::string& id);

// Why no step is made of an input.
enum class NoStep {
  kRepeat,   // an event that may be a repeat (MayBeRepeat) and is not known to be new, or something that has ended
             // already
  kDone,     // the instance has ended
  kIgnored,  // the event is for none
};

// A step, and the state that it has, parsed.
struct MadeStep {
  v1::ProcessStep step;
  std::shared_ptr<const google::protobuf::Message> state;
};

struct StepResult {
  std::optional<MadeStep> made = {};
  NoStep why = NoStep::kRepeat;  // without one
};

// The event stands at or before the last one that the instance has taken.
bool MayBeRepeat(const ProcessInstance& instance, const EventPlace& place);

// `accepted` are commands that are put on record with it. Errors, with which the input is parked, are the process's
// own:
//   FAILED_PRECONDITION  React or Upcast threw, or ordered what cannot be; or Route does not fit the instance: it
//   starts
//                        one that is there, or continues none (DECIDER_FAILED)
//   RESOURCE_EXHAUSTED   more is open than may be (LIMIT_EXCEEDED)
absl::StatusOr<StepResult> MakeStep(const ProcessType& type, const ProcessInstance& instance, const ProcessInput& input,
                                    const std::vector<OutgoingRef>& accepted, absl::Time now, RandomSource& random);

// Without an input: only what is accepted.
MadeStep RecordAccepted(const ProcessType& type, const ProcessInstance& instance,
                        const std::vector<OutgoingRef>& accepted);

// The input is left out, because an operator said so. nullopt if it has ended already.
std::optional<MadeStep> DropInput(const ProcessType& type, const ProcessInstance& instance, const ProcessInput& input,
                                  const std::vector<OutgoingRef>& accepted, const std::string& reason,
                                  const std::string& error);

}  // namespace everfold

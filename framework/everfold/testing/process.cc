#include "everfold/testing/process.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/base/timestamp.h"
#include "everfold/process/process_input.h"
#include "everfold/process/process_instance.h"
#include "everfold/process/process_step.h"

namespace everfold::testing {
namespace {

std::string Lines(const std::vector<std::string>& texts) {
  return texts.empty() ? "  nothing" : "  " + absl::StrJoin(texts, "\n  ");
}

}  // namespace

struct ProcessRun::State {
  explicit State(ProcessType process) : type(std::move(process)) {}
  ~State() { ExpectNotParked(); }

  // Of a failure, which has no line of the test: "after Advance(24h), check 5: ".
  std::string Where() const { return absl::StrFormat("after %s, check %d: ", last_input, checks); }
  void ExpectNotParked() const {
    if (parked.has_value()) ADD_FAILURE() << Where() << "parked, and no ThenParked: " << *parked;
  }

  ProcessInstance& InstanceOf(const StreamId& stream) {
    ProcessInstance& instance = instances[stream.id];
    if (instance.state == nullptr) {
      instance.stream = stream;
      std::shared_ptr<google::protobuf::Message> state(type.initial_state->New());
      *type.mutable_id(*state) = stream.id;
      instance.state = std::move(state);
    }
    return instance;
  }

  std::string TextOfCommand(const v1::ProcessCommand& command) const {
    const auto found = type.commands.find(command.type());
    if (found == type.commands.end()) return command.type();
    const std::unique_ptr<google::protobuf::Message> message(found->second.prototype->New());
    message->ParseFromString(command.payload());
    return TextOf(*message);
  }

  std::string TextOfActivity(const v1::ProcessActivity& activity) const {
    const auto found = type.activities.find(activity.name());
    if (found == type.activities.end()) return activity.name();
    const std::unique_ptr<google::protobuf::Message> message(found->second.request->New());
    message->ParseFromString(activity.request());
    return activity.name() + " " + TextOf(*message);
  }

  void Take(ProcessInstance& instance, const ProcessInput& input) {
    ExpectNotParked();
    parked.reset();
    last_input = TextOf(input);
    if (waiting.contains(instance.stream)) return;  // behind what is parked
    const absl::StatusOr<StepResult> result = MakeStep(type, instance, input, {}, now, random);
    if (!result.ok()) {
      parked = absl::StrFormat("%s: %s", TextOf(input), std::string(result.status().message()));
      waiting.insert(instance.stream);
      return;
    }
    if (!result->made.has_value()) return;
    const v1::ProcessStep& step = result->made->step;
    for (const v1::ProcessCommand& command : step.commands()) sent.push_back(TextOfCommand(command));
    for (const v1::ProcessActivity& activity : step.activities()) ran.push_back(TextOfActivity(activity));
    const absl::Status applied = instance.Apply(step, result->made->state, now, {});
    if (!applied.ok()) ADD_FAILURE() << Where() << applied;
  }

  void Take(const GivenEvent& given) {
    const std::string type_name = given.event->GetDescriptor()->full_name();
    Version& version = versions[given.stream];
    version = version.Next();
    ++sequence;
    const std::string text =
        absl::StrFormat("event %s of %s version %d", type_name, given.stream.ToString(), version.value());
    if (!parked.has_value()) last_input = text;
    if (!type.events.contains(type_name)) return;
    const TakenEvent event{.place = {.stream = given.stream,
                                     .version = version,
                                     .position = {PartitionId(0), Offset(sequence)},
                                     .sequence = Sequence(sequence)},
                           .type = type_name,
                           .payload = given.event->SerializeAsString(),
                           .event_time = given.event_time.value_or(now),
                           .recorded_at = now,
                           .metadata = {}};
    const absl::StatusOr<Route> route = RouteOf(type, event);
    if (!route.ok()) {
      ExpectNotParked();
      last_input = text;
      parked = std::string(route.status().message());  // with a key of its own: what follows may go ahead
    } else if (route->kind() != Route::Kind::kIgnore) {
      Take(InstanceOf(StreamOfInstance(type, given.stream.tenant, route->id())), EventInput{event, *route});
    }
  }

  // The oldest one of the first instance that has one, which is parked only if no other has. Null: none has.
  template <class Open, class IsIt>
  std::pair<ProcessInstance*, OutgoingRef> FindOpen(std::map<OutgoingRef, Open> ProcessInstance::*all, IsIt is_it) {
    std::pair<ProcessInstance*, OutgoingRef> found = {nullptr, {}};
    for (auto& [id, instance] : instances) {
      const bool waits = waiting.contains(instance.stream);
      if (waits && found.first != nullptr) continue;
      for (const auto& [ref, open] : instance.*all) {
        if (!is_it(open)) continue;
        found = {&instance, ref};
        if (!waits) return found;
        break;
      }
    }
    return found;
  }

  // The timer that is due first, if it is by then.
  struct Due {
    ProcessInstance* instance = nullptr;
    v1::ProcessTimer timer;
  };
  std::optional<Due> NextTimer(absl::Time until) {
    std::optional<Due> next;
    for (auto& [id, instance] : instances) {
      if (waiting.contains(instance.stream)) continue;
      for (const auto& [name, timer] : instance.timers) {
        const absl::Time due = TimeOf(timer.due_time());
        if (due <= until && (!next.has_value() || due < TimeOf(next->timer.due_time()))) next = Due{&instance, timer};
      }
    }
    return next;
  }

  const ProcessInstance* Find(const std::string& id) const {
    const auto found = instances.find(id);
    if (found != instances.end() && found->second.exists()) return &found->second;
    ADD_FAILURE() << Where() << "process " << type.name << " has no instance " << id;
    return nullptr;
  }

  const ProcessType type;
  SeededRandom random{1};
  absl::Time now = ManualClock().Now();
  std::uint64_t sequence = 0;
  std::map<StreamId, Version> versions;
  std::map<std::string, ProcessInstance> instances;  // by id
  std::vector<std::string> sent, ran;                // since the last Then
  std::optional<std::string> parked;
  std::set<StreamId> waiting;  // instances that are parked
  std::string last_input = "nothing";
  int checks = 0;
};

ProcessRun::ProcessRun(ProcessType type) : state_(std::make_unique<State>(std::move(type))) {}
ProcessRun::~ProcessRun() = default;
ProcessRun::ProcessRun(ProcessRun&&) noexcept = default;

ProcessRun& ProcessRun::Takes(const std::vector<GivenEvent>& events) {
  for (const GivenEvent& event : events) state_->Take(event);
  return *this;
}

ProcessRun& ProcessRun::Advance(absl::Duration by) {
  const absl::Time until = state_->now + by;
  while (const std::optional<State::Due> due = state_->NextTimer(until)) {
    state_->now = std::max(state_->now, TimeOf(due->timer.due_time()));
    state_->Take(*due->instance, TimerInput{.name = due->timer.name(), .version = Version(due->timer.version())});
    if (state_->parked.has_value()) break;
  }
  state_->now = until;
  state_->last_input = absl::StrFormat("Advance(%s)", absl::FormatDuration(by));
  return *this;
}

ProcessRun& ProcessRun::EndActivity(const std::string& activity, AnyOutcome outcome) {
  const auto is_it = [&activity](const OpenActivity& open) { return open.name == activity; };
  const auto [instance, ref] = state_->FindOpen(&ProcessInstance::activities, is_it);
  if (instance != nullptr) {
    state_->Take(*instance, OutcomeInput{.activity = ref, .outcome = std::move(outcome)});
  } else {
    ADD_FAILURE() << state_->Where() << "the activity " << activity << " does not run";
  }
  return *this;
}

ProcessRun& ProcessRun::Refuse(const std::string& command, AnyRefusal refusal) {
  const auto is_it = [&command](const OpenCommand& open) { return open.type == command; };
  const auto [instance, ref] = state_->FindOpen(&ProcessInstance::commands, is_it);
  if (instance != nullptr) {
    state_->Take(*instance, RefusalInput{.command = ref, .refusal = std::move(refusal)});
  } else {
    ADD_FAILURE() << state_->Where() << "no command " << command << " was sent";
  }
  return *this;
}

ProcessRun& ProcessRun::ExpectSent(const std::vector<std::string>& commands) {
  ++state_->checks;
  const std::vector<std::string> sent = std::exchange(state_->sent, {});
  if (sent != commands) {
    ADD_FAILURE() << state_->Where() << "process " << state_->type.name << "\nexpected commands:\n"
                  << Lines(commands) << "\nactual:\n"
                  << Lines(sent);
  }
  return *this;
}

ProcessRun& ProcessRun::ExpectRan(const std::vector<std::string>& activities) {
  ++state_->checks;
  const std::vector<std::string> ran = std::exchange(state_->ran, {});
  if (ran != activities) {
    ADD_FAILURE() << state_->Where() << "process " << state_->type.name << "\nexpected activities:\n"
                  << Lines(activities) << "\nactual:\n"
                  << Lines(ran);
  }
  return *this;
}

ProcessRun& ProcessRun::ThenState(const google::protobuf::Message& state) {
  ++state_->checks;
  const std::unique_ptr<google::protobuf::Message> copy(state.New());
  copy->CopyFrom(state);
  const ProcessInstance* const instance = state_->Find(*state_->type.mutable_id(*copy));
  if (instance != nullptr && TextOf(*instance->state) != TextOf(state)) {
    ADD_FAILURE() << state_->Where() << "expected state:\n  " << TextOf(state) << "\nactual:\n  "
                  << TextOf(*instance->state);
  }
  return *this;
}

ProcessRun& ProcessRun::ThenTimer(const std::string& id, const std::string& name, absl::Duration in) {
  ++state_->checks;
  const ProcessInstance* const instance = state_->Find(id);
  if (instance == nullptr) return *this;
  std::vector<std::string> timers;
  for (const auto& [set, timer] : instance->timers) {
    const absl::Duration left = TimeOf(timer.due_time()) - state_->now;
    if (set == name && left == in) return *this;
    timers.push_back(set + " in " + absl::FormatDuration(left));
  }
  ADD_FAILURE() << state_->Where() << "expected timer:\n  " << name << " in " << absl::FormatDuration(in)
                << "\nactual:\n"
                << Lines(timers);
  return *this;
}

ProcessRun& ProcessRun::ThenNoTimer(const std::string& id) {
  ++state_->checks;
  const ProcessInstance* const instance = state_->Find(id);
  if (instance == nullptr) return *this;
  for (const auto& [name, timer] : instance->timers)
    ADD_FAILURE() << state_->Where() << "the timer " << name << " is set";
  return *this;
}

ProcessRun& ProcessRun::ThenDone(const std::string& id) {
  ++state_->checks;
  const ProcessInstance* const instance = state_->Find(id);
  if (instance != nullptr && !instance->done)
    ADD_FAILURE() << state_->Where() << "the instance " << id << " has not ended";
  return *this;
}

ProcessRun& ProcessRun::ThenOpen(const std::string& id) {
  ++state_->checks;
  const ProcessInstance* const instance = state_->Find(id);
  if (instance != nullptr && instance->done) ADD_FAILURE() << state_->Where() << "the instance " << id << " has ended";
  return *this;
}

ProcessRun& ProcessRun::ThenParked(const std::string& text) {
  ++state_->checks;
  const std::optional<std::string> parked = std::exchange(state_->parked, std::nullopt);
  if (!parked.has_value()) {
    ADD_FAILURE() << state_->Where() << "expected to be parked: " << text << "\nactual: it is not";
  } else if (parked->find(text) == std::string::npos) {
    ADD_FAILURE() << state_->Where() << "expected to be parked: " << text << "\nactual: " << *parked;
  }
  return *this;
}

}  // namespace everfold::testing

#include "everfold/process/process_step.h"

#include <algorithm>
#include <exception>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/event_key.h"

namespace everfold {
namespace {

absl::Status Failed(const ProcessType& type, const std::string& message) {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kDeciderFailed, message, {{"process", type.name}});
}

absl::Status DoesNotParse(const ProcessType& type, const char* what) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss, absl::StrFormat("%s does not parse", what),
               {{"process", type.name}});
}

// User code, and what it throws ends here. `call` returns false if something does not parse.
template <class Call>
absl::Status CallUserCode(const ProcessType& type, const char* function, const char* parsed, Call call) {
  try {
    return call() ? absl::OkStatus() : DoesNotParse(type, parsed);
  } catch (const std::exception& thrown) {
    return Failed(type, absl::StrFormat("%s of process %s threw: %s", function, type.name, thrown.what()));
  } catch (...) {
    return Failed(
        type, absl::StrFormat("%s of process %s threw something that is not a std::exception", function, type.name));
  }
}

EventContext ContextOf(const TakenEvent& event) {
  return {.id = event.place.stream.id,
          .stream = event.place.stream,
          .version = event.place.version,
          .position = event.place.position,
          .sequence = event.place.sequence,
          .event_time = event.event_time,
          .recorded_at = event.recorded_at,
          .metadata = event.metadata};
}

// The event of today that is stored so, and its payload as one: that of the event, or `upcast`.
struct EventForm {
  const ProcessEventType* type = nullptr;
  std::string_view payload;
};

absl::StatusOr<EventForm> FormOf(const ProcessType& type, const TakenEvent& event, std::optional<std::string>& upcast) {
  if (const auto found = type.events.find(event.type); found != type.events.end()) {
    return EventForm{&found->second, event.payload};
  }
  const StoredForm& form = type.stored_forms.at(event.type);
  EventForm today{&type.events.at(form.becomes), event.payload};
  if (form.upcast == nullptr) return today;
  EVERFOLD_RETURN_IF_ERROR(CallUserCode(type, "Upcast", "the event's payload", [&] {
    upcast = form.upcast(event.payload);
    return upcast.has_value();
  }));
  today.payload = *upcast;
  return today;
}

EventOrder OrderOf(const EventPlace& place) { return {place.sequence, place.position}; }

v1::ProcessPlace PlaceMessage(const EventOrder& order) {
  v1::ProcessPlace place;
  place.set_sequence(order.sequence.value());
  place.set_partition(order.position.partition.value());
  place.set_offset(order.position.offset.value());
  return place;
}

// One step in the making.
class StepMaker {
 public:
  StepMaker(const ProcessType& type, const ProcessInstance& instance, const std::vector<OutgoingRef>& accepted)
      : type_(type), instance_(instance), settled_(accepted.begin(), accepted.end()) {
    for (const OutgoingRef& ref : accepted) {
      if (instance.commands.contains(ref)) *step_.add_accepted() = ReferenceOf(ref);
    }
    last_event_ = instance.last_event;
    done_ = instance.done;
    timers_ = instance.timers;
    correlation_id_ = instance.metadata.correlation_id;
  }

  v1::ProcessStep& step() { return step_; }

  void Take(const TakenEvent& event) {
    v1::ProcessEvent& input = *step_.mutable_event();
    input.set_type(event.type);
    input.set_stream(event.place.stream.ToString());
    input.set_version(event.place.version.value());
    if (!event.metadata.correlation_id.empty()) correlation_id_ = event.metadata.correlation_id;
    const EventOrder place = OrderOf(event.place);
    // One that was held up comes late: what came before it has a step, and may come again.
    last_event_ = std::max(last_event_, place);
    *input.mutable_place() = PlaceMessage(place);
    SettleCommand(event.command_id);
  }
  void Take(const RefusalInput& input) {
    v1::ProcessRefusal& refusal = *step_.mutable_refusal();
    *refusal.mutable_command() = ReferenceOf(input.command);
    refusal.set_code(static_cast<int>(input.refusal.status.code()));
    refusal.set_message(std::string(input.refusal.status.message()));
    refusal.set_rejection_type(input.refusal.rejection_type);
    refusal.set_rejection(input.refusal.rejection);
    settled_.insert(input.command);
  }
  void Take(const OutcomeInput& input) {
    v1::ProcessOutcome& outcome = *step_.mutable_outcome();
    *outcome.mutable_activity() = ReferenceOf(input.activity);
    outcome.set_kind(KindOf(input.outcome.kind));
    outcome.set_result(input.outcome.result);
    outcome.set_code(static_cast<int>(input.outcome.status.code()));
    outcome.set_message(std::string(input.outcome.status.message()));
    outcome.set_answer_id(input.answer_id);
    ended_ = input.activity;
  }
  void Take(const v1::ProcessTimer& timer) {
    v1::ProcessTimerFired& fired = *step_.mutable_timer();
    fired.set_name(timer.name());
    fired.set_version(timer.version());
    *fired.mutable_due_time() = timer.due_time();
    timers_.erase(timer.name());
  }

  // What React has ordered.
  void Take(StepRecorder& recorder) {
    for (v1::ProcessCommand& command : recorder.take_commands()) *step_.add_commands() = std::move(command);
    for (v1::ProcessActivity& activity : recorder.take_activities()) *step_.add_activities() = std::move(activity);
    for (const std::string& name : recorder.timers_cancelled()) {
      if (timers_.erase(name) > 0) step_.add_timers_cancelled(name);
    }
    for (v1::ProcessTimer timer : recorder.timers_set()) {
      timer.set_version(next().value());
      timers_[timer.name()] = std::move(timer);
    }
    if (!recorder.done()) return;
    done_ = true;
    timers_.clear();
  }

  absl::StatusOr<v1::ProcessStep> Finish(const google::protobuf::Message& state) {
    EVERFOLD_RETURN_IF_ERROR(Close(state));
    const v1::ProcessOpen& open = step_.open();
    EVERFOLD_RETURN_IF_ERROR(CheckRoom("commands", open.commands_size(), kMaxOpenCommands));
    EVERFOLD_RETURN_IF_ERROR(CheckRoom("activities", open.activities_size(), kMaxOpenActivities));
    EVERFOLD_RETURN_IF_ERROR(CheckRoom("timers", open.timers_size(), kMaxOpenTimers));
    return std::move(step_);
  }
  // The same where nothing is added to what is open.
  MadeStep FinishWithLess() {
    EVERFOLD_CHECK(Close(*instance_.state).ok());  // it was serialized for the step before
    return {std::move(step_), instance_.state};
  }

 private:
  static v1::ProcessOutcomeKind KindOf(OutcomeKind kind) {
    switch (kind) {
      case OutcomeKind::kResult:
        return v1::PROCESS_OUTCOME_KIND_RESULT;
      case OutcomeKind::kFailed:
        return v1::PROCESS_OUTCOME_KIND_FAILED;
      case OutcomeKind::kUnknown:
        return v1::PROCESS_OUTCOME_KIND_UNKNOWN;
    }
    return v1::PROCESS_OUTCOME_KIND_UNSPECIFIED;
  }

  Version next() const { return Version(instance_.version.value() + 1); }

  // An event that one of its commands has made: that was accepted.
  void SettleCommand(const std::string& id) {
    if (id.empty()) return;
    for (const auto& [ref, command] : instance_.commands) {
      if (command.id != id || !settled_.insert(ref).second) continue;
      *step_.add_accepted() = ReferenceOf(ref);
    }
  }

  absl::Status Close(const google::protobuf::Message& state) {
    if (!state.SerializeToString(step_.mutable_state())) return Failed(type_, "the state does not serialize");
    step_.set_done(done_);
    v1::ProcessOpen& open = *step_.mutable_open();
    *open.mutable_last_event() = PlaceMessage(last_event_);
    for (const auto& [ref, command] : instance_.commands) {
      if (!settled_.contains(ref)) *open.add_commands() = ReferenceOf(ref);
    }
    for (int i = 0; i < step_.commands_size(); ++i) {
      *open.add_commands() = ReferenceOf({next(), static_cast<std::uint32_t>(i)});
    }
    for (const auto& [ref, activity] : instance_.activities) {
      if (ref != ended_) *open.add_activities() = ReferenceOf(ref);
    }
    for (int i = 0; i < step_.activities_size(); ++i) {
      *open.add_activities() = ReferenceOf({next(), static_cast<std::uint32_t>(i)});
    }
    for (const auto& [name, timer] : timers_) *open.add_timers() = timer;
    open.set_correlation_id(correlation_id_);
    return absl::OkStatus();
  }

  absl::Status CheckRoom(const char* what, int open, std::size_t most) const {
    if (static_cast<std::size_t>(open) <= most) return absl::OkStatus();
    return Error(
        absl::StatusCode::kResourceExhausted, reason::kLimitExceeded,
        absl::StrFormat("%s would have %d %s open, and may have %d", KeyOfStream(instance_.stream), open, what, most),
        {{"process", type_.name}});
  }

  const ProcessType& type_;
  const ProcessInstance& instance_;
  std::set<OutgoingRef> settled_;
  std::optional<OutgoingRef> ended_;
  EventOrder last_event_;
  std::map<std::string, v1::ProcessTimer> timers_;
  std::string correlation_id_;
  bool done_ = false;
  v1::ProcessStep step_;
};

using StatePtr = std::unique_ptr<google::protobuf::Message>;

StatePtr CopyOf(const google::protobuf::Message& state) {
  StatePtr copy(state.New());
  copy->CopyFrom(state);
  return copy;
}

absl::Status CheckFits(const ProcessType& type, const ProcessInstance& instance, const Route& route) {
  if (route.kind() == Route::Kind::kStart && instance.exists()) {
    return Failed(type, absl::StrFormat("Route starts %s, which has begun already", KeyOfStream(instance.stream)));
  }
  if (route.kind() == Route::Kind::kContinue && !instance.exists()) {
    return Failed(type, absl::StrFormat("Route continues %s, which has not begun", KeyOfStream(instance.stream)));
  }
  return absl::OkStatus();
}

// What it shares, and how each input is taken.
struct Making {
  const ProcessType& type;
  const ProcessInstance& instance;
  const std::vector<OutgoingRef>& accepted;
  absl::Time now;
  RandomSource& random;

  template <class React>
  absl::StatusOr<StepResult> Finish(StepMaker& maker, const EventContext* event, const char* parsed,
                                    React react) const {
    const StatePtr state = CopyOf(*instance.state);
    StepRecorder recorder(now, instance.stream, event, random);
    EVERFOLD_RETURN_IF_ERROR(CallUserCode(type, "React", parsed, [&] { return react(*state, recorder); }));
    if (!recorder.status().ok()) return Failed(type, std::string(recorder.status().message()));
    for (const v1::ProcessCommand& command : recorder.commands()) EVERFOLD_RETURN_IF_ERROR(CheckSize(command));
    *type.mutable_id(*state) = instance.stream.id;
    maker.Take(recorder);
    EVERFOLD_ASSIGN_OR_RETURN(v1::ProcessStep step, maker.Finish(*state));
    EVERFOLD_ASSIGN_OR_RETURN(std::shared_ptr<const google::protobuf::Message> as_recorded, ReadAgain(step.state()));
    return StepResult{.made = MadeStep{std::move(step), std::move(as_recorded)}};
  }

  // What is on record and does not parse would stop the process, for all instances and for good.
  absl::StatusOr<std::shared_ptr<const google::protobuf::Message>> ReadAgain(const std::string& state) const {
    std::shared_ptr<google::protobuf::Message> again(type.initial_state->New());
    if (again->ParseFromString(state)) return again;
    return Failed(type,
                  absl::StrFormat("the state of %s does not parse once it is serialized: a string that is no UTF-8, "
                                  "or too deep a nesting",
                                  KeyOfStream(instance.stream)));
  }

  absl::Status CheckSize(const v1::ProcessCommand& command) const {
    constexpr std::size_t kMostBytes = 512 << 10;
    if (command.payload().size() <= kMostBytes) return absl::OkStatus();
    return Failed(type, absl::StrFormat("a command %s has %d bytes, and may have %d", command.type(),
                                        command.payload().size(), kMostBytes));
  }

  absl::StatusOr<StepResult> operator()(const EventInput& input) const {
    const TakenEvent& event = input.event;
    if (!input.is_new && MayBeRepeat(instance, event.place)) return StepResult{.why = NoStep::kRepeat};
    if (input.route.kind() == Route::Kind::kIgnore) return StepResult{.why = NoStep::kIgnored};
    EVERFOLD_RETURN_IF_ERROR(CheckFits(type, instance, input.route));
    if (instance.done) return StepResult{.why = NoStep::kDone};
    std::optional<std::string> upcast;
    EVERFOLD_ASSIGN_OR_RETURN(const EventForm form, FormOf(type, event, upcast));
    StepMaker maker(type, instance, accepted);
    maker.Take(event);
    const EventContext context = ContextOf(event);
    return Finish(maker, &context, "the event's payload",
                  [&](auto& state, StepRecorder& recorder) { return form.type->react(state, form.payload, recorder); });
  }

  absl::StatusOr<StepResult> operator()(const RefusalInput& input) const {
    const auto command = instance.commands.find(input.command);
    if (command == instance.commands.end()) return StepResult{.why = NoStep::kRepeat};
    StepMaker maker(type, instance, accepted);
    maker.Take(input);
    if (instance.done) return StepResult{.made = maker.FinishWithLess()};
    const auto known = type.commands.find(command->second.type);
    if (known == type.commands.end()) {
      return Failed(type, absl::StrFormat("command %s was refused, and is not among the process's Commands any more",
                                          command->second.type));
    }
    return Finish(maker, nullptr, "the command", [&](auto& state, StepRecorder& recorder) {
      return known->second.react(state, command->second.payload, input.refusal, recorder);
    });
  }

  absl::StatusOr<StepResult> operator()(const OutcomeInput& input) const {
    const auto activity = instance.activities.find(input.activity);
    if (activity == instance.activities.end()) return StepResult{.why = NoStep::kRepeat};
    StepMaker maker(type, instance, accepted);
    maker.Take(input);
    if (instance.done) return StepResult{.made = maker.FinishWithLess()};
    const auto known = type.activities.find(activity->second.name);
    if (known == type.activities.end()) {
      return Failed(type, absl::StrFormat("activity %s has ended, and is not among the process's Activities any more",
                                          activity->second.name));
    }
    return Finish(maker, nullptr, "the activity's request or result", [&](auto& state, StepRecorder& recorder) {
      return known->second.react(state, activity->second.request, input.outcome, recorder);
    });
  }

  absl::StatusOr<StepResult> operator()(const TimerInput& input) const {
    const auto found = instance.timers.find(input.name);
    if (found == instance.timers.end() || Version(found->second.version()) != input.version) {
      return StepResult{.why = NoStep::kRepeat};
    }
    const v1::ProcessTimer& timer = found->second;
    StepMaker maker(type, instance, accepted);
    maker.Take(timer);
    if (timer.has_command()) {
      *maker.step().add_commands() = timer.command();
      EVERFOLD_ASSIGN_OR_RETURN(v1::ProcessStep step, maker.Finish(*instance.state));
      return StepResult{.made = MadeStep{std::move(step), instance.state}};
    }
    if (type.on_timer == nullptr) {
      return Failed(type, absl::StrFormat("timer %s has fired, and the process has no React of timers any more",
                                          ShownText(input.name)));
    }
    return Finish(maker, nullptr, "", [&](auto& state, StepRecorder& recorder) {
      type.on_timer(state, {.name = input.name, .due = TimeOf(timer.due_time())}, recorder);
      return true;
    });
  }
};

struct InputName {
  std::string operator()(const EventInput& input) const {
    return NameOf(input.event.place.stream, input.event.place.version);
  }
  std::string operator()(const RefusalInput& input) const {
    return absl::StrFormat("command %d/%d", input.command.version.value(), input.command.index);
  }
  std::string operator()(const OutcomeInput& input) const {
    return absl::StrFormat("activity %d/%d", input.activity.version.value(), input.activity.index);
  }
  std::string operator()(const TimerInput& input) const {
    return absl::StrFormat("timer %d/%s", input.version.value(), input.name);
  }
};

struct InputText {
  std::string operator()(const EventInput& input) const {
    return absl::StrFormat("event %s of %s version %d", input.event.type, KeyOfStream(input.event.place.stream),
                           input.event.place.version.value());
  }
  std::string operator()(const RefusalInput& input) const {
    return absl::StrFormat("refusal of command %d of step %d: %s", input.command.index, input.command.version.value(),
                           std::string(input.refusal.status.message()));
  }
  std::string operator()(const OutcomeInput& input) const {
    return absl::StrFormat("outcome of activity %d of step %d", input.activity.index, input.activity.version.value());
  }
  std::string operator()(const TimerInput& input) const {
    return absl::StrFormat("timer %s of step %d", ShownText(input.name), input.version.value());
  }
};

}  // namespace

bool MayBeRepeat(const ProcessInstance& instance, const EventPlace& place) {
  return instance.exists() && OrderOf(place) <= instance.last_event;
}
std::string NameOf(const StreamId& stream, Version version) {
  return absl::StrFormat("%s@%d", KeyOfStream(stream), version.value());
}
std::string NameOf(const ProcessInput& input) { return std::visit(InputName{}, input); }
std::string TextOf(const ProcessInput& input) { return std::visit(InputText{}, input); }

StreamId StreamOfInstance(const ProcessType& type, const std::string& tenant, const std::string& id) {
  return {.tenant = tenant, .aggregate = type.StreamAggregate(), .id = id};
}

absl::StatusOr<Route> RouteOf(const ProcessType& type, const TakenEvent& event) {
  std::optional<std::string> upcast;
  EVERFOLD_ASSIGN_OR_RETURN(const EventForm form, FormOf(type, event, upcast));
  std::optional<Route> route;
  const EventContext context = ContextOf(event);
  EVERFOLD_RETURN_IF_ERROR(CallUserCode(type, "Route", "the event's payload", [&] {
    route = form.type->route(form.payload, context);
    return route.has_value();
  }));
  if (route->kind() == Route::Kind::kIgnore) return *route;
  const absl::Status valid = ValidateStreamId(StreamOfInstance(type, event.place.stream.tenant, route->id()));
  if (!valid.ok()) {
    return Failed(type, absl::StrFormat("Route of process %s names %s, which cannot be an id: %s", type.name,
                                        ShownText(route->id()), std::string(valid.message())));
  }
  return *route;
}

absl::StatusOr<StepResult> MakeStep(const ProcessType& type, const ProcessInstance& instance, const ProcessInput& input,
                                    const std::vector<OutgoingRef>& accepted, absl::Time now, RandomSource& random) {
  return std::visit(Making{type, instance, accepted, now, random}, input);
}

MadeStep RecordAccepted(const ProcessType& type, const ProcessInstance& instance,
                        const std::vector<OutgoingRef>& accepted) {
  return StepMaker(type, instance, accepted).FinishWithLess();
}

std::optional<MadeStep> DropInput(const ProcessType& type, const ProcessInstance& instance, const ProcessInput& input,
                                  const std::vector<OutgoingRef>& accepted, const std::string& reason,
                                  const std::string& error) {
  StepMaker maker(type, instance, accepted);
  if (const auto* const refusal = std::get_if<RefusalInput>(&input)) {
    if (!instance.commands.contains(refusal->command)) return std::nullopt;
    maker.Take(*refusal);
  } else if (const auto* const outcome = std::get_if<OutcomeInput>(&input)) {
    if (!instance.activities.contains(outcome->activity)) return std::nullopt;
    maker.Take(*outcome);
  } else if (const auto* const timer = std::get_if<TimerInput>(&input)) {
    const auto found = instance.timers.find(timer->name);
    if (found == instance.timers.end() || Version(found->second.version()) != timer->version) return std::nullopt;
    maker.Take(v1::ProcessTimer(found->second));
  } else {
    return std::nullopt;  // events are dropped where they are taken (ReactorRunner)
  }
  maker.step().mutable_dropped()->set_reason(reason);
  maker.step().mutable_dropped()->set_error(error);
  return maker.FinishWithLess();
}

}  // namespace everfold

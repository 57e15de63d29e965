// What a process takes in: inputs wait for their instance, each becomes one step in the log.
#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/retry.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/base/unavailable.h"
#include "everfold/event/event_key.h"
#include "everfold/event/fingerprint.h"
#include "everfold/process/process_runner.h"

namespace everfold {
namespace {

// Why an event parks its instance; whatever it is, another try by itself does not help.
absl::Status Parking(const absl::Status& error) {
  absl::Status parking = absl::FailedPreconditionError(error.message());
  error.ForEachPayload(
      [&parking](absl::string_view url, const absl::Cord& payload) { parking.SetPayload(url, payload); });
  return parking;
}

// Of what comes back to a process: the step that sent, ran or set it. REQUIRES: it is no event.
Version StepThatAskedFor(const ProcessInput& input) {
  if (const auto* const refusal = std::get_if<RefusalInput>(&input)) return refusal->command.version;
  if (const auto* const outcome = std::get_if<OutcomeInput>(&input)) return outcome->activity.version;
  return std::get<TimerInput>(input).version;
}

}  // namespace

void ProcessRunner::TakeEvent(TakenInput taken) {
  if (is_closing_) return taken.done(absl::CancelledError("the process is closing"));
  if (!error_.ok()) return held_events_.push_back(std::move(taken));
  const absl::StatusOr<Route> route = RouteOf(*type_, taken.event);
  if (!route.ok()) return taken.done(Parking(route.status()));
  if (route->kind() == Route::Kind::kIgnore) return taken.done(absl::OkStatus());
  const EventPlace& place = taken.event.place;
  ProcessSlot& slot = SlotOf(KeyOfStream(StreamOfInstance(*type_, place.stream.tenant, route->id())));
  // One that had no key comes with those of its stream, and not before the event that the instance waits for.
  const bool is_own = taken.key == slot.key || slot.held_by == NameOf(place.stream, place.version);
  if (!slot.held_by.empty() && !is_own) {
    return taken.done(absl::FailedPreconditionError(absl::StrFormat(
        "%s waits for the event %s, which is parked: first retry or drop that", slot.key, slot.held_by)));
  }
  if (!knows_held_) first_taken_.insert(slot.key);
  slot.turned_away.clear();
  EventInput input{.event = std::move(taken.event), .route = *route, .key = std::move(taken.key)};
  if (slot.held_by.empty()) return AddInput(slot, std::move(input), std::move(taken.done));
  // It is what the others wait for.
  slot.held_by.clear();
  slot.inputs.push_front({.input = std::move(input), .done = std::move(taken.done)});
  Work(slot);
}

ProcessSlot& ProcessRunner::SlotOf(const std::string& key) {
  std::unique_ptr<ProcessSlot>& slot = slots_[key];
  if (slot == nullptr) {
    slot = std::make_unique<ProcessSlot>();
    slot->key = key;
  }
  if (slot->idle.has_value()) {
    idle_.erase(*slot->idle);
    slot->idle.reset();
  }
  return *slot;
}

absl::Status ProcessRunner::Load(ProcessSlot& slot) {
  if (slot.instance.has_value()) return absl::OkStatus();
  EVERFOLD_ASSIGN_OR_RETURN(const StreamId stream, StreamOfKey(slot.key));
  EVERFOLD_ASSIGN_OR_RETURN(slot.instance, LoadInstance(store_, *type_, stream));
  Launch(slot, true);
  return absl::OkStatus();
}

void ProcessRunner::AddInput(ProcessSlot& slot, ProcessInput input, Done done) {
  slot.inputs.push_back({.input = std::move(input), .done = std::move(done)});
  Work(slot);
}

void ProcessRunner::Work(ProcessSlot& slot) {
  while (takes_inputs() && !slot.appending && slot.retry == nullptr && !slot.inputs.empty()) {
    if (!WorkOnFirst(slot)) break;
  }
  SetIdle(slot);
}

// False if it has to wait.
bool ProcessRunner::WorkOnFirst(ProcessSlot& slot) {
  if (!slot.parked.empty()) {
    // Events wait where they are kept for good.
    const auto event = std::find_if(slot.inputs.begin(), slot.inputs.end(),
                                    [](const WaitingInput& waiting) { return waiting.done != nullptr; });
    if (event == slot.inputs.end()) return false;
    Done done = std::move(event->done);
    if (slot.turned_away.empty() && std::holds_alternative<EventInput>(event->input)) {
      slot.turned_away = NameOf(event->input);
    }
    slot.inputs.erase(event);
    AnswerEvent(std::move(done),
                absl::FailedPreconditionError(absl::StrFormat("%s is parked: %s", slot.key, slot.parked)));
    return true;
  }
  if (!slot.held_by.empty()) return RefuseAnswer(slot);
  if (const absl::Status loaded = Load(slot); !loaded.ok()) {
    Stop(loaded);
    return false;
  }
  if (const absl::Status known = LookUp(slot); !known.ok()) {
    Stop(known);
    return false;
  }
  const absl::Time now = options_.clock->Now();
  absl::StatusOr<StepResult> result =
      MakeStep(*type_, *slot.instance, slot.inputs.front().input, slot.accepted, now, *options_.random);
  if (!result.ok()) {
    ParkFirst(slot, result.status());
    return true;
  }
  if (!result->made.has_value()) {
    left_out_ += result->why == NoStep::kDone;
    EndFirst(slot, ResultOfNoStep(slot, slot.inputs.front().input));
    return true;
  }
  slot.ends_first = true;
  Append(slot, *std::move(result->made), now);
  return false;
}

// Whoever brings an answer is not kept waiting for an operator. False if there is none.
bool ProcessRunner::RefuseAnswer(ProcessSlot& slot) {
  const auto answer = std::find_if(slot.inputs.begin(), slot.inputs.end(), [](const WaitingInput& waiting) {
    return waiting.done != nullptr && std::holds_alternative<OutcomeInput>(waiting.input);
  });
  if (answer == slot.inputs.end()) return false;
  Done done = std::move(answer->done);
  slot.inputs.erase(answer);
  done(
      Error(absl::StatusCode::kFailedPrecondition, reason::kEventParked,
            absl::StrFormat("an event of %s is parked, and waits for an operator; answer again after that", slot.key)));
  return true;
}

// Places tell repeats of events in one history; what they tell is made sure of, so that in another one nothing is lost.
absl::Status ProcessRunner::LookUp(ProcessSlot& slot) {
  auto* const event = std::get_if<EventInput>(&slot.inputs.front().input);
  if (event == nullptr || event->is_new || !MayBeRepeat(*slot.instance, event->event.place)) return absl::OkStatus();
  EVERFOLD_ASSIGN_OR_RETURN(const bool taken,
                            HasTaken(store_, *slot.instance, event->event.place.stream, event->event.place.version));
  event->is_new = !taken;
  return absl::OkStatus();
}

// Whoever brings an answer hears whether it, or the same one before, has ended the activity.
absl::Status ProcessRunner::ResultOfNoStep(const ProcessSlot& slot, const ProcessInput& input) const {
  const auto* const outcome = std::get_if<OutcomeInput>(&input);
  if (outcome == nullptr || outcome->answer_id.empty()) return absl::OkStatus();
  const auto answer = slot.answers.find(outcome->activity);
  if (answer != slot.answers.end() && answer->second == outcome->answer_id) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
               absl::StrFormat("%s of %s has ended already, and not with this answer", NameOf(input), slot.key));
}

// Of a commit that this input leads to.
Metadata ProcessRunner::MetadataOf(const ProcessSlot& slot, const ProcessInput* input) const {
  Metadata metadata{.correlation_id = slot.instance->metadata.correlation_id,
                    .causation_id = "",
                    .actor = "process:" + type_->name,
                    .traceparent = slot.instance->metadata.traceparent,
                    .headers = {}};
  if (input == nullptr) return metadata;
  const auto* const event = std::get_if<EventInput>(input);
  if (event == nullptr) {
    metadata.causation_id =
        absl::StrFormat("%s@%d", slot.instance->stream.ToString(), StepThatAskedFor(*input).value());
    return metadata;
  }
  const Metadata& cause = event->event.metadata;
  if (!cause.correlation_id.empty()) metadata.correlation_id = cause.correlation_id;
  metadata.traceparent = cause.traceparent;
  metadata.causation_id =
      absl::StrFormat("%s@%d", event->event.place.stream.ToString(), event->event.place.version.value());
  return metadata;
}

AppendRequest ProcessRunner::RequestOf(const ProcessInstance& instance, const v1::ProcessStep& step) {
  static const std::string* const fingerprint = new std::string(FingerprintOf(*v1::ProcessStep::descriptor()));
  AppendRequest request;
  request.tenant = instance.stream.tenant;
  request.of_framework = true;
  request.streams.push_back({.stream = instance.stream,
                             .expectation = StreamExpectation::Exact(instance.version),
                             .events = {{.type = v1::ProcessStep::descriptor()->full_name(),
                                         .fingerprint = *fingerprint,
                                         .payload = step.SerializeAsString(),
                                         .event_time = {},
                                         .tags = {}}}});
  return request;
}

void ProcessRunner::Append(ProcessSlot& slot, MadeStep made, absl::Time now) {
  slot.appending = true;
  ++appending_;
  AppendRequest request = RequestOf(*slot.instance, made.step);
  request.not_before = now;
  request.metadata = MetadataOf(slot, slot.ends_first ? &slot.inputs.front().input : nullptr);
  Metadata metadata = request.metadata;
  store_.Append(std::move(request), [this, scope = scope_, key = slot.key, made = std::move(made),
                                     metadata = std::move(metadata)](absl::StatusOr<AppendResult> result) mutable {
    std::optional<TaskScope::Guard> guard = scope.Enter();
    if (!guard.has_value()) return;
    strand_->Post([this, guard = *std::move(guard), key = std::move(key), made = std::move(made),
                   metadata = std::move(metadata), result = std::move(result)] {
      --appending_;
      Appended(key, made, metadata, result);
      if (is_closing_) AnswerWaiting(SlotOf(key));
      RunStep();
    });
  });
}

void ProcessRunner::Appended(const std::string& key, const MadeStep& made, const Metadata& metadata,
                             const absl::StatusOr<AppendResult>& result) {
  const v1::ProcessStep& step = made.step;
  ProcessSlot& slot = SlotOf(key);
  slot.appending = false;
  if (result.ok()) {
    failures_ = 0;
    ++steps_made_;
    timers_fired_ += step.has_timer();
    if (const absl::Status applied = ApplyStep(slot, made, result->recorded_at, metadata); !applied.ok()) {
      if (slot.dropping != nullptr) std::exchange(slot.dropping, nullptr)(applied);
      return Stop(applied);
    }
    if (step.has_outcome() && !step.outcome().answer_id().empty()) {
      slot.answers[RefOf(step.outcome().activity())] = step.outcome().answer_id();
    }
    if (slot.ends_first) EndFirst(slot, absl::OkStatus());
    if (slot.dropping != nullptr) std::exchange(slot.dropping, nullptr)(absl::OkStatus());
    Launch(slot, false);
    return Work(slot);
  }
  if (slot.dropping != nullptr) {
    if (!slot.was_parked.empty()) {
      slot.parked = std::exchange(slot.was_parked, "");
      ++parked_;
    }
    for (auto& [ref, flight] : slot.flights) flight.being_dropped = false;
    std::exchange(slot.dropping, nullptr)(result.status());
    if (!StorageMayRecover(result.status())) Stop(result.status());
    return Work(slot);
  }
  if (absl::IsInvalidArgument(result.status())) {
    ParkFirst(slot, result.status());
    return Work(slot);
  }
  if (!absl::IsResourceExhausted(result.status())) return Stop(result.status());
  After(slot.retry, PauseAfter(++failures_), [this, key] {
    ProcessSlot& again = SlotOf(key);
    again.retry.reset();
    Work(again);
    RunStep();
  });
}

// What the log has is what the instance is.
absl::Status ProcessRunner::ApplyStep(ProcessSlot& slot, const MadeStep& made, absl::Time recorded_at,
                                      const Metadata& metadata) {
  EVERFOLD_RETURN_IF_ERROR(slot.instance->Apply(made.step, made.state, recorded_at, metadata));
  const ProcessInstance& instance = *slot.instance;
  for (auto flight = slot.flights.begin(); flight != slot.flights.end();) {
    if (instance.commands.contains(flight->first)) {
      ++flight;
      continue;
    }
    waiting_sends_ -= flight->second.state == CommandFlight::State::kWaiting;
    in_flight_ -= flight->second.state != CommandFlight::State::kExpired;
    flight = slot.flights.erase(flight);
  }
  for (auto run = slot.runs.begin(); run != slot.runs.end();) {
    if (instance.activities.contains(run->first)) {
      ++run;
      continue;
    }
    --activities_;
    IsNotInVain(run->second);
    running_.erase(run->second.key);
    GiveTurn(run->second);
    run = slot.runs.erase(run);
  }
  std::erase_if(slot.accepted, [&](const OutgoingRef& ref) { return !instance.commands.contains(ref); });
  if (slot.accepted.empty()) unrecorded_.erase({slot.accepted_since, slot.key});
  KnowTimers(slot);
  return absl::OkStatus();
}

// Those that its newest step has set: the directory may fold it later.
void ProcessRunner::KnowTimers(const ProcessSlot& slot) {
  for (const auto& [name, timer] : slot.instance->timers) {
    if (Version(timer.version()) != slot.instance->version) continue;
    due_.Add({.due_micros = absl::ToUnixMicros(TimeOf(timer.due_time())),
              .instance = slot.key,
              .name = name,
              .version = slot.instance->version});
  }
}

void ProcessRunner::EndFirst(ProcessSlot& slot, const absl::Status& result) {
  if (slot.inputs.empty()) return;
  WaitingInput ended = std::move(slot.inputs.front());
  slot.inputs.pop_front();
  timer_inputs_ -= ended.counted;
  if (ended.done != nullptr) AnswerEvent(std::move(ended.done), result);
  if (slot.turned_away.empty()) return;
  // Its turn has come: it is taken before what came later.
  slot.held_by = std::exchange(slot.turned_away, "");
  Uncount(slot);
  reactor_->Retry(slot.key, [this, scope = scope_, event = slot.held_by](const absl::Status& retried) mutable {
    // It does not wait under this key: it was dropped, or the reactor goes on elsewhere.
    if (!absl::IsNotFound(retried)) return;
    if (std::optional<TaskScope::Guard> guard = scope.Enter(); guard.has_value()) {
      strand_->Post([this, guard = *std::move(guard), event] { LetGo(event); });
    }
  });
}

// Where it is an event, or an answer, whoever brought it keeps it; else what is open is on record, and it comes in
// again after a restart.
void ProcessRunner::ParkFirst(ProcessSlot& slot, const absl::Status& error) {
  const WaitingInput& first = slot.inputs.front();
  if (first.done != nullptr) {  // whoever brought it keeps it
    if (std::holds_alternative<EventInput>(first.input)) {
      slot.held_by = NameOf(first.input);
      Uncount(slot);
    } else {
      Tell(LogLevel::kWarning, "process cannot take an answer, and has refused it",
           {{"process", type_->name},
            {"instance", slot.key},
            {"input", NameOf(first.input)},
            {"cause", std::string(error.message())}});
    }
    return EndFirst(slot, Parking(error));
  }
  Uncount(slot);
  slot.parked = PrintableText(std::string(error.message()), kMaxReactorErrorBytes);
  slot.parked_at = options_.clock->Now();
  Tell(LogLevel::kWarning, "process has parked an instance",
       {{"process", type_->name}, {"instance", slot.key}, {"input", NameOf(first.input)}, {"cause", slot.parked}});
  if (++parked_ <= options_.max_parked_instances) return;
  Stop(Error(absl::StatusCode::kFailedPrecondition, reason::kEventParked,
             absl::StrFormat("%d instances of process %s were parked; with more than %d it stops, and tries them again "
                             "when it is resumed",
                             parked_, type_->name, options_.max_parked_instances),
             {{"process", type_->name}}));
}

// With too much in flight, no further event is taken: whoever brought this one hears of it later.
void ProcessRunner::AnswerEvent(Done done, absl::Status result) {
  if (result.ok() && is_full() && !is_closing_) return full_.push_back(std::move(done));
  done(std::move(result));
}

void ProcessRunner::ReleaseEvents() {
  while (!full_.empty() && (!is_full() || is_closing_)) {
    Done done = std::move(full_.front());
    full_.pop_front();
    done(absl::OkStatus());
  }
}

void ProcessRunner::SetIdle(ProcessSlot& slot) {
  if (slot.idle.has_value() || !slot.has_nothing_to_do()) return;
  slot.idle = idle_.insert(idle_.end(), slot.key);
}

void ProcessRunner::TrimIdle() {
  while (idle_.size() > options_.max_idle_instances) {
    const std::string key = std::move(idle_.front());
    idle_.pop_front();
    slots_.erase(key);
  }
}

}  // namespace everfold

// What a process is asked from outside: answers of activities, and what operators do.
#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/error_message.h"
#include "everfold/base/retry.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"
#include "everfold/event/event_key.h"
#include "everfold/process/process_runner.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxAnswerIdBytes = 200;
constexpr int kMostPullsForAnswer = 10;  // of steps, until whoever answers is told to come again
constexpr char kExpired[] =
    "the command was in flight when the process was down for so long that the store may not know its id any more: if "
    "it "
    "was decided, drop it, else retry it";

absl::Status AnotherInput(const std::string& instance, const std::string& first, const std::string& input) {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kNotParked,
               absl::StrFormat("the first input that waits with %s is %s, not %s; look at it, and ask again",
                               ShownText(instance), first, ShownText(input)));
}

absl::Status NotParked(const std::string& process, const std::string& instance) {
  return Error(absl::StatusCode::kNotFound, reason::kNotParked,
               absl::StrFormat("of process %s nothing of %s waits or is parked", process, ShownText(instance)));
}

// It is not sent by itself, or does not go through and is sent again. Nothing of it is under way.
bool WaitsForOperator(const CommandFlight& flight) {
  const bool is_stuck = flight.state == CommandFlight::State::kWaiting && flight.attempts >= kAttemptsUntilTold;
  return flight.state == CommandFlight::State::kExpired || is_stuck;
}

std::string ShownError(const absl::Status& error) {
  return PrintableText(absl::StrFormat("%s: %s", absl::StatusCodeToString(error.code()), std::string(error.message())),
                       kMaxReactorErrorBytes);
}

std::string NameOfCommand(const OutgoingRef& ref) { return NameOf(RefusalInput{.command = ref, .refusal = {}}); }

}  // namespace

absl::Status ProcessRunner::Closing() const {
  return Unavailable(reason::kShuttingDown, absl::StrFormat("process %s is closing", type_->name));
}

template <class Result>
void ProcessRunner::Reply(absl::AnyInvocable<void(Result)> done, Result result) {
  executor_.Post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

template <class Result>
void ProcessRunner::Ask(absl::AnyInvocable<void(Result)> done,
                        absl::AnyInvocable<void(absl::AnyInvocable<void(Result)>)> work) {
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return Reply<Result>(std::move(done), Closing());
  strand_->Post([this, guard = *std::move(guard), done = std::move(done), work = std::move(work)]() mutable {
    if (is_closing_) return Reply<Result>(std::move(done), Closing());
    work(std::move(done));
    RunStep();
  });
}

// Answers from outside.

void ProcessRunner::Answer(std::string activity_key, std::string answer_id, absl::StatusOr<std::string> result,
                           Done done) {
  if (absl::Status valid = ValidateName(answer_id, kMaxAnswerIdBytes, "the id of an answer"); !valid.ok()) {
    return Reply(std::move(done), std::move(valid));
  }
  Ask<absl::Status>(std::move(done), [this, activity_key = std::move(activity_key), answer_id = std::move(answer_id),
                                      result = std::move(result)](Done answer) mutable {
    Done posted = [this, scope = scope_, answer = std::move(answer)](absl::Status status) mutable {
      const std::optional<TaskScope::Guard> guard = scope.Enter();
      if (guard.has_value()) Reply(std::move(answer), std::move(status));
    };
    TakeAnswer(activity_key, answer_id, std::move(result), std::move(posted));
  });
}

// If it is not under way here, the directory is brought up to now: whoever answers has seen the key, so its step is in
// the log.
void ProcessRunner::TakeAnswer(const std::string& activity_key, const std::string& answer_id,
                               absl::StatusOr<std::string> result, Done done) {
  const auto stopped = [this](const std::string& why) {
    return Unavailable(reason::kReadModelBehind, absl::StrFormat("process %s %s", type_->name, why));
  };
  if (!takes_inputs()) return done(stopped(error_.ok() ? "is paused" : "is stopped"));
  if (const auto running = running_.find(activity_key); running != running_.end()) {
    const auto [instance, ref] = running->second;
    return TakeAnswerOf(instance, ref, answer_id, std::move(result), std::move(done));
  }
  absl::StatusOr<bool> caught_up = FoldNow();
  for (int pulls = 1; caught_up.ok() && !*caught_up && pulls < kMostPullsForAnswer; ++pulls) caught_up = FoldNow();
  if (!caught_up.ok()) {
    DirectoryFailed(caught_up.status());
    return done(stopped("cannot read its directory"));
  }
  if (!knows_held_) return done(stopped("begins"));
  const absl::StatusOr<std::optional<FoundActivity>> found = directory_.FindActivity(activity_key);
  if (!found.ok()) {
    DirectoryFailed(found.status());
    return done(stopped("cannot read its directory"));
  }
  if (!found->has_value()) {
    if (!*caught_up) return done(stopped("has not come to its end of the log yet"));
    return done(
        Error(absl::StatusCode::kNotFound, reason::kRequestInvalid,
              absl::StrFormat("process %s has no activity with the key %s", type_->name, ShownText(activity_key))));
  }
  const FoundActivity& activity = **found;
  if (activity.ended) {
    if (activity.answer_id == answer_id) return done(absl::OkStatus());
    return done(Error(
        absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
        absl::StrFormat("the activity with the key %s has ended, and not with this answer", ShownText(activity_key))));
  }
  if (!*caught_up) return done(stopped("has not come to its end of the log yet"));
  TakeAnswerOf(activity.instance, activity.ref, answer_id, std::move(result), std::move(done));
}

void ProcessRunner::TakeAnswerOf(const std::string& instance, const OutgoingRef& ref, const std::string& answer_id,
                                 absl::StatusOr<std::string> result, Done done) {
  ProcessSlot& slot = SlotOf(instance);
  if (const absl::Status loaded = Load(slot); !loaded.ok()) {
    Stop(loaded);
    return done(loaded);
  }
  AnyOutcome outcome;
  if (!result.ok()) {
    outcome = {.kind = OutcomeKind::kFailed,
               .result = "",
               .status = absl::Status(result.status().code(),
                                      PrintableText(std::string(result.status().message()), kMaxReactorErrorBytes))};
  } else {
    const auto open = slot.instance->activities.find(ref);
    const auto type =
        open == slot.instance->activities.end() ? type_->activities.end() : type_->activities.find(open->second.name);
    if (type != type_->activities.end() && !type->second.is_result(*result)) {
      SetIdle(slot);
      return done(Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                        absl::StrFormat("the answer is no result of the activity %s", type->first)));
    }
    outcome = {.kind = OutcomeKind::kResult, .result = *std::move(result), .status = {}};
  }
  AddInput(slot, OutcomeInput{.activity = ref, .outcome = std::move(outcome), .answer_id = answer_id}, std::move(done));
}

// Operators.

void ProcessRunner::WorkOnAll() {
  std::vector<std::string> keys;
  for (const auto& [key, slot] : slots_) keys.push_back(key);
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) Work(SlotOf(key));
}

void ProcessRunner::Pause(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    paused_ = true;
    reactor_->Pause(std::move(answer));
  });
}

void ProcessRunner::Resume(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    if (ReasonOf(error_) == reason::kOtherHistory) return Reply(std::move(answer), absl::Status(error_));
    paused_ = false;
    failures_ = 0;
    BeginAgain();
    WorkOnAll();
    reactor_->Resume(std::move(answer));
  });
}

// Those that are not on their way into the log: the reactor has them, and nothing of its old place is to be under way
// when it moves on.
void ProcessRunner::GiveBackEvents() {
  for (Done& done : std::exchange(full_, {})) done(absl::OkStatus());
  for (TakenInput& taken : std::exchange(held_events_, {})) taken.done(Closing());
  for (auto& [key, slot] : slots_) {
    std::deque<WaitingInput> kept;
    for (WaitingInput& waiting : slot->inputs) {
      const bool is_appended = slot->appending && slot->ends_first && kept.empty();
      if (is_appended || !std::holds_alternative<EventInput>(waiting.input)) {
        kept.push_back(std::move(waiting));
      } else {
        waiting.done(Closing());
      }
    }
    slot->inputs = std::move(kept);
  }
}

void ProcessRunner::Reset(v1::ReactorResetTo to, std::string reason, Done done) {
  Ask<absl::Status>(std::move(done), [this, to, reason = std::move(reason)](Done answer) {
    GiveBackEvents();
    reactor_->Reset(to, reason, [this, scope = scope_, answer = std::move(answer)](absl::Status moved) mutable {
      std::optional<TaskScope::Guard> guard = scope.Enter();
      if (!guard.has_value()) return;
      strand_->Post([this, guard = *std::move(guard), answer = std::move(answer), moved]() mutable {
        if (moved.ok()) GoOnElsewhere();
        Reply(std::move(answer), std::move(moved));
        RunStep();
      });
    });
  });
}

// No event is parked where it stands now, so nothing waits for one.
void ProcessRunner::GoOnElsewhere() {
  if (!error_.ok()) return BeginAgain();
  for (auto& [key, slot] : slots_) {
    slot->held_by.clear();
    slot->turned_away.clear();
  }
  AskWhatIsHeld();
  WorkOnAll();
}

// REQUIRES: it is. What is parked comes in anew when it begins again, so nothing is tried or dropped before.
absl::Status ProcessRunner::Stopped() const {
  if (ReasonOf(error_) == reason::kOtherHistory) return error_;
  return Annotate(absl::StrFormat("process %s is stopped; resume it first", type_->name), error_);
}

// What an operator asked for, for the log, with the answer: a log that takes no more refuses some of it, and some is
// done nevertheless.
Process::Done ProcessRunner::Told(std::string act, std::string instance, std::string input, std::string why,
                                  Done done) {
  return [this, scope = scope_, act = std::move(act), instance = std::move(instance), input = std::move(input),
          why = std::move(why), done = std::move(done)](absl::Status status) mutable {
    const bool met_something = ReasonOf(status) != reason::kNotParked;
    if (const std::optional<TaskScope::Guard> guard = scope.Enter(); guard.has_value() && met_something) {
      Tell(LogLevel::kInfo, act,
           {{"process", type_->name},
            {"instance", instance},
            {"input", input},
            {"reason", why},
            {"answer", status.ok() ? "OK" : std::string(status.message())}});
    }
    done(std::move(status));
  };
}

std::vector<ParkedInstance> ProcessRunner::ParkedHere() const {
  std::vector<ParkedInstance> parked;
  for (const auto& [key, slot] : slots_) {
    if (!slot->parked.empty()) {
      parked.push_back({.instance = key, .input = NameOf(slot->inputs.front().input), .error = slot->parked});
    }
    for (const auto& [ref, flight] : slot->flights) {
      if (!WaitsForOperator(flight)) continue;
      const bool is_expired = flight.state == CommandFlight::State::kExpired;
      parked.push_back({.instance = key,
                        .input = NameOfCommand(ref),
                        .error = is_expired ? kExpired : ShownError(flight.error),
                        .parked = is_expired,
                        .next_attempt = is_expired ? absl::InfiniteFuture() : flight.next_attempt});
    }
  }
  return parked;
}

void ProcessRunner::AddParkedEvents(std::vector<ParkedInstance> parked,
                                    absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedInstance>>)> done) {
  reactor_->ListKeys(
      [parked = std::move(parked), done = std::move(done)](absl::StatusOr<std::vector<ReactorKey>> keys) mutable {
        if (!keys.ok()) return done(keys.status());
        for (const ReactorKey& key : *keys) {
          parked.push_back({.instance = key.key,
                            .input = NameOf(key.at.stream, key.at.version),
                            .error = key.error,
                            .parked = key.parked,
                            .next_attempt = key.parked ? absl::InfiniteFuture() : key.next_attempt});
        }
        std::stable_sort(parked.begin(), parked.end(),
                         [](const ParkedInstance& a, const ParkedInstance& b) { return a.instance < b.instance; });
        done(std::move(parked));
      });
}

void ProcessRunner::ListParked(absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedInstance>>)> done) {
  using Result = absl::StatusOr<std::vector<ParkedInstance>>;
  Ask<Result>(std::move(done),
              [this](absl::AnyInvocable<void(Result)> answer) { AddParkedEvents(ParkedHere(), std::move(answer)); });
}

bool ProcessRunner::RetryCommands(ProcessSlot& slot, bool expired) {
  bool tried = false;
  for (auto& [ref, flight] : slot.flights) {
    if (!WaitsForOperator(flight) || flight.being_dropped) continue;
    const bool is_expired = flight.state == CommandFlight::State::kExpired;
    if (is_expired && !expired) continue;
    in_flight_ += is_expired;
    commands_sent_ += is_expired;
    waiting_sends_ -= !is_expired;
    tried = true;
    Send(slot, ref);
  }
  return tried;
}

// True if there was something.
bool ProcessRunner::RetryHere(const std::string& instance, bool expired) {
  const auto found = slots_.find(instance);
  if (found == slots_.end()) return false;
  ProcessSlot& slot = *found->second;
  const bool tried = RetryCommands(slot, expired);
  if (slot.parked.empty()) return tried;
  slot.parked.clear();
  --parked_;
  Work(slot);
  return true;
}

// An id alone is that of an instance without a tenant.
std::string ProcessRunner::KeyOfNamed(const std::string& instance) const {
  const bool is_id = instance.find('/') == std::string::npos;
  return is_id ? KeyOfStream(StreamOfInstance(*type_, "", instance)) : instance;
}

void ProcessRunner::Retry(std::string instance, Done done) {
  Ask<absl::Status>(std::move(done), [this, instance = KeyOfNamed(instance)](Done answer) {
    if (!error_.ok()) return Reply(std::move(answer), Stopped());
    const bool tried = RetryHere(instance, /*expired=*/true);
    answer = Told("an operator has a process try again what is parked", instance, "", "", std::move(answer));
    reactor_->Retry(instance, [this, tried, instance, answer = std::move(answer)](absl::Status retried) mutable {
      if (!absl::IsNotFound(retried)) return answer(std::move(retried));
      answer(tried ? absl::OkStatus() : NotParked(type_->name, instance));
    });
  });
}

void ProcessRunner::RetryAll(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    if (!error_.ok()) return Reply(std::move(answer), Stopped());
    std::vector<std::string> instances;
    for (const auto& [key, slot] : slots_) instances.push_back(key);
    for (const std::string& instance : instances) RetryHere(instance, /*expired=*/false);
    answer = Told("an operator has a process try again what is parked", "all", "", "", std::move(answer));
    reactor_->RetryAll([answer = std::move(answer)](absl::Status retried) mutable { answer(std::move(retried)); });
  });
}

bool ProcessRunner::DropHere(const std::string& instance, const std::string& input, const std::string& reason,
                             Done& done) {
  const auto found = slots_.find(instance);
  if (found == slots_.end() || found->second->appending) return false;
  ProcessSlot& slot = *found->second;
  const absl::Time now = options_.clock->Now();
  if (!slot.parked.empty() && NameOf(slot.inputs.front().input) == input) {
    std::optional<MadeStep> dropped =
        DropInput(*type_, *slot.instance, slot.inputs.front().input, slot.accepted, reason, slot.parked);
    slot.was_parked = std::exchange(slot.parked, "");
    --parked_;
    if (!dropped.has_value()) {
      EndFirst(slot, absl::OkStatus());  // it has ended already
      std::exchange(done, nullptr)(absl::OkStatus());
      Work(slot);
      return true;
    }
    slot.dropping = std::exchange(done, nullptr);
    slot.ends_first = true;
    Append(slot, *std::move(dropped), now);
    return true;
  }
  for (auto& [ref, flight] : slot.flights) {
    if (!WaitsForOperator(flight) || NameOfCommand(ref) != input) continue;
    const std::string error = flight.state == CommandFlight::State::kExpired ? kExpired : ShownError(flight.error);
    flight.being_dropped = true;
    std::vector<OutgoingRef> accepted = slot.accepted;
    accepted.push_back(ref);
    MadeStep made = RecordAccepted(*type_, *slot.instance, accepted);
    made.step.mutable_dropped()->set_reason(reason);
    made.step.mutable_dropped()->set_error(error);
    slot.dropping = std::exchange(done, nullptr);
    slot.was_parked.clear();
    slot.ends_first = false;
    Append(slot, std::move(made), now);
    return true;
  }
  return false;
}

void ProcessRunner::Drop(std::string instance, std::string input, std::string reason, Done done) {
  if (absl::Status valid = ValidateName(reason, kMaxReactorReasonBytes, "the reason"); !valid.ok()) {
    return Reply(std::move(done), std::move(valid));
  }
  Ask<absl::Status>(std::move(done), [this, instance = KeyOfNamed(instance), input = std::move(input),
                                      reason = std::move(reason)](Done answer) {
    if (!error_.ok()) return Reply(std::move(answer), Stopped());
    answer = Told("an operator has a process drop an input", instance, input, reason, std::move(answer));
    if (!DropHere(instance, input, reason, answer)) DropEvent(instance, input, reason, std::move(answer));
  });
}

// An event is dropped where it is kept. It is named by its stream and version, which are looked up.
void ProcessRunner::DropEvent(const std::string& instance, const std::string& input, const std::string& reason,
                              Done done) {
  const auto here = slots_.find(instance);
  const bool is_parked = here != slots_.end() && !here->second->parked.empty();
  reactor_->ListKeys([this, scope = scope_, instance, input, reason,
                      first = is_parked ? NameOf(here->second->inputs.front().input) : "",
                      done = std::move(done)](absl::StatusOr<std::vector<ReactorKey>> keys) mutable {
    if (!keys.ok()) return done(keys.status());
    const auto key = std::find_if(keys->begin(), keys->end(),
                                  [&instance](const ReactorKey& waiting) { return waiting.key == instance; });
    const bool is_event = key != keys->end();
    if (!is_event && first.empty()) return done(NotParked(type_->name, instance));
    const std::string event = is_event ? NameOf(key->at.stream, key->at.version) : "";
    if (!is_event || event != input) return done(AnotherInput(instance, first.empty() ? event : first, input));
    reactor_->Drop(instance, key->at.stream, key->at.version, reason,
                   [this, scope, instance, input, done = std::move(done)](absl::Status dropped) mutable {
                     std::optional<TaskScope::Guard> guard = scope.Enter();
                     // It is dropped here also where the log takes it later.
                     if (guard.has_value() && (dropped.ok() || StorageMayRecover(dropped))) {
                       strand_->Post([this, guard = *std::move(guard), instance, input] {
                         if (!knows_held_) first_taken_.insert(instance);
                         LetGo(input);
                       });
                     }
                     done(std::move(dropped));
                   });
  });
}

// What waited for the event goes on, wherever that is: one that had no key was parked under another one. Not if the
// next event is parked by now.
void ProcessRunner::LetGo(const std::string& event) {
  std::vector<std::string> held;
  for (const auto& [key, slot] : slots_) {
    if (slot->turned_away == event) slot->turned_away.clear();
    if (slot->held_by == event) held.push_back(key);
  }
  for (const std::string& key : held) {
    ProcessSlot& slot = SlotOf(key);
    slot.held_by.clear();
    Work(slot);
  }
  if (!held.empty()) RunStep();
}

void ProcessRunner::ListInstances(std::string after, std::size_t limit,
                                  absl::AnyInvocable<void(absl::StatusOr<std::vector<OpenInstance>>)> done) {
  using Result = absl::StatusOr<std::vector<OpenInstance>>;
  Ask<Result>(std::move(done), [this, after = std::move(after), limit](absl::AnyInvocable<void(Result)> answer) {
    Result instances = directory_.InstancesAfter(after, limit);
    if (!instances.ok()) DirectoryFailed(instances.status());
    Reply<Result>(std::move(answer), std::move(instances));
  });
}

void ProcessRunner::Get(std::string tenant, std::string id,
                        absl::AnyInvocable<void(absl::StatusOr<ProcessInstance>)> done) {
  using Result = absl::StatusOr<ProcessInstance>;
  // A key as `instances` lists it names the tenant, too.
  const absl::StatusOr<StreamId> named = StreamOfKey(id);
  const bool is_key = tenant.empty() && named.ok() && named->aggregate == type_->StreamAggregate();
  StreamId stream = is_key ? *named : StreamOfInstance(*type_, tenant, id);
  if (absl::Status valid = ValidateStreamId(stream); !valid.ok())
    return Reply<Result>(std::move(done), std::move(valid));
  Ask<Result>(std::move(done), [this, stream = std::move(stream)](absl::AnyInvocable<void(Result)> answer) {
    Result instance = LoadInstance(store_, *type_, stream);
    if (instance.ok() && !instance->exists()) {
      instance = Error(absl::StatusCode::kNotFound, reason::kStreamNotFound,
                       absl::StrFormat("process %s has no instance %s", type_->name, KeyOfStream(stream)));
    }
    if (instance.ok()) AddAttempts(*instance);
    Reply<Result>(std::move(answer), std::move(instance));
  });
}

// Of what is open, as far as it is under way here.
void ProcessRunner::AddAttempts(ProcessInstance& instance) const {
  const auto found = slots_.find(KeyOfStream(instance.stream));
  if (found == slots_.end()) return;
  const ProcessSlot& slot = *found->second;
  for (auto& [ref, command] : instance.commands) {
    command.accepted = std::find(slot.accepted.begin(), slot.accepted.end(), ref) != slot.accepted.end();
    const auto flight = slot.flights.find(ref);
    if (flight != slot.flights.end()) {
      command.attempts = {.begun = flight->second.attempts, .error = flight->second.error};
    }
  }
  for (auto& [ref, activity] : instance.activities) {
    const auto run = slot.runs.find(ref);
    if (run == slot.runs.end()) continue;
    activity.attempts = {.begun = run->second.attempts, .error = run->second.error};
    activity.waits_for_turn = run->second.waits_for_turn;
  }
}

}  // namespace everfold

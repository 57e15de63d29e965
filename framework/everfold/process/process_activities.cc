// What a process asks the outside for: activities, until they have ended.
#include <algorithm>
#include <atomic>
#include <exception>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/event_key.h"
#include "everfold/process/process_runner.h"
#include "everfold/reaction/event_reaction.h"

namespace everfold {
namespace {

constexpr absl::Duration kLongestSleep = absl::Minutes(1);  // of a deadline, so that a clock that jumps is noticed

// An attempt that ended so may have had an effect.
bool MayHaveHadEffect(const absl::Status& answer) {
  return !absl::IsResourceExhausted(answer) && !absl::IsAborted(answer);
}

// User code, and what it throws ends here. `let_go` is called if `done` is let go uncalled.
void StartAttempt(const ProcessActivityType& type, void* object, const std::string& request, const ActivityCall& call,
                  AnyActivityDone done, absl::AnyInvocable<void()> let_go) {
  // Whoever throws may have kept `done` and may call it nevertheless: the first one counts.
  struct Once {
    ~Once() {
      if (!called) let_go();
    }
    std::atomic<bool> called = false;
    AnyActivityDone done;
    absl::AnyInvocable<void()> let_go;
  };
  auto once = std::make_shared<Once>();
  once->done = std::move(done);
  once->let_go = std::move(let_go);
  const auto answer = [once](absl::StatusOr<std::string> result) {
    if (!once->called.exchange(true)) once->done(std::move(result));
  };
  try {
    if (type.start(object, request, call, answer)) return;
    answer(absl::DataLossError("the recorded request does not parse"));
  } catch (const std::exception& thrown) {
    answer(absl::InternalError(absl::StrFormat("the activity threw: %s", thrown.what())));
  } catch (...) {
    answer(absl::InternalError("the activity threw something that is not a std::exception"));
  }
}

}  // namespace

void ProcessRunner::Run(ProcessSlot& slot, const OutgoingRef& ref, bool taken_up) {
  ActivityRun& run = slot.runs[ref];
  ++activities_;
  run.key = slot.instance->activities.at(ref).key;
  running_[run.key] = {slot.key, ref};
  run.perhaps_effect = taken_up;  // nobody knows what was begun before
  WatchDeadline(slot, ref);
  Attempt(slot, ref);
}

void ProcessRunner::WatchDeadline(ProcessSlot& slot, const OutgoingRef& ref) {
  const absl::Duration left = slot.instance->activities.at(ref).deadline - options_.clock->Now();
  After(slot.runs.at(ref).deadline, std::clamp(left, absl::ZeroDuration(), kLongestSleep), [this, key = slot.key, ref] {
    const auto found = slots_.find(key);
    if (found == slots_.end() || !runs()) return;
    ProcessSlot& watched = *found->second;
    const auto run = watched.runs.find(ref);
    if (run == watched.runs.end() || run->second.answered) return;
    if (options_.clock->Now() < watched.instance->activities.at(ref).deadline) return WatchDeadline(watched, ref);
    if (run->second.attempt != 0) run->second.perhaps_effect = true;  // one is under way
    if (run->second.error.ok()) {
      run->second.error = absl::DeadlineExceededError(
          run->second.attempts > 0     ? "the time of the activity is over"
          : run->second.perhaps_effect ? "the time of the activity was over before it was tried again after a start"
                                       : "the time of the activity was over before its turn came");
    }
    GiveUp(watched, ref);
    RunStep();
  });
}

void ProcessRunner::Attempt(ProcessSlot& slot, const OutgoingRef& ref) {
  const OpenActivity& activity = slot.instance->activities.at(ref);
  ActivityRun& run = slot.runs.at(ref);
  const auto found = type_->activities.find(activity.name);
  if (found == type_->activities.end()) {
    // Its deadline ends it; code that has it may come before.
    run.error = absl::UnimplementedError(absl::StrFormat("the process has no activity %s any more", activity.name));
    return;
  }
  const ProcessActivityType& type = found->second;
  if (options_.clock->Now() >= activity.deadline) return;  // WatchDeadline ends it
  run.waits_for_turn = !turns_.Take(activity.name, type.options.concurrency, {.instance = slot.key, .activity = ref});
  if (run.waits_for_turn) return;
  run.turn = activity.name;
  BeginAttempt(slot, ref, type);
}

// Those whose turn has come.
void ProcessRunner::BeginWaitingAttempts() {
  if (!turns_.has_waiting()) return;
  for (const auto& [name, type] : type_->activities) {
    while (std::optional<AttemptTurns::Waiting> next = turns_.Next(name, type.options.concurrency)) {
      const auto found = slots_.find(next->instance);
      ActivityRun* run = nullptr;
      if (found != slots_.end()) {
        const auto at = found->second->runs.find(next->activity);
        if (at != found->second->runs.end() && !at->second.answered) run = &at->second;
      }
      if (run == nullptr) {  // it has ended meanwhile
        turns_.Give(name);
        continue;
      }
      run->waits_for_turn = false;
      run->turn = name;
      BeginAttempt(*found->second, next->activity, type);
    }
  }
}

void ProcessRunner::GiveTurn(ActivityRun& run) {
  if (!run.turn.empty()) turns_.Give(std::exchange(run.turn, ""));
}

// REQUIRES: it has its turn.
void ProcessRunner::BeginAttempt(ProcessSlot& slot, const OutgoingRef& ref, const ProcessActivityType& type) {
  const OpenActivity& activity = slot.instance->activities.at(ref);
  ActivityRun& run = slot.runs.at(ref);
  const absl::Time now = options_.clock->Now();
  if (now >= activity.deadline) return GiveTurn(run);  // WatchDeadline ends it
  const absl::Time deadline = std::min(activity.deadline, now + type.options.attempt_timeout);
  ++run.attempts;
  run.attempt = ++attempts_;
  AnyActivityDone done = [this, scope = scope_, key = slot.key, ref,
                          attempt = run.attempt](absl::StatusOr<std::string> answer) mutable {
    std::optional<TaskScope::Guard> guard = scope.Enter();
    if (!guard.has_value()) return;
    strand_->Post([this, guard = *std::move(guard), key = std::move(key), ref, attempt, answer = std::move(answer)] {
      AttemptEnded(key, ref, attempt, answer);
      RunStep();
    });
  };
  if (deadline < activity.deadline) {
    After(run.timer, deadline - now, [this, key = slot.key, ref, attempt = run.attempt] {
      AttemptEnded(key, ref, attempt, absl::DeadlineExceededError("the attempt was not answered in time"));
      RunStep();
    });
  }
  auto let_go = [this, scope = scope_, key = slot.key, ref, attempt = run.attempt]() mutable {
    std::optional<TaskScope::Guard> guard = scope.Enter();
    if (!guard.has_value()) return;
    strand_->Post([this, guard = *std::move(guard), key = std::move(key), ref, attempt] {
      const auto found = slots_.find(key);
      if (found == slots_.end()) return;
      const auto at = found->second->runs.find(ref);
      if (at == found->second->runs.end() || at->second.attempt != attempt) return;
      GiveTurn(at->second);  // its answer comes from elsewhere, and whenever it does
      RunStep();
    });
  };
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return;
  executor_.Post([guard = *std::move(guard), &type, object = type.object, key = activity.key,
                  instance = slot.instance->stream, request = activity.request, attempt = run.attempts, deadline,
                  done = std::move(done), let_go = std::move(let_go)]() mutable {
    const ActivityCall call{
        .key = std::move(key), .instance = std::move(instance), .attempt = attempt, .deadline = deadline};
    StartAttempt(type, object.get(), request, call, std::move(done), std::move(let_go));
  });
}

void ProcessRunner::AttemptEnded(const std::string& key, const OutgoingRef& ref, std::uint64_t attempt,
                                 absl::StatusOr<std::string> answer) {
  const auto found = slots_.find(key);
  if (found == slots_.end() || !runs()) return;
  ProcessSlot& slot = *found->second;
  const auto at = slot.runs.find(ref);
  if (at == slot.runs.end() || at->second.answered) return;
  ActivityRun& run = at->second;
  // A result counts whenever it comes, a failure only of the attempt that is under way.
  if (answer.ok()) return EndActivity(slot, ref, {.kind = OutcomeKind::kResult, .result = *std::move(answer)});
  if (run.attempt != attempt) return;
  run.attempt = 0;
  GiveTurn(run);
  // Whoever answered may say anything, and operators read it.
  run.error = PrintableError(answer.status(), kMaxReactorErrorBytes);
  // Whoever cancels a call does not know what came of it.
  const bool tries_again = IsWorthAnotherTry(answer.status()) || absl::IsCancelled(answer.status());
  if (!tries_again) return GiveUp(slot, ref);
  run.perhaps_effect = run.perhaps_effect || MayHaveHadEffect(answer.status());
  const ActivityOptions& options = type_->activities.at(slot.instance->activities.at(ref).name).options;
  if (run.attempts >= options.retry.attempts) return GiveUp(slot, ref);
  NoteInVain(slot, ref);
  After(run.timer, WaitAfter(options.retry, run.attempts), [this, key, ref] {
    const auto again = slots_.find(key);
    if (again == slots_.end() || !runs()) return;
    const auto waiting = again->second->runs.find(ref);
    if (waiting != again->second->runs.end() && !waiting->second.answered) Attempt(*again->second, ref);
  });
}

void ProcessRunner::IsNotInVain(ActivityRun& run) {
  if (!run.in_vain.empty()) in_vain_.Remove(std::exchange(run.in_vain, ""));
}

void ProcessRunner::NoteInVain(ProcessSlot& slot, const OutgoingRef& ref) {
  ActivityRun& run = slot.runs.at(ref);
  const std::string& name = slot.instance->activities.at(ref).name;
  if (run.in_vain.empty()) in_vain_.Add(run.in_vain = name);
  if (!in_vain_.Note(name, run.error, options_.clock->Now())) return;
  Tell(LogLevel::kWarning, "an activity of a process was tried in vain; it is tried again",
       {{"process", type_->name},
        {"activity", name},
        {"instance", slot.key},
        {"cause", std::string(run.error.message())},
        {"in_vain", absl::StrFormat("%d", in_vain_.count())}});
}

// No attempt is left, or no time, or the last answer is final. That one has had no effect; an earlier one may have.
void ProcessRunner::GiveUp(ProcessSlot& slot, const OutgoingRef& ref) {
  const ActivityRun& run = slot.runs.at(ref);
  EndActivity(slot, ref,
              {.kind = run.perhaps_effect ? OutcomeKind::kUnknown : OutcomeKind::kFailed, .status = run.error});
}

void ProcessRunner::EndActivity(ProcessSlot& slot, const OutgoingRef& ref, AnyOutcome outcome) {
  ActivityRun& run = slot.runs.at(ref);
  run.answered = true;
  IsNotInVain(run);
  GiveTurn(run);
  run.timer.reset();
  run.deadline.reset();
  AddInput(slot, OutcomeInput{.activity = ref, .outcome = std::move(outcome)}, nullptr);
}

// Drawn from the upper half, so that what failed together does not come back together.
absl::Duration ProcessRunner::WaitAfter(const ActivityRetry& retry, unsigned attempts) {
  absl::Duration longest = retry.first_wait;
  for (unsigned i = 1; i < attempts && longest < retry.longest_wait; ++i) longest *= 2;
  longest = std::min(longest, retry.longest_wait);
  const std::int64_t micros = std::max<std::int64_t>(absl::ToInt64Microseconds(longest), 2);
  return absl::Microseconds(micros -
                            static_cast<std::int64_t>(options_.random->Below(static_cast<std::uint64_t>(micros / 2))));
}

}  // namespace everfold

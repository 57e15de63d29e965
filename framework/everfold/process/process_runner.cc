#include "everfold/process/process_runner.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/retry.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/base/unavailable.h"
#include "everfold/event/event_key.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/fingerprint.h"
#include "everfold/log/files/files.h"
#include "everfold/reaction/reactor_runner.h"

namespace everfold {
namespace {

constexpr std::size_t kInstancesAPage = 64;
constexpr std::size_t kMaxTimerInputs = 1024;  // that wait for their step

}  // namespace

absl::StatusOr<std::unique_ptr<Process>> ProcessRunner::Open(ProcessRunnerOptions options, ProcessType type,
                                                             EventStore& store, CommandHandler& commands,
                                                             Executor& executor) {
  auto kept_type = std::make_unique<const ProcessType>(std::move(type));
  std::unique_ptr<ProcessRunner> runner(
      new ProcessRunner(std::move(options), std::move(kept_type), store, commands, executor));
  EVERFOLD_RETURN_IF_ERROR(PosixFiles().MakeDirectory(runner->options_.directory));
  EVERFOLD_RETURN_IF_ERROR(runner->directory_.Open());
  EVERFOLD_RETURN_IF_ERROR(runner->OpenReactor());
  runner->Show();
  return runner;
}

ProcessRunner::ProcessRunner(ProcessRunnerOptions options, std::unique_ptr<const ProcessType> type, EventStore& store,
                             CommandHandler& commands, Executor& executor)
    : options_(std::move(options)),
      type_(std::move(type)),
      store_(store),
      commands_(commands),
      executor_(executor),
      strand_(executor.MakeStrand()),
      sending_(executor.MakeStrand()),
      fold_strand_(executor.MakeStrand()),
      directory_(options_.directory + "/" + type_->name + ".db", *type_, store, *options_.clock, options_.logger),
      due_(options_.max_timers_in_memory, options_.timers_read_ahead) {}

// Hints and answers may outlive it, so it keeps them out even if it was never closed.
ProcessRunner::~ProcessRunner() {
  if (!scope_.closed()) scope_.Close([] {});
}

// Takes the events, in the order of each instance, and keeps the place in the log.
ReactorType ProcessRunner::ReactorOfEvents() {
  ReactorType events{.name = type_->name,
                     .concurrency = static_cast<int>(options_.max_events_under_way),
                     .start = type_->start,
                     .make = nullptr};
  events.begin = [this, scope = scope_](const std::string& key, const TakenEvent& event, unsigned,
                                        ReactorType::Done done) mutable {
    std::optional<TaskScope::Guard> guard = scope.Enter();
    if (!guard.has_value()) return done(absl::CancelledError("the process is closed"));
    strand_->Post([this, guard = *std::move(guard), taken = TakenInput{key, event, std::move(done)}]() mutable {
      TakeEvent(std::move(taken));
    });
  };
  for (const auto& [name, type] : type_->events) {
    events.handlers.emplace(name, nullptr);
    events.keys.emplace(
        name, [this, route = type.route](std::string_view payload, const Reaction& at) -> std::optional<std::string> {
          const EventContext context{.id = at.stream.id,
                                     .stream = at.stream,
                                     .version = at.version,
                                     .position = at.position,
                                     .sequence = at.sequence,
                                     .event_time = at.event_time,
                                     .recorded_at = at.recorded_at,
                                     .metadata = at.metadata};
          const std::optional<Route> to = route(payload, context);
          if (!to.has_value()) return std::nullopt;
          if (to->kind() == Route::Kind::kIgnore) return KeyOfStream(at.stream);
          const StreamId instance = StreamOfInstance(*type_, at.stream.tenant, to->id());
          if (!ValidateStreamId(instance).ok()) return std::nullopt;  // TakeEvent says why, and it is parked so
          return KeyOfStream(instance);
        });
  }
  events.stored_forms = type_->stored_forms;
  events.kind = "process";
  events.verb = "processes";
  return events;
}

absl::Status ProcessRunner::OpenReactor() {
  ReactorRunnerOptions options;
  options.aggregate = kProcessAggregate;
  options.max_events_in_hand = 2 * options_.max_events_under_way;
  options.max_parked_keys = options_.max_parked_instances;
  options.clock = options_.clock;
  options.random = options_.random;
  options.logger = options_.logger;
  EVERFOLD_ASSIGN_OR_RETURN(reactor_, ReactorRunner::Open(std::move(options), ReactorOfEvents(), store_, executor_));
  const ReactorStatus events = reactor_->Describe();
  paused_ = events.paused;
  // After a restore nobody knows what was sent since the backup: an operator says how it goes on.
  if (ReasonOf(events.error) == reason::kOtherHistory) error_ = events.error;
  return absl::OkStatus();
}

// Damage is mended wherever it is met: the log has all that the directory knows.
void ProcessRunner::DirectoryFailed(const absl::Status& error) {
  if (ReasonOf(error) == reason::kReadModelBehind) return;  // the next fold opens it
  if (ReasonOf(error) != reason::kReadModelDamaged) return Stop(error);
  if (const absl::Status made = MakeDirectoryAnew(); !made.ok()) return Stop(made);
  Wake(scope_.Enter());
}

absl::Status ProcessRunner::MakeDirectoryAnew() {
  folded_all_ = false;
  fold_is_stale_ = folding_;
  if (open_upto_.has_value()) open_upto_ = "";  // what was not found yet is found again
  due_.Clear();
  return directory_.MakeAnew();
}

void ProcessRunner::Start() {
  reactor_->Start();
  OnStrand([this] { AskWhatIsHeld(); });
  // Watches before it reads for the first time: what becomes durable in between is read or hinted at.
  watch_ = store_.WatchDurable([this, scope = scope_]() mutable { Wake(scope.Enter()); });
  Wake(scope_.Enter());
}

// Of the events' reactor, which keeps what is parked. Until it has answered, nothing is taken up.
void ProcessRunner::AskWhatIsHeld() {
  knows_held_ = false;
  first_taken_.clear();
  reactor_->ListKeys(
      [this, scope = scope_, asked = ++held_asked_](absl::StatusOr<std::vector<ReactorKey>> keys) mutable {
        std::optional<TaskScope::Guard> guard = scope.Enter();
        if (!guard.has_value()) return;
        strand_->Post([this, guard = *std::move(guard), asked, keys = std::move(keys)] {
          if (keys.ok() && asked == held_asked_) Hold(*keys);
          RunStep();
        });
      });
}

// Where an event is parked, nothing else is taken. What was tried again or dropped since it was asked is not.
void ProcessRunner::Hold(const std::vector<ReactorKey>& keys) {
  for (const ReactorKey& key : keys) {
    const absl::StatusOr<StreamId> stream = StreamOfKey(key.key);
    const bool is_instance = stream.ok() && stream->aggregate == type_->StreamAggregate();
    if (!key.parked || !is_instance || first_taken_.contains(key.key)) continue;
    SlotOf(key.key).held_by = NameOf(key.at.stream, key.at.version);
  }
  first_taken_.clear();
  knows_held_ = true;
}

void ProcessRunner::OnStrand(absl::AnyInvocable<void()> step) {
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return;
  strand_->Post([guard = *std::move(guard), step = std::move(step)]() mutable { step(); });
}

// Has a step run after this moment. A hint that comes while one runs leads to another, because the flag is down by
// then.
void ProcessRunner::Wake(std::optional<TaskScope::Guard> guard) {
  if (!guard.has_value() || step_posted_.exchange(true)) return;
  strand_->Post([this, guard = *std::move(guard)] {
    step_posted_ = false;
    fold_wanted_ = true;
    RunStep();
  });
}

void ProcessRunner::RunStep() {
  if (scope_.closed()) return;
  if (runs() && fold_wanted_) FoldInTime();
  if (runs()) {
    TakeUpWhatWasOpen();
    FireTimers();
    LookAtTimersLater();
    BeginWaitingAttempts();
    RecordAcceptedInTime();
  }
  ReleaseEvents();
  TrimIdle();
  CloseWhenDone();
  Show();
}

// On the strand. REQUIRES: of a timer of this.
void ProcessRunner::After(std::unique_ptr<Timer>& timer, absl::Duration delay, absl::AnyInvocable<void()> step) {
  timer = executor_.PostAfter(delay, [this, scope = scope_, step = std::move(step)]() mutable {
    if (std::optional<TaskScope::Guard> guard = scope.Enter(); guard.has_value()) {
      strand_->Post([guard = *std::move(guard), step = std::move(step)]() mutable { step(); });
    }
  });
}

absl::Duration ProcessRunner::PauseAfter(unsigned failures) const {
  return BackOff(options_.first_retry, options_.longest_retry, failures);
}

// The directory.

// What nobody waits for is folded many at a time. After its rest it is, whatever the clock says then.
void ProcessRunner::FoldInTime() {
  if (folding_) return;  // its end looks again
  const absl::Duration rest = fold_pace_.RestAt(options_.clock->Now());
  if (rest == absl::ZeroDuration()) return Fold();
  if (fold_timer_ != nullptr) return;
  After(fold_timer_, rest, [this] {
    fold_timer_.reset();
    if (runs() && !folding_) Fold();
    RunStep();
  });
}

// On a strand of its own, because it takes a quarter of what the steps take.
void ProcessRunner::Fold() {
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return;
  fold_wanted_ = false;
  folding_ = true;
  fold_is_stale_ = false;
  fold_strand_->Post([this, guard = *std::move(guard), began = options_.clock->Now()]() mutable {
    absl::StatusOr<FoldedPiece> piece = directory_.Fold();
    if (piece.ok()) fold_pace_.Ran(began, piece->caught_up ? piece->steps : 0);
    strand_->Post([this, guard = std::move(guard), piece = std::move(piece)]() mutable {
      FoldEnded(std::move(piece));
      RunStep();
    });
  });
}

void ProcessRunner::FoldEnded(absl::StatusOr<FoldedPiece> piece) {
  folding_ = false;
  if (std::exchange(fold_is_stale_, false)) {
    fold_wanted_ = true;
    // They may be missing in what was read since it began; those that are not set any more do no harm.
    if (piece.ok()) AddTimers(std::move(piece->timers_set));
    return;
  }
  if (piece.ok()) return TakeFolded(*std::move(piece));
  // While it closes that is no reason to stop: what was accepted is still to be put on record, and the next start
  // folds.
  if (!is_closing_) DirectoryFailed(piece.status());
}

// Waits for the fold that is under way. True if it has come to the end of the log.
absl::StatusOr<bool> ProcessRunner::FoldNow() {
  EVERFOLD_ASSIGN_OR_RETURN(FoldedPiece piece, directory_.Fold());
  const bool caught_up = piece.caught_up;
  TakeFolded(std::move(piece));
  return caught_up;
}

void ProcessRunner::AddTimers(std::vector<DueTimer> timers) {
  for (DueTimer& timer : timers) due_.Add(std::move(timer));
}

void ProcessRunner::TakeFolded(FoldedPiece piece) {
  AddTimers(std::move(piece.timers_set));
  folded_all_ = folded_all_ || piece.caught_up;
  if (!piece.caught_up) Wake(scope_.Enter());
}

// Page by page, so that no more is under way than may be.
void ProcessRunner::TakeUpWhatWasOpen() {
  if (!folded_all_ || !knows_held_ || !open_upto_.has_value()) return;
  if (in_flight_ > options_.max_in_flight / 2) return;
  const absl::StatusOr<std::vector<OpenInstance>> open = directory_.InFlightAfter(*open_upto_, kInstancesAPage);
  if (!open.ok()) return DirectoryFailed(open.status());
  for (const OpenInstance& instance : *open) {
    open_upto_ = instance.key;
    ProcessSlot& slot = SlotOf(instance.key);
    if (const absl::Status loaded = Load(slot); !loaded.ok()) return Stop(loaded);
    SetIdle(slot);
  }
  if (open->empty()) open_upto_.reset();
  Wake(scope_.Enter());
}

void ProcessRunner::FireTimers() {
  if (!folded_all_ || !knows_held_) return;
  const absl::Time now = options_.clock->Now();
  const auto read = [this](const DueTimer& after, absl::Time until, std::size_t limit) {
    return directory_.TimersAfter(after, until, limit);
  };
  while (takes_inputs() && !is_full() && timer_inputs_ < kMaxTimerInputs) {
    if (const absl::Status filled = due_.Fill(read, now); !filled.ok()) return DirectoryFailed(filled);
    std::optional<DueTimer> timer = due_.TakeDue(now);
    if (!timer.has_value()) return;
    ProcessSlot& slot = SlotOf(timer->instance);
    const bool counted = slot.parked.empty() && slot.held_by.empty();
    timer_inputs_ += counted;
    slot.inputs.push_back({.input = TimerInput{.name = std::move(timer->name), .version = timer->version},
                           .done = nullptr,
                           .counted = counted});
    Work(slot);
  }
}

// What waits for an operator does not keep other timers from being taken.
void ProcessRunner::Uncount(ProcessSlot& slot) {
  for (WaitingInput& waiting : slot.inputs) timer_inputs_ -= std::exchange(waiting.counted, false);
}

void ProcessRunner::LookAtTimersLater() {
  const absl::Time now = options_.clock->Now();
  // Whoever resumes it has it look again.
  if (!takes_inputs() || !folded_all_ || !knows_held_) return due_timer_.reset();
  const bool is_none = directory_.counts().timers == 0 && due_.size() == 0;
  if (is_none) return due_timer_.reset();
  const bool full = is_full() || timer_inputs_ >= kMaxTimerInputs;
  // Where it is full, whatever ends has it look again.
  const absl::Time at = full ? absl::InfiniteFuture() : std::min(due_.NextLook(now), now + options_.longest_sleep);
  if (due_timer_ != nullptr && due_timer_at_ <= at && due_timer_at_ > now) return;
  due_timer_at_ = at;
  due_timer_.reset();
  if (full) return;
  After(due_timer_, std::max(at - now, absl::ZeroDuration()), [this] {
    due_timer_.reset();
    RunStep();
  });
}

// Errors.

void ProcessRunner::Stop(const absl::Status& cause) {
  if (!error_.ok()) return;
  error_ = absl::IsAborted(cause)
               ? Error(absl::StatusCode::kAborted, reason::kVersionConflict,
                       absl::StrFormat("somebody else runs process %s: %s", type_->name, std::string(cause.message())),
                       {{"process", type_->name}})
               : cause;
  retry_timer_.reset();  // of an earlier error: it does not lift this one
  const absl::Duration pause = PauseAfter(++failures_);
  const bool tries_again = StorageMayRecover(cause);
  Tell(LogLevel::kError, "process stopped",
       {{"process", type_->name},
        {"cause", std::string(error_.message())},
        {"next_try", tries_again ? "in " + absl::FormatDuration(pause) : "when it is resumed"}});
  if (!tries_again || is_closing_) return;
  After(retry_timer_, pause, [this] {
    retry_timer_.reset();
    BeginAgain();
    RunStep();
  });
}

// With what is on record. What is under way is not waited for: its answers find nobody, and what is open is taken up.
void ProcessRunner::BeginAgain() {
  if (is_closing_ || error_.ok()) return;
  if (appending_ > 0) {
    return After(retry_timer_, options_.first_retry, [this] {
      retry_timer_.reset();
      BeginAgain();
      RunStep();
    });
  }
  for (auto& [key, slot] : slots_) {
    for (WaitingInput& waiting : slot->inputs) {
      auto* const event = std::get_if<EventInput>(&waiting.input);
      if (waiting.done == nullptr) continue;
      if (event != nullptr) {
        held_events_.push_back({std::move(event->key), std::move(event->event), std::move(waiting.done)});
      } else {
        waiting.done(Unavailable(reason::kShuttingDown, absl::StrFormat("process %s begins again", type_->name)));
      }
    }
  }
  retry_timer_.reset();
  slots_.clear();
  running_.clear();
  turns_.Clear();
  in_vain_.Clear();
  idle_.clear();
  unrecorded_.clear();
  due_.Clear();
  fold_wanted_ = true;
  fold_is_stale_ = folding_;
  folded_all_ = false;
  open_upto_ = "";
  AskWhatIsHeld();
  in_flight_ = activities_ = waiting_sends_ = timer_inputs_ = 0;
  parked_ = 0;
  error_ = absl::OkStatus();
  // Events of one instance come one after the other: each is done before the next one is taken.
  for (TakenInput& taken : std::exchange(held_events_, {})) TakeEvent(std::move(taken));
}

void ProcessRunner::Close(Task done) {
  watch_.reset();
  OnStrand([this, done = std::move(done)]() mutable {
    is_closing_ = true;
    closed_ = std::move(done);
    due_timer_.reset();
    fold_timer_.reset();
    retry_timer_.reset();
    record_timer_.reset();
    // It closes before it hears of events that are given back: it takes them again after a restart. Told so while it
    // runs, it would park them.
    reactor_->Close([this, scope = scope_]() mutable {
      if (std::optional<TaskScope::Guard> guard = scope.Enter(); guard.has_value()) {
        strand_->Post([this, guard = *std::move(guard)] {
          reactor_closed_ = true;
          RunStep();
        });
      }
    });
    for (TakenInput& taken : std::exchange(held_events_, {}))
      taken.done(absl::CancelledError("the process is closing"));
    for (auto& [key, slot] : slots_) AnswerWaiting(*slot);
    ReleaseEvents();
    RunStep();
  });
}

// While it closes: whoever waits here for what does not happen any more. What is being appended is answered by its end.
void ProcessRunner::AnswerWaiting(ProcessSlot& slot) {
  slot.retry.reset();
  if (!slot.appending && slot.dropping != nullptr) std::exchange(slot.dropping, nullptr)(Closing());
  const std::size_t first = slot.appending && slot.ends_first ? 1 : 0;
  for (std::size_t i = first; i < slot.inputs.size(); ++i) {
    Done& waiting = slot.inputs[i].done;
    if (waiting == nullptr) continue;
    const bool is_event = std::holds_alternative<EventInput>(slot.inputs[i].input);
    std::exchange(waiting, nullptr)(is_event ? absl::CancelledError("the process is closing") : Closing());
  }
}

// When what is under way has ended, and what was accepted is on record, or was not taken by the log.
void ProcessRunner::CloseWhenDone() {
  if (closed_ == nullptr || !reactor_closed_ || appending_ > 0 || sends_under_way_ > 0) return;
  if (error_.ok() && RecordSomeAccepted(absl::InfiniteFuture())) return;
  for (auto& [key, slot] : slots_) {
    slot->flights.clear();
    slot->runs.clear();
  }
  scope_.Close(
      [&executor = executor_, done = std::exchange(closed_, nullptr)]() mutable { executor.Post(std::move(done)); });
}

ProcessStatus ProcessRunner::Describe() const {
  const ReactorStatus events = reactor_->Describe();
  MutexLock lock(&mutex_);
  ProcessStatus status = shown_;
  status.checkpoint = events.checkpoint;
  status.lag_events = events.lag_events;
  status.lag = events.lag;
  status.parked += events.parked_keys;
  if (status.error.ok()) {
    status.error = events.error;
    status.state = events.state;
  }
  return status;
}

void ProcessRunner::Show() {
  ProcessStatus status{.name = type_->name, .error = error_};
  if (!error_.ok()) status.state = ReactorState::kStopped;
  const DirectoryCounts counts = directory_.counts();
  status.instances = counts.instances;
  status.in_flight = counts.in_flight;
  status.timers = counts.timers;
  status.parked = parked_;
  status.waiting_sends = waiting_sends_;
  status.send_error = send_error_;
  status.activities_in_vain = in_vain_.count();
  status.activity_error = in_vain_.error();
  status.steps = steps_made_;
  status.commands_sent = commands_sent_;
  status.timers_fired = timers_fired_;
  status.inputs_left_out = left_out_;
  MutexLock lock(&mutex_);
  shown_ = std::move(status);
}

void ProcessRunner::Tell(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
  if (options_.logger != nullptr) options_.logger->Write(level, message, fields);
}

}  // namespace everfold

#include "everfold/reaction/reactor_runner.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/error_message.h"
#include "everfold/base/retry.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"
#include "everfold/event/event_key.h"
#include "everfold/event/event_selection.h"
#include "everfold/reaction/event_reaction.h"
#include "everfold/subscription/reading_checks.h"

namespace everfold {
namespace {

constexpr std::size_t kMaxReaders = 64;  // of keys whose events are read from the log again

// User code, and what it throws ends here.
absl::StatusOr<std::shared_ptr<void>> MakeObject(const ReactorType& type, const ReactorSetup& setup) {
  try {
    return type.make(setup);
  } catch (const std::exception& thrown) {
    return absl::InternalError(absl::StrFormat("%s %s cannot be made: %s", type.kind, type.name, thrown.what()));
  } catch (...) {
    return absl::InternalError(absl::StrFormat("%s %s cannot be made", type.kind, type.name));
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Reactor>> ReactorRunner::Open(ReactorRunnerOptions options, ReactorType type,
                                                             EventStore& store, Executor& executor) {
  auto kept_type = std::make_unique<const ReactorType>(std::move(type));
  std::shared_ptr<void> object;
  if (kept_type->begin == nullptr) {
    EVERFOLD_ASSIGN_OR_RETURN(object, MakeObject(*kept_type, {.data_directory = options.data_directory}));
  }
  std::unique_ptr<ReactorRunner> runner(new ReactorRunner(std::move(options), std::move(kept_type), store, executor));
  runner->reactor_ = std::move(object);
  const ReactorStart start = runner->type_->start;
  runner->begins_ = start == ReactorStart::kHead ? store.DurableHead() : BeginningOf(store);
  runner->error_ = runner->Load();
  runner->Show();
  return runner;
}

ReactorRunner::ReactorRunner(ReactorRunnerOptions options, std::unique_ptr<const ReactorType> type, EventStore& store,
                             Executor& executor)
    : options_(std::move(options)),
      type_(std::move(type)),
      store_(store),
      executor_(executor),
      strand_(executor.MakeStrand()),
      newest_(std::make_shared<NewestEvent>(
          store, StreamId{.tenant = "", .aggregate = options_.aggregate, .id = type_->name})) {
  for (std::size_t i = 0; i < slots(); ++i) {
    idle_threads_.push_back(i);
    if (type_->begin == nullptr) threads_.push_back(options_.make_thread(type_->name));
  }
}

// Hints may outlive it, so it keeps them out even if it was never closed.
ReactorRunner::~ReactorRunner() {
  if (!scope_.closed()) scope_.Close([] {});
}

absl::Status ReactorRunner::Closing() const {
  return Unavailable(reason::kShuttingDown, absl::StrFormat("%s %s is closing", type_->kind, type_->name));
}

// What the log has, or a new place.
absl::Status ReactorRunner::Load() {
  loaded_ = false;
  elsewhere_.reset();
  std::optional<ReactorPlace> place;
  EVERFOLD_RETURN_IF_ERROR(newest_->Load([&place](const RecordedEvent& event) {
    EVERFOLD_ASSIGN_OR_RETURN(place, ReactorPlaceOf(event));
    return absl::OkStatus();
  }));
  if (place.has_value()) return LoadFrom(*place);
  taken_ = begins_;
  subscription_.reset();
  search_.reset();
  queue_.Clear();
  changed_ = save_now_ = true;
  loaded_ = true;
  return absl::OkStatus();
}

// After an error of the log. REQUIRES: not loaded, so that nothing is under way.
void ReactorRunner::LoadAgain() {
  const absl::Status loaded = Load();
  if (!loaded.ok()) return Stop(loaded);
  error_ = absl::OkStatus();
}

absl::Status ReactorRunner::LoadFrom(const ReactorPlace& place) {
  paused_ = place.paused;
  if (const absl::Status history = CheckHistory(store_, place.checkpoint); !history.ok()) {
    if (ReasonOf(history) == reason::kOtherHistory) elsewhere_ = place;
    return Annotate(absl::StrFormat("%s %s does not go on from where it stood; `%s reset` says where it does",
                                    type_->kind, type_->name, type_->verb),
                    history);
  }
  taken_ = place.checkpoint;
  subscription_.reset();
  // A clock that was wrong then does not hold them up for longer than they would wait now.
  std::vector<ReactorKey> keys = place.keys;
  const absl::Time latest = options_.clock->Now() + type_->retry.longest_wait;
  for (ReactorKey& key : keys) key.next_attempt = std::min(key.next_attempt, latest);
  queue_.Load(keys);
  search_.reset();
  BeginSearch();
  saved_events_ = EventsBefore(taken_);
  loaded_ = true;
  return CheckRoom();
}

void ReactorRunner::Start() {
  if (!error_.ok()) Stop(error_);
  if (loaded_ && save_now_) Save();
  // Watches before it pulls for the first time: what becomes durable in between is in the pull or hinted at.
  watch_ = store_.WatchDurable([this, scope = scope_]() mutable { Wake(scope.Enter()); });
  Wake(scope_.Enter());
}

// Has a step run after this moment. A hint that comes while one runs leads to another, because the flag is down by
// then.
void ReactorRunner::Wake(std::optional<TaskScope::Guard> guard) {
  if (!guard.has_value() || step_posted_.exchange(true)) return;
  strand_->Post([this, guard = *std::move(guard)] {
    step_posted_ = false;
    RunStep();
  });
}

void ReactorRunner::RunStep() {
  if (scope_.closed()) return;
  if (moving_.has_value() && !is_closing_) MoveOn();
  if (runs()) {
    queue_.MakeReady(options_.clock->Now());
    Search();
    Pull();
    Dispatch();
    WaitForNextAttempt();
    if (error_.ok()) failures_ = 0;
  }
  SaveInTime();
  CloseWhenDone();
  Show();
}

bool ReactorRunner::has_room() const {
  return queue_.held_events() < options_.max_events_in_hand && queue_.held_bytes() < options_.max_bytes_in_hand;
}

// For what is ready and has no event in memory. Where a key is a stream, that is read.
void ReactorRunner::BeginSearch() {
  if (search_ != nullptr || type_->keys.empty()) return;
  const std::optional<Sequence> first = queue_.BeginSearch(taken_);
  if (first.has_value()) search_ = std::make_unique<KeySearch>(*type_, store_, *first, taken_);
}

// Where there is no room, what is done next has it go on.
void ReactorRunner::Search() {
  if (search_ == nullptr) return;
  const absl::StatusOr<bool> ended = search_->Continue(queue_, [this] { return has_room(); });
  if (!ended.ok()) return Stop(ended.status());
  if (!*ended) {
    if (has_room()) Wake(scope_.Enter());
    return;
  }
  queue_.EndSearch();
  search_.reset();
  changed_ = true;
}

void ReactorRunner::Pull() {
  if (search_ != nullptr) return;
  if (queue_.held_events() > options_.max_events_in_hand / 2) return;
  if (queue_.held_bytes() > options_.max_bytes_in_hand / 2) return;
  const std::size_t blocked = queue_.waiting_keys() + queue_.parked_keys();
  if (queue_.keys() - blocked >= options_.max_events_in_hand) return;
  if (queue_.waiting_keys() >= options_.max_waiting_keys) {
    if (!std::exchange(told_of_waiting_, true)) {
      Tell(LogLevel::kWarning,
           absl::StrFormat("%s takes no more events while so many keys wait for another try", type_->kind),
           {{type_->kind, type_->name}, {"waiting_keys", absl::StrFormat("%d", queue_.waiting_keys())}});
    }
    return;
  }
  told_of_waiting_ = false;
  if (const absl::Status pulled = PullSome(options_.max_events_in_hand - queue_.held_events()); !pulled.ok()) {
    Stop(pulled);
  }
}

absl::Status ReactorRunner::PullSome(std::size_t max_events) {
  if (subscription_ == nullptr) {
    EVERFOLD_ASSIGN_OR_RETURN(subscription_, Subscription::Start(store_, taken_, {.selection = SelectionOf(*type_)}));
  }
  const absl::Status enough = absl::CancelledError();
  const absl::StatusOr<PullResult> pulled = subscription_->Pull(max_events, [&](const RecordedEvent& event) {
    if (queue_.held_bytes() > options_.max_bytes_in_hand) return enough;
    queue_.Add(KeyOfEvent(*type_, event), event);
    taken_upto_ = event.commit.recorded_at;
    changed_ = true;
    return absl::OkStatus();
  });
  taken_ = subscription_->checkpoint();
  if (!pulled.ok() && pulled.status() != enough) {
    subscription_.reset();
    return pulled.status();
  }
  if (!pulled.ok() || !pulled->caught_up) Wake(scope_.Enter());
  // It has passed over much that it does not want.
  changed_ = changed_ || EventsBefore(taken_) >= saved_events_ + options_.max_unsaved_events;
  return absl::OkStatus();
}

// What a crash would have done again is bounded even while the log does not take its place.
void ReactorRunner::Dispatch() {
  const auto may_react = [this] { return runs() && unsaved_ < 2 * options_.max_unsaved_events; };
  while (!idle_threads_.empty() && may_react()) {
    const std::optional<std::string> key = queue_.TakeReady();
    if (!key.has_value()) return;
    const Next next = NextOf(*key);
    if (next == Next::kLater) return;
    if (next == Next::kEvent) React(*key);
  }
}

// Whether it has its next event in memory. REQUIRES: the key is worked on; it is not any more if it has none.
ReactorRunner::Next ReactorRunner::NextOf(const std::string& key) {
  QueuedKey& queued = queue_.At(key);
  if (!queued.events.empty()) return Next::kEvent;
  if (queued.reader == nullptr &&
      !queue_.AddReader(key, std::make_unique<KeyEvents>(*type_, store_, key, queued.at, queued.passed),
                        std::min(slots(), kMaxReaders))) {
    queue_.PutBack(key);
    Wake(scope_.Enter());
    return Next::kLater;
  }
  const absl::StatusOr<KeyEvents::Found> found = queued.reader->Read(taken_, RoomForEvents(), queued.events);
  queue_.Added(queued);
  if (!found.ok()) {
    StopAtKey(key, found.status());
    return Next::kLater;
  }
  queued.searching = *found == KeyEvents::Found::kMore;
  if (*found == KeyEvents::Found::kSome) return Next::kEvent;
  if (*found == KeyEvents::Found::kMore) {
    queue_.PutBack(key);
    Wake(scope_.Enter());
    return Next::kLater;
  }
  queue_.Remove(key);
  changed_ = true;
  return Next::kNone;
}

// As many of one key as may be in memory besides what is; one of them in any case, which is reacted to at once.
std::size_t ReactorRunner::RoomForEvents() const {
  if (queue_.held_bytes() >= options_.max_bytes_in_hand) return 1;
  const std::size_t held = std::min(queue_.held_events(), options_.max_events_in_hand);
  return std::clamp<std::size_t>(options_.max_events_in_hand - held, 1, KeyQueue::kMaxEventsOfKey);
}

// Where a key does not begin with what it should, it waits for an operator: nothing of it is left out unseen.
void ReactorRunner::StopAtKey(const std::string& key, const absl::Status& cause) {
  if (ReasonOf(cause) == reason::kEventParked) {
    queue_.ParkUnread(key, PrintableText(std::string(cause.message()), kMaxReactorErrorBytes));
    changed_ = save_now_ = true;
  } else {
    queue_.ReadAgain(key);
  }
  Stop(cause);
}

void ReactorRunner::React(const std::string& key) {
  const QueuedKey& queued = queue_.At(key);
  const std::size_t thread = idle_threads_.back();
  idle_threads_.pop_back();
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return;  // it is closed, and there is nobody to react for
  if (type_->begin != nullptr) {
    type_->begin(key, queued.events.front(), queued.attempts + 1,
                 [this, guard = *std::move(guard), thread, key](absl::Status result) mutable {
                   strand_->Post([this, guard = std::move(guard), thread, key, result = std::move(result)] {
                     Handled(thread, key, result);
                   });
                 });
    return;
  }
  threads_[thread]->Post([this, guard = *std::move(guard), thread, key, event = queued.events.front(),
                          attempt = queued.attempts + 1]() mutable {
    absl::Status result = ReactTo(*type_, reactor_.get(), event, attempt);
    strand_->Post([this, guard = std::move(guard), thread, key = std::move(key), result = std::move(result)] {
      Handled(thread, key, result);
    });
  });
}

void ReactorRunner::Handled(std::size_t thread, const std::string& key, const absl::Status& result) {
  idle_threads_.push_back(thread);
  changed_ = true;
  if (is_closing_ && absl::IsCancelled(result)) {
    queue_.PutBack(key);
  } else if (result.ok()) {
    queue_.Done(key);
    ++done_;
    ++unsaved_;
  } else {
    Failed(key, result);
  }
  RunStep();
}

void ReactorRunner::Failed(const std::string& key, const absl::Status& error) {
  const std::uint32_t attempts = queue_.At(key).attempts + 1;
  std::string text =
      PrintableText(absl::StrFormat("%s: %s", absl::StatusCodeToString(error.code()), std::string(error.message())),
                    kMaxReactorErrorBytes);
  if (IsWorthAnotherTry(error) && attempts < type_->retry.attempts) {
    return queue_.Wait(key, std::move(text), options_.clock->Now() + WaitAfter(attempts));
  }
  const EventPlace& at = queue_.At(key).events.front().place;
  Tell(LogLevel::kWarning, absl::StrFormat("%s has parked an event that it cannot react to", type_->kind),
       {{type_->kind, type_->name},
        {"key", key},
        {"event", absl::StrFormat("%s@%d", KeyOfStream(at.stream), at.version.value())},
        {"cause", text},
        {"parked_keys", absl::StrFormat("%d", queue_.parked_keys() + 1)}});
  queue_.Park(key, std::move(text));
  save_now_ = true;
  if (const absl::Status room = CheckRoom(); !room.ok()) Stop(room);
}

absl::Status ReactorRunner::CheckRoom() const {
  if (queue_.parked_keys() <= options_.max_parked_keys) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, reason::kEventParked,
               absl::StrFormat("%d keys of %s %s are parked; with more than %d it stops: retry or drop them, then "
                               "resume it",
                               queue_.parked_keys(), type_->kind, type_->name, options_.max_parked_keys),
               {{type_->kind, type_->name}});
}

// Drawn from the upper half, so that what failed together does not come back together.
absl::Duration ReactorRunner::WaitAfter(std::uint32_t attempts) {
  const absl::Duration longest = BackOff(type_->retry.first_wait, type_->retry.longest_wait, attempts);
  const std::int64_t micros = std::max<std::int64_t>(absl::ToInt64Microseconds(longest), 2);
  const auto half = static_cast<std::uint64_t>(micros / 2);
  return absl::Microseconds(micros - static_cast<std::int64_t>(options_.random->Below(half)));
}

void ReactorRunner::WaitForNextAttempt() {
  const absl::Time next = queue_.NextAttempt();
  if (next == attempt_timer_at_) return;
  attempt_timer_at_ = next;
  attempt_timer_.reset();
  if (next == absl::InfiniteFuture()) return;
  After(attempt_timer_, std::max(next - options_.clock->Now(), absl::ZeroDuration()), [this] {
    attempt_timer_at_ = absl::InfiniteFuture();
    RunStep();
  });
}

// On the strand. REQUIRES: of a timer of this.
void ReactorRunner::After(std::unique_ptr<Timer>& timer, absl::Duration delay, absl::AnyInvocable<void()> step) {
  timer = executor_.PostAfter(delay, [this, scope = scope_, step = std::move(step)]() mutable {
    if (std::optional<TaskScope::Guard> guard = scope.Enter(); guard.has_value()) {
      strand_->Post([guard = *std::move(guard), step = std::move(step)]() mutable { step(); });
    }
  });
}

absl::Duration ReactorRunner::PauseAfter(int failures) const {
  return BackOff(options_.first_retry, options_.longest_retry, static_cast<unsigned>(failures));
}

void ReactorRunner::TellStopped(const absl::Status& cause, const std::string& next_try) const {
  Tell(LogLevel::kError, absl::StrFormat("%s stopped", type_->kind),
       {{type_->kind, type_->name}, {"cause", std::string(cause.message())}, {"next_try", next_try}});
}

void ReactorRunner::Stop(const absl::Status& cause) {
  error_ = cause;
  retry_timer_.reset();  // of another cause
  const absl::Duration pause = PauseAfter(++failures_);
  const bool tries_again = StorageMayRecover(cause);
  TellStopped(cause, tries_again ? "in " + absl::FormatDuration(pause) : "when it is resumed");
  if (!tries_again) return;
  After(retry_timer_, pause, [this, cause] {
    if (error_ == cause && !loaded_) {
      LoadAgain();
    } else if (error_ == cause) {
      error_ = absl::OkStatus();
    }
    RunStep();
  });
}

// Saving.

// Saves what was changed just now, and tells when that is durable. An operator does not wait for the pause after a
// failure.
void ReactorRunner::SaveWith(Done done) {
  changed_ = save_now_ = true;
  save_retry_timer_.reset();
  save_waiting_.push_back(std::move(done));
  RunStep();
}

void ReactorRunner::SaveInTime() {
  if (!changed_ || !loaded_ || saving_ || save_retry_timer_ != nullptr) return;
  if (closed_ != nullptr && is_idle()) return;  // once more, then, and whatever comes of it: CloseWhenDone
  if (save_now_ || unsaved_ >= options_.max_unsaved_events) return Save();
  if (save_timer_ != nullptr) return;
  After(save_timer_, options_.save_after, [this] {
    save_now_ = true;
    RunStep();
  });
}

void ReactorRunner::Save() {
  save_timer_.reset();
  if (const absl::Status own = newest_->CheckMayAppend(); !own.ok()) return Saved(own);
  saving_ = true;
  changed_ = save_now_ = false;
  being_saved_ = unsaved_;
  records_on_the_way_ = records_.size();
  save_on_the_way_ = std::exchange(save_waiting_, {});
  std::vector<NewEvent> events(records_.begin(), records_.end());
  events.push_back(EventOf(ReactorPlace{.checkpoint = taken_, .keys = queue_.Describe(), .paused = paused_}));
  newest_->Append(std::move(events), [this, scope = scope_, passed = EventsBefore(taken_)](
                                         const absl::StatusOr<AppendResult>& appended) mutable {
    std::optional<TaskScope::Guard> guard = scope.Enter();
    if (!guard.has_value()) return;
    strand_->Post([this, guard = *std::move(guard), passed, result = appended.status()] {
      if (result.ok()) saved_events_ = passed;
      Saved(result);
    });
  });
}

void ReactorRunner::Saved(const absl::Status& result) {
  saving_ = false;
  if (result.ok()) {
    unsaved_ -= being_saved_;
    records_.erase(records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(records_on_the_way_));
    save_failures_ = 0;
    if (!save_error_.ok() && error_ == save_error_) error_ = absl::OkStatus();
    save_error_ = absl::OkStatus();
  } else {
    NotSaved(result);
  }
  being_saved_ = 0;
  records_on_the_way_ = 0;
  AnswerSaved(save_on_the_way_, result);
  if (!result.ok()) AnswerSaved(save_waiting_, result);
  RunStep();
}

// It stands still until the log takes its place again: a crash would have done again what is done meanwhile.
void ReactorRunner::NotSaved(const absl::Status& error) {
  changed_ = true;
  const absl::Status cause =
      absl::IsAborted(error)
          ? Annotate(absl::StrFormat("another process reacts as %s", type_->name), error)
          : Annotate(absl::StrFormat("the place of %s %s was not saved", type_->kind, type_->name), error);
  if (!StorageMayRecover(error)) {
    loaded_ = false;
    return Stop(cause);
  }
  const absl::Duration pause = PauseAfter(++save_failures_);
  TellStopped(cause, "in " + absl::FormatDuration(pause));
  if (error_.ok() || error_ == save_error_) error_ = save_error_ = cause;
  After(save_retry_timer_, pause, [this] {
    save_retry_timer_.reset();
    save_now_ = true;
    RunStep();
  });
}

void ReactorRunner::AnswerSaved(std::vector<Done>& waiting, const absl::Status& result) {
  for (Done& done : std::exchange(waiting, {})) Answer<absl::Status>(std::move(done), absl::Status(result));
}

// For operators.

ReactorStatus ReactorRunner::Describe() const {
  const absl::Time now = options_.clock->Now();
  MutexLock lock(&mutex_);
  ReactorStatus status = shown_.status;
  if (status.checkpoint.offsets.empty()) return status;
  const std::uint64_t taken = EventsBefore(status.checkpoint);  // before the head, which only grows
  status.lag_events = EventsBefore(store_.DurableHead()) - taken;
  if (status.lag_events > 0 && shown_.taken_upto != absl::InfinitePast()) {
    status.lag = std::max(now - shown_.taken_upto, absl::ZeroDuration());
  }
  return status;
}

void ReactorRunner::Show() {
  ReactorStatus status{.name = type_->name, .error = error_, .paused = paused_};
  if (paused_) status.state = ReactorState::kPaused;
  if (!error_.ok()) status.state = ReactorState::kStopped;
  if (loaded_) status.checkpoint = taken_;
  status.done = done_;
  status.taken_keys = queue_.keys();
  status.waiting_keys = queue_.waiting_keys();
  status.parked_keys = queue_.parked_keys();
  status.held_events = queue_.held_events();
  MutexLock lock(&mutex_);
  shown_.status = std::move(status);
  shown_.taken_upto = taken_upto_;
}

void ReactorRunner::Close(Task done) {
  watch_.reset();
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  strand_->Post([this, guard = *std::move(guard), done = std::move(done)]() mutable {
    is_closing_ = true;
    closed_ = std::move(done);
    save_timer_.reset();
    attempt_timer_.reset();
    retry_timer_.reset();
    RunStep();
  });
}

// When the handlers under way have ended, and what they did is saved, or was not taken by the log.
void ReactorRunner::CloseWhenDone() {
  if (closed_ == nullptr || !is_idle() || saving_) return;
  if (changed_ && loaded_ && !std::exchange(closing_saved_, true)) return Save();
  save_timer_.reset();
  save_retry_timer_.reset();
  retry_timer_.reset();
  if (moving_.has_value()) Answer(std::move(moving_->done), Closing());
  moving_.reset();
  AnswerSaved(save_waiting_, Closing());
  scope_.Close(
      [&executor = executor_, done = std::exchange(closed_, nullptr)]() mutable { executor.Post(std::move(done)); });
}

void ReactorRunner::Tell(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
  if (options_.logger != nullptr) options_.logger->Write(level, message, fields);
}

}  // namespace everfold

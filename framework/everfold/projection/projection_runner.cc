#include "everfold/projection/projection_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/retry.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"
#include "everfold/projection/version_checks.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

// Of a transaction where many events are to be caught up with: each one writes most pages of the file again. Longer,
// and it would not be seen to get on. For who waits for what is in it, it is committed.
constexpr absl::Duration kLongestHeld = absl::Seconds(5);
// Of max_rebuild_batch_events, before what is to be folded is read beside it. That takes a second processor, which
// those who append may need; where they are too fast for one, it would not help for long.
constexpr std::uint64_t kBatchesToReadAhead = 50;

}  // namespace

absl::StatusOr<std::unique_ptr<Projection>> ProjectionRunner::Open(ProjectionRunnerOptions options, ProjectionType type,
                                                                   EventStore& store, Executor& executor) {
  auto kept_type = std::make_unique<const ProjectionType>(std::move(type));
  std::unique_ptr<ProjectionRunner> runner(
      new ProjectionRunner(std::move(options), std::move(kept_type), store, executor));
  EVERFOLD_RETURN_IF_ERROR(runner->OpenFiles());
  return runner;
}

ProjectionRunner::ProjectionRunner(ProjectionRunnerOptions options, std::unique_ptr<const ProjectionType> type,
                                   EventStore& store, Executor& executor)
    : options_(std::move(options)),
      type_(std::move(type)),
      store_(store),
      steps_(type_->name, executor, options_.logger),
      progress_(BeginningOf(store), executor),
      stall_watch_(options_.stall_after, store, progress_, shown_, steps_),
      retry_timer_(steps_),
      rest_timer_(steps_) {}

// Hints may outlive it, so it keeps them out even if it was never closed.
ProjectionRunner::~ProjectionRunner() { steps_.Shut(); }

absl::Status ProjectionRunner::OpenFiles() {
  EVERFOLD_ASSIGN_OR_RETURN(
      queried_, QueriedVersion::Open(*options_.files, options_.directory + "/" + type_->name, *type_, store_, steps_));
  VersionBuild::Owner& owner = *this;
  build_ = std::make_unique<VersionBuild>(options_, *type_, store_, steps_, *queried_, owner);
  parked_ = std::make_unique<ParkedOperations>(
      *type_, store_, steps_, *queried_,
      ParkedOperations::Calls{.published = [this] { Publish(); },
                              .dropped = [this](const EventName& event) { build_->Drop(event); },
                              // A version that has applied it may have been swapped in while the log was asked.
                              .left_out = [this] { HeedDrops(); }});
  Publish();
  return absl::OkStatus();
}

absl::Status ProjectionRunner::Paused() const {
  return Unavailable(reason::kReadModelPaused, absl::StrFormat("projection %s is paused", type_->name),
                     {{"projection", type_->name}});
}

absl::Status ProjectionRunner::Stopped() const {
  return Unavailable(reason::kReadModelStopped,
                     absl::StrFormat("projection %s has stopped at an error; its status tells which", type_->name),
                     {{"projection", type_->name}});
}

void ProjectionRunner::Start() {
  // Watches before it pulls for the first time: what becomes durable in between is in the pull or hinted at.
  watch_ = store_.WatchDurable([this, scope = steps_.scope()]() mutable { Wake(scope.Enter()); });
  steps_.Post([this] { Begin(); });
}

void ProjectionRunner::Begin() {
  const ReadModelVersions& versions = queried_->versions();
  if (versions.paused) {
    progress_.End(Paused());
    steps_.Tell(LogLevel::kWarning, "projection is paused");
  }
  if (queried_->waits_for_next()) {
    queried_->TellAnew(queried_->built_anew_because());
    build_->BeginSuccessor();
  } else if (versions.building != 0 && !versions.held) {
    build_->Begin(versions.building, VersionUse::kSwap).IgnoreError();  // it is asked for again, or at the next start
  }
  HeedDrops();
  RunBatch();
}

// Has a batch run after this moment. A hint that comes while one runs leads to another, because the flag is down by
// then.
void ProjectionRunner::Wake(std::optional<TaskScope::Guard> guard) {
  if (!guard.has_value() || batch_posted_.exchange(true)) return;
  stall_watch_.Begin();
  const absl::Duration rest = progress_.is_awaited() ? absl::ZeroDuration() : pace_.RestAt(options_.clock->Now());
  if (rest > absl::ZeroDuration()) return RestFor(rest);
  PostBatch(*std::move(guard));
}

void ProjectionRunner::PostBatch(TaskScope::Guard guard) {
  steps_.PostEntered(std::move(guard), [this] {
    batch_posted_ = false;
    RunBatch();
  });
}

// The batch that Wake asks for comes later, or as soon as somebody waits for it.
void ProjectionRunner::RestFor(absl::Duration rest) {
  rests_ = true;
  rest_timer_.Start(rest, [this] { EndRest(); });
  if (progress_.is_awaited()) EndRest();
}

void ProjectionRunner::EndRest() {
  if (!rests_.exchange(false)) return;
  if (std::optional<TaskScope::Guard> guard = steps_.Enter(); guard.has_value()) PostBatch(*std::move(guard));
}

bool ProjectionRunner::runs() const {
  return queried_->live() != nullptr && error_.ok() && !queried_->versions().paused;
}

void ProjectionRunner::RunBatch() {
  awaits_reading_ = false;
  if (steps_.closed() || !runs()) return;
  EventFolder& live = *queried_->live();
  const std::size_t parked = live.parked_keys().size();
  const absl::Time began = options_.clock->Now();
  // Far behind, nobody waits for the single event.
  const std::uint64_t lag = EventsBefore(store_.DurableHead()) - EventsBefore(live.position());
  is_far_ = lag > (is_far_ ? options_.max_batch_events : options_.max_rebuild_batch_events);
  reads_ahead_ = is_far_ && (reads_ahead_ || lag > kBatchesToReadAhead * options_.max_rebuild_batch_events);
  if (reads_ahead_) {
    const absl::StatusOr<bool> has_read = live.AwaitReadAhead(
        EventFolder::Audience::kQueries, [this, scope = steps_.scope()]() mutable { Wake(scope.Enter()); });
    if (!has_read.ok()) return Stop(has_read.status());
    if (!*has_read) return AwaitReading(live);
  }
  const absl::StatusOr<PullResult> folded = is_far_ ? FoldFar(live) : live.FoldBatch(options_.max_batch_events);
  if (!folded.ok()) return Stop(folded.status());
  failures_ = 0;
  if (live.parked_keys().size() > parked) {
    steps_.Tell(LogLevel::kWarning, "projection has parked events that it cannot handle",
                {{"parked_keys", absl::StrFormat("%d", live.parked_keys().size())}});
  }
  if (folded->moved) Publish();
  pace_.Ran(began, folded->caught_up ? folded->events : 0);
  // What was read ahead had caught up when it was read: a hint that has come since has been taken for this batch.
  if (reads_ahead_ || !folded->caught_up) Wake(steps_.Enter());
}

// The hint that there is more comes by itself, unless the reading ends with what is held: see Publish.
void ProjectionRunner::AwaitReading(EventFolder& live) {
  awaits_reading_ = true;
  const bool is_awaited = live.holds() && progress_.WouldAnswer(live.position());
  const absl::Status committed = is_awaited ? live.CommitHeld() : absl::OkStatus();
  if (!committed.ok()) return Stop(committed);
  if (is_awaited) Publish();
}

absl::StatusOr<PullResult> ProjectionRunner::FoldFar(EventFolder& live) {
  const absl::Time now = options_.clock->Now();
  if (!live.holds()) held_since_ = now;
  const absl::Duration held = now - held_since_;  // less than nothing where the clock has stepped back
  const bool holds = held >= absl::ZeroDuration() && held < kLongestHeld;
  const std::size_t max_events = options_.max_rebuild_batch_events;
  absl::StatusOr<PullResult> folded = reads_ahead_ ? live.FoldAhead(EventFolder::Audience::kQueries, max_events, holds)
                                                   : live.FoldFarBatch(max_events, holds);
  if (folded.ok() && live.holds() && progress_.WouldAnswer(live.position())) {
    EVERFOLD_RETURN_IF_ERROR(live.CommitHeld());
  }
  return folded;
}

// An event that was dropped after a version had applied it is left out by the version that is built anew.
void ProjectionRunner::HeedDrops() {
  if (queried_->live() == nullptr) return;
  const absl::StatusOr<std::string> unheeded = FindUnheededDrops(store_, *type_, *queried_->live());
  if (!unheeded.ok()) {
    return steps_.Tell(LogLevel::kError, "it cannot be told whether dropped events are left out",
                       {{"cause", std::string(unheeded.status().message())}});
  }
  if (unheeded->empty()) return;
  queried_->TellAnew(*unheeded);
  build_->Begin(/*version=*/0, VersionUse::kSwap).IgnoreError();  // the next start finds it again
}

// Shows what is committed by now, and answers who has waited for it. Whatever may have moved the queried version may
// have ended its reading ahead, and with it the hint that it waits for.
void ProjectionRunner::Publish() {
  if (std::exchange(awaits_reading_, false)) Wake(steps_.Enter());
  Show();
  if (const std::optional<Checkpoint> checkpoint = queried_->checkpoint(); checkpoint.has_value()) {
    progress_.Publish(*checkpoint);
  }
}

void ProjectionRunner::Show() { shown_.Show(*queried_, error_, build_->next()); }

void ProjectionRunner::Stop(const absl::Status& cause) {
  error_ = Error(cause.code(), reason::kReadModelStopped,
                 absl::StrFormat("projection %s stopped: %s", type_->name, std::string(cause.message())),
                 {{"projection", type_->name}});
  ++failures_;
  const bool tries_again = StorageMayRecover(cause);
  const absl::Duration delay =
      BackOff(options_.first_retry, options_.longest_retry, static_cast<std::uint64_t>(failures_));
  Show();
  steps_.Tell(LogLevel::kError, "projection stopped",
              {{"cause", std::string(cause.message())},
               {"next_try", tries_again ? "in " + absl::FormatDuration(delay) : "when it is resumed"}});
  progress_.End(Stopped());
  if (tries_again) TryLater([this] { GoOn(); });
}

// On the strand, after a pause that is the longer the more often it was in vain.
void ProjectionRunner::TryLater(absl::AnyInvocable<void()> step) {
  const absl::Duration delay =
      BackOff(options_.first_retry, options_.longest_retry, static_cast<std::uint64_t>(failures_));
  retry_timer_.Start(delay, [this, step = std::move(step)]() mutable { steps_.Post(std::move(step)); });
}

void ProjectionRunner::EndError() {
  error_ = absl::OkStatus();
  if (!queried_->versions().paused) progress_.Resume();
}

// Ends a stop, if that is possible.
void ProjectionRunner::GoOn() {
  if (steps_.closed() || queried_->waits_for_next()) return;
  if (!error_.ok()) {
    const absl::Status opened = queried_->Reopen();
    if (ReasonOf(opened) == reason::kReadModelDamaged) return BuildAfterDamage(opened);
    if (!opened.ok()) return Stop(opened);
  }
  EndError();
  Publish();
  RunBatch();
}

// As where damage is found at the start.
void ProjectionRunner::BuildAfterDamage(const absl::Status& damage) {
  queried_->FoundDamaged(damage);
  EndError();
  queried_->TellAnew(queried_->built_anew_because());
  Show();
  build_->BeginSuccessor();
}

std::uint64_t ProjectionRunner::lag_events() const {
  const std::uint64_t committed = EventsBefore(progress_.committed());  // before the head, which only grows
  return EventsBefore(store_.DurableHead()) - committed;
}

ProjectionStatus ProjectionRunner::Describe() const {
  const Checkpoint committed = progress_.committed();  // before the head
  const std::uint64_t total = EventsBefore(store_.DurableHead());
  return shown_.Describe(*type_, committed, total, options_.clock->Now());
}

std::uint64_t ProjectionRunner::WaitFor(std::vector<Position> positions, WaitDone done) {
  const std::uint64_t id = progress_.WaitFor(std::move(positions), std::move(done));
  if (progress_.is_awaited()) EndRest();
  return id;
}

void ProjectionRunner::Pause(Done done) {
  steps_.Ask<absl::Status>(std::move(done), [this](Done answer) {
    absl::Status saved = queried_->live() != nullptr ? queried_->live()->CommitHeld() : absl::OkStatus();
    Publish();
    if (saved.ok()) saved = queried_->Save([](ReadModelVersions& versions) { versions.paused = true; });
    if (saved.ok()) {
      progress_.End(Paused());
      steps_.Tell(LogLevel::kInfo, "projection is paused");
    }
    Show();
    steps_.Answer(std::move(answer), std::move(saved));
  });
}

void ProjectionRunner::Resume(Done done) {
  steps_.Ask<absl::Status>(std::move(done), [this](Done answer) {
    absl::Status saved = queried_->Save([](ReadModelVersions& versions) { versions.paused = false; });
    failures_ = 0;
    if (saved.ok()) {
      progress_.Resume();
      steps_.Tell(LogLevel::kInfo, "projection is resumed");
    }
    if (saved.ok() && !queried_->waits_for_next()) GoOn();
    if (saved.ok() && queried_->waits_for_next() && build_->next() == nullptr) {
      error_ = absl::OkStatus();
      build_->BeginSuccessor();
    }
    Show();
    steps_.Answer(std::move(answer), std::move(saved));
  });
}

void ProjectionRunner::Rebuild(Done done) {
  steps_.Ask<absl::Status>(std::move(done), [this](Done answer) { build_->Rebuild(std::move(answer)); });
}

void ProjectionRunner::Compare(CompareDone done) {
  steps_.Ask<absl::StatusOr<VersionComparison>>(std::move(done),
                                                [this](CompareDone answer) { build_->Compare(std::move(answer)); });
}

void ProjectionRunner::Rollback(Done done) {
  steps_.Ask<absl::Status>(std::move(done), [this](Done answer) { build_->Rollback(std::move(answer)); });
}

void ProjectionRunner::CancelRebuild(Done done) {
  steps_.Ask<absl::Status>(std::move(done), [this](Done answer) { build_->Cancel(std::move(answer)); });
}

void ProjectionRunner::Reset(Done done) {
  steps_.Ask<absl::Status>(std::move(done), [this](Done answer) {
    if (build_->next() != nullptr) return steps_.Answer(std::move(answer), build_->IsBuilding());
    steps_.Answer(std::move(answer), ResetFiles());
    RunBatch();
  });
}

// The files of before go when nobody is told of them any more.
absl::Status ProjectionRunner::ResetFiles() {
  EVERFOLD_RETURN_IF_ERROR(queried_->Reset());
  failures_ = 0;
  EndError();
  Publish();
  steps_.Tell(LogLevel::kInfo, "projection is reset", {{"file", queried_->path()}});
  return queried_->Save([](ReadModelVersions& versions) { versions.previous = 0; });
}

void ProjectionRunner::OnSwap(const NextVersion& swapped) {
  failures_ = 0;
  EndError();
  Publish();
  steps_.Tell(LogLevel::kInfo, swapped.is_rollback() ? "projection is rolled back" : "projection was built anew",
              {{"file", queried_->path()}});
}

void ProjectionRunner::AfterSwap() {
  HeedDrops();
  RunBatch();
}

void ProjectionRunner::OnCannotGoOn(const absl::Status& why) {
  ++failures_;
  error_ = ReasonOf(why) == reason::kReadModelParksMore
               ? why
               : Error(why.code(), reason::kReadModelStopped,
                       absl::StrFormat("projection %s is not built anew: %s", type_->name, std::string(why.message())),
                       {{"projection", type_->name}});
  Show();
  progress_.End(Stopped());
  if (!StorageMayRecover(why)) return;
  TryLater([this] {
    if (steps_.closed() || !queried_->waits_for_next() || build_->next() != nullptr) return;
    error_ = absl::OkStatus();
    progress_.Resume();
    build_->BeginSuccessor();
  });
}

void ProjectionRunner::ListParked(absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedKey>>)> done) {
  parked_->List(std::move(done));
}

void ProjectionRunner::ListParkedEvents(std::string key, std::size_t limit,
                                        absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedEvent>>)> done) {
  parked_->ListEvents(std::move(key), limit, std::move(done));
}

void ProjectionRunner::RetryParked(std::string key, RetryDone done) { parked_->Retry(std::move(key), std::move(done)); }

void ProjectionRunner::DropParked(std::string key, std::optional<StreamId> stream, Version version, std::string reason,
                                  RetryDone done) {
  parked_->Drop(std::move(key), std::move(stream), version, std::move(reason), std::move(done));
}

void ProjectionRunner::Close(Task done) {
  watch_.reset();
  retry_timer_.Stop();
  rest_timer_.Stop();
  build_->StopTrying();
  stall_watch_.Stop();
  progress_.Close(steps_.Closing());
  steps_.Post([this] { build_->TellClosing(); });
  steps_.Close(std::move(done));
}

}  // namespace everfold

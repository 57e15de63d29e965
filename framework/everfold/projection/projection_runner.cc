#include "everfold/projection/projection_runner.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"
#include "everfold/event/event_key.h"
#include "everfold/event/stream_id.h"
#include "everfold/projection/dropped_events.h"
#include "everfold/projection/version_checks.h"

namespace everfold {
namespace {

// Another try may help: the disk was full, or failed.
bool IsWorthAnotherTry(const absl::Status& error) {
  return absl::IsResourceExhausted(error) || absl::IsInternal(error);
}

absl::Duration DelayOf(const ProjectionRunnerOptions& options, int failures) {
  absl::Duration delay = options.first_retry;
  for (int i = 1; i < failures && delay < options.longest_retry; ++i) delay *= 2;
  return std::min(delay, options.longest_retry);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Projection>> ProjectionRunner::Open(ProjectionRunnerOptions options, ProjectionType type,
                                                                   EventStore& store, Executor& executor) {
  auto kept_type = std::make_unique<const ProjectionType>(std::move(type));
  EVERFOLD_ASSIGN_OR_RETURN(ReadModelManifest manifest,
                            ReadModelManifest::Load(*options.files, options.directory + "/" + kept_type->name));
  std::unique_ptr<ProjectionRunner> runner(new ProjectionRunner(std::move(options), std::move(kept_type), store,
                                                                executor, std::move(manifest), BeginningOf(store)));
  EVERFOLD_RETURN_IF_ERROR(runner->OpenFile());
  return runner;
}

ProjectionRunner::ProjectionRunner(ProjectionRunnerOptions options, std::unique_ptr<const ProjectionType> type,
                                   EventStore& store, Executor& executor, ReadModelManifest manifest,
                                   Checkpoint committed)
    : options_(std::move(options)),
      type_(std::move(type)),
      store_(store),
      executor_(executor),
      strand_(executor.MakeStrand()),
      progress_(std::move(committed), executor),
      manifest_(std::move(manifest)) {}

// Hints may outlive it, so it keeps them out even if it was never closed.
ProjectionRunner::~ProjectionRunner() {
  if (!scope_.closed()) scope_.Close([] {});
}

absl::Status ProjectionRunner::Save(const std::function<void(ReadModelVersions&)>& change) {
  ReadModelVersions versions = manifest_.versions();
  change(versions);
  return manifest_.Save(versions);
}

// What is queried first. Damage keeps nothing from starting: all of it is in the log.
absl::Status ProjectionRunner::OpenFile() {
  absl::Status opened = manifest_.damage().ok() ? OpenCurrent() : manifest_.damage();
  if (ReasonOf(opened) == reason::kReadModelDamaged) {
    live_.reset();
    stale_.reset();
    damage_ = std::exchange(opened, absl::OkStatus());
  }
  EVERFOLD_RETURN_IF_ERROR(opened);
  Published();
  return absl::OkStatus();
}

absl::Status ProjectionRunner::OpenCurrent() {
  const bool is_first = manifest_.versions().current == 0;
  if (is_first) {
    EVERFOLD_RETURN_IF_ERROR(Save([](ReadModelVersions& versions) { versions.current = versions.next++; }));
  }
  const ReadModelVersions& versions = manifest_.versions();
  EVERFOLD_ASSIGN_OR_RETURN(auto file,
                            ReadModelFile::Open(manifest_.PathOf(versions.current), *type_, BeginningOf(store_)));
  if (file->fit() == ReadModelFile::Fit::kCurrent) {
    const bool is_anew = file->created() && !is_first;
    EVERFOLD_ASSIGN_OR_RETURN(live_, EventFolder::Open(std::move(file), *type_, store_));
    if (is_anew) TellAnew("its file is missing");
  } else {
    stale_ = std::move(file);
  }
  return absl::OkStatus();
}

// After an error: SQLite's connection, and what was read ahead of the log, begin anew.
absl::Status ProjectionRunner::Reopen() {
  live_.reset();
  EVERFOLD_ASSIGN_OR_RETURN(
      auto file, ReadModelFile::Open(manifest_.PathOf(manifest_.versions().current), *type_, BeginningOf(store_)));
  if (file->fit() != ReadModelFile::Fit::kCurrent) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelFailed,
                 absl::StrFormat("%s was replaced by a file of other code", file->path()));
  }
  EVERFOLD_ASSIGN_OR_RETURN(live_, EventFolder::Open(std::move(file), *type_, store_));
  return absl::OkStatus();
}

absl::Status ProjectionRunner::Closing() const {
  return Unavailable(reason::kShuttingDown, absl::StrFormat("projection %s is closing", type_->name));
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

bool ProjectionRunner::Post(Strand& strand, absl::AnyInvocable<void()> step) {
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return false;
  strand.Post([guard = *std::move(guard), step = std::move(step)]() mutable { step(); });
  return true;
}

template <class Result>
void ProjectionRunner::Answer(absl::AnyInvocable<void(Result)> done, Result result) {
  executor_.Post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
}

template <class Result>
void ProjectionRunner::Ask(absl::AnyInvocable<void(Result)> done,
                           absl::AnyInvocable<void(absl::AnyInvocable<void(Result)>)> work) {
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) {
    return Answer<Result>(std::move(done), Closing());
  }
  strand_->Post(
      [guard = *std::move(guard), done = std::move(done), work = std::move(work)]() mutable { work(std::move(done)); });
}

void ProjectionRunner::Start() {
  // Watches before it pulls for the first time: what becomes durable in between is in the pull or hinted at.
  watch_ = store_.WatchDurable([this, scope = scope_]() mutable { Wake(scope.Enter()); });
  Post(*strand_, [this] { Begin(); });
}

void ProjectionRunner::Begin() {
  const ReadModelVersions& versions = manifest_.versions();
  if (versions.paused) {
    progress_.End(Paused());
    Tell(LogLevel::kWarning, "projection is paused", {{"projection", type_->name}});
  }
  if (waits_for_next()) {
    TellAnew(BuiltAnewBecause());
    BuildStale();
  } else if (versions.building != 0 && !versions.held) {
    StartNext(versions.building, VersionUse::kSwap).IgnoreError();  // it is asked for again, or at the next start
  }
  RunBatch();
}

// What other code has built gets a successor: the version before it, if this code has built that, or a new one. What is
// damaged gets a new one.
void ProjectionRunner::BuildStale() {
  if (const std::uint32_t previous = manifest_.versions().previous; previous != 0 && damage_.ok()) {
    if (StartNext(previous, VersionUse::kRollback).ok()) return;
  }
  StartNext(manifest_.versions().building, VersionUse::kSwap).IgnoreError();  // CannotGoOn has told
}

// Has a batch run after this moment. A hint that comes while one runs leads to another, because the flag is down by
// then.
void ProjectionRunner::Wake(std::optional<TaskScope::Guard> guard) {
  if (!guard.has_value() || batch_posted_.exchange(true)) return;
  if (!stall_watched_.exchange(true)) WatchForStall();
  const absl::Duration rest = progress_.is_awaited() ? absl::ZeroDuration() : pace_.RestAt(options_.clock->Now());
  if (rest > absl::ZeroDuration()) return RestFor(rest);
  PostBatch(*std::move(guard));
}

void ProjectionRunner::PostBatch(TaskScope::Guard guard) {
  strand_->Post([this, guard = std::move(guard)] {
    batch_posted_ = false;
    RunBatch();
  });
}

// The batch that Wake asks for comes later, or as soon as somebody waits for it.
void ProjectionRunner::RestFor(absl::Duration rest) {
  rests_ = true;
  {
    MutexLock lock(&mutex_);
    if (scope_.closed()) return;
    rest_timer_ = executor_.PostAfter(rest, [this, scope = scope_]() mutable {
      std::optional<TaskScope::Guard> guard = scope.Enter();
      if (guard.has_value() && rests_.exchange(false)) PostBatch(*std::move(guard));
    });
  }
  if (progress_.is_awaited()) EndRest();
}

void ProjectionRunner::EndRest() {
  if (!rests_.exchange(false)) return;
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (guard.has_value()) PostBatch(*std::move(guard));
}

std::string ProjectionRunner::BuiltAnewBecause() const {
  if (!damage_.ok()) return std::string(damage_.message());
  if (stale_ == nullptr) return "";
  return stale_->fit() == ReadModelFile::Fit::kUnreadable ? "its read models have changed"
                                                          : "its file was written by other code";
}

bool ProjectionRunner::is_queried() const {
  return stale_ != nullptr ? stale_->fit() == ReadModelFile::Fit::kReadable : damage_.ok();
}

bool ProjectionRunner::runs() const { return live_ != nullptr && error_.ok() && !manifest_.versions().paused; }

void ProjectionRunner::RunBatch() {
  if (scope_.closed() || !runs()) return;
  const std::size_t parked = live_->parked_keys().size();
  const absl::Time began = options_.clock->Now();
  // Far behind, nobody waits for the single event.
  const bool is_far = lag_events() > options_.max_rebuild_batch_events;
  const absl::StatusOr<PullResult> folded =
      live_->FoldBatch(is_far ? options_.max_rebuild_batch_events : options_.max_batch_events);
  if (!folded.ok()) return Stop(folded.status());
  failures_ = 0;
  if (live_->parked_keys().size() > parked) {
    Tell(LogLevel::kWarning, "projection has parked events that it cannot handle",
         {{"projection", type_->name}, {"parked_keys", absl::StrFormat("%d", live_->parked_keys().size())}});
  }
  if (folded->moved) Published();
  pace_.Ran(began, folded->caught_up ? folded->events : 0);
  if (!folded->caught_up) Wake(scope_.Enter());
}

// Shows what is committed by now, and answers who has waited for it.
void ProjectionRunner::Published() {
  Show();
  if (live_ != nullptr) {
    progress_.Publish(live_->checkpoint());
  } else if (stale_ != nullptr && is_queried()) {
    progress_.Publish(stale_->checkpoint());
  }
}

void ProjectionRunner::Show() {
  MutexLock lock(&mutex_);
  shown_.versions = manifest_.versions();
  shown_.error = error_;
  shown_.waits_for_next = waits_for_next();
  shown_.damaged = !damage_.ok();
  shown_.built_anew_because = BuiltAnewBecause();
  shown_.next = next_;
  shown_.path = is_queried() ? manifest_.PathOf(shown_.versions.current) : std::string();
  if (live_ == nullptr) return;
  shown_.checkpoint = live_->checkpoint();
  shown_.tallies = live_->tallies();
  shown_.parked_keys = live_->parked_keys().size();
  shown_.folded_upto = live_->folded_upto();
  shown_.stalled = false;
}

void ProjectionRunner::Stop(const absl::Status& cause) {
  error_ = Error(cause.code(), reason::kReadModelStopped,
                 absl::StrFormat("projection %s stopped: %s", type_->name, std::string(cause.message())),
                 {{"projection", type_->name}});
  ++failures_;
  const bool tries_again = IsWorthAnotherTry(cause);
  const absl::Duration delay = DelayOf(options_, failures_);
  Show();
  Tell(LogLevel::kError, "projection stopped",
       {{"projection", type_->name},
        {"cause", std::string(cause.message())},
        {"next_try", tries_again ? "in " + absl::FormatDuration(delay) : "when it is resumed"}});
  progress_.End(Stopped());
  if (tries_again) TryLater([this] { Go(); });
}

// On the strand, after a pause that is the longer the more often it was in vain.
void ProjectionRunner::TryLater(absl::AnyInvocable<void()> step) {
  MutexLock lock(&mutex_);
  if (scope_.closed()) return;
  retry_timer_ =
      executor_.PostAfter(DelayOf(options_, failures_), [this, scope = scope_, step = std::move(step)]() mutable {
        if (std::optional<TaskScope::Guard> guard = scope.Enter(); guard.has_value()) {
          strand_->Post([guard = std::move(guard), step = std::move(step)]() mutable { step(); });
        }
      });
}

// Ends a stop, if that is possible.
void ProjectionRunner::Go() {
  if (scope_.closed() || waits_for_next()) return;
  if (!error_.ok()) {
    const absl::Status opened = Reopen();
    if (ReasonOf(opened) == reason::kReadModelDamaged) return BuildAfterDamage(opened);
    if (!opened.ok()) return Stop(opened);
    error_ = absl::OkStatus();
  }
  if (!manifest_.versions().paused) progress_.Resume();
  Published();
  RunBatch();
}

// As where damage is found at the start.
void ProjectionRunner::BuildAfterDamage(const absl::Status& damage) {
  damage_ = damage;
  error_ = absl::OkStatus();
  if (!manifest_.versions().paused) progress_.Resume();
  TellAnew(BuiltAnewBecause());
  Show();
  BuildStale();
}

void ProjectionRunner::WatchForStall() {
  MutexLock lock(&mutex_);
  if (scope_.closed()) return;
  stall_timer_ = executor_.PostAfter(options_.stall_after, [this, scope = scope_]() mutable {
    const std::optional<TaskScope::Guard> guard = scope.Enter();
    if (guard.has_value()) LookForStall();
  });
}

// On any thread: the strand may be what hangs. Looked for as long as there is something to do; it has stalled if it was
// behind at the last look, too, and has not moved since.
void ProjectionRunner::LookForStall() {
  const std::uint64_t committed = EventsBefore(progress_.committed());
  const std::uint64_t lag = EventsBefore(store_.DurableHead()) - committed;
  bool began = false;
  {
    MutexLock lock(&mutex_);
    const bool should_move = lag > 0 && !shown_.waits_for_next && shown_.error.ok() && !shown_.versions.paused;
    if (!should_move) {
      shown_.behind_at.reset();
      stall_watched_ = false;
      return;
    }
    const bool stalled = std::exchange(shown_.behind_at, committed) == committed;
    began = stalled && !shown_.stalled;
    shown_.stalled = stalled;
  }
  if (began) {
    Tell(LogLevel::kWarning, "projection does not move",
         {{"projection", type_->name}, {"events_behind", absl::StrFormat("%d", lag)}});
  }
  WatchForStall();
}

std::string ProjectionRunner::path() const {
  MutexLock lock(&mutex_);
  return shown_.path;
}

absl::Status ProjectionRunner::status() const {
  MutexLock lock(&mutex_);
  return shown_.error;
}

std::uint64_t ProjectionRunner::lag_events() const {
  const std::uint64_t committed = EventsBefore(progress_.committed());  // before the head, which only grows
  return EventsBefore(store_.DurableHead()) - committed;
}

ProjectionStatus ProjectionRunner::Describe() const {
  ProjectionStatus status{.name = type_->name, .revision = type_->revision};
  status.checkpoint = progress_.committed();
  const std::uint64_t total = EventsBefore(store_.DurableHead());
  const absl::Time now = options_.clock->Now();
  status.lag_events = total - EventsBefore(status.checkpoint);
  MutexLock lock(&mutex_);
  if (shown_.waits_for_next) status.state = shown_.damaged ? ProjectionState::kDamaged : ProjectionState::kStale;
  if (shown_.versions.paused) status.state = ProjectionState::kPaused;
  if (!shown_.error.ok()) status.state = ProjectionState::kStopped;
  status.error = shown_.error;
  status.built_anew_because = shown_.built_anew_because;
  status.stalled = shown_.stalled;
  status.version = shown_.path.empty() ? 0 : shown_.versions.current;
  status.previous = shown_.versions.previous;
  if (status.lag_events > 0 && shown_.folded_upto != absl::InfinitePast()) {
    status.lag = std::max(now - shown_.folded_upto, absl::ZeroDuration());
  }
  if (!shown_.tallies.empty()) status.checkpoint = shown_.checkpoint;  // of the same moment
  status.tallies = shown_.tallies;
  status.parked_keys = shown_.parked_keys;
  if (shown_.next != nullptr) status.rebuild = shown_.next->Describe(total, now);
  return status;
}

std::uint64_t ProjectionRunner::WaitFor(std::vector<Position> positions, WaitDone done) {
  const std::uint64_t id = progress_.WaitFor(std::move(positions), std::move(done));
  if (progress_.is_awaited()) EndRest();
  return id;
}

void ProjectionRunner::Pause(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    absl::Status saved = Save([](ReadModelVersions& versions) { versions.paused = true; });
    if (saved.ok()) {
      progress_.End(Paused());
      Tell(LogLevel::kInfo, "projection is paused", {{"projection", type_->name}});
    }
    Show();
    Answer(std::move(answer), std::move(saved));
  });
}

void ProjectionRunner::Resume(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    absl::Status saved = Save([](ReadModelVersions& versions) { versions.paused = false; });
    failures_ = 0;
    if (saved.ok()) {
      progress_.Resume();
      Tell(LogLevel::kInfo, "projection is resumed", {{"projection", type_->name}});
    }
    if (saved.ok() && !waits_for_next()) Go();
    if (saved.ok() && waits_for_next() && next_ == nullptr) {
      error_ = absl::OkStatus();
      BuildStale();
    }
    Show();
    Answer(std::move(answer), std::move(saved));
  });
}

void ProjectionRunner::Rebuild(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    if (next_ != nullptr && next_->is_rollback() && waits_for_next()) return RebuildAfter(*next_, std::move(answer));
    AwaitNext(StartNext(manifest_.versions().building, VersionUse::kSwap), std::move(answer));
  });
}

void ProjectionRunner::Compare(CompareDone done) {
  using Result = absl::StatusOr<VersionComparison>;
  Ask<Result>(std::move(done), [this](CompareDone answer) {
    absl::Status started = CheckFolds();
    if (started.ok() && !runs()) {
      started = Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                      absl::StrFormat("projection %s is paused or has stopped; resume it first", type_->name));
    }
    if (started.ok()) started = StartNext(manifest_.versions().building, VersionUse::kComparison);
    if (!started.ok()) return Answer<Result>(std::move(answer), started);
    next_->waiting_for_comparison.push_back(std::move(answer));
  });
}

void ProjectionRunner::Reset(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    if (next_ != nullptr) return Answer(std::move(answer), IsBuilding());
    Answer(std::move(answer), BeginAgain());
    RunBatch();
  });
}

// The empty file is there before anything else changes; those of before go when nobody is told of them any more.
absl::Status ProjectionRunner::BeginAgain() {
  const std::uint32_t version = manifest_.versions().next;
  EVERFOLD_ASSIGN_OR_RETURN(auto file, ReadModelFile::Open(manifest_.PathOf(version), *type_, BeginningOf(store_)));
  EVERFOLD_ASSIGN_OR_RETURN(auto folder, EventFolder::Open(std::move(file), *type_, store_));
  EVERFOLD_RETURN_IF_ERROR(folder->MakeDurable());
  EVERFOLD_RETURN_IF_ERROR(Save([this, version](ReadModelVersions& versions) {
    const std::uint32_t before = damage_.ok() ? versions.current : 0;
    versions = {.current = version, .previous = before, .next = version + 1, .paused = versions.paused};
  }));
  live_ = std::move(folder);
  stale_.reset();
  damage_ = absl::OkStatus();
  error_ = absl::OkStatus();
  failures_ = 0;
  if (!manifest_.versions().paused) progress_.Resume();
  Published();
  Tell(LogLevel::kInfo, "projection is reset", {{"projection", type_->name}, {"file", live_->path()}});
  return Save([](ReadModelVersions& versions) { versions.previous = 0; });
}

// Nobody asked for what is on its way: it is to be the first version that this code can go on with.
void ProjectionRunner::RebuildAfter(NextVersion& next, Done done) {
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return Answer(std::move(done), Closing());
  next.waiting.push_back([this, guard = *std::move(guard), done = std::move(done)](const absl::Status& status) mutable {
    if (!status.ok()) return done(status);
    Rebuild(std::move(done));
  });
}

void ProjectionRunner::Rollback(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    const std::uint32_t previous = manifest_.versions().previous;
    if (previous != 0) return AwaitNext(StartNext(previous, VersionUse::kRollback), std::move(answer));
    Answer(std::move(answer), Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                                    absl::StrFormat("projection %s has no version before this one", type_->name)));
  });
}

absl::Status ProjectionRunner::IsBuilding() const {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelRebuilding,
               absl::StrFormat("projection %s is building version %d already", type_->name, next_->version()));
}

// `version` 0: a new one. OK if it is on its way.
absl::Status ProjectionRunner::StartNext(std::uint32_t version, VersionUse use) {
  if (next_ != nullptr) return next_->use() == use ? absl::OkStatus() : IsBuilding();
  if (version == 0) version = manifest_.versions().next;
  absl::StatusOr<std::unique_ptr<EventFolder>> folder = OpenNext(version, use);
  if (!folder.ok()) {
    if (waits_for_next() && use != VersionUse::kRollback) CannotGoOn(folder.status());
    return folder.status();
  }
  next_ =
      std::make_shared<NextVersion>(version, use, *std::move(folder), executor_.MakeStrand(), options_.clock->Now());
  Show();
  Post(next_->strand(), [this, next = next_] { RunNext(next); });
  return absl::OkStatus();
}

void ProjectionRunner::AwaitNext(const absl::Status& started, Done done) {
  if (!started.ok()) return Answer(std::move(done), absl::Status(started));
  next_->waiting.push_back(std::move(done));
}

// There is nothing that events could be folded into, and the next version cannot be built.
void ProjectionRunner::CannotGoOn(const absl::Status& why) {
  ++failures_;
  error_ = ReasonOf(why) == reason::kReadModelParksMore
               ? why
               : Error(why.code(), reason::kReadModelStopped,
                       absl::StrFormat("projection %s is not built anew: %s", type_->name, std::string(why.message())),
                       {{"projection", type_->name}});
  Show();
  progress_.End(Stopped());
  if (!IsWorthAnotherTry(why)) return;
  TryLater([this] {
    if (scope_.closed() || !waits_for_next() || next_ != nullptr) return;
    error_ = absl::OkStatus();
    progress_.Resume();
    BuildStale();
  });
}

// A version that was begun goes on, unless it is of other code by now: then a new one is begun.
absl::StatusOr<std::unique_ptr<EventFolder>> ProjectionRunner::OpenNext(std::uint32_t& version, VersionUse use) {
  const bool rollback = use == VersionUse::kRollback;
  absl::StatusOr<std::unique_ptr<ReadModelFile>> opened =
      ReadModelFile::Open(manifest_.PathOf(version), *type_, BeginningOf(store_));
  // What was begun and is damaged is no loss.
  if (absl::IsDataLoss(opened.status()) && !rollback && version == manifest_.versions().building) {
    version = manifest_.versions().next;
    opened = ReadModelFile::Open(manifest_.PathOf(version), *type_, BeginningOf(store_));
  }
  EVERFOLD_RETURN_IF_ERROR(opened.status());
  std::unique_ptr<ReadModelFile> file = *std::move(opened);
  const bool fits = file->fit() == ReadModelFile::Fit::kCurrent;
  if (rollback && !fits) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                 absl::StrFormat("version %d of projection %s was built by other code; start the binary that built it",
                                 version, type_->name));
  }
  if (!rollback && !fits) {
    file.reset();
    version = manifest_.versions().next;
    EVERFOLD_ASSIGN_OR_RETURN(file, ReadModelFile::Open(manifest_.PathOf(version), *type_, BeginningOf(store_)));
  }
  if (!rollback) {
    EVERFOLD_RETURN_IF_ERROR(Save([version = version, use](ReadModelVersions& versions) {
      versions.building = version;
      versions.held = use == VersionUse::kComparison;
      versions.next = std::max(versions.next, version + 1);
    }));
  }
  return EventFolder::Open(std::move(file), *type_, store_);
}

void ProjectionRunner::RunNext(const Next& next) {
  if (scope_.closed() || next->cancelled()) return;
  const absl::StatusOr<PullResult> folded = next->Fold(options_.max_rebuild_batch_events);
  if (!folded.ok()) return RetryNext(next, folded.status());
  next->failures = 0;
  if (folded->caught_up) {
    Post(*strand_, [this, next] { CaughtUp(next); });
  } else {
    Post(next->strand(), [this, next] { RunNext(next); });
  }
}

void ProjectionRunner::RetryNext(const Next& next, const absl::Status& error) {
  if (!IsWorthAnotherTry(error)) {
    Post(*strand_, [this, next, error] { GiveUp(next, error); });
    return;
  }
  next->Failed(error);
  const absl::Duration delay = DelayOf(options_, ++next->failures);
  Tell(LogLevel::kError, "projection cannot be built",
       {{"projection", type_->name},
        {"cause", std::string(error.message())},
        {"next_try", "in " + absl::FormatDuration(delay)}});
  MutexLock lock(&mutex_);
  if (scope_.closed()) return;
  next_timer_ = executor_.PostAfter(delay, [this, scope = scope_, next]() mutable {
    if (std::optional<TaskScope::Guard> guard = scope.Enter(); guard.has_value()) {
      next->strand().Post([this, guard = std::move(guard), next] { RunNext(next); });
    }
  });
}

void ProjectionRunner::CaughtUp(const Next& next) {
  if (scope_.closed() || next->cancelled()) return;
  next->use() == VersionUse::kComparison ? BeginComparison(next) : Swap(next);
}

// While it is looked at, the current one does not move: both are on this strand now.
void ProjectionRunner::Swap(const Next& next) {
  const Checkpoint met = progress_.committed();
  absl::Status status = BringTo(met, *next, options_.max_rebuild_batch_events);
  if (status.ok() && is_queried()) {
    const absl::StatusOr<absl::flat_hash_set<std::string>> parked = KeysParkedNow();
    status = parked.ok() ? CheckParksNoMore(type_->name, *next, *parked, met) : parked.status();
  }
  if (status.ok()) status = next->folder->MakeDurable();  // before anything names it
  if (status.ok()) {
    status = Save([this, &next](ReadModelVersions& versions) {
      // What is damaged is of no use; the version before it may be.
      if (damage_.ok()) versions.previous = versions.current;
      versions.current = next->version();
      if (versions.previous == versions.current) versions.previous = 0;
      if (!next->is_rollback()) {
        versions.building = 0;
        versions.held = false;
      }
    });
  }
  if (!status.ok()) return GiveUp(next, status);
  live_ = std::move(next->folder);
  stale_.reset();
  damage_ = absl::OkStatus();
  error_ = absl::OkStatus();
  failures_ = 0;
  next_.reset();
  if (!manifest_.versions().paused) progress_.Resume();
  Published();
  Tell(LogLevel::kInfo, next->is_rollback() ? "projection is rolled back" : "projection was built anew",
       {{"projection", type_->name}, {"file", live_->path()}});
  Finish(*next, absl::OkStatus());
  RunBatch();
}

// Both are on this strand until the rows of the moment are held fast; then the current one goes on.
void ProjectionRunner::BeginComparison(const Next& next) {
  if (!runs()) {
    return GiveUp(next, Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                              absl::StrFormat("projection %s is paused or has stopped", type_->name)));
  }
  VersionComparison comparison{.before = manifest_.versions().current, .after = next->version()};
  const absl::StatusOr<std::uint64_t> events = BringToSameEvents(*live_, *next, options_.max_rebuild_batch_events);
  Published();
  if (!events.ok()) return GiveUp(next, events.status());
  comparison.events = *events;
  const auto stop = [scope = scope_, next] { return scope.closed() || next->cancelled(); };
  auto begun = RowComparison::Begin(live_->path(), next->folder->path(), type_->read_models, stop);
  if (!begun.ok()) return GiveUp(next, begun.status());
  Post(next->strand(), [this, next, rows = *std::move(begun), comparison = std::move(comparison)]() mutable {
    absl::StatusOr<std::vector<TableDifference>> tables = rows->Run();
    rows.reset();
    absl::StatusOr<VersionComparison> result = std::move(comparison);
    if (tables.ok()) result->tables = *std::move(tables);
    if (!tables.ok()) result = tables.status();
    Post(*strand_, [this, next, result = std::move(result)] { EndComparison(next, result); });
  });
}

// The version is kept, for a Rebuild.
void ProjectionRunner::EndComparison(const Next& next, const absl::StatusOr<VersionComparison>& comparison) {
  if (next_ != next || next->cancelled()) return;
  if (!comparison.ok()) return GiveUp(next, comparison.status());
  next->folder.reset();
  next_.reset();
  Show();
  for (CompareDone& done : std::exchange(next->waiting_for_comparison, {})) {
    Answer<absl::StatusOr<VersionComparison>>(std::move(done), comparison);
  }
}

// Of what is queried. REQUIRES: there is something.
absl::StatusOr<absl::flat_hash_set<std::string>> ProjectionRunner::KeysParkedNow() const {
  if (live_ != nullptr) return live_->parked_keys();
  absl::StatusOr<std::vector<ParkedKey>> keys;
  if (stale_ != nullptr) {
    keys = stale_->parked().Keys();
  } else {  // it could not be opened again after an error, and is queried all the same
    EVERFOLD_ASSIGN_OR_RETURN(const auto file, ReadModelFile::Open(manifest_.PathOf(manifest_.versions().current),
                                                                   *type_, BeginningOf(store_)));
    if (file->fit() == ReadModelFile::Fit::kUnreadable) return absl::flat_hash_set<std::string>();
    keys = file->parked().Keys();
  }
  EVERFOLD_RETURN_IF_ERROR(keys.status());
  absl::flat_hash_set<std::string> parked;
  for (const ParkedKey& key : *keys) parked.insert(key.key);
  return parked;
}

// Tells those who wait for it, once.
void ProjectionRunner::Finish(NextVersion& next, const absl::Status& status) {
  for (Done& done : std::exchange(next.waiting, {})) Answer(std::move(done), absl::Status(status));
  for (CompareDone& done : std::exchange(next.waiting_for_comparison, {})) {
    Answer<absl::StatusOr<VersionComparison>>(std::move(done), status);
  }
}

void ProjectionRunner::GiveUp(const Next& next, const absl::Status& why) {
  if (next_ != next) return;
  next->Cancel();
  next->folder.reset();
  next_.reset();
  // What is begun and failed at the disk goes on at the next Rebuild.
  // If this fails, too, the next start goes on with it.
  if (!next->is_rollback() && !IsWorthAnotherTry(why)) ForgetNext().IgnoreError();
  if (waits_for_next()) CannotGoOn(why);
  Show();
  Tell(absl::IsCancelled(why) ? LogLevel::kInfo : LogLevel::kError, "projection was not built anew",
       {{"projection", type_->name}, {"cause", std::string(why.message())}});
  Finish(*next, why);
}

absl::Status ProjectionRunner::ForgetNext() {
  return Save([](ReadModelVersions& versions) {
    versions.building = 0;
    versions.held = false;
  });
}

void ProjectionRunner::CancelRebuild(Done done) {
  Ask<absl::Status>(std::move(done), [this](Done answer) {
    if (next_ == nullptr && manifest_.versions().held) return Answer(std::move(answer), ForgetNext());
    if (next_ == nullptr || waits_for_next()) {
      const char* const why = next_ == nullptr ? "is not being built" : "cannot go on without what is being built";
      return Answer(std::move(answer), Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                                             absl::StrFormat("projection %s %s", type_->name, why)));
    }
    next_->Cancel();
    std::optional<TaskScope::Guard> guard = scope_.Enter();
    if (!guard.has_value()) return Answer(std::move(answer), Closing());
    // After the batch that may be under way.
    next_->strand().Post([this, guard = *std::move(guard), next = next_, answer = std::move(answer)]() mutable {
      strand_->Post([this, guard = std::move(guard), next, answer = std::move(answer)]() mutable {
        GiveUp(next, Error(absl::StatusCode::kCancelled, reason::kReadModelRebuilding,
                           absl::StrFormat("version %d of projection %s was given up", next->version(), type_->name)));
        const bool is_forgotten = next->is_rollback() || manifest_.versions().building == 0;
        Answer(std::move(answer), is_forgotten ? absl::OkStatus() : ForgetNext());
      });
    });
  });
}

// FAILED_PRECONDITION while there is no file that events are folded into.
absl::Status ProjectionRunner::CheckFolds() const {
  if (live_ != nullptr) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelRebuilding,
               absl::StrFormat("projection %s is being built anew, or has stopped", type_->name));
}

absl::Status ProjectionRunner::CheckParked(const std::string& key) const {
  EVERFOLD_RETURN_IF_ERROR(CheckFolds());
  if (live_->parked_keys().contains(key)) return absl::OkStatus();
  return Error(absl::StatusCode::kNotFound, reason::kNotParked,
               absl::StrFormat("projection %s has no parked key \"%s\"", type_->name, key));
}

void ProjectionRunner::ListParked(absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedKey>>)> done) {
  using Result = absl::StatusOr<std::vector<ParkedKey>>;
  Ask<Result>(std::move(done), [this](absl::AnyInvocable<void(Result)> answer) {
    const absl::Status folds = CheckFolds();
    Answer<Result>(std::move(answer), folds.ok() ? live_->DescribeParked() : Result(folds));
  });
}

void ProjectionRunner::ListParkedEvents(std::string key, std::size_t limit,
                                        absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedEvent>>)> done) {
  using Result = absl::StatusOr<std::vector<ParkedEvent>>;
  Ask<Result>(std::move(done), [this, key = std::move(key), limit](absl::AnyInvocable<void(Result)> answer) {
    const absl::Status parked = CheckParked(key);
    Answer<Result>(std::move(answer), parked.ok() ? live_->ParkedEventsOf(key, limit) : Result(parked));
  });
}

void ProjectionRunner::RetryParked(std::string key, RetryDone done) {
  using Result = absl::StatusOr<std::uint64_t>;
  Ask<Result>(std::move(done), [this, key = std::move(key)](RetryDone answer) {
    absl::Status refused = CheckParked(key);
    if (refused.ok() && keys_being_dropped_.contains(key)) refused = BeingDropped(key);
    Result left = refused.ok() ? live_->Retry(key) : Result(refused);
    if (refused.ok()) Published();
    Answer<Result>(std::move(answer), std::move(left));
  });
}

absl::Status ProjectionRunner::BeingDropped(const std::string& key) const {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kNotParked,
               absl::StrFormat("an event of \"%s\" is being dropped from projection %s", key, type_->name));
}

void ProjectionRunner::DropParked(std::string key, std::optional<StreamId> stream, Version version, std::string reason,
                                  RetryDone done) {
  using Result = absl::StatusOr<std::uint64_t>;
  if (absl::Status valid = ValidateName(reason, kMaxDropReasonBytes, "the reason"); !valid.ok()) {
    return Answer<Result>(std::move(done), std::move(valid));
  }
  Ask<Result>(std::move(done),
              [this, key = std::move(key), stream = std::move(stream), version, reason = std::move(reason)](
                  RetryDone answer) { DropFirst(key, stream, version, reason, std::move(answer)); });
}

absl::StatusOr<ParkedEvent> ProjectionRunner::FirstOf(const std::string& key) {
  EVERFOLD_RETURN_IF_ERROR(CheckParked(key));
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<ParkedEvent> events, live_->ParkedEventsOf(key, 1));
  if (!events.empty()) return std::move(events.front());
  return Error(absl::StatusCode::kDataLoss, reason::kReadModelDamaged,
               absl::StrFormat("%s: key \"%s\" is parked without an event", live_->path(), key));
}

absl::Status ProjectionRunner::CheckDrop(const ParkedEvent& first, const std::optional<StreamId>& stream,
                                         Version version) const {
  if (keys_being_dropped_.contains(first.key)) return BeingDropped(first.key);
  if (first.version == version && first.stream == stream.value_or(first.stream)) return absl::OkStatus();
  const std::string asked_for = stream.has_value() ? ShownText(KeyOfStream(*stream)) + " " : "";
  return Error(
      absl::StatusCode::kFailedPrecondition, reason::kNotParked,
      absl::StrFormat("the first event that waits with \"%s\" is %s version %d, not %sversion %d; look at it, "
                      "and ask again",
                      first.key, KeyOfStream(first.stream), first.version.value(), asked_for, version.value()));
}

void ProjectionRunner::DropFirst(const std::string& key, const std::optional<StreamId>& stream, Version version,
                                 const std::string& reason, RetryDone done) {
  const absl::StatusOr<ParkedEvent> first = FirstOf(key);
  const absl::Status allowed = first.ok() ? CheckDrop(*first, stream, version) : first.status();
  const absl::StatusOr<std::optional<ParkedKey>> parked = allowed.ok() ? live_->DescribeParked(key) : allowed;
  if (!parked.ok()) return Answer<absl::StatusOr<std::uint64_t>>(std::move(done), parked.status());
  const std::string error = parked->has_value() ? (*parked)->error : "";
  const std::uint64_t behind = parked->has_value() ? (*parked)->events - 1 : 0;
  keys_being_dropped_.insert(key);
  store_.Append(DropOf(type_->name, *first, error, reason),
                [this, scope = scope_, event = NameOf(*first), key, behind,
                 done = std::move(done)](const absl::StatusOr<AppendResult>& appended) mutable {
                  std::optional<TaskScope::Guard> guard = scope.Enter();
                  // It is closed. What is decided is durable, and the next opening applies it.
                  if (!guard.has_value()) {
                    return done(appended.ok() ? absl::StatusOr<std::uint64_t>(behind) : appended.status());
                  }
                  strand_->Post([this, guard = std::move(guard), decided = appended.status(), event, key,
                                 done = std::move(done)]() mutable {
                    keys_being_dropped_.erase(key);
                    if (!decided.ok()) return done(std::move(decided));
                    ApplyDrop(event, key, std::move(done));
                  });
                });
}

void ProjectionRunner::ApplyDrop(const EventName& event, const std::string& key, RetryDone done) {
  using Result = absl::StatusOr<std::uint64_t>;
  if (next_ != nullptr) next_->Drop(event);
  absl::Status status = CheckFolds();
  if (status.ok()) status = live_->Drop(event);
  if (live_ != nullptr) Published();
  Answer<Result>(std::move(done), status.ok() ? WaitingOf(key) : Result(status));
}

// Events that wait with a key, which need not be parked.
absl::StatusOr<std::uint64_t> ProjectionRunner::WaitingOf(const std::string& key) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::optional<ParkedKey> parked, live_->DescribeParked(key));
  return parked.has_value() ? parked->events : 0;
}

void ProjectionRunner::Close(Task done) {
  watch_.reset();
  {
    MutexLock lock(&mutex_);
    retry_timer_.reset();
    next_timer_.reset();
    rest_timer_.reset();
    stall_timer_.reset();
  }
  progress_.Close(Closing());
  Post(*strand_, [this] {
    if (next_ != nullptr) Finish(*next_, Closing());
  });
  scope_.Close([&executor = executor_, done = std::move(done)]() mutable { executor.Post(std::move(done)); });
}

void ProjectionRunner::TellAnew(const std::string& why) const {
  Tell(damage_.ok() ? LogLevel::kInfo : LogLevel::kError, "projection is built anew",
       {{"projection", type_->name}, {"why", why}});
}

void ProjectionRunner::Tell(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const {
  if (options_.logger != nullptr) options_.logger->Write(level, message, fields);
}

}  // namespace everfold

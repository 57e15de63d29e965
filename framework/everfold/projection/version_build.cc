#include "everfold/projection/version_build.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/retry.h"
#include "everfold/base/status.h"
#include "everfold/projection/version_checks.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

// Nobody queries what is being built.
constexpr auto kIndexes = ReadModelFile::Indexes::kWhenComplete;

}  // namespace

void VersionBuild::BeginSuccessor() {
  const ReadModelVersions& versions = queried_.versions();
  const bool may_go_back = versions.previous != 0 && !queried_.is_damaged() && !queried_.took_ahead();
  if (may_go_back && Begin(versions.previous, VersionUse::kRollback).ok()) return;
  Begin(queried_.versions().building, VersionUse::kSwap).IgnoreError();  // OnCannotGoOn has told
}

absl::Status VersionBuild::IsBuilding() const {
  return Error(absl::StatusCode::kFailedPrecondition, reason::kReadModelRebuilding,
               absl::StrFormat("projection %s is building version %d already", type_.name, next_->version()));
}

absl::Status VersionBuild::Begin(std::uint32_t version, VersionUse use) {
  if (next_ != nullptr) return next_->use() == use ? absl::OkStatus() : IsBuilding();
  if (version == 0) version = queried_.versions().next;
  absl::StatusOr<std::unique_ptr<EventFolder>> folder = Open(version, use);
  if (!folder.ok()) {
    if (queried_.waits_for_next() && use != VersionUse::kRollback) owner_.OnCannotGoOn(folder.status());
    return folder.status();
  }
  (*folder)->ReadAheadBy(steps_.OnStrandOfItsOwn());
  next_ = std::make_shared<NextVersion>(version, use, *std::move(folder), steps_.executor().MakeStrand(),
                                        options_.clock->Now());
  owner_.OnBuild();
  RunOn(next_);
  return absl::OkStatus();
}

// A version that was begun goes on, unless it is of other code by now: then a new one is begun.
absl::StatusOr<std::unique_ptr<EventFolder>> VersionBuild::Open(std::uint32_t& version, VersionUse use) {
  const bool rollback = use == VersionUse::kRollback;
  const Checkpoint beginning = BeginningOf(store_);
  absl::StatusOr<std::unique_ptr<ReadModelFile>> opened =
      ReadModelFile::Open(queried_.PathOf(version), type_, beginning, kIndexes);
  // What was begun and is damaged is no loss.
  if (absl::IsDataLoss(opened.status()) && !rollback && version == queried_.versions().building) {
    version = queried_.versions().next;
    opened = ReadModelFile::Open(queried_.PathOf(version), type_, beginning, kIndexes);
  }
  EVERFOLD_RETURN_IF_ERROR(opened.status());
  std::unique_ptr<ReadModelFile> file = *std::move(opened);
  const bool fits = file->fit() == ReadModelFile::Fit::kCurrent;
  if (rollback && !fits) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                 absl::StrFormat("version %d of projection %s was built by other code; start the binary that built it",
                                 version, type_.name));
  }
  if (!rollback && !fits) {
    file.reset();
    version = queried_.versions().next;
    EVERFOLD_ASSIGN_OR_RETURN(file, ReadModelFile::Open(queried_.PathOf(version), type_, beginning, kIndexes));
  }
  if (!rollback) {
    EVERFOLD_RETURN_IF_ERROR(queried_.Save([version = version, use](ReadModelVersions& versions) {
      versions.building = version;
      versions.held = use == VersionUse::kComparison;
      versions.next = std::max(versions.next, version + 1);
    }));
  }
  file->TellCommits(*steps_.snapshots());  // after a swap back it has readers
  return EventFolder::Open(std::move(file), type_, feed_);
}

void VersionBuild::RunOn(const Next& next) {
  steps_.PostTo(next->strand(), [this, next] { Run(next); });
}

// A step. What it folds is read beside it.
void VersionBuild::Run(const Next& next) {
  if (steps_.closed() || next->cancelled()) return;
  const absl::StatusOr<bool> has_read =
      next->folder->AwaitReadAhead(EventFolder::Audience::kNobody, [this, weak = std::weak_ptr(next)] {
        if (const Next ready = weak.lock(); ready != nullptr) RunOn(ready);
      });
  if (!has_read.ok()) return RetryLater(next, has_read.status());
  if (!*has_read) return;
  const absl::StatusOr<PullResult> folded = next->FoldAhead(options_.max_rebuild_batch_events);
  if (!folded.ok()) return RetryLater(next, folded.status());
  // Made of all rows at once. What has come meanwhile is folded then.
  const auto stop = [scope = steps_.scope(), next] { return scope.closed() || next->cancelled(); };
  const absl::StatusOr<bool> indexed =
      folded->caught_up ? next->folder->MakeIndexes(stop) : absl::StatusOr<bool>(false);
  if (stop()) return;
  if (!indexed.ok()) return RetryLater(next, indexed.status());
  next->failures = 0;
  if (folded->caught_up && !*indexed) {
    steps_.Post([this, next] { CaughtUp(next); });
  } else {
    RunOn(next);
  }
}

void VersionBuild::RetryLater(const Next& next, const absl::Status& error) {
  if (!StorageMayRecover(error)) {
    steps_.Post([this, next, error] { GiveUp(next, error); });
    return;
  }
  next->Failed(error);
  const absl::Duration delay =
      BackOff(options_.first_retry, options_.longest_retry, static_cast<std::uint64_t>(++next->failures));
  steps_.Tell(LogLevel::kError, "projection cannot be built",
              {{"cause", std::string(error.message())}, {"next_try", "in " + absl::FormatDuration(delay)}});
  timer_.Start(delay, [this, next] { RunOn(next); });
}

void VersionBuild::CaughtUp(const Next& next) {
  if (steps_.closed() || next->cancelled()) return;
  next->use() == VersionUse::kComparison ? BeginComparison(next) : Swap(next);
}

// While it is looked at, the current one does not move: both are on this strand now.
absl::Status VersionBuild::CheckSwap(NextVersion& next) const {
  const Checkpoint met = owner_.committed();
  EVERFOLD_RETURN_IF_ERROR(BringTo(met, next, options_.max_rebuild_batch_events));
  if (!queried_.is_queried()) return absl::OkStatus();
  EVERFOLD_ASSIGN_OR_RETURN(const absl::flat_hash_set<std::string> parked, queried_.KeysParked());
  return CheckParksNoMore(type_.name, next, parked, met);
}

void VersionBuild::Swap(const Next& next) {
  absl::Status status = CheckSwap(*next);
  if (status.ok()) status = queried_.SwapIn(*next);
  if (!status.ok()) return GiveUp(next, status);
  next_.reset();
  owner_.OnSwap(*next);
  Finish(*next, absl::OkStatus());
  owner_.AfterSwap();
}

// Both are on this strand until the rows of the moment are held fast; then the current one goes on.
void VersionBuild::BeginComparison(const Next& next) {
  if (!owner_.runs()) {
    return GiveUp(next, Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                              absl::StrFormat("projection %s is paused or has stopped", type_.name)));
  }
  EventFolder& live = *queried_.live();
  VersionComparison comparison{.before = queried_.versions().current, .after = next->version()};
  const absl::StatusOr<std::uint64_t> events = BringToSameEvents(type_, live, *next, options_.max_rebuild_batch_events);
  owner_.OnMoved();
  if (!events.ok()) return GiveUp(next, events.status());
  comparison.events = *events;
  const auto stop = [scope = steps_.scope(), next] { return scope.closed() || next->cancelled(); };
  auto begun = RowComparison::Begin(live.path(), next->folder->path(), type_.read_models, stop);
  if (!begun.ok()) return GiveUp(next, begun.status());
  steps_.PostTo(next->strand(), [this, next, rows = *std::move(begun), comparison = std::move(comparison)]() mutable {
    absl::StatusOr<std::vector<TableDifference>> tables = rows->Run();
    rows.reset();
    absl::StatusOr<VersionComparison> result = std::move(comparison);
    if (tables.ok()) result->tables = *std::move(tables);
    if (!tables.ok()) result = tables.status();
    steps_.Post([this, next, result = std::move(result)] { EndComparison(next, result); });
  });
}

// The version is kept, for a Rebuild.
void VersionBuild::EndComparison(const Next& next, const absl::StatusOr<VersionComparison>& comparison) {
  if (next_ != next || next->cancelled()) return;
  if (!comparison.ok()) return GiveUp(next, comparison.status());
  next->folder.reset();
  next_.reset();
  owner_.OnBuild();
  for (Projection::CompareDone& done : std::exchange(next->waiting_for_comparison, {})) {
    steps_.Answer<absl::StatusOr<VersionComparison>>(std::move(done), comparison);
  }
}

// Tells those who wait for it, once.
void VersionBuild::Finish(NextVersion& next, const absl::Status& status) {
  for (Projection::Done& done : std::exchange(next.waiting, {})) {
    steps_.Answer<absl::Status>(std::move(done), status);
  }
  for (Projection::CompareDone& done : std::exchange(next.waiting_for_comparison, {})) {
    steps_.Answer<absl::StatusOr<VersionComparison>>(std::move(done), status);
  }
}

void VersionBuild::TellClosing() {
  if (next_ != nullptr) Finish(*next_, steps_.Closing());
}

void VersionBuild::GiveUp(const Next& next, const absl::Status& why) {
  if (next_ != next) return;
  next->Cancel();
  next->folder.reset();
  next_.reset();
  // What is begun and failed at the disk goes on at the next Rebuild.
  // If this fails, too, the next start goes on with it.
  if (!next->is_rollback() && !StorageMayRecover(why)) Forget().IgnoreError();
  if (queried_.waits_for_next()) owner_.OnCannotGoOn(why);
  owner_.OnBuild();
  steps_.Tell(absl::IsCancelled(why) ? LogLevel::kInfo : LogLevel::kError, "projection was not built anew",
              {{"cause", std::string(why.message())}});
  Finish(*next, why);
}

absl::Status VersionBuild::Forget() {
  return queried_.Save([](ReadModelVersions& versions) {
    versions.building = 0;
    versions.held = false;
  });
}

void VersionBuild::Await(const absl::Status& begun, Projection::Done done) {
  if (!begun.ok()) return steps_.Answer<absl::Status>(std::move(done), begun);
  next_->waiting.push_back(std::move(done));
}

void VersionBuild::Rebuild(Projection::Done done) {
  if (next_ != nullptr && next_->is_rollback() && queried_.waits_for_next()) {
    return RebuildAfter(*next_, std::move(done));
  }
  Await(Begin(queried_.versions().building, VersionUse::kSwap), std::move(done));
}

// Nobody asked for what is on its way: it is to be the first version that this code can go on with.
void VersionBuild::RebuildAfter(NextVersion& next, Projection::Done done) {
  std::optional<TaskScope::Guard> guard = steps_.Enter();
  if (!guard.has_value()) return steps_.Answer<absl::Status>(std::move(done), steps_.Closing());
  next.waiting.push_back([this, guard = *std::move(guard), done = std::move(done)](const absl::Status& status) mutable {
    if (!status.ok()) return done(status);
    steps_.Ask<absl::Status>(std::move(done), [this](Projection::Done answer) { Rebuild(std::move(answer)); });
  });
}

void VersionBuild::Compare(Projection::CompareDone done) {
  absl::Status begun = queried_.CheckFolds();
  if (begun.ok() && !owner_.runs()) {
    begun = Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                  absl::StrFormat("projection %s is paused or has stopped; resume it first", type_.name));
  }
  if (begun.ok()) begun = Begin(queried_.versions().building, VersionUse::kComparison);
  if (!begun.ok()) return steps_.Answer<absl::StatusOr<VersionComparison>>(std::move(done), begun);
  next_->waiting_for_comparison.push_back(std::move(done));
}

void VersionBuild::Rollback(Projection::Done done) {
  const std::uint32_t previous = queried_.versions().previous;
  if (previous != 0) return Await(Begin(previous, VersionUse::kRollback), std::move(done));
  steps_.Answer<absl::Status>(std::move(done),
                              Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
                                    absl::StrFormat("projection %s has no version before this one", type_.name)));
}

absl::Status VersionBuild::NotOnRequest() const {
  const char* const why = next_ == nullptr ? "is not being built" : "cannot go on without what is being built";
  return Error(absl::StatusCode::kFailedPrecondition, reason::kRequestInvalid,
               absl::StrFormat("projection %s %s", type_.name, why));
}

void VersionBuild::Cancel(Projection::Done done) {
  if (next_ == nullptr && queried_.versions().held) return steps_.Answer<absl::Status>(std::move(done), Forget());
  if (next_ == nullptr || queried_.waits_for_next()) {
    return steps_.Answer<absl::Status>(std::move(done), NotOnRequest());
  }
  next_->Cancel();
  std::optional<TaskScope::Guard> guard = steps_.Enter();
  if (!guard.has_value()) return steps_.Answer<absl::Status>(std::move(done), steps_.Closing());
  // After the batch that may be under way.
  next_->strand().Post([this, guard = *std::move(guard), next = next_, done = std::move(done)]() mutable {
    steps_.PostEntered(std::move(guard), [this, next, done = std::move(done)]() mutable {
      GiveUp(next, Error(absl::StatusCode::kCancelled, reason::kReadModelRebuilding,
                         absl::StrFormat("version %d of projection %s was given up", next->version(), type_.name)));
      const bool is_forgotten = next->is_rollback() || queried_.versions().building == 0;
      steps_.Answer<absl::Status>(std::move(done), is_forgotten ? absl::OkStatus() : Forget());
    });
  });
}

}  // namespace everfold

#include "everfold/process/folded_directory.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/base/unavailable.h"
#include "everfold/event/event_key.h"
#include "everfold/event/event_selection.h"

namespace everfold {
namespace {

constexpr std::size_t kStepsACommit = 32'000;
// The checkpoint of the directory is not worth a transaction for less, where no step was folded.
constexpr std::uint64_t kPassedEvents = 10'000;

void AddTimersSet(const RecordedEvent& event, const v1::ProcessStep& step, std::vector<DueTimer>& set) {
  for (const v1::ProcessTimer& timer : step.open().timers()) {
    if (Version(timer.version()) != event.version) continue;
    set.push_back({.due_micros = absl::ToUnixMicros(TimeOf(timer.due_time())),
                   .instance = KeyOfStream(event.stream.stream),
                   .name = timer.name(),
                   .version = event.version});
  }
}

}  // namespace

FoldedDirectory::FoldedDirectory(std::string path, const ProcessType& type, const EventStore& store, const Clock& clock,
                                 Logger* logger)
    : path_(std::move(path)), type_(type), store_(store), clock_(clock), logger_(logger) {}

absl::Status FoldedDirectory::Open() {
  MutexLock lock(&mutex_);
  return OpenLocked();
}

absl::Status FoldedDirectory::OpenLocked() {
  std::string why;
  EVERFOLD_ASSIGN_OR_RETURN(directory_, ProcessDirectory::Open(path_, type_, BeginningOf(store_), &why));
  if (!why.empty()) Warn("the directory of a process is made anew", why);
  ShowCounts();
  return absl::OkStatus();
}

absl::Status FoldedDirectory::MakeAnew() {
  MutexLock lock(&mutex_);
  directory_.reset();
  steps_.reset();
  ForgetPending();
  ShowCounts();
  EVERFOLD_RETURN_IF_ERROR(ProcessDirectory::Remove(path_));
  Warn("the directory of a process is damaged, and made anew", "");
  return OpenLocked();
}

void FoldedDirectory::ForgetPending() {
  pending_ = {};
  pending_since_.reset();
}

absl::StatusOr<FoldedPiece> FoldedDirectory::Fold() {
  MutexLock lock(&mutex_);
  if (directory_ == nullptr) EVERFOLD_RETURN_IF_ERROR(OpenLocked());
  absl::StatusOr<FoldedPiece> piece = Pull();
  if (!piece.ok()) {
    directory_->Rollback();
    steps_.reset();
    ForgetPending();
  }
  ShowCounts();
  return piece;
}

absl::Status FoldedDirectory::StartReading() {
  EventSelection selection = SelectionOfTypes({v1::ProcessStep::descriptor()->full_name()});
  selection.framework_streams = true;
  EVERFOLD_ASSIGN_OR_RETURN(steps_, Subscription::Start(store_, directory_->checkpoint(), {.selection = selection}));
  return absl::OkStatus();
}

absl::StatusOr<FoldedPiece> FoldedDirectory::Pull() {
  if (steps_ == nullptr) EVERFOLD_RETURN_IF_ERROR(StartReading());
  ProcessDirectory& directory = *directory_;
  FoldedPiece& pending = pending_;
  const std::string aggregate = type_.StreamAggregate();
  v1::ProcessStep step;
  if (!pending_since_.has_value()) pending_since_ = clock_.Now();
  EVERFOLD_ASSIGN_OR_RETURN(
      const PullResult pulled, steps_->Pull(kStepsAPull, [&](const RecordedEvent& event) -> absl::Status {
        if (event.stream.stream.aggregate != aggregate) return absl::OkStatus();
        EVERFOLD_RETURN_IF_ERROR(ReadStep(event, step));
        ++pending.steps;
        AddTimersSet(event, step, pending.timers_set);
        return directory.Apply(event.stream.stream, event.version, step, event.commit.recorded_at);
      }));
  pending.caught_up = pulled.caught_up;
  const bool is_long = pending.steps >= kStepsACommit || clock_.Now() - *pending_since_ >= kLongestTransaction;
  if (!pulled.caught_up && !is_long) return FoldedPiece();
  EVERFOLD_RETURN_IF_ERROR(Commit());
  FoldedPiece whole = std::move(pending);
  ForgetPending();
  return whole;
}

absl::Status FoldedDirectory::Commit() {
  const Checkpoint& upto = steps_->checkpoint();
  const bool is_worth_it =
      pending_.steps > 0 || EventsBefore(upto) >= EventsBefore(directory_->checkpoint()) + kPassedEvents;
  return is_worth_it ? directory_->Commit(upto) : absl::OkStatus();
}

DirectoryCounts FoldedDirectory::counts() const {
  MutexLock lock(&counts_mutex_);
  return counts_;
}

void FoldedDirectory::ShowCounts() {
  MutexLock lock(&counts_mutex_);
  counts_ = directory_ == nullptr ? DirectoryCounts() : directory_->counts();
}

absl::Status FoldedDirectory::Missing() const {
  return Unavailable(reason::kReadModelBehind,
                     absl::StrFormat("the directory of process %s is being made anew", type_.name));
}

absl::StatusOr<std::vector<DueTimer>> FoldedDirectory::TimersAfter(const DueTimer& after, absl::Time until,
                                                                   std::size_t limit) {
  MutexLock lock(&mutex_);
  if (directory_ == nullptr) return Missing();
  return directory_->TimersAfter(after, until, limit);
}

absl::StatusOr<std::vector<OpenInstance>> FoldedDirectory::InstancesAfter(const std::string& key, std::size_t limit) {
  MutexLock lock(&mutex_);
  if (directory_ == nullptr) return Missing();
  return directory_->InstancesAfter(key, limit);
}

absl::StatusOr<std::vector<OpenInstance>> FoldedDirectory::InFlightAfter(const std::string& key, std::size_t limit) {
  MutexLock lock(&mutex_);
  if (directory_ == nullptr) return Missing();
  return directory_->InFlightAfter(key, limit);
}

absl::StatusOr<std::optional<FoundActivity>> FoldedDirectory::FindActivity(const std::string& activity_key) {
  MutexLock lock(&mutex_);
  if (directory_ == nullptr) return Missing();
  return directory_->FindActivity(activity_key);
}

void FoldedDirectory::Warn(std::string_view message, const std::string& cause) const {
  if (logger_ == nullptr) return;
  const LogField fields[] = {{"process", type_.name}, {"file", path_}, {"cause", cause}};
  logger_->Write(LogLevel::kWarning, message, fields);
}

}  // namespace everfold

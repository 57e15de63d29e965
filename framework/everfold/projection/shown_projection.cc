#include "everfold/projection/shown_projection.h"

#include <algorithm>
#include <utility>

#include "everfold/subscription/subscription.h"

namespace everfold {

void ShownProjection::Show(const QueriedVersion& queried, const absl::Status& error,
                           std::shared_ptr<NextVersion> next) {
  MutexLock lock(&mutex_);
  versions_ = queried.versions();
  error_ = error;
  waits_for_next_ = queried.waits_for_next();
  damaged_ = queried.is_damaged();
  built_anew_because_ = queried.built_anew_because();
  next_ = std::move(next);
  path_ = queried.path();
  const EventFolder* const live = queried.live();
  if (live == nullptr) return;
  checkpoint_ = live->checkpoint();
  tallies_ = live->tallies();
  parked_keys_ = live->parked_keys().size();
  folded_upto_ = live->folded_upto();
  stalled_ = false;
}

std::string ShownProjection::path() const {
  MutexLock lock(&mutex_);
  return path_;
}

absl::Status ShownProjection::error() const {
  MutexLock lock(&mutex_);
  return error_;
}

ProjectionStatus ShownProjection::Describe(const ProjectionType& type, const Checkpoint& committed, std::uint64_t total,
                                           absl::Time now) const {
  ProjectionStatus status{.name = type.name, .revision = type.revision};
  status.checkpoint = committed;
  status.lag_events = total - EventsBefore(committed);
  MutexLock lock(&mutex_);
  if (waits_for_next_) status.state = damaged_ ? ProjectionState::kDamaged : ProjectionState::kStale;
  if (versions_.paused) status.state = ProjectionState::kPaused;
  if (!error_.ok()) status.state = ProjectionState::kStopped;
  status.error = error_;
  status.built_anew_because = built_anew_because_;
  status.stalled = stalled_;
  status.version = path_.empty() ? 0 : versions_.current;
  status.previous = versions_.previous;
  if (status.lag_events > 0 && folded_upto_ != absl::InfinitePast()) {
    status.lag = std::max(now - folded_upto_, absl::ZeroDuration());
  }
  if (!tallies_.empty()) status.checkpoint = checkpoint_;  // of the same moment
  status.tallies = tallies_;
  status.parked_keys = parked_keys_;
  if (next_ != nullptr) status.rebuild = next_->Describe(total, now);
  return status;
}

ShownProjection::Look ShownProjection::LookAt(std::uint64_t committed, std::uint64_t lag) {
  MutexLock lock(&mutex_);
  if (lag == 0 || waits_for_next_ || !error_.ok() || versions_.paused) {
    behind_at_.reset();
    return Look::kNothingToDo;
  }
  const bool stalled = std::exchange(behind_at_, committed) == committed;
  const bool was_stalled = std::exchange(stalled_, stalled);
  if (!stalled) return Look::kMoves;
  return was_stalled ? Look::kIsStalled : Look::kHasStalled;
}

}  // namespace everfold

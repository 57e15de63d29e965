#include "everfold/projection/next_version.h"

#include <algorithm>

#include "everfold/base/status.h"

namespace everfold {

bool HasReached(const Checkpoint& checkpoint, const Checkpoint& target) {
  for (std::size_t i = 0; i < target.offsets.size(); ++i) {
    if (checkpoint.offsets[i] < target.offsets[i]) return false;
  }
  return true;
}

void NextVersion::Drop(const EventName& event) {
  MutexLock lock(&mutex_);
  drops_.push_back(event);
}

void NextVersion::Failed(const absl::Status& error) {
  MutexLock lock(&mutex_);
  error_ = error;
}

absl::Status NextVersion::ApplyDrops() {
  std::vector<EventName> drops;
  {
    MutexLock lock(&mutex_);
    drops = drops_;
  }
  for (const EventName& event : drops) EVERFOLD_RETURN_IF_ERROR(folder->Drop(event));
  MutexLock lock(&mutex_);
  drops_.erase(drops_.begin(), drops_.begin() + static_cast<std::ptrdiff_t>(drops.size()));
  return absl::OkStatus();
}

absl::StatusOr<PullResult> NextVersion::Fold(std::size_t max_events) {
  EVERFOLD_RETURN_IF_ERROR(ApplyDrops());
  return Folded(folder->FoldOn(max_events));
}

absl::StatusOr<PullResult> NextVersion::FoldAhead(std::size_t max_events) {
  EVERFOLD_RETURN_IF_ERROR(ApplyDrops());
  return Folded(folder->FoldAhead(EventFolder::Audience::kNobody, max_events));
}

absl::StatusOr<PullResult> NextVersion::Folded(absl::StatusOr<PullResult> folded) {
  events_ = EventsBefore(folder->position());
  if (folded.ok()) Failed(absl::OkStatus());
  return folded;
}

RebuildProgress NextVersion::Describe(std::uint64_t total, absl::Time now) const {
  RebuildProgress progress{.version = version_, .rollback = is_rollback(), .events = events_, .total = total};
  progress.events = std::min(progress.events, total);
  {
    MutexLock lock(&mutex_);
    progress.error = error_;
  }
  const double seconds = absl::ToDoubleSeconds(now - began_);
  const std::uint64_t since = events_ - events_at_beginning_;
  if (seconds <= 0 || since == 0) return progress;
  progress.events_per_second = static_cast<double>(since) / seconds;
  progress.left = absl::Seconds(static_cast<double>(total - progress.events) / progress.events_per_second);
  return progress;
}

}  // namespace everfold

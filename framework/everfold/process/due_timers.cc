#include "everfold/process/due_timers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "everfold/base/status.h"

namespace everfold {

void DueTimers::Clear() {
  timers_.clear();
  known_upto_ = {};
}

absl::Status DueTimers::Fill(ProcessDirectory& directory, absl::Time now) {
  const std::int64_t soon = absl::ToUnixMicros(now + kHorizon / 2);
  if (timers_.size() > most_ / 2 || known_upto_.due_micros > soon) return absl::OkStatus();
  const absl::Time until = now + kHorizon;
  const std::size_t room = most_ - timers_.size();
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<DueTimer> found, directory.TimersAfter(known_upto_, until, room));
  // What is not set in between is smaller than what has the next microsecond.
  known_upto_ = found.size() < room ? DueTimer{.due_micros = absl::ToUnixMicros(until) + 1} : found.back();
  for (DueTimer& timer : found) timers_.insert(std::move(timer));
  return absl::OkStatus();
}

void DueTimers::Add(DueTimer timer) {
  if (timer > known_upto_) return;  // it is read when its time comes
  timers_.insert(std::move(timer));
  while (timers_.size() > most_) {
    timers_.erase(std::prev(timers_.end()));
    known_upto_ = *std::prev(timers_.end());
  }
}

std::optional<DueTimer> DueTimers::TakeDue(absl::Time now) {
  if (timers_.empty() || timers_.begin()->due_micros > absl::ToUnixMicros(now)) return std::nullopt;
  return std::move(timers_.extract(timers_.begin()).value());
}

absl::Time DueTimers::NextLook(absl::Time now) const {
  const absl::Time again = now + kHorizon / 2;
  return timers_.empty() ? again : std::min(again, absl::FromUnixMicros(timers_.begin()->due_micros));
}

}  // namespace everfold

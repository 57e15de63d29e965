#include "everfold/process/due_timers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "everfold/base/status.h"

namespace everfold {

void DueTimers::Clear() {
  timers_.clear();
  known_upto_ = BeforeAll();
}

void DueTimers::KnowUpto(const DueTimer& last) {
  known_upto_ = last;
  known_upto_.version = Version(std::numeric_limits<std::uint64_t>::max());
}

absl::Status DueTimers::Fill(Read read, absl::Time now) {
  const std::int64_t soon = absl::ToUnixMicros(now + horizon_ / 2);
  if (timers_.size() > most_ / 2 || known_upto_.due_micros > soon) return absl::OkStatus();
  const absl::Time until = now + horizon_;
  const std::size_t room = most_ - timers_.size();
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<DueTimer> found, read(known_upto_, until, room));
  // What is not set in between is smaller than what has the next microsecond.
  if (found.size() < room) {
    known_upto_ = {.due_micros = absl::ToUnixMicros(until) + 1};
  } else {
    KnowUpto(found.back());
  }
  for (DueTimer& timer : found) timers_.insert(std::move(timer));
  return absl::OkStatus();
}

void DueTimers::Add(DueTimer timer) {
  if (timer > known_upto_) return;  // it is read when its time comes
  // Set again for the same moment, it takes the place of the one before, whichever is told first.
  const auto same = timers_.lower_bound(
      {.due_micros = timer.due_micros, .instance = timer.instance, .name = timer.name, .version = Version()});
  if (same != timers_.end() && same->due_micros == timer.due_micros && same->instance == timer.instance &&
      same->name == timer.name) {
    if (same->version >= timer.version) return;
    timers_.erase(same);
  }
  timers_.insert(std::move(timer));
  while (timers_.size() > most_) {
    timers_.erase(std::prev(timers_.end()));
    KnowUpto(*std::prev(timers_.end()));
  }
}

std::optional<DueTimer> DueTimers::TakeDue(absl::Time now) {
  if (timers_.empty() || timers_.begin()->due_micros > absl::ToUnixMicros(now)) return std::nullopt;
  return std::move(timers_.extract(timers_.begin()).value());
}

absl::Time DueTimers::NextLook(absl::Time now) const {
  const absl::Time again = now + horizon_ / 2;
  return timers_.empty() ? again : std::min(again, absl::FromUnixMicros(timers_.begin()->due_micros));
}

}  // namespace everfold

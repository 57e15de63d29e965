#include "everfold/base/clock.h"

namespace everfold {

absl::Time SystemClock::Now() const { return absl::Now(); }

ManualClock::ManualClock() : now_(absl::FromCivil(absl::CivilDay(2026, 1, 1), absl::UTCTimeZone())) {}

absl::Time ManualClock::Now() const {
  MutexLock lock(&mutex_);
  return now_;
}

void ManualClock::Advance(absl::Duration by) {
  MutexLock lock(&mutex_);
  now_ += by;
}

void ManualClock::Set(absl::Time now) {
  MutexLock lock(&mutex_);
  now_ = now;
}

}  // namespace everfold

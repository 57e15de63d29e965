// Time as a dependency. Core code never reads the system's clock: it asks the Clock it was given, so that a test or a
// simulation decides what time it is.
#pragma once

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "everfold/base/mutex.h"

namespace everfold {

// Threading: implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall-clock time. May step backwards; whoever needs order keeps the maximum itself.
  virtual absl::Time Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  absl::Time Now() const override;
};

// Stands still until told otherwise. Starts at 2026-01-01T00:00:00Z, so that tests read well.
class ManualClock final : public Clock {
 public:
  ManualClock();
  explicit ManualClock(absl::Time start) : now_(start) {}

  absl::Time Now() const override;
  void Advance(absl::Duration by);  // may be negative: clocks of real machines step back, too
  void Set(absl::Time now);

 private:
  mutable Mutex mutex_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

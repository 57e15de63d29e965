// Looks now and then whether a projection that has something to do does it.
#pragma once

#include <atomic>

#include "absl/time/time.h"
#include "everfold/projection/progress.h"
#include "everfold/projection/projection_steps.h"
#include "everfold/projection/shown_projection.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Looks on the executor: the strand may be what hangs. Threading: thread-safe. Lifetime: what it is made of outlives
// it.
class StallWatch {
 public:
  // Between two looks, `interval`.
  StallWatch(absl::Duration interval, const EventStore& store, const Progress& progress, ShownProjection& shown,
             ProjectionSteps& steps)
      : interval_(interval), store_(store), progress_(progress), shown_(shown), steps_(steps), timer_(steps) {}

  // There is something to do: watches until there is not.
  void Begin() {
    if (!watching_.exchange(true)) LookLater();
  }
  void Stop() { timer_.Stop(); }

 private:
  void LookLater() {
    timer_.Start(interval_, [this] { LookNow(); });
  }
  void LookNow();

  const absl::Duration interval_;
  const EventStore& store_;
  const Progress& progress_;
  ShownProjection& shown_;
  ProjectionSteps& steps_;
  std::atomic<bool> watching_ = false;
  StepTimer timer_;
};

}  // namespace everfold

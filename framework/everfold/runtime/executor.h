// The seam between core code and threads. Core code is steps that run to completion, posted here and continued by
// callbacks: it never blocks, sleeps or starts a thread. AsioExecutor runs the steps on a pool; ManualExecutor runs
// them on the calling thread in an order that a seed decides, so that tests and simulations replay exactly.
#pragma once

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"

namespace everfold {

using Task = absl::AnyInvocable<void()>;

// Runs its tasks one at a time, in the order in which they were posted.
// Threading: thread-safe. Lifetime: tasks that are posted still run after the strand is gone.
class Strand {
 public:
  virtual ~Strand() = default;
  // Never runs the task before it returns.
  virtual void Post(Task task) = 0;
};

// A task that is due at some time. Destroying the timer cancels it: its task does not start afterwards.
class Timer {
 public:
  virtual ~Timer() = default;
};

// Threading: thread-safe. Lifetime: outlives everything that posts to it.
class Executor {
 public:
  virtual ~Executor() = default;
  // Never runs the task before it returns.
  virtual void Post(Task task) = 0;
  // The same, as the last act of a task: the thread that runs that one may go on with this one, which spares waking up
  // another. What waits on the strand of that task may come first.
  virtual void PostNext(Task task) = 0;
  virtual std::unique_ptr<Strand> MakeStrand() = 0;
  // Runs the task `delay` from now, or a little later.
  virtual std::unique_ptr<Timer> PostAfter(absl::Duration delay, Task task) = 0;
};

}  // namespace everfold

// Tasks that are due at some time, on a thread that waits for them: a sorted queue, because most timers are set and
// cancelled, and few are ever due. To set one wakes the thread only if it is the next one.
#pragma once

#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Threading: thread-safe. Timers may outlive it, and do nothing then.
class TimerThread {
 public:
  // `post` is called on the thread, with tasks that are due.
  explicit TimerThread(absl::AnyInvocable<void(Task)> post);
  // As Stop.
  ~TimerThread();

  // Time that passes, whatever the system's clock says.
  std::unique_ptr<Timer> After(absl::Duration delay, Task task);

  // Ends the thread. What is not due is dropped.
  void Stop();

 private:
  struct Queue;
  struct Entry;
  class Handle;
  const std::shared_ptr<Queue> queue_;
};

}  // namespace everfold

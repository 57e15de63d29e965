// How a process is told to stop.
#pragma once

#include <memory>
#include <optional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "everfold/base/mutex.h"

namespace everfold {

// Takes SIGINT and SIGTERM over from when it is made until it is destroyed. The first one is a request, told by
// WaitFor; whoever sends a second one has lost patience, and the process ends at once.
//
// Threading: thread-safe. One at a time in a process.
class SignalWaiter {
 public:
  // The second signal ends the process with this exit code.
  explicit SignalWaiter(int impatient_exit_code);
  ~SignalWaiter();
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;

  // The first signal, as soon as there is one; nullopt after `timeout` without. Blocks the calling thread.
  std::optional<int> WaitFor(absl::Duration timeout);

 private:
  struct Listener;

  void OnSignal(int signal);
  bool HasSignal() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return signal_.has_value(); }

  const int impatient_exit_code_;
  Mutex mutex_;
  std::optional<int> signal_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Listener> listener_;
  std::jthread thread_;
};

}  // namespace everfold

// Calls that go on until somebody ends them: their caller, or the server when it shuts down.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "everfold/base/mutex.h"

namespace everfold {

// UNAVAILABLE (SHUTTING_DOWN): what the caller of such a call is told.
absl::Status ShuttingDown();

// Threading: thread-safe. Lifetime: outlives its calls.
class LongCalls {
 public:
  struct Call {
    std::function<void()> end;
    std::function<void()> cancel = nullptr;  // nullptr: it has to be waited for
  };

  // Calls `end`, perhaps at once, when all are to end, and `cancel` when they are to be cancelled; neither after Remove
  // has returned. They must not call back.
  std::uint64_t Add(Call call);
  void Remove(std::uint64_t number);
  void EndAll();
  void CancelAll();

 private:
  Mutex mutex_;
  std::map<std::uint64_t, Call> calls_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace everfold

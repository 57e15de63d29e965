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
  // Calls `end`, perhaps at once, when all are to end; not after Remove has returned. It must not call back.
  std::uint64_t Add(std::function<void()> end);
  void Remove(std::uint64_t number);
  void EndAll();

 private:
  Mutex mutex_;
  std::map<std::uint64_t, std::function<void()>> calls_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace everfold

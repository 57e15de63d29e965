// Clean shutdown as a type: a component lets its work in through a scope, and closing the scope keeps new work out and
// tells when the old is done (after seastar's gate).
#pragma once

#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Threading: thread-safe. Lifetime: may go before its guards; they then have nobody to tell.
class TaskScope {
  struct State;

 public:
  // Work that is under way. Move it into the callback that ends the work.
  class Guard {
   public:
    Guard(Guard&& other) = default;
    Guard& operator=(Guard&& other) = delete;
    ~Guard();

   private:
    friend class TaskScope;
    explicit Guard(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  TaskScope();

  // nullopt once closed.
  std::optional<Guard> Enter();
  // Calls `done` when the last guard is gone, at once if there is none. REQUIRES: not closed before.
  void Close(Task done);
  bool closed() const;

 private:
  struct State {
    Mutex mutex;
    int active ABSL_GUARDED_BY(mutex) = 0;
    bool closed ABSL_GUARDED_BY(mutex) = false;
    Task done ABSL_GUARDED_BY(mutex);
  };
  std::shared_ptr<State> state_;
};

}  // namespace everfold

// The executor of production: a pool of threads, by Boost.Asio.
#pragma once

#include <memory>

#include "everfold/runtime/executor.h"

namespace everfold {

// Threading: thread-safe. The destructor, or Join before it, runs what is posted and then ends the threads; timers that
// are not due are dropped.
class AsioExecutor final : public Executor {
 public:
  // REQUIRES: threads >= 1.
  explicit AsioExecutor(int threads);
  ~AsioExecutor() override;

  void Post(Task task) override;
  void PostNext(Task task) override;
  std::unique_ptr<Strand> MakeStrand() override;
  std::unique_ptr<Timer> PostAfter(absl::Duration delay, Task task) override;

  // Returns once nothing is left to run. Must not be called from a task.
  void Join();

 private:
  struct Pool;
  std::unique_ptr<Pool> pool_;
};

}  // namespace everfold

// The executor of tests and simulations: one thread, virtual time, and an order of steps that a seed decides.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Which of the ready strands (and strandless tasks) runs next is drawn from the seed; within a strand the order is the
// order of posting. The same seed and the same inputs give the same run, which trace_hash() tells.
//
// Threading: one thread. Lifetime: outlives its strands and timers.
class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(std::uint64_t seed = 1);
  ~ManualExecutor() override;

  void Post(Task task) override;
  void PostNext(Task task) override { Post(std::move(task)); }
  std::unique_ptr<Strand> MakeStrand() override;
  std::unique_ptr<Timer> PostAfter(absl::Duration delay, Task task) override;

  // Runs one step; false if none is ready.
  bool RunOne();
  // Runs steps until none is ready. Returns how many.
  std::size_t RunUntilIdle();
  // Runs steps, and moves time to the next timer whenever none is ready, until `done` holds. False if nothing is left
  // to run and it still does not hold.
  bool RunUntil(absl::AnyInvocable<bool()> done);
  // Moves time, running the timers that fall due and everything that follows from them.
  void Advance(absl::Duration by);
  // Drops every step and timer that waits, as a crash does.
  void DropAll();

  // Virtual time; only Advance and RunUntil move it.
  const ManualClock& clock() const { return clock_; }
  ManualClock& clock() { return clock_; }
  // A digest of every choice made so far.
  std::uint64_t trace_hash() const { return trace_hash_; }

 private:
  class ManualStrand;
  class ManualTimer;
  struct Queue {
    std::deque<Task> tasks;
  };

  void PostTo(const std::shared_ptr<Queue>& queue, Task task);
  bool FireNextTimer(absl::Time until);

  ManualClock clock_;
  SeededRandom random_;
  std::vector<std::shared_ptr<Queue>> ready_;  // queues with tasks
  std::multimap<absl::Time, std::shared_ptr<Task>> timers_;
  std::uint64_t trace_hash_ = 0;
};

}  // namespace everfold

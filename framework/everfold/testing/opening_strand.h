// For a store whose index is opened by the thread that runs its steps.
#pragma once

#include <deque>
#include <memory>
#include <utility>

#include "everfold/runtime/executor.h"

namespace everfold::testing {

// Opening waits for the index to be written: meanwhile its steps are run at once, as there is no other thread.
// Lifetime: `opening` outlives it.
class OpeningStrand final : public Strand {
 public:
  OpeningStrand(std::unique_ptr<Strand> later, const bool& opening) : later_(std::move(later)), opening_(opening) {}
  void Post(Task task) override {
    if (!opening_) return later_->Post(std::move(task));
    waiting_.push_back(std::move(task));
    if (is_running_) return;  // a task has posted it, and ends before it begins
    is_running_ = true;
    while (!waiting_.empty()) {
      Task next = std::move(waiting_.front());
      waiting_.pop_front();
      next();
    }
    is_running_ = false;
  }

 private:
  const std::unique_ptr<Strand> later_;
  const bool& opening_;
  std::deque<Task> waiting_;
  bool is_running_ = false;
};

}  // namespace everfold::testing

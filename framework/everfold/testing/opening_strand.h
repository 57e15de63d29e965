// For a store whose index is opened by the thread that runs its steps.
#pragma once

#include <memory>

#include "everfold/runtime/executor.h"

namespace everfold::testing {

// Opening waits for the index to be written: meanwhile its steps are run at once, as there is no other thread.
// Lifetime: `opening` outlives it.
class OpeningStrand final : public Strand {
 public:
  OpeningStrand(std::unique_ptr<Strand> later, const bool& opening) : later_(std::move(later)), opening_(opening) {}
  void Post(Task task) override {
    if (opening_) return task();
    later_->Post(std::move(task));
  }

 private:
  const std::unique_ptr<Strand> later_;
  const bool& opening_;
};

}  // namespace everfold::testing

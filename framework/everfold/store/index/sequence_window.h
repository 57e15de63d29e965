// Which sequences are there, when they come a little out of order: memory for those that came early only.
#pragma once

#include <algorithm>

#include "absl/container/flat_hash_set.h"
#include "everfold/event/position.h"

namespace everfold {

// Threading: one thread.
class SequenceWindow {
 public:
  // All up to `complete` are there.
  explicit SequenceWindow(Sequence complete) : complete_(complete), largest_(complete) {}

  void Mark(Sequence sequence) {
    largest_ = std::max(largest_, sequence);
    if (sequence <= complete_) return;
    if (sequence != complete_.Next()) {
      early_.insert(sequence);
      return;
    }
    complete_ = sequence;
    while (early_.erase(complete_.Next()) > 0) complete_ = complete_.Next();
  }

  Sequence complete() const { return complete_; }  // up to it all are there
  Sequence largest() const { return largest_; }
  bool dense() const { return complete_ == largest_; }

 private:
  Sequence complete_;
  Sequence largest_;
  absl::flat_hash_set<Sequence> early_;
};

}  // namespace everfold

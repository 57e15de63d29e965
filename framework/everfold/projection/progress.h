// What a projection has committed, and who waits for more of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "everfold/base/mutex.h"
#include "everfold/event/position.h"
#include "everfold/projection/projection.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Threading: thread-safe. Lifetime: executor outlives it.
class Progress {
 public:
  Progress(Checkpoint committed, Executor& executor) : executor_(executor), committed_(std::move(committed)) {}

  Checkpoint committed() const;
  // Somebody waits for positions, not just for a change.
  bool is_awaited() const;
  // Somebody waits for positions that a commit of as much as this would reach.
  bool WouldAnswer(const Checkpoint& checkpoint) const;
  // Why it has ended; OK while it runs.
  absl::Status ended() const;

  // Something was committed: answers the waits for a change, and those that `committed` satisfies.
  void Publish(const Checkpoint& committed);
  // Answers all waits, and all later ones that are not satisfied, with `why`. Only the first call counts, until Resume.
  void End(const absl::Status& why);
  // Waits are kept again.
  void Resume();
  // Ends it for good.
  void Close(const absl::Status& why);

  // As Projection::WaitFor, WaitForChange and CancelWait.
  std::uint64_t WaitFor(std::vector<Position> positions, Projection::WaitDone done);
  std::uint64_t WaitForChange(Projection::WaitDone done);
  void Cancel(std::uint64_t id);

 private:
  struct Wait {
    std::optional<std::vector<Position>> positions;  // nullopt: for a change
    Projection::WaitDone done;
  };
  std::uint64_t Keep(Wait wait) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Answer(Projection::WaitDone done, absl::Status status);

  Executor& executor_;
  mutable Mutex mutex_;
  Checkpoint committed_ ABSL_GUARDED_BY(mutex_);
  absl::Status ended_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::uint64_t, Wait> waits_ ABSL_GUARDED_BY(mutex_);
  std::size_t waits_for_positions_ ABSL_GUARDED_BY(mutex_) = 0;  // of them
  std::uint64_t last_id_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace everfold

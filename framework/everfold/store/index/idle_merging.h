// Merges the index's files while nothing is added: a look then asks one run in place of up to twelve. Nobody waits for
// it, and it gives way to whatever comes.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "everfold/base/mutex.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/index/index_database.h"

namespace everfold {

// Since the last addition.
inline constexpr absl::Duration kIdleBeforeMerge = absl::Seconds(5);
// Of all files together: ten or twenty million events, about half a minute of one processor. Beyond it runs are merged
// only as they become many (index_options.cc): to rewrite all of them again and again, as often as nothing comes for a
// moment, would be more than looks are worth.
inline constexpr std::uint64_t kMaxIdleMergeBytes = 256 << 20;

// Threading: thread-safe. Lifetime: database and executor outlive it.
class IdleMerging {
 public:
  // Merges on `strand`, for seconds perhaps: it is not one that anybody waits for.
  IdleMerging(IndexDatabase& database, Executor& timers, std::shared_ptr<Strand> strand);
  // Ends a merge that is under way, within milliseconds.
  ~IdleMerging();
  IdleMerging(const IdleMerging&) = delete;
  IdleMerging& operator=(const IdleMerging&) = delete;

  // Something is added, or about to be: a merge that is under way ends, and is made another time.
  void Added();
  // There may be something to merge.
  void Written() { LookLater(); }

 private:
  // What tasks have of it: they may come later than its end. Held while it merges.
  struct Reach {
    Mutex mutex;
    IdleMerging* merging ABSL_GUARDED_BY(mutex) = nullptr;  // nullptr when it is gone
  };

  void LookLater();
  // On the strand.
  void Merge();

  IndexDatabase& database_;
  Executor& timers_;
  const std::shared_ptr<Strand> strand_;
  const std::shared_ptr<Reach> reach_;
  std::atomic<std::uint64_t> additions_ = 0;
  std::atomic<bool> cancelled_ = false;

  Mutex mutex_;
  std::uint64_t seen_ ABSL_GUARDED_BY(mutex_) = 0;  // additions, when the timer was set
  std::unique_ptr<Timer> timer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

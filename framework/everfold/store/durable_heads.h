// How far the store is durable, and who wants to hear that it went on.
#pragma once

#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "everfold/base/mutex.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Threading: thread-safe. Lifetime: the executor outlives it.
class DurableHeads {
 public:
  DurableHeads(Executor& executor, Epoch epoch, const std::vector<PartitionHead>& heads, Sequence sequence);

  Sequence sequence() const;
  Checkpoint checkpoint() const;
  // Moves both at once, then hints. `make_readable` is called before, while nobody can ask for either: who has read
  // what it adds then finds it covered, and who was told that it is covered finds it.
  void Publish(const std::vector<PartitionHead>& heads, Sequence sequence, absl::FunctionRef<void()> make_readable);
  std::unique_ptr<EventStore::Watch> AddWatch(EventStore::Hint hint);

 private:
  struct Watcher;
  class WatchHandle;
  std::vector<std::shared_ptr<Watcher>> LiveWatchers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Executor& executor_;
  mutable Mutex mutex_;
  Sequence sequence_ ABSL_GUARDED_BY(mutex_);
  Checkpoint checkpoint_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::weak_ptr<Watcher>> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

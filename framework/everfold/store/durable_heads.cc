#include "everfold/store/durable_heads.h"

#include <atomic>
#include <utility>

namespace everfold {

// A hint is posted at most once at a time, however fast the head moves.
struct DurableHeads::Watcher {
  explicit Watcher(EventStore::Hint on_moved) : hint(std::move(on_moved)) {}
  EventStore::Hint hint;
  std::atomic<bool> posted = false;
};

class DurableHeads::WatchHandle final : public EventStore::Watch {
 public:
  explicit WatchHandle(std::shared_ptr<Watcher> watcher) : watcher_(std::move(watcher)) {}

 private:
  std::shared_ptr<Watcher> watcher_;
};

DurableHeads::DurableHeads(Executor& executor, Epoch epoch, const std::vector<PartitionHead>& heads, Sequence sequence)
    : executor_(executor), sequence_(sequence), checkpoint_{.epoch = std::move(epoch), .offsets = {}} {
  for (const PartitionHead& head : heads) checkpoint_.offsets.push_back(head.offset);
}

Sequence DurableHeads::sequence() const {
  MutexLock lock(&mutex_);
  return sequence_;
}

Checkpoint DurableHeads::checkpoint() const {
  MutexLock lock(&mutex_);
  return checkpoint_;
}

void DurableHeads::Publish(const std::vector<PartitionHead>& heads, Sequence sequence,
                           absl::FunctionRef<void()> make_readable) {
  std::vector<std::shared_ptr<Watcher>> watchers;
  {
    MutexLock lock(&mutex_);
    make_readable();
    sequence_ = sequence;
    for (std::size_t i = 0; i < heads.size(); ++i) checkpoint_.offsets[i] = heads[i].offset;
    watchers = LiveWatchers();
  }
  for (std::shared_ptr<Watcher>& watcher : watchers) {
    if (watcher->posted.exchange(true)) continue;
    executor_.Post([weak = std::weak_ptr<Watcher>(watcher)] {
      const std::shared_ptr<Watcher> alive = weak.lock();
      if (alive == nullptr) return;
      alive->posted = false;
      alive->hint();
    });
  }
}

std::unique_ptr<EventStore::Watch> DurableHeads::AddWatch(EventStore::Hint hint) {
  auto watcher = std::make_shared<Watcher>(std::move(hint));
  MutexLock lock(&mutex_);
  watchers_.push_back(watcher);
  return std::make_unique<WatchHandle>(std::move(watcher));
}

std::vector<std::shared_ptr<DurableHeads::Watcher>> DurableHeads::LiveWatchers() {
  std::vector<std::shared_ptr<Watcher>> live;
  std::erase_if(watchers_, [&live](const std::weak_ptr<Watcher>& weak) {
    std::shared_ptr<Watcher> watcher = weak.lock();
    if (watcher == nullptr) return true;
    live.push_back(std::move(watcher));
    return false;
  });
  return live;
}

}  // namespace everfold

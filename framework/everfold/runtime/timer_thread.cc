#include "everfold/runtime/timer_thread.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace everfold {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

SteadyTime TimeAfter(absl::Duration delay) {
  // Nobody waits for so long; it keeps the sum in its range.
  constexpr absl::Duration kLongest = absl::Hours(24 * 365 * 100);
  return std::chrono::steady_clock::now() +
         absl::ToChronoNanoseconds(std::clamp(delay, absl::ZeroDuration(), kLongest));
}

}  // namespace

// Whoever sets `claimed` first, the start of the task or the cancellation, decides whether it runs.
struct TimerThread::Entry {
  explicit Entry(Task task) : task(std::move(task)) {}
  Task task;
  std::atomic<bool> claimed = false;
};

struct TimerThread::Queue {
  using Key = std::pair<SteadyTime, std::uint64_t>;  // those of one moment in the order in which they were set

  void Run() {
    std::unique_lock lock(mutex);
    while (!stopped) {
      if (entries.empty()) {
        changed.wait(lock);
      } else if (const SteadyTime next = entries.begin()->first.first; next > std::chrono::steady_clock::now()) {
        changed.wait_until(lock, next);
      } else {
        std::shared_ptr<Entry> due = std::move(entries.extract(entries.begin()).mapped());
        lock.unlock();
        post([due = std::move(due)] {
          if (!due->claimed.exchange(true)) std::exchange(due->task, nullptr)();
        });
        lock.lock();
      }
    }
  }

  absl::AnyInvocable<void(Task)> post;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<Key, std::shared_ptr<Entry>> entries;
  std::uint64_t set = 0;  // so far
  bool stopped = false;
  std::thread thread;
};

class TimerThread::Handle final : public Timer {
 public:
  Handle(std::shared_ptr<Queue> queue, Queue::Key key, std::shared_ptr<Entry> entry)
      : queue_(std::move(queue)), key_(key), entry_(std::move(entry)) {}
  // What the task holds is let go outside of the lock: that may do anything.
  ~Handle() override {
    if (entry_->claimed.exchange(true)) return;
    std::map<Queue::Key, std::shared_ptr<Entry>>::node_type cancelled;
    const std::lock_guard lock(queue_->mutex);
    cancelled = queue_->entries.extract(key_);
  }

 private:
  const std::shared_ptr<Queue> queue_;
  const Queue::Key key_;
  const std::shared_ptr<Entry> entry_;
};

TimerThread::TimerThread(absl::AnyInvocable<void(Task)> post) : queue_(std::make_shared<Queue>()) {
  queue_->post = std::move(post);
  queue_->thread = std::thread([queue = queue_.get()] { queue->Run(); });
}

TimerThread::~TimerThread() { Stop(); }

std::unique_ptr<Timer> TimerThread::After(absl::Duration delay, Task task) {
  auto entry = std::make_shared<Entry>(std::move(task));
  Queue::Key key(TimeAfter(delay), 0);
  bool is_next = false;
  {
    const std::lock_guard lock(queue_->mutex);
    key.second = ++queue_->set;
    if (!queue_->stopped) {
      const auto at = queue_->entries.emplace(key, entry).first;
      is_next = at == queue_->entries.begin();
    }
  }
  if (is_next) queue_->changed.notify_one();
  return std::make_unique<Handle>(queue_, key, std::move(entry));
}

void TimerThread::Stop() {
  std::map<Queue::Key, std::shared_ptr<Entry>> dropped;
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->stopped = true;
    dropped.swap(queue_->entries);
  }
  queue_->changed.notify_one();
  if (queue_->thread.joinable()) queue_->thread.join();
}

}  // namespace everfold

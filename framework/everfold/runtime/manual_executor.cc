#include "everfold/runtime/manual_executor.h"

#include <utility>

namespace everfold {

class ManualExecutor::ManualStrand final : public Strand {
 public:
  explicit ManualStrand(ManualExecutor& executor) : executor_(executor), queue_(std::make_shared<Queue>()) {}
  void Post(Task task) override { executor_.PostTo(queue_, std::move(task)); }

 private:
  ManualExecutor& executor_;
  std::shared_ptr<Queue> queue_;
};

class ManualExecutor::ManualTimer final : public Timer {
 public:
  explicit ManualTimer(std::shared_ptr<Task> task) : task_(std::move(task)) {}
  ~ManualTimer() override { *task_ = nullptr; }

 private:
  std::shared_ptr<Task> task_;
};

ManualExecutor::ManualExecutor(std::uint64_t seed) : random_(seed) {}

ManualExecutor::~ManualExecutor() { DropAll(); }

void ManualExecutor::PostTo(const std::shared_ptr<Queue>& queue, Task task) {
  queue->tasks.push_back(std::move(task));
  if (queue->tasks.size() == 1) ready_.push_back(queue);
}

void ManualExecutor::Post(Task task) { PostTo(std::make_shared<Queue>(), std::move(task)); }

std::unique_ptr<Strand> ManualExecutor::MakeStrand() { return std::make_unique<ManualStrand>(*this); }

std::unique_ptr<Timer> ManualExecutor::PostAfter(absl::Duration delay, Task task) {
  auto shared = std::make_shared<Task>(std::move(task));
  const absl::Time due = clock_.Now() + delay;
  if (due < absl::InfiniteFuture()) timers_.emplace(due, shared);
  return std::make_unique<ManualTimer>(std::move(shared));
}

bool ManualExecutor::RunOne() {
  if (ready_.empty()) return false;
  const std::size_t chosen = random_.Below(ready_.size());
  trace_hash_ = trace_hash_ * 0x100000001b3 ^ (ready_.size() << 32 | chosen);
  const std::shared_ptr<Queue> queue = ready_[chosen];
  Task task = std::move(queue->tasks.front());
  queue->tasks.pop_front();
  if (queue->tasks.empty()) {
    ready_[chosen] = std::move(ready_.back());
    ready_.pop_back();
  }
  task();
  return true;
}

std::size_t ManualExecutor::RunUntilIdle() {
  std::size_t steps = 0;
  while (RunOne()) ++steps;
  return steps;
}

bool ManualExecutor::RunUntil(absl::AnyInvocable<bool()> done) {
  while (!done()) {
    if (!RunOne() && !FireNextTimer(absl::InfiniteFuture())) return false;
  }
  return true;
}

void ManualExecutor::Advance(absl::Duration by) {
  const absl::Time until = clock_.Now() + by;
  do {
    RunUntilIdle();
  } while (FireNextTimer(until));
  if (clock_.Now() < until) clock_.Set(until);
}

bool ManualExecutor::FireNextTimer(absl::Time until) {
  while (!timers_.empty() && timers_.begin()->first <= until) {
    const auto next = timers_.begin();
    const absl::Time due = next->first;
    const std::shared_ptr<Task> task = std::move(next->second);
    timers_.erase(next);
    if (*task == nullptr) continue;  // cancelled
    if (clock_.Now() < due) clock_.Set(due);
    Post([task] {
      if (*task != nullptr) std::exchange(*task, nullptr)();
    });
    return true;
  }
  return false;
}

void ManualExecutor::DropAll() {
  // What a dropped task owns may post again when it is destroyed; that is dropped, too.
  while (!ready_.empty() || !timers_.empty()) {
    const auto queues = std::exchange(ready_, {});
    const auto timers = std::exchange(timers_, {});
    for (const std::shared_ptr<Queue>& queue : queues) const auto dropped = std::exchange(queue->tasks, {});
  }
}

}  // namespace everfold

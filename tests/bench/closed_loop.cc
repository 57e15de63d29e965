#include "tests/bench/closed_loop.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <limits>
#include <thread>
#include <vector>

#include "everfold/base/mutex.h"
#include "tests/bench/latencies.h"
#include "tests/bench/machine.h"

namespace everfold::bench {
namespace {

// What the callers of one loop share.
class Loop {
 public:
  Loop(AppendTarget& target, const LoopOptions& options)
      : target_(target),
        max_commits_(options.max_events / target.events_a_commit()),
        end_(EndOf(options.max_time)),
        active_(options.callers) {}

  AppendTarget& target() { return target_; }
  // True if the caller is to go on; it has ended otherwise.
  bool GoesOn(std::int64_t now) {
    if (now < end_ && !failed_.load(std::memory_order_relaxed) &&
        begun_.fetch_add(1, std::memory_order_relaxed) < max_commits_) {
      return true;
    }
    if (active_.fetch_sub(1) == 1) ended_.Notify();
    return false;
  }
  void Ended(std::int64_t began, std::int64_t now, const absl::Status& status) {
    if (!status.ok()) return Fail(status);
    latencies_.Add(now - began);
    commits_.fetch_add(1, std::memory_order_relaxed);
  }
  void Wait() { ended_.WaitForNotification(); }

  absl::Status failure() {
    MutexLock lock(&mutex_);
    return failure_;
  }
  std::uint64_t commits() const { return commits_.load(); }
  const Latencies& latencies() const { return latencies_; }

 private:
  static std::int64_t EndOf(absl::Duration max_time) {
    if (max_time == absl::InfiniteDuration()) return std::numeric_limits<std::int64_t>::max();
    return NowNanos() + absl::ToInt64Nanoseconds(max_time);
  }
  void Fail(const absl::Status& status) {
    MutexLock lock(&mutex_);
    if (failure_.ok()) failure_ = status;
    failed_ = true;
  }

  AppendTarget& target_;
  const std::uint64_t max_commits_;
  const std::int64_t end_;
  Latencies latencies_;
  std::atomic<std::uint64_t> begun_{0};
  std::atomic<std::uint64_t> commits_{0};
  std::atomic<std::size_t> active_;
  std::atomic<bool> failed_{false};
  Notification ended_;
  Mutex mutex_;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

class CallbackCaller final : public Caller {
 public:
  CallbackCaller(Loop& loop, std::size_t number) : loop_(loop), number_(number) {}

  void Begin() { GoOn(NowNanos()); }
  void OnDurable(const absl::Status& status) override {
    const std::int64_t now = NowNanos();
    loop_.Ended(began_, now, status);
    GoOn(now);
  }

 private:
  void GoOn(std::int64_t now) {
    if (!loop_.GoesOn(now)) return;
    began_ = now;
    loop_.target().Append(number_, *this);
  }

  Loop& loop_;
  const std::size_t number_;
  std::int64_t began_ = 0;
};

// Of one commit: the thread that waits has one for each.
class WaitingCaller final : public Caller {
 public:
  void OnDurable(const absl::Status& status) override {
    status_ = status;
    durable_.Notify();
  }
  const absl::Status& Wait() {
    durable_.WaitForNotification();
    return status_;
  }

 private:
  absl::Status status_;
  Notification durable_;
};

void RunBlocking(Loop& loop, std::size_t number) {
  for (std::int64_t now = NowNanos(); loop.GoesOn(now);) {
    const std::int64_t began = now;
    WaitingCaller caller;
    loop.target().Append(number, caller);
    const absl::Status& status = caller.Wait();
    now = NowNanos();
    loop.Ended(began, now, status);
  }
}

void RunThreads(Loop& loop, std::size_t callers) {
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < callers; ++i) threads.emplace_back([&loop, i] { RunBlocking(loop, i); });
  loop.Wait();
}

void RunCallbacks(Loop& loop, std::size_t callers) {
  std::deque<CallbackCaller> all;
  for (std::size_t i = 0; i < callers; ++i) all.emplace_back(loop, i);
  for (CallbackCaller& caller : all) caller.Begin();
  loop.Wait();
}

}  // namespace

absl::StatusOr<LoopResult> RunClosedLoop(AppendTarget& target, const LoopOptions& options) {
  const absl::Duration cpu = CpuTime();
  const std::int64_t began = NowNanos();
  Loop loop(target, options);
  options.blocking ? RunThreads(loop, options.callers) : RunCallbacks(loop, options.callers);
  const std::int64_t ended = NowNanos();
  if (absl::Status failure = loop.failure(); !failure.ok()) return failure;
  return LoopResult{.events = loop.commits() * target.events_a_commit(),
                    .elapsed = absl::Nanoseconds(ended - began),
                    .cpu = CpuTime() - cpu,
                    .p50_us = loop.latencies().Percentile(50),
                    .p99_us = loop.latencies().Percentile(99)};
}

}  // namespace everfold::bench

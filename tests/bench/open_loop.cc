#include "tests/bench/open_loop.h"

#include <deque>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/clock.h"
#include "everfold/base/check.h"
#include "everfold/base/mutex.h"
#include "tests/bench/latencies.h"
#include "tests/bench/machine.h"

namespace everfold::bench {
namespace {

class Schedule {
 public:
  explicit Schedule(AppendTarget& target) : target_(target) {
    for (std::size_t i = 0; i < kMostCallers; ++i) free_.push_back(&calls_.emplace_back(*this, i));
  }

  // Sends what is due at that time as soon as it is, and a call is free.
  void Send(std::int64_t due) {
    if (const std::int64_t early = due - NowNanos(); early > 0) absl::SleepFor(absl::Nanoseconds(early));
    Call& call = TakeFree();
    call.due = due;
    target_.Append(call.number, call);
  }
  void WaitForAll() {
    MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Schedule::all_free));
  }

  const Latencies& latencies() const { return latencies_; }
  absl::Status failure() {
    MutexLock lock(&mutex_);
    return failure_;
  }

 private:
  struct Call final : Caller {
    Call(Schedule& the_schedule, std::size_t the_number) : schedule(the_schedule), number(the_number) {}
    void OnDurable(const absl::Status& status) override { schedule.Ended(*this, status); }

    Schedule& schedule;
    const std::size_t number;
    std::int64_t due = 0;
  };

  bool some_free() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return !free_.empty(); }
  bool all_free() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return free_.size() == kMostCallers; }

  Call& TakeFree() {
    MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Schedule::some_free));
    Call& call = *free_.back();
    free_.pop_back();
    return call;
  }
  void Ended(Call& call, const absl::Status& status) {
    latencies_.Add(NowNanos() - call.due);
    MutexLock lock(&mutex_);
    if (failure_.ok()) failure_ = status;
    free_.push_back(&call);
  }

  AppendTarget& target_;
  std::deque<Call> calls_;
  Latencies latencies_;
  Mutex mutex_;
  std::vector<Call*> free_ ABSL_GUARDED_BY(mutex_);
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<OpenLoopResult> RunOpenLoop(AppendTarget& target, const OpenLoopOptions& options) {
  const auto commits = static_cast<std::uint64_t>(options.rate * absl::ToDoubleSeconds(options.time));
  EVERFOLD_CHECK(commits > 0);
  const double interval = 1e9 / options.rate;
  Schedule schedule(target);
  const std::int64_t began = NowNanos();
  for (std::uint64_t i = 0; i < commits; ++i) {
    schedule.Send(began + static_cast<std::int64_t>(interval * static_cast<double>(i)));
  }
  schedule.WaitForAll();
  const std::int64_t ended = NowNanos();
  if (absl::Status failure = schedule.failure(); !failure.ok()) return failure;
  return OpenLoopResult{.commits = commits,
                        .elapsed = absl::Nanoseconds(ended - began),
                        .p50_us = schedule.latencies().Percentile(50),
                        .p99_us = schedule.latencies().Percentile(99)};
}

}  // namespace everfold::bench

// How long after its acknowledgement an event reaches a subscription that follows the log live.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "everfold/base/mutex.h"
#include "everfold/subscription/subscription.h"
#include "tests/bench/append_target.h"
#include "tests/bench/latencies.h"
#include "tests/bench/open_store.h"
#include "tests/bench/payloads.h"
#include "tests/bench/streams.h"

namespace everfold::bench {

// When each commit was acknowledged, and when it was visited. Threading: thread-safe, but for Collect.
class DeliveryTimes {
 public:
  // Of the commits behind `before`, so many.
  DeliveryTimes(Sequence before, std::uint64_t commits)
      : before_(before), acknowledged_(commits + 1), visited_(commits + 1) {}

  void Acknowledged(Sequence sequence);
  void Visited(Sequence sequence);
  // One that was visited before its caller was told counts as 0.
  void Collect(Latencies& latencies) const;

 private:
  static void Note(std::vector<std::atomic<std::int64_t>>& times, std::uint64_t index);

  const Sequence before_;
  std::vector<std::atomic<std::int64_t>> acknowledged_;
  std::vector<std::atomic<std::int64_t>> visited_;
};

// Appends one event a commit. Threading: as AppendTarget.
class TimedTarget final : public AppendTarget {
 public:
  TimedTarget(EventStore& store, const Payloads& payloads, DeliveryTimes& times);
  void Append(std::size_t number, Caller& caller) override;
  std::size_t events_a_commit() const override { return 1; }

 private:
  EventStore& store_;
  const Payloads& payloads_;
  DeliveryTimes& times_;
  std::vector<Noise> noises_;  // one a caller
};

// Pulls whenever it is hinted at, on the executor. Threading: thread-safe. Lifetime: the store, and the times, outlive
// it, and its hints.
class LiveReader {
 public:
  static absl::StatusOr<std::unique_ptr<LiveReader>> Start(EventStore& store, DeliveryTimes& times);
  // Waits until everything up to `last` was visited.
  absl::Status WaitFor(Sequence last);

 private:
  explicit LiveReader(DeliveryTimes& times) : times_(times) {}
  void OnHint();
  void PullAll();

  DeliveryTimes& times_;
  std::unique_ptr<Subscription> subscription_;  // whoever has raised `hints_` from 0 pulls
  std::atomic<int> hints_{0};
  Mutex mutex_;
  Sequence visited_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<EventStore::Watch> watch_;
};

}  // namespace everfold::bench

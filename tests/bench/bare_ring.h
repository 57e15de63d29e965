// The ceiling of durable appends: a bare group commit to a ring of files. One thread takes whatever is waiting, copies
// it behind each other, writes and syncs it, and tells all callers. No condition, no index, no checksum, no chain, no
// sealing: what a store could reach that does nothing else.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/base/mutex.h"
#include "everfold/runtime/executor.h"
#include "tests/bench/append_target.h"
#include "tests/bench/payloads.h"
#include "tests/bench/ring_files.h"

namespace everfold::bench {

// Threading: thread-safe. Lifetime: the executor outlives it.
class BareRing {
 public:
  // Callers are told in one step on the executor for each group, or, without one, by the thread that wrote it.
  BareRing(RingFiles& files, Executor* executor);
  ~BareRing();

  // `bytes` stay as they are until the caller is told.
  void Append(std::string_view bytes, Caller& caller);

 private:
  struct Waiting {
    std::string_view bytes;
    Caller* caller;
  };
  using Group = std::vector<Waiting>;

  void Run();
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !waiting_.empty(); }
  absl::Status Write(const Group& group);
  void Tell(Group group, absl::Status status);

  RingFiles& files_;
  Executor* const executor_;
  std::string buffer_;
  Mutex mutex_;
  Group waiting_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::jthread thread_;
};

// Callers that append payloads to the ring, so many of them in one record.
class RingTarget final : public AppendTarget {
 public:
  // Lifetime: ring and payloads outlive it.
  RingTarget(BareRing& ring, const Payloads& payloads, std::size_t payloads_a_record = 1);
  void Append(std::size_t number, Caller& caller) override;
  std::size_t events_a_commit() const override { return payloads_a_record_; }

 private:
  struct Slot {
    Noise noise;
    std::string record;
  };

  BareRing& ring_;
  const Payloads& payloads_;
  const std::size_t payloads_a_record_;
  std::vector<Slot> slots_;  // one a caller
};

// How long writing and syncing one payload takes where nobody else is involved: the median, in microseconds.
absl::StatusOr<double> MedianOfBareSyncs(RingFiles& files, const Payloads& payloads, absl::Duration time);

}  // namespace everfold::bench

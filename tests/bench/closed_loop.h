// A closed loop: so many callers append, and each goes on as soon as its commit is durable.
#pragma once

#include <cstdint>
#include <limits>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/append_target.h"

namespace everfold::bench {

struct LoopOptions {
  std::size_t callers = 1;
  bool blocking = false;  // each caller is a thread that waits; otherwise it is a callback
  // The loop ends when one of the two is reached, and what is outstanding is durable.
  std::uint64_t max_events = std::numeric_limits<std::uint64_t>::max();
  absl::Duration max_time = absl::InfiniteDuration();
};

struct LoopResult {
  std::uint64_t events = 0;
  absl::Duration elapsed;
  absl::Duration cpu;  // of the whole process
  double p50_us = 0;   // of a commit
  double p99_us = 0;

  double events_a_second() const { return static_cast<double>(events) / absl::ToDoubleSeconds(elapsed); }
  double cpu_us_an_event() const { return absl::ToDoubleMicroseconds(cpu) / static_cast<double>(events); }
};

// The first failure of a commit, if one fails.
absl::StatusOr<LoopResult> RunClosedLoop(AppendTarget& target, const LoopOptions& options);

}  // namespace everfold::bench

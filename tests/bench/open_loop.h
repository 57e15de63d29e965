// An open loop: commits come by a schedule, whatever becomes of those before them, as from many users who do not know
// of each other. How long one takes is counted from when it was to come: a server that falls behind does not slow down
// the question.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/bench/append_target.h"

namespace everfold::bench {

struct OpenLoopOptions {
  double rate = 0;  // commits a second, at even intervals
  absl::Duration time;
};

struct OpenLoopResult {
  std::uint64_t commits = 0;
  absl::Duration elapsed;  // until the last one was durable
  double p50_us = 0;
  double p99_us = 0;

  double commits_a_second() const { return static_cast<double>(commits) / absl::ToDoubleSeconds(elapsed); }
};

// At most kMostCallers are outstanding: one that is due beyond them waits, and its waiting is counted. Returns when all
// have ended; the first failure of a commit, if one fails. REQUIRES: rate * time is one commit or more.
absl::StatusOr<OpenLoopResult> RunOpenLoop(AppendTarget& target, const OpenLoopOptions& options);

}  // namespace everfold::bench

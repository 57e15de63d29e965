// Ceiling and store in turns, so that whatever else the machine is doing meets both.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/bare_ring.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/closed_loop.h"
#include "tests/bench/open_store.h"
#include "tests/bench/streams.h"

namespace everfold::bench {

struct Turns {
  std::vector<LoopResult> ours;
  std::vector<LoopResult> bare;
};

// After a short turn of each that does not count, unless the run is a quick one.
absl::StatusOr<Turns> TakeTurns(AppendTarget& ours, AppendTarget& bare, const LoopOptions& loop, const RunOptions& run);

// The median of one number over all turns.
template <class Number>
double MedianOver(const std::vector<LoopResult>& results, Number number) {
  std::vector<double> numbers;
  for (const LoopResult& result : results) numbers.push_back(number(result));
  return MedianOf(std::move(numbers));
}

// Events a second, p50, p99, and CPU time an event, each with its ceiling. The goal is for events a second.
void AddTurns(Figures& figures, const std::string& name, const Turns& turns, std::optional<Goal> rate_goal);

// A store and its ceiling, side by side on the same disk.
class Arena {
 public:
  // Makes the ring anew, and opens the store `name` of the run's directory, which may have been there.
  static absl::StatusOr<std::unique_ptr<Arena>> Open(Run& run, const std::string& name);

  OpenStore& store() { return *store_; }
  Streams& streams() { return streams_; }
  RingFiles& ring_files() { return *ring_files_; }
  const std::string& store_directory() const { return store_directory_; }
  // Runs the same callers against both.
  absl::StatusOr<Turns> Measure(Run& run, AppendTarget& ours, const Payloads& payloads, const LoopOptions& loop);
  // One turn of the ceiling alone.
  absl::StatusOr<LoopResult> RunBare(const Payloads& payloads, std::size_t events_a_commit, const LoopOptions& loop);
  // Opens the store again, its callbacks on so many threads. The ceiling follows.
  absl::Status Reopen(int executor_threads);
  absl::Status Close();

 private:
  Arena() = default;

  std::string store_directory_;
  std::unique_ptr<RingFiles> ring_files_;
  std::unique_ptr<AsioExecutor> ring_executor_;
  Streams streams_;
  std::unique_ptr<OpenStore> store_;
};

}  // namespace everfold::bench

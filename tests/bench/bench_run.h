// One run of the benchmark: what is asked of it, and what its parts share.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "tests/bench/figures.h"
#include "tests/bench/payloads.h"
#include "tests/bench/scratch.h"

namespace everfold::bench {

inline constexpr std::size_t kEventBytes = 200;

struct RunOptions {
  bool quick = false;
  std::uint64_t events = 10'000'000;  // of the sustained run, of replay and catch-up, and of the store that is killed
  // Ceiling and store take turns: so often, so long.
  int rounds = 3;
  absl::Duration round = absl::Seconds(1);
  std::uint64_t long_events = 100'000'000;
};

struct Run {
  RunOptions options;
  const Scratch& scratch;
  Figures& figures;
  Payloads payloads{kEventBytes};
};

// A line on stderr.
void Progress(const std::string& text);

// The parts, in the order in which they are run. Each is OK or says why it could not be measured; figures that miss
// their goals are no error.
absl::Status BenchAppends(Run& run);
absl::Status BenchSustained(Run& run);
absl::Status BenchReplay(Run& run);
absl::Status BenchSubscriptions(Run& run);
absl::Status BenchDisk(Run& run);
absl::Status BenchOpen(Run& run);
absl::Status BenchRpc(Run& run);
absl::Status BenchLong(Run& run);

// Of the benchmark of commands.
absl::Status BenchDecide(Run& run);
absl::Status BenchLoads(Run& run);
absl::Status BenchOverload(Run& run);
absl::Status BenchPipeline(Run& run);
absl::Status BenchCommandRpc(Run& run);
absl::Status BenchCommandLatency(Run& run);

// Of the benchmark of projections.
absl::Status BenchRebuild(Run& run);
absl::Status BenchVisibility(Run& run);

// Directory of a store with at least so many events, all sealed and closed, which the parts share: the sustained run
// leaves it; a part that is run alone fills it.
absl::StatusOr<std::string> FilledStore(Run& run, std::uint64_t events);

}  // namespace everfold::bench

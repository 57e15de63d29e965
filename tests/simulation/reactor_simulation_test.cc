// EVERFOLD_SEEDS=n runs n seeds in place of 300; EVERFOLD_SEED=n replays one.
#include "tests/simulation/reactor_simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace everfold {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoull(value);
}

TEST(ReactorSimulation, KeepsItsPromisesUnderEverySeed) {
  const std::uint64_t only = FromEnvironment("EVERFOLD_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : FromEnvironment("EVERFOLD_SEEDS", 300);
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("replay with EVERFOLD_SEED=" + std::to_string(seed));
    ReactorSimulation(seed).Run();
    if (HasFailure()) return;
  }
  RecordProperty("seeds", static_cast<int>(last - first + 1));
}

TEST(ReactorSimulation, TheSameSeedIsTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    ReactorSimulation first(seed);
    first.Run();
    ReactorSimulation second(seed);
    second.Run();
    EXPECT_EQ(first.trace_hash(), second.trace_hash()) << seed;
  }
}

}  // namespace
}  // namespace everfold

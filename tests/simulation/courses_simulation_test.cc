// EVERFOLD_SEEDS=n runs n seeds in place of 200; EVERFOLD_SEED=n replays one.
#include "tests/simulation/courses_simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace everfold {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoull(value);
}

TEST(CoursesSimulation, KeepsTheRulesAcrossStreamsUnderEverySeed) {
  const std::uint64_t only = FromEnvironment("EVERFOLD_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : FromEnvironment("EVERFOLD_SEEDS", 200);
  std::uint64_t decided_again = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("replay with EVERFOLD_SEED=" + std::to_string(seed));
    CoursesSimulation simulation(seed);
    simulation.Run();
    decided_again += simulation.decided_again();
    if (HasFailure()) return;
  }
  if (only == 0) {
    EXPECT_GT(decided_again, 5 * (last - first + 1)) << "hardly anything collided";
  }
}

TEST(CoursesSimulation, TheSameSeedIsTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    CoursesSimulation first(seed);
    first.Run();
    CoursesSimulation second(seed);
    second.Run();
    EXPECT_EQ(first.trace_hash(), second.trace_hash()) << seed;
  }
}

}  // namespace
}  // namespace everfold

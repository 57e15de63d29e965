#include "tests/simulation/courses_simulation.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/simulation/seeds.h"

namespace everfold {
namespace {

TEST(CoursesSimulation, KeepsTheRulesAcrossStreamsUnderEverySeed) {
  std::uint64_t decided_again = 0;
  const std::uint64_t seeds = UnderEverySeed(200, [&decided_again](std::uint64_t seed) {
    CoursesSimulation simulation(seed);
    simulation.Run();
    decided_again += simulation.decided_again();
  });
  if (seeds > 1 && !HasFailure()) {
    EXPECT_GT(decided_again, 5 * seeds) << "hardly anything collided";
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

#include "tests/simulation/reactor_simulation.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/simulation/seeds.h"

namespace everfold {
namespace {

TEST(ReactorSimulation, KeepsItsPromisesUnderEverySeed) {
  UnderEverySeed(300, [](std::uint64_t seed) { ReactorSimulation(seed).Run(); });
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

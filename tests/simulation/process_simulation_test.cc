#include "tests/simulation/process_simulation.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/simulation/seeds.h"

namespace everfold {
namespace {

TEST(ProcessSimulation, KeepsItsPromisesUnderEverySeed) {
  UnderEverySeed(200, [](std::uint64_t seed) { ProcessSimulation(seed).Run(); });
}

// That a broken promise does not pass.
int FailuresWith(Planted planted, std::uint64_t seeds) {
  ::testing::TestPartResultArray results;
  ::testing::ScopedFakeTestPartResultReporter reporter(
      ::testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
  for (std::uint64_t seed = 1; seed <= seeds && results.size() == 0; ++seed) ProcessSimulation(seed, planted).Run();
  return results.size();
}

TEST(ProcessSimulation, FindsACommandThatIsDecidedTwice) { EXPECT_GT(FailuresWith(Planted::kNewIdForEachSend, 30), 0); }

TEST(ProcessSimulation, FindsTimersThatAreForgotten) { EXPECT_GT(FailuresWith(Planted::kTimersForgotten, 30), 0); }

TEST(ProcessSimulation, TheSameSeedIsTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    ProcessSimulation first(seed);
    first.Run();
    ProcessSimulation second(seed);
    second.Run();
    EXPECT_EQ(first.trace_hash(), second.trace_hash()) << seed;
  }
}

}  // namespace
}  // namespace everfold

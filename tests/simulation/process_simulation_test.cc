// EVERFOLD_SEEDS=n runs n seeds in place of 200; EVERFOLD_SEED=n replays one.
#include "tests/simulation/process_simulation.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace everfold {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoull(value);
}

TEST(ProcessSimulation, KeepsItsPromisesUnderEverySeed) {
  const std::uint64_t only = FromEnvironment("EVERFOLD_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : FromEnvironment("EVERFOLD_SEEDS", 200);
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("replay with EVERFOLD_SEED=" + std::to_string(seed));
    ProcessSimulation(seed).Run();
    if (HasFailure()) return;
  }
  RecordProperty("seeds", static_cast<int>(last - first + 1));
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

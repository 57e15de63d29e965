#include "tests/simulation/wallet_simulation.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/simulation/seeds.h"

namespace everfold {
namespace {

TEST(WalletSimulation, KeepsItsPromisesUnderEverySeed) {
  UnderEverySeed(1000, [](std::uint64_t seed) { WalletSimulation(seed).Run(); });
}

TEST(WalletSimulation, TheSameSeedIsTheSameRun) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    WalletSimulation first(seed);
    first.Run();
    WalletSimulation second(seed);
    second.Run();
    EXPECT_EQ(first.trace_hash(), second.trace_hash()) << seed;
  }
}

}  // namespace
}  // namespace everfold

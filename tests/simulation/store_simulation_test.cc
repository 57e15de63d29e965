#include "tests/simulation/store_simulation.h"

#include <gtest/gtest.h>

#include "tests/simulation/seeds.h"

namespace everfold {
namespace {

TEST(StoreSimulation, NothingAcknowledgedIsLostAndNothingIsThereTwice) {
  UnderEverySeed(300, [](std::uint64_t seed) { StoreSimulation(seed).Run(); });
}

}  // namespace
}  // namespace everfold

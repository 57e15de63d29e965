#include "tests/simulation/store_simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace everfold {
namespace {

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// EVERFOLD_SEED=n replays one; EVERFOLD_SEEDS=n runs so many.
TEST(StoreSimulation, NothingAcknowledgedIsLostAndNothingIsThereTwice) {
  const std::uint64_t only = FromEnvironment("EVERFOLD_SEED", 0);
  const std::uint64_t first = only != 0 ? only : 1;
  const std::uint64_t last = only != 0 ? only : FromEnvironment("EVERFOLD_SEEDS", 300);
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE("EVERFOLD_SEED=" + std::to_string(seed));
    StoreSimulation(seed).Run();
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace everfold

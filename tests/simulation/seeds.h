// Which seeds a simulation runs. EVERFOLD_SEEDS=n in the environment runs n of them in place of the test's own number,
// EVERFOLD_FIRST_SEED=n begins there, EVERFOLD_SEED=n replays one.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <string>

#include "gtest/gtest.h"

namespace everfold {

inline std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoull(value);
}

// Calls `run` with one seed after the other, until one has failed. Returns how many there were.
template <class Run>
std::uint64_t UnderEverySeed(std::uint64_t count, Run run) {
  const std::uint64_t only = FromEnvironment("EVERFOLD_SEED", 0);
  const std::uint64_t first = only != 0 ? only : FromEnvironment("EVERFOLD_FIRST_SEED", 1);
  const std::uint64_t seeds = only != 0 ? 1 : FromEnvironment("EVERFOLD_SEEDS", count);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE("replay with EVERFOLD_SEED=" + std::to_string(seed));
    run(seed);
    if (::testing::Test::HasFailure()) break;
  }
  ::testing::Test::RecordProperty("seeds", std::to_string(seeds));
  return seeds;
}

}  // namespace everfold

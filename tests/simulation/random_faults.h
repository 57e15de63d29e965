// Every seed has its own mixture of faults of the log; some have none.
#pragma once

#include "everfold/base/random.h"
#include "everfold/testing/faulty_log.h"

namespace everfold {

// Each kind less often than in `most`, and every other time not at all.
inline LogFaults RandomFaults(RandomSource& random, const LogFaults& most) {
  const auto chance = [&random](unsigned limit) {
    if (limit == 0 || random.Below(2) == 0) return 0u;
    return static_cast<unsigned>(random.Below(limit));
  };
  return {.refused_per_mille = chance(most.refused_per_mille),
          .unknown_but_appended_per_mille = chance(most.unknown_but_appended_per_mille),
          .unknown_and_lost_per_mille = chance(most.unknown_and_lost_per_mille),
          .end_delayed_per_mille = chance(most.end_delayed_per_mille),
          .hint_delayed_per_mille = chance(most.hint_delayed_per_mille),
          .hint_spurious_per_mille = chance(most.hint_spurious_per_mille),
          .longest_delay = most.longest_delay};
}

}  // namespace everfold

// All that a history of a store is checked for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/linearizability/history.h"

namespace everfold {

// What was not as promised, in words; empty if all was. In O(n log n).
// REQUIRES: the last reads are of everything in every stream, begun when all appends had ended, and by then each of
// `subscribers` has caught up.
std::vector<std::string> ViolationsOf(const History& history, std::uint32_t subscribers);

}  // namespace everfold

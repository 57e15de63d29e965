// Whether subscribers are handed out every event, once, in order.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/linearizability/history.h"
#include "tests/linearizability/stream_chains.h"

namespace everfold {

// The events of each subscriber, over all of its pulls, are in the order of sequence, and with one sequence in that of
// partition and offset; offsets of a partition are dense from 1; each event is the one that its stream has at this
// version, with the sequence that its append was told; and in the end all of them have been handed out, at the same
// positions to each of `subscribers`. `chains`, of the same history, without violations.
void CheckDeliveries(const History& history, const StreamChains& chains, std::uint32_t subscribers,
                     std::vector<std::string>& violations);

}  // namespace everfold

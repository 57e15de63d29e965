// Whether calls can have taken effect one after the other, each at an instant between its start and its end.
//
// Every version is made by one append, so the order of appends is known, and only the instants are to be found: each
// append is put at the earliest one that its start, the appends before it, and what was read without it allow. If that
// is later than its end, or than the end of a call that saw it, no other choice would do: the history is not
// linearizable. ("Testing Shared Memories", Gibbons and Korach 1997, with the order of writes given.) In O(n log n).
#pragma once

#include <string>
#include <vector>

#include "tests/linearizability/history.h"
#include "tests/linearizability/stream_chains.h"

namespace everfold {

enum class Strictness {
  kEachStream,  // in each stream by itself
  kCommits,     // an append to several streams takes effect in all of them at one instant
  kSequence,    // likewise, and appends take effect in the order of their sequences, pulls included
};

// Reads, conflicts and pulls see what was acknowledged, or seen by another call, before they began. `chains`, of the
// same history, without violations. Describes each append for which there is no instant, and the two calls that leave
// none. kSequence: the sequence of every append in effect is known, from its answer or from pulls.
void CheckLinearizable(const History& history, const StreamChains& chains, Strictness strictness,
                       std::vector<std::string>& violations);

// Each pull that caught up hands out everything that was acknowledged before it began, and none hands out what nobody
// had sent; a commit that one pull handed out is there for the next. Apart from what is read by stream.
void CheckPullsLinearizable(const History& history, const StreamChains& chains, std::vector<std::string>& violations);

}  // namespace everfold

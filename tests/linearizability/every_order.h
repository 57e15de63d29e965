// Linearizability by trying every order, for histories of a dozen calls: what the fast check is compared with.
// (Wing and Gong 1993, with the states that Lowe 2017 adds to it, so that no order of the same calls is tried twice.)
#pragma once

#include "tests/linearizability/history.h"

namespace everfold {

// Of appends and reads; an append to several streams takes effect in all of them at one instant. REQUIRES: at most 64
// calls.
bool IsLinearizableInSomeOrder(const History& history);

}  // namespace everfold

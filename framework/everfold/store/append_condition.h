// A dynamic consistency boundary: what an append relies on is not a stream but whatever a query meets.
//
// Read the events that a decision needs, remember the sequence up to which they were read, decide, and append on the
// condition that nothing that the same query meets has come since. The wording is that of the specification:
// https://dcb.events/specification/.
#pragma once

#include "everfold/event/event_query.h"
#include "everfold/event/position.h"

namespace everfold {

// The append fails if there is an event of its tenant that meets the query and stands in a commit above `after`, which
// is durable: the sequence up to which was read, or 0.
struct AppendCondition {
  EventQuery fail_if_events_match;
  Sequence after;
  friend bool operator==(const AppendCondition&, const AppendCondition&) = default;
};

}  // namespace everfold

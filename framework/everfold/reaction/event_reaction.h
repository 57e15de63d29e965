// One event and the handler that wants it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "everfold/event/event_selection.h"
#include "everfold/event/recorded_event.h"
#include "everfold/reaction/reactor_type.h"
#include "everfold/reaction/taken_event.h"

namespace everfold {

// Of the types that there are handlers for, so that what nobody handles is passed over unread.
EventSelection SelectionOf(const ReactorType& type);

// What the event is held together by with others (event/event_key.h). REQUIRES: the event is of the selection.
std::string KeyOfEvent(const ReactorType& type, const RecordedEvent& event);
// Of one that has a key which cannot be told: its payload does not parse, or what tells the key throws. No declared key
// is known then, so other events of that key may go on ahead; code that is mended tells the key.
std::string UntoldKeyOf(const StreamId& stream);

// Calls the handler. What it throws is INTERNAL; RESOURCE_EXHAUSTED where it was for memory. DATA_LOSS for a payload
// that is no message of its type. REQUIRES: the event is of the selection.
absl::Status ReactTo(const ReactorType& type, void* reactor, const TakenEvent& event, unsigned attempt);

// Another try may help, in the handler's own words.
bool IsWorthAnotherTry(const absl::Status& reaction);

}  // namespace everfold

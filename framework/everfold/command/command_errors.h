// Answers to commands that any decision may end with.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "everfold/store/event_store.h"

namespace everfold {

// CANCELLED (CALLER_GONE): nobody waits for the answer any more.
absl::Status CallerHasGone();

// INTERNAL (DECIDER_FAILED): stored, the event could not be read again.
absl::Status UnreadableEvent(const std::string& type);

// The same error, of an event that is stored: its stream and version are in the message and in ErrorInfo.
absl::Status AtEvent(const absl::Status& error, const RecordedEvent& event);

// INTERNAL (DECIDER_FAILED), with limit and value, for a rejection that is to be recorded and is too large: nothing was
// recorded, and a repeat is decided afresh.
absl::Status OutcomeIsTooLarge(const std::string& command, std::size_t bytes);

// UNAVAILABLE (STORE_CLOSED) once the log has failed: what is known of it may be behind the disk, or somebody else's.
absl::Status CheckStoreIsOpen(const EventStore& store);

}  // namespace everfold

// An event that an application has sent, as a reader of the store would be handed it.
#pragma once

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "everfold/event/recorded_event.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold {

// Calls `visit`, whose result is the result. What a message does not tell: the fingerprint of the command, which is
// empty, and the first version of the commit in the stream, which is that of the event itself. DATA_LOSS for a message
// that no application sends.
absl::Status VisitReceived(const v1::RecordedEvent& message,
                           absl::FunctionRef<absl::Status(const RecordedEvent&)> visit);

}  // namespace everfold

// What a reactor says of itself, as messages.
#pragma once

#include "everfold/reaction/reactor_place.h"
#include "everfold/reaction/reactor_status.h"
#include "everfold/v1/reactor_service.pb.h"

namespace everfold {

v1::ReactorState StateMessage(ReactorState state);
v1::ReactorInfo ReactorMessage(const ReactorStatus& status);
v1::WaitingReaction WaitingReactionMessage(const ReactorKey& key);

}  // namespace everfold

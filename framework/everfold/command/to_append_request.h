// A decision as the store takes it.
#pragma once

#include "absl/time/time.h"
#include "everfold/command/routed_command.h"
#include "everfold/decide/decision.h"
#include "everfold/store/append.h"
#include "google/protobuf/message.h"

namespace everfold {

// REQUIRES: the aggregate has such an event.
NewEvent ToNewEvent(const AggregateType& aggregate, const google::protobuf::Message& event);

// False if the bytes that are stored do not parse: Protobuf writes strings that are not UTF-8, and does not read them.
bool CanBeReadAgain(const google::protobuf::Message& event, const NewEvent& made);

// Decided at that time, on the version that the command knows.
AppendRequest ToAppendRequest(const RoutedCommand& command, absl::Time decided_at, const AnyDecision& decision);

}  // namespace everfold

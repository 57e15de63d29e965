// A command to a consistency boundary on its way through the command side.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "everfold/command/admission.h"
#include "everfold/command/command_handler.h"
#include "everfold/decide/boundary_type.h"
#include "everfold/event/event_query.h"
#include "everfold/runtime/task_scope.h"

namespace everfold {

struct BoundedCommand {
  // Found out before it waits.
  CommandRequest request;
  CommandHandler::Done done = nullptr;
  const BoundaryType* boundary = nullptr;
  const BoundaryCommandType* type = nullptr;
  CommandId id = {};                   // empty without a request_id
  absl::Status invalid = {};           // as RoutedCommand's; also of a query that nobody can answer
  EventQuery query = {};               // without items: it relies on nothing
  std::vector<std::string> keys = {};  // each once: those that have one in common wait for each other
  TaskScope::Guard guard;
  Admission::Place place;

  // Found out then.
  std::size_t ahead = 0;  // keys for which others are before it
  int conflicts = 0;      // met with what others appended meanwhile
  // Of a decision without events whose outcome is being recorded.
  std::optional<CommandOutcome> held = {};
};

// Held by the step that works on it, or by its place in the queue.
using BoundedCommandPtr = std::shared_ptr<BoundedCommand>;

}  // namespace everfold

// A command on its way through the command side.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/command/admission.h"
#include "everfold/command/command_handler.h"
#include "everfold/runtime/task_scope.h"
#include "everfold/store/append.h"
#include "everfold/store/snapshots/snapshot_store.h"
#include "google/protobuf/message.h"

namespace everfold {

struct StreamSlot;

struct RoutedCommand {
  // The command, if it is not the caller's own: a creating one whose id was derived.
  std::unique_ptr<google::protobuf::Message> made = nullptr;
  // Found out before it came to its lane.
  CommandRequest request;
  CommandHandler::Done done;
  const AggregateType* aggregate = nullptr;
  const CommandType* type = nullptr;  // nullptr: somebody asks for the state, and is answered by `state_done`
  CommandHandler::StateDone state_done = nullptr;
  StreamId stream;
  CommandId id;  // empty without a request_id
  TaskScope::Guard guard;
  Admission::Place place;

  // Found out there.
  StreamSlot* slot = nullptr;
  // Not OK: its fields break rules. If it was recorded all the same, it kept them then (`gt_now`): it is told the same.
  absl::Status invalid = {};
  bool was_loaded_for = false;  // its stream's state was not in memory
  int conflicts = 0;            // met with what somebody else appended
  Version decided_at = {};      // of the state that it was decided on
  bool settled = false;         // what becomes of it is known, but perhaps not yet of those before it
  // Of a decision to append, once it was answered.
  std::optional<absl::StatusOr<AppendResult>> appended = std::nullopt;
  // Of a decision without events: what its caller will be told; nullopt: that nothing changed.
  std::optional<absl::StatusOr<CommandOutcome>> held = std::nullopt;
  // The state after it, to be saved when it is durable.
  std::optional<Snapshot> snapshot = std::nullopt;
  // A copy of the state, for who asks for it.
  std::unique_ptr<google::protobuf::Message> seen = nullptr;
  // With the same id, come while this one was on its way.
  std::vector<std::unique_ptr<RoutedCommand>> repeats = {};
};

using RoutedCommandPtr = std::unique_ptr<RoutedCommand>;

}  // namespace everfold

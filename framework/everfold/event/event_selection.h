// Which events a reader of many streams is handed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "everfold/event/event_query.h"

namespace everfold {

struct EventSelection {
  EventQuery query = {};                   // default: all
  std::optional<std::string> tenant = {};  // default: those of all tenants

  // Streams whose aggregate begins with '$' are the framework's own, and hidden unless asked for.
  bool framework_streams = false;
  // Where readers keep their checkpoints, groups, reactors and processes, is hidden even then, unless it is asked for, too:
  // whoever saves a checkpoint after each event, and is handed what it saved, never comes to an end.
  bool group_streams = false;

  friend bool operator==(const EventSelection&, const EventSelection&) = default;
};

// Aggregate of the streams that hold durable checkpoints: `$group/<name>`.
inline constexpr char kGroupAggregate[] = "$group";
// Of the streams that hold the places of reactors: `$reactor/<name>`.
inline constexpr char kReactorAggregate[] = "$reactor";
// Of the streams that hold the places of processes: `$process/<name>`.
inline constexpr char kProcessAggregate[] = "$process";

// Of the events that are stored under these names, of all tenants.
EventSelection SelectionOfTypes(const std::vector<std::string>& types);

// INVALID_ARGUMENT as ValidateQuery (event/event_query.h), or for a tenant that no stream can have.
absl::Status ValidateSelection(const EventSelection& selection);

}  // namespace everfold

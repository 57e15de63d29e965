// What an application's parts know of events that are stored otherwise than they are today, and whether they can read
// what the store has.
#pragma once

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "everfold/app/parts.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/event/stored_names.h"
#include "everfold/log/files/files.h"
#include "everfold/process/process_type.h"
#include "everfold/projection/projection_type.h"
#include "everfold/reaction/reactor_type.h"
#include "everfold/store/event_store.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

// What queries by type ask for beside the types that they name.
StoredNames StoredNamesOf(const std::vector<AggregateType>& aggregates);

// Hands projections, reactors and processes the stored forms of their events.
void AddStoredForms(const std::vector<AggregateType>& aggregates, std::vector<ProjectionType>& projections);
void AddStoredForms(const std::vector<AggregateType>& aggregates, std::vector<ReactorType>& reactors);
void AddStoredForms(const std::vector<AggregateType>& aggregates, std::vector<ProcessType>& processes);

// Compares every event type that the log defines and an aggregate reads with what it was when its events were written,
// then keeps descriptions of the types of today in the file `path`: durably, so that it has those of all events that
// are appended afterwards.
//   FAILED_PRECONDITION  (INCOMPATIBLE_TYPE) stored events would be misread: types, fields, what they were and are, and
//                        what to do, all at once
//   as ReadTypeFile      about the file
// A type whose description is not there, as in a store that a program without this file wrote, is not compared; the
// logger, if there is one, is told.
absl::Status CheckStoredTypes(const std::vector<AggregateType>& aggregates, const EventStore& store, Files& files,
                              const std::string& path, Logger* logger);

// Tells the logger, once, if the store has events or commands of types that are in none of these parts: it may be
// another application's, or be used raw. Nothing else comes of it.
void WarnOfForeignTypes(const Parts& parts, const EventStore& store, Logger& logger);

}  // namespace everfold

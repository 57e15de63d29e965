// Read models: their columns, and the ReadModelTraits that carry rows in and out of SQLite.
#pragma once

#include "codegen/model.h"
#include "codegen/problems.h"
#include "google/protobuf/io/printer.h"

namespace everfold::codegen {

// REQUIRES: the message is marked read_model. Refuses keys that are no key, and indexes that are no index.
ReadModel ReadReadModel(const pb::Descriptor& message, Problems& problems);

// Both inside of namespace everfold.
void EmitReadModelTraits(const ReadModel& read_model, pb::io::Printer& out);
void EmitReadModelDefinitions(const ReadModel& read_model, pb::io::Printer& out);

}  // namespace everfold::codegen

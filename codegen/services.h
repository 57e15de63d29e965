// <file>_api.everfold.cc: the generated services, each method one call of the framework.
#pragma once

#include "codegen/model.h"
#include "codegen/problems.h"
#include "google/protobuf/io/printer.h"

namespace everfold::codegen {

// Refuses an api file that is not what its domain generates: it is stale.
void CheckServices(const Domain& domain, const pb::FileDescriptor& api, Problems& problems);
void EmitServices(const Domain& domain, pb::io::Printer& out);

}  // namespace everfold::codegen

// <file>.everfold.h: what the framework knows about a domain at compile time.
#pragma once

#include "codegen/model.h"
#include "google/protobuf/io/printer.h"

namespace everfold::codegen {

void EmitHeader(const Domain& domain, pb::io::Printer& out);

}  // namespace everfold::codegen

// <file>.everfold.cc: the functions that <file>.everfold.h declares, but for those that need gRPC.
#pragma once

#include "codegen/model.h"
#include "google/protobuf/io/printer.h"

namespace everfold::codegen {

void EmitSource(const Domain& domain, pb::io::Printer& out);

}  // namespace everfold::codegen

// <file>_api.proto: the services of a domain, which its authors check in beside <file>.proto. Clean by the rules of
// buf's STANDARD category.
#pragma once

#include "codegen/model.h"
#include "google/protobuf/io/printer.h"

namespace everfold::codegen {

void EmitApiProto(const Domain& domain, pb::io::Printer& out);

}  // namespace everfold::codegen

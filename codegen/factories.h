// A factory for each message: MakeWithdraw({.wallet_id = "w1", .amount_minor = 120}).
#pragma once

#include "codegen/model.h"
#include "google/protobuf/io/printer.h"

namespace everfold::codegen {

// Both inside of the domain's own namespace.
void EmitFactoryDeclarations(const pb::FileDescriptor& file, pb::io::Printer& out);
void EmitFactoryDefinitions(const pb::FileDescriptor& file, pb::io::Printer& out);

}  // namespace everfold::codegen

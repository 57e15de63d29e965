// CommandTraits<C>::Validate, from the rules on fields.
#pragma once

#include "codegen/model.h"
#include "google/protobuf/io/printer.h"

namespace everfold::codegen {

// True if a command of the domain has rules, or holds a message that has.
bool HasValidators(const Domain& domain);

// One function a message, in an anonymous namespace: messages of other files are checked too, and may hold themselves.
void EmitChecks(const Domain& domain, pb::io::Printer& out);
void EmitValidate(const Command& command, pb::io::Printer& out);

}  // namespace everfold::codegen

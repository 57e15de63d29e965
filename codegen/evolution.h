// Events that were called otherwise, and events that others supersede.
#pragma once

#include "codegen/model.h"
#include "codegen/problems.h"

namespace everfold::codegen {

// Finds the events that superseded ones are upcast to, and adds what is wrong with that, and with earlier names.
void ReadEvolution(Domain& domain, Problems& problems);

}  // namespace everfold::codegen

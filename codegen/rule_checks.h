// Whether field rules fit their fields, and can be kept at all.
#pragma once

#include "codegen/model.h"
#include "codegen/problems.h"

namespace everfold::codegen {

// Looks at the messages of the domain's file, and at those of other files that its commands can hold.
void CheckRules(const Domain& domain, Problems& problems);

}  // namespace everfold::codegen

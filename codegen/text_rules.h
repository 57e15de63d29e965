// The rules on strings and bytes as validators test them.
#pragma once

#include <vector>

#include "codegen/rule.h"

namespace everfold::codegen {

std::vector<Rule> StringRules(const v1::StringRules& rules);
std::vector<Rule> BytesRules(const v1::BytesRules& rules);

}  // namespace everfold::codegen

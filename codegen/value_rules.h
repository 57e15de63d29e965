// The rules on one value as validators test them.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "codegen/literals.h"
#include "codegen/rule.h"

namespace everfold::codegen {

// `field` has the value's type: the field itself, or the key or value of a map.
// REQUIRES: CheckValueRules found nothing wrong.
std::vector<Rule> ValueRules(const pb::FieldDescriptor& field, const v1::FieldRules& rules);

// One of len, min_len, max_items, ...: `size` is a C++ expression of a T, `unit` is in the singular.
template <class T>
Rule SizeRule(const std::string& id, const std::string& size, const char* comparison, const char* text, T limit,
              const std::string& unit) {
  return {.id = id,
          .condition = absl::StrFormat("%s %s %s", size, comparison, Literal(limit)),
          .description = absl::StrFormat("must have %s %d %s%s, has ", text, limit, unit, limit == 1 ? "" : "s"),
          .met = absl::StrFormat("Shown(%s)", size)};
}

}  // namespace everfold::codegen

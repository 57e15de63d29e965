// The rules const, in and not_in, which are the same for all types.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codegen/bounds.h"
#include "codegen/literals.h"
#include "codegen/rule.h"

namespace everfold::codegen {

// "value == 1 || value == 2".
template <class T>
std::string Compared(const std::vector<T>& list, const char* comparison, const char* joined_by) {
  return absl::StrJoin(list, joined_by, [comparison](std::string* out, const T& item) {
    absl::StrAppendFormat(out, "value %s %s", comparison, Literal(item));
  });
}

template <class T, class List>
std::vector<T> ValuesOf(const List& list) {
  std::vector<T> values;
  for (const auto& value : list) values.push_back(RuleValue<T>(value));
  return values;
}

// `type` begins the rules' ids. `text` makes a value as callers are told of it, and `met` is the C++ expression of the
// one that was met.
template <class T, class Rules, class ToText>
void AddConstInNotIn(const std::string& type, const Rules& rules, ToText text, const std::string& met,
                     std::vector<Rule>& result) {
  const auto join = [&text](const std::vector<T>& list) {
    return absl::StrJoin(list, ", ", [&text](std::string* out, const T& item) { out->append(text(item)); });
  };
  if (rules.has_const_()) {
    const std::vector<T> only = {RuleValue<T>(rules.const_())};
    result.push_back({.id = type + ".const",
                      .condition = Compared(only, "==", ""),
                      .description = absl::StrFormat("must be %s, is ", join(only)),
                      .met = met});
  }
  if constexpr (requires { rules.in(); }) {
    if (const auto list = ValuesOf<T>(rules.in()); !list.empty()) {
      result.push_back({.id = type + ".in",
                        .condition = Compared(list, "==", " || "),
                        .description = absl::StrFormat("must be one of %s, is ", join(list)),
                        .met = met});
    }
    if (const auto list = ValuesOf<T>(rules.not_in()); !list.empty()) {
      result.push_back({.id = type + ".not_in",
                        .condition = Compared(list, "!=", " && "),
                        .description = absl::StrFormat("must be none of %s, is ", join(list)),
                        .met = met});
    }
  }
}

}  // namespace everfold::codegen

// What can be wrong with the rules on one value: bounds that contradict each other, patterns that do not compile.
#pragma once

#include <string>

#include "codegen/problems.h"
#include "everfold/v1/options.pb.h"

namespace everfold::codegen {

// Problems of one field's rules. Threading: one thread.
class FieldProblems {
 public:
  FieldProblems(const pb::FieldDescriptor& field, Problems& problems) : field_(field), problems_(problems) {}
  // The text follows the field's name.
  void Add(const std::string& text) { problems_.Add(field_, field_.name() + " " + text); }

 private:
  const pb::FieldDescriptor& field_;
  Problems& problems_;
};

// `field` has the value's type: the field itself, or the key or value of a map. REQUIRES: the rules are for that type.
void CheckValueRules(const pb::FieldDescriptor& field, const v1::FieldRules& rules, FieldProblems& problems);

}  // namespace everfold::codegen

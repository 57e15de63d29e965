// Field rules as the validators test them: conditions in C++, with the names and texts that callers are told.
#pragma once

#include <string>
#include <vector>

#include "codegen/model.h"

namespace everfold::codegen {

// One rule on `value`, or on a repeated field or a map as a whole.
struct Rule {
  std::string id;           // as in protovalidate: "int64.gt", "string.min_len"
  std::string condition;    // a C++ expression, true if the rule is kept
  std::string description;  // "must be greater than 0, is "
  std::string met{};        // a C++ expression of the text that ends the description; may be empty
  std::string setup{};      // a C++ statement that goes before the condition; may be empty
  bool uses_now = false;    // the condition reads `now`
};

// Everything that is checked on one field.
struct FieldChecks {
  bool required = false;
  std::vector<Rule> whole_rules{};       // of a repeated field or a map
  std::vector<Rule> key_rules{};         // of each key of a map
  std::vector<Rule> value_rules{};       // of the value, of each item, or of each value of a map
  const pb::Descriptor* type = nullptr;  // of the value or values, if it is a message with checks of its own
  // Something is checked beyond its being set.
  bool HasMore() const { return !whole_rules.empty() || HasParts(); }
  // Something is checked on each key, value or item.
  bool HasParts() const { return !key_rules.empty() || !value_rules.empty() || type != nullptr; }
};

// REQUIRES: CheckRules found nothing wrong.
FieldChecks ChecksOf(const pb::FieldDescriptor& field);

// True if one of the oneof's fields must be set.
bool IsRequired(const pb::OneofDescriptor& oneof);

// True if the message, or one that it can hold, has rules.
bool HasChecks(const pb::Descriptor& message);

// True if what is checked on the message, not counting the messages in it, depends on the time.
bool UsesNow(const pb::Descriptor& message);

// The domain's commands, and every message that they can hold, of other files too.
std::vector<const pb::Descriptor*> MessagesInCommands(const Domain& domain);

}  // namespace everfold::codegen

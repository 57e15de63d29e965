#include "codegen/rule_checks.h"

#include <limits>
#include <optional>

#include "absl/strings/str_format.h"
#include "codegen/options.h"
#include "codegen/rule.h"
#include "codegen/value_rule_checks.h"

namespace everfold::codegen {
namespace {

using pb::FieldDescriptor;
using TypeCase = v1::FieldRules::TypeCase;

// The rules for one value of the field; TYPE_NOT_SET if there are none for its type.
TypeCase FittingType(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return TypeCase::kInt32;
    case FieldDescriptor::CPPTYPE_INT64:
      return TypeCase::kInt64;
    case FieldDescriptor::CPPTYPE_UINT32:
      return TypeCase::kUint32;
    case FieldDescriptor::CPPTYPE_UINT64:
      return TypeCase::kUint64;
    case FieldDescriptor::CPPTYPE_DOUBLE:
    case FieldDescriptor::CPPTYPE_FLOAT:
      return TypeCase::kDouble;
    case FieldDescriptor::CPPTYPE_ENUM:
      return TypeCase::kEnum;
    case FieldDescriptor::CPPTYPE_STRING:
      return field.type() == FieldDescriptor::TYPE_BYTES ? TypeCase::kBytes : TypeCase::kString;
    case FieldDescriptor::CPPTYPE_BOOL:
      return TypeCase::kBool;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type()->full_name() == "google.protobuf.Timestamp") return TypeCase::kTimestamp;
      if (field.message_type()->full_name() == "google.protobuf.Duration") return TypeCase::kDuration;
      return TypeCase::TYPE_NOT_SET;
  }
  return TypeCase::TYPE_NOT_SET;
}

std::string NameOf(TypeCase type) {
  if (type == TypeCase::TYPE_NOT_SET) return "";
  return v1::FieldRules::descriptor()->FindFieldByNumber(type)->name();
}

// "repeated string", "a map", "message".
std::string TypeOf(const FieldDescriptor& field) {
  if (field.is_map()) return "a map";
  return (field.is_repeated() ? "repeated " : "") + std::string(field.type_name());
}

// What to write where other rules do not fit. `prefix` is how the rules of a part begin: "repeated.items.", or "".
std::string Instead(const FieldDescriptor& value, const std::string& prefix) {
  const TypeCase fitting = FittingType(value);
  if (fitting != TypeCase::TYPE_NOT_SET) return absl::StrFormat("write `%s%s`", prefix, NameOf(fitting));
  if (!prefix.empty()) return absl::StrFormat("put rules on the fields of %s", value.message_type()->name());
  return absl::StrFormat("the only rule for a %s is `required`", value.type_name());
}

void CheckCounts(const char* min_name, std::uint64_t min, const char* max_name, std::optional<std::uint64_t> max,
                 FieldProblems& problems) {
  if (max && min > *max) {
    problems.Add(absl::StrFormat("has %s %d above %s %d; exchange them", min_name, min, max_name, *max));
  } else if (min > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    problems.Add(absl::StrFormat("has %s %d, more than a field can hold; write a smaller number", min_name, min));
  }
}

// Whether the rules say something.
bool AreEmpty(const v1::FieldRules& rules) {
  const pb::FieldDescriptor* type = v1::FieldRules::descriptor()->FindFieldByNumber(rules.type_case());
  return rules.GetReflection()->GetMessage(rules, type).ByteSizeLong() == 0;
}

// The rules of one field, which may be those of its parts as well.
class FieldCheck {
 public:
  FieldCheck(const FieldDescriptor& field, Problems& problems) : field_(field), problems_(field, problems) {}

  void Check() {
    const v1::FieldRules& rules = field_.options().GetExtension(v1::field).rules();
    if (rules.type_case() == TypeCase::TYPE_NOT_SET) return;
    const TypeCase fitting = field_.is_map()        ? TypeCase::kMap
                             : field_.is_repeated() ? TypeCase::kRepeated
                                                    : FittingType(field_);
    if (rules.type_case() != fitting) return Refuse(rules);
    if (AreEmpty(rules)) return RefuseEmpty(NameOf(fitting));
    if (fitting == TypeCase::kMap) return CheckMap(rules.map());
    if (fitting == TypeCase::kRepeated) return CheckRepeated(rules.repeated());
    CheckValueRules(field_, rules, problems_);
  }

 private:
  // Rules of another type than the field's.
  void Refuse(const v1::FieldRules& rules) {
    const bool items = field_.is_repeated() && !field_.is_map() && FittingType(field_) == rules.type_case();
    const std::string instead = items                  ? Instead(field_, "repeated.items.")
                                : field_.is_map()      ? "write `map`"
                                : field_.is_repeated() ? "write `repeated`"
                                                       : Instead(field_, "");
    problems_.Add(
        absl::StrFormat("is %s, which %s rules do not fit; %s", TypeOf(field_), NameOf(rules.type_case()), instead));
  }

  void CheckRepeated(const v1::RepeatedRules& rules) {
    CheckCounts("min_items", rules.min_items(), "max_items",
                rules.has_max_items() ? std::optional(rules.max_items()) : std::nullopt, problems_);
    if (rules.unique() && field_.message_type() != nullptr) {
      problems_.Add("asks for `unique` messages, which cannot be compared; remove it, or use a scalar");
    }
    if (rules.has_items()) CheckPart(rules.items(), field_, "items", "repeated.items");
  }

  void CheckMap(const v1::MapRules& rules) {
    CheckCounts("min_pairs", rules.min_pairs(), "max_pairs",
                rules.has_max_pairs() ? std::optional(rules.max_pairs()) : std::nullopt, problems_);
    const pb::Descriptor& entry = *field_.message_type();
    if (rules.has_keys()) CheckPart(rules.keys(), *entry.map_key(), "keys", "map.keys");
    if (rules.has_values()) CheckPart(rules.values(), *entry.map_value(), "values", "map.values");
  }

  // `part` has the type of what the rules are for.
  void CheckPart(const v1::FieldRules& rules, const FieldDescriptor& part, const char* name, const std::string& path) {
    if (rules.required()) {
      problems_.Add(absl::StrFormat("has `required` %s, which say nothing; ask for a minimum length or value", name));
    }
    const bool given = rules.type_case() != TypeCase::TYPE_NOT_SET;
    if (given && rules.type_case() != FittingType(part)) {
      return problems_.Add(absl::StrFormat("has %s of the type %s, which %s rules do not fit; %s", name,
                                           part.type_name(), NameOf(rules.type_case()), Instead(part, path + ".")));
    }
    if (!rules.required() && (!given || AreEmpty(rules))) return RefuseEmpty(path);
    CheckValueRules(part, rules, problems_);
  }

  void RefuseEmpty(const std::string& path) {
    problems_.Add(absl::StrFormat("has `%s` without a rule (an empty list is none); write one, or remove it", path));
  }

  const FieldDescriptor& field_;
  FieldProblems problems_;
};

}  // namespace

void CheckRules(const Domain& domain, Problems& problems) {
  std::vector<const pb::Descriptor*> messages = MessagesOf(*domain.file);
  for (const pb::Descriptor* message : MessagesInCommands(domain)) {
    if (message->file() != domain.file) messages.push_back(message);
  }
  for (const pb::Descriptor* message : messages) {
    for (int i = 0; i < message->field_count(); ++i) {
      if (message->field(i)->options().GetExtension(v1::field).has_rules())
        FieldCheck(*message->field(i), problems).Check();
    }
  }
}

}  // namespace everfold::codegen

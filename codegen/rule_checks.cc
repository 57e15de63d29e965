#include "codegen/rule_checks.h"

#include <re2/re2.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_format.h"
#include "codegen/options.h"
#include "codegen/rule.h"

namespace everfold::codegen {
namespace {

using pb::FieldDescriptor;
using TypeCase = v1::FieldRules::TypeCase;

// Problems of one field's rules.
class FieldProblems {
 public:
  FieldProblems(const FieldDescriptor& field, Problems& problems) : field_(field), problems_(problems) {}
  void Add(const std::string& text) { problems_.Add(field_, absl::StrFormat("%s %s", field_.name(), text)); }

 private:
  const FieldDescriptor& field_;
  Problems& problems_;
};

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
    default:
      return TypeCase::TYPE_NOT_SET;
  }
}

std::string NameOf(TypeCase type) {
  if (type == TypeCase::TYPE_NOT_SET) return "";
  return v1::FieldRules::descriptor()->FindFieldByNumber(type)->name();
}

// Contradictions --------------------------------------------------------------------------------------------------

template <class T>
bool SomeIntegerIn(bool has_lower, T lower, bool lower_open, bool has_upper, T upper, bool upper_open) {
  if (has_lower && lower_open && lower == std::numeric_limits<T>::max()) return false;
  if (has_upper && upper_open && upper == std::numeric_limits<T>::min()) return false;
  if (!has_lower || !has_upper) return true;
  return lower + (lower_open ? 1 : 0) <= upper - (upper_open ? 1 : 0);
}

bool SomeDoubleIn(bool has_lower, double lower, bool lower_open, bool has_upper, double upper, bool upper_open) {
  if (has_lower && lower_open && lower == HUGE_VAL) return false;
  if (has_upper && upper_open && upper == -HUGE_VAL) return false;
  if (!has_lower || !has_upper) return true;
  return lower < upper || (lower == upper && !lower_open && !upper_open);
}

template <class Rules>
bool IsSatisfiable(const Rules& rules) {
  const bool has_lower = rules.has_gt() || rules.has_gte();
  const bool has_upper = rules.has_lt() || rules.has_lte();
  const auto lower = rules.has_gt() ? rules.gt() : rules.gte();
  const auto upper = rules.has_lt() ? rules.lt() : rules.lte();
  if constexpr (std::is_same_v<Rules, v1::DoubleRules>) {
    return SomeDoubleIn(has_lower, lower, rules.has_gt(), has_upper, upper, rules.has_lt());
  } else {
    return SomeIntegerIn(has_lower, lower, rules.has_gt(), has_upper, upper, rules.has_lt());
  }
}

template <class Rules>
void CheckBounds(const Rules& rules, FieldProblems& problems) {
  if constexpr (std::is_same_v<Rules, v1::DoubleRules>) {
    if (std::isnan(rules.gt()) || std::isnan(rules.gte()) || std::isnan(rules.lt()) || std::isnan(rules.lte())) {
      return problems.Add("has a bound that is not a number; write a number");
    }
  }
  if (rules.has_gt() && rules.has_gte()) return problems.Add("has both gt and gte; keep one");
  if (rules.has_lt() && rules.has_lte()) return problems.Add("has both lt and lte; keep one");
  if (!IsSatisfiable(rules)) {
    problems.Add("has bounds that no value can keep; the lower one must be below the upper one");
  }
}

template <class Rules>
void CheckLengths(const Rules& rules, FieldProblems& problems) {
  if (rules.has_len() && (rules.has_min_len() || rules.has_max_len())) {
    return problems.Add("has len together with min_len or max_len; keep one or the other");
  }
  if (rules.has_min_len() && rules.has_max_len() && rules.min_len() > rules.max_len()) {
    problems.Add(absl::StrFormat("has min_len %d above max_len %d; exchange them", rules.min_len(), rules.max_len()));
  }
}

void CheckPattern(const std::string& pattern, FieldProblems& problems) {
  if (pattern.find('\0') != std::string::npos) {
    return problems.Add("has a pattern with a NUL character; write it as \\x00 in the expression");
  }
  const RE2 compiled(pattern, RE2::Quiet);
  if (compiled.ok()) return;
  problems.Add(
      absl::StrFormat("has the pattern '%s', which RE2 refuses (%s); correct it "
                      "(https://github.com/google/re2/wiki/Syntax)",
                      pattern, compiled.error()));
}

void CheckString(const v1::StringRules& rules, FieldProblems& problems) {
  CheckLengths(rules, problems);
  if (rules.has_pattern()) CheckPattern(rules.pattern(), problems);
  const bool has_nul = std::any_of(rules.in().begin(), rules.in().end(),
                                   [](const std::string& text) { return text.find('\0') != std::string::npos; });
  if (has_nul) problems.Add("lists a text with a NUL character; remove it");
}

void CheckCounts(const v1::RepeatedRules& rules, FieldProblems& problems) {
  if (rules.has_max_items() && rules.min_items() > rules.max_items()) {
    problems.Add(
        absl::StrFormat("has min_items %d above max_items %d; exchange them", rules.min_items(), rules.max_items()));
  } else if (rules.min_items() > static_cast<std::uint64_t>(std::numeric_limits<int>::max())) {
    problems.Add(
        absl::StrFormat("has min_items %d, more than a field can hold; write a smaller number", rules.min_items()));
  }
}

// Rules on one value ----------------------------------------------------------------------------------------------

void CheckValueRules(const v1::FieldRules& rules, FieldProblems& problems) {
  switch (rules.type_case()) {
    case TypeCase::kInt32:
      return CheckBounds(rules.int32(), problems);
    case TypeCase::kInt64:
      return CheckBounds(rules.int64(), problems);
    case TypeCase::kUint32:
      return CheckBounds(rules.uint32(), problems);
    case TypeCase::kUint64:
      return CheckBounds(rules.uint64(), problems);
    case TypeCase::kDouble:
      return CheckBounds(rules.double_(), problems);
    case TypeCase::kString:
      return CheckString(rules.string(), problems);
    case TypeCase::kBytes:
      return CheckLengths(rules.bytes(), problems);
    case TypeCase::kEnum:
    case TypeCase::kRepeated:
    case TypeCase::TYPE_NOT_SET:
      return;
  }
}

// What to write where `given` does not fit; `value` is the type that fits one value.
std::string Instead(const FieldDescriptor& field, TypeCase value) {
  if (field.is_map()) return "the only rule for a map is `required`";
  if (field.is_repeated()) {
    return value == TypeCase::TYPE_NOT_SET ? "write `repeated` rules"
                                           : absl::StrFormat("write `repeated.items.%s`", NameOf(value));
  }
  if (value == TypeCase::TYPE_NOT_SET)
    return absl::StrFormat("the only rule for a %s is `required`", field.type_name());
  return absl::StrFormat("write `%s`", NameOf(value));
}

void CheckField(const FieldDescriptor& field, Problems& all) {
  const v1::FieldRules& rules = field.options().GetExtension(v1::field).rules();
  FieldProblems problems(field, all);
  const bool list = field.is_repeated() && !field.is_map();
  const TypeCase value = field.is_map() ? TypeCase::TYPE_NOT_SET : FittingType(field);
  const auto refuse = [&](const std::string& given, const std::string& where) {
    problems.Add(absl::StrFormat("is %s%s, which %s rules do not fit; %s", where,
                                 field.is_map() ? "a map" : field.type_name(), given, Instead(field, value)));
  };
  const TypeCase fitting = list ? TypeCase::kRepeated : value;
  if (rules.type_case() != TypeCase::TYPE_NOT_SET && rules.type_case() != fitting) {
    return refuse(NameOf(rules.type_case()), list ? "repeated " : "");
  }
  if (!list) return CheckValueRules(rules, problems);
  const v1::FieldRules& items = rules.repeated().items();
  CheckCounts(rules.repeated(), problems);
  if (items.required()) problems.Add("has `required` items, which say nothing; ask for a minimum length or value");
  if (items.type_case() != TypeCase::TYPE_NOT_SET && items.type_case() != value) {
    return refuse(NameOf(items.type_case()), "repeated ");
  }
  CheckValueRules(items, problems);
}

}  // namespace

void CheckRules(const Domain& domain, Problems& problems) {
  std::vector<const pb::Descriptor*> messages = MessagesOf(*domain.file);
  for (const pb::Descriptor* message : MessagesInCommands(domain)) {
    if (message->file() != domain.file) messages.push_back(message);
  }
  for (const pb::Descriptor* message : messages) {
    for (int i = 0; i < message->field_count(); ++i) {
      if (message->field(i)->options().GetExtension(v1::field).has_rules()) CheckField(*message->field(i), problems);
    }
  }
}

}  // namespace everfold::codegen

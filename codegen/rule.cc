#include "codegen/rule.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <type_traits>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codegen/names.h"

namespace everfold::codegen {
namespace {

using pb::FieldDescriptor;

template <class T>
std::string Decimal(T value) {
  char digits[64];
  return std::string(digits, std::to_chars(digits, digits + sizeof(digits), value).ptr);
}

// The number as a C++ literal.
template <class T>
std::string Literal(T value) {
  const std::string digits = Decimal(value);
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isinf(value)) return value < 0 ? "-HUGE_VAL" : "HUGE_VAL";
    return digits.find_first_of(".e") == std::string::npos ? digits + ".0" : digits;
  } else if constexpr (std::is_unsigned_v<T>) {
    return digits + "u";
  } else {
    const bool lowest = value == std::numeric_limits<std::int64_t>::min();  // its digits alone would not fit
    return lowest ? "(-9223372036854775807 - 1)" : digits;
  }
}

// "a == 1 || a == 2".
template <class List, class ToLiteral>
std::string AnyOf(const List& list, ToLiteral literal) {
  return absl::StrJoin(list, " || ",
                       [&literal](std::string* out, const auto& item) { out->append("value == " + literal(item)); });
}

template <class List, class ToText>
std::string MustBeOneOf(const List& list, ToText text) {
  return absl::StrFormat(
      "must be one of %s, is ",
      absl::StrJoin(list, ", ", [&text](std::string* out, const auto& item) { out->append(text(item)); }));
}

// Both bounds of a number are one rule in protovalidate: {gt: 0, lte: 9} is "int64.gt_lte".
struct Bounds {
  std::vector<std::string> names, conditions, texts;

  template <class T>
  void Add(const char* name, const char* comparison, const char* text, T limit, bool always_kept) {
    names.push_back(name);
    texts.push_back(absl::StrFormat("%s %s", text, Decimal(limit)));
    if (!always_kept) conditions.push_back(absl::StrFormat("value %s %s", comparison, Literal(limit)));
  }
};

template <class Rules>
Bounds BoundsOf(const Rules& rules) {
  using Limits = std::numeric_limits<decltype(rules.lt())>;
  Bounds bounds;
  // Bounds that every value of the type keeps are left out: compilers warn of such comparisons.
  const bool integer = Limits::is_integer;
  if (rules.has_gt()) bounds.Add("gt", ">", "greater than", rules.gt(), false);
  if (rules.has_gte()) bounds.Add("gte", ">=", "at least", rules.gte(), integer && rules.gte() == Limits::min());
  if (rules.has_lt()) bounds.Add("lt", "<", "less than", rules.lt(), false);
  if (rules.has_lte()) bounds.Add("lte", "<=", "at most", rules.lte(), integer && rules.lte() == Limits::max());
  return bounds;
}

template <class Rules>
std::vector<Rule> NumberRules(const FieldDescriptor& field, const Rules& rules) {
  const std::string type = field.type_name();
  std::vector<Rule> result;
  const Bounds bounds = BoundsOf(rules);
  if (!bounds.conditions.empty()) {
    result.push_back({.id = type + "." + absl::StrJoin(bounds.names, "_"),
                      .condition = absl::StrJoin(bounds.conditions, " && "),
                      .description = absl::StrFormat("must be %s, is ", absl::StrJoin(bounds.texts, " and ")),
                      .met = "Shown(value)"});
  }
  if constexpr (requires { rules.in(); }) {
    const auto literal = [](auto number) { return Literal(number); };
    const auto text = [](auto number) { return Decimal(number); };
    if (!rules.in().empty()) {
      result.push_back({.id = type + ".in",
                        .condition = AnyOf(rules.in(), literal),
                        .description = MustBeOneOf(rules.in(), text),
                        .met = "Shown(value)"});
    }
  }
  return result;
}

// One of len, min_len, max_len, min_items, max_items. `unit` is in the singular.
Rule SizeRule(const std::string& id, const std::string& size, const char* comparison, const char* text,
              std::uint64_t limit, const std::string& unit) {
  return {.id = id,
          .condition = absl::StrFormat("%s %s %d%s", size, comparison, limit, size == "count" ? "" : "u"),
          .description = absl::StrFormat("must have %s %d %s%s, has ", text, limit, unit, limit == 1 ? "" : "s"),
          .met = absl::StrFormat("Shown(%s)", size)};
}

template <class Rules>
std::vector<Rule> LengthRules(const Rules& rules, const std::string& type, const std::string& size,
                              const std::string& unit) {
  std::vector<Rule> result;
  if (rules.has_len()) result.push_back(SizeRule(type + ".len", size, "==", "exactly", rules.len(), unit));
  if (rules.min_len() > 0) {
    result.push_back(SizeRule(type + ".min_len", size, ">=", "at least", rules.min_len(), unit));
  }
  if (rules.has_max_len()) result.push_back(SizeRule(type + ".max_len", size, "<=", "at most", rules.max_len(), unit));
  return result;
}

std::vector<Rule> StringRules(const v1::StringRules& rules) {
  std::vector<Rule> result = LengthRules(rules, "string", "CountCodePoints(value)", "character");
  if (rules.has_pattern()) {
    result.push_back(
        {.id = "string.pattern",
         .condition = "pattern.Matches(value)",
         .description = absl::StrFormat("must match %s, is ", CppLiteral(rules.pattern())),
         .met = "Shown(value)",
         .setup = absl::StrFormat("static const Pattern& pattern = *new Pattern(%s);", CppLiteral(rules.pattern()))});
  }
  if (!rules.in().empty()) {
    result.push_back({.id = "string.in",
                      .condition = AnyOf(rules.in(), CppLiteral),
                      .description = MustBeOneOf(rules.in(), CppLiteral),
                      .met = "Shown(value)"});
  }
  if (rules.uuid()) {
    result.push_back(
        {.id = "string.uuid_empty", .condition = "value.size() > 0", .description = "must be a UUID, is empty"});
    result.push_back({.id = "string.uuid",
                      .condition = "value.empty() || IsUuid(value)",
                      .description = "must be a UUID, is ",
                      .met = "Shown(value)"});
  }
  return result;
}

std::vector<Rule> EnumRules(const FieldDescriptor& field, const v1::EnumRules& rules) {
  const pb::EnumDescriptor& type = *field.enum_type();
  std::vector<Rule> result;
  if (rules.defined_only()) {
    result.push_back({.id = "enum.defined_only",
                      .condition = QualifiedName(type) + "_IsValid(value)",
                      .description = absl::StrFormat("must be a declared value of %s, is ", type.name()),
                      .met = "EnumText(value)"});
  }
  if (!rules.in().empty()) {
    const auto name = [&type](int number) {
      const pb::EnumValueDescriptor* value = type.FindValueByNumber(number);
      return value != nullptr ? value->name() : Decimal(number);
    };
    result.push_back({.id = "enum.in",
                      .condition = AnyOf(rules.in(), [](int number) { return Literal(number); }),
                      .description = MustBeOneOf(rules.in(), name),
                      .met = "EnumText(value)"});
  }
  return result;
}

// Rules on one value of the field.
std::vector<Rule> ValueRules(const FieldDescriptor& field, const v1::FieldRules& rules) {
  switch (rules.type_case()) {
    case v1::FieldRules::kInt32:
      return NumberRules(field, rules.int32());
    case v1::FieldRules::kInt64:
      return NumberRules(field, rules.int64());
    case v1::FieldRules::kUint32:
      return NumberRules(field, rules.uint32());
    case v1::FieldRules::kUint64:
      return NumberRules(field, rules.uint64());
    case v1::FieldRules::kDouble:
      return NumberRules(field, rules.double_());
    case v1::FieldRules::kString:
      return StringRules(rules.string());
    case v1::FieldRules::kBytes:
      return LengthRules(rules.bytes(), "bytes", "value.size()", "byte");
    case v1::FieldRules::kEnum:
      return EnumRules(field, rules.enum_());
    case v1::FieldRules::kRepeated:
    case v1::FieldRules::TYPE_NOT_SET:
      return {};
  }
  return {};
}

std::vector<Rule> CountRules(const v1::RepeatedRules& rules) {
  std::vector<Rule> result;
  if (rules.min_items() > 0) {
    result.push_back(SizeRule("repeated.min_items", "count", ">=", "at least", rules.min_items(), "item"));
  }
  // A repeated field counts its items in an int.
  if (rules.has_max_items() && rules.max_items() < std::numeric_limits<int>::max()) {
    result.push_back(SizeRule("repeated.max_items", "count", "<=", "at most", rules.max_items(), "item"));
  }
  return result;
}

FieldChecks OwnChecksOf(const FieldDescriptor& field) {
  const v1::FieldRules& rules = field.options().GetExtension(v1::field).rules();
  if (rules.has_repeated()) {
    return {.required = rules.required(),
            .count_rules = CountRules(rules.repeated()),
            .value_rules = ValueRules(field, rules.repeated().items())};
  }
  return {.required = rules.required(), .count_rules = {}, .value_rules = ValueRules(field, rules)};
}

// The message that a value of the field is; nullptr for scalars.
const pb::Descriptor* MessageIn(const FieldDescriptor& field) {
  if (field.is_map()) return field.message_type()->map_value()->message_type();
  return field.message_type();
}

void CollectReachable(const pb::Descriptor& message, std::set<const pb::Descriptor*>& seen,
                      std::vector<const pb::Descriptor*>& order) {
  if (!seen.insert(&message).second) return;
  order.push_back(&message);
  for (int i = 0; i < message.field_count(); ++i) {
    const pb::Descriptor* type = MessageIn(*message.field(i));
    if (type != nullptr) CollectReachable(*type, seen, order);
  }
}

bool HasOwnChecks(const pb::Descriptor& message) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldChecks checks = OwnChecksOf(*message.field(i));
    if (checks.required || checks.HasMore()) return true;
  }
  return false;
}

}  // namespace

FieldChecks ChecksOf(const FieldDescriptor& field) {
  FieldChecks checks = OwnChecksOf(field);
  const pb::Descriptor* type = MessageIn(field);
  if (type != nullptr && HasChecks(*type)) checks.type = type;
  return checks;
}

bool HasChecks(const pb::Descriptor& message) {
  std::set<const pb::Descriptor*> seen;
  std::vector<const pb::Descriptor*> reachable;
  CollectReachable(message, seen, reachable);
  for (const pb::Descriptor* type : reachable) {
    if (HasOwnChecks(*type)) return true;
  }
  return false;
}

std::vector<const pb::Descriptor*> MessagesInCommands(const Domain& domain) {
  std::set<const pb::Descriptor*> seen;
  std::vector<const pb::Descriptor*> reachable;
  for (const Aggregate& aggregate : domain.aggregates) {
    for (const Command& command : aggregate.commands) CollectReachable(*command.message, seen, reachable);
  }
  return reachable;
}

}  // namespace everfold::codegen

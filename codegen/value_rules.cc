#include "codegen/value_rules.h"

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "codegen/bounds.h"
#include "codegen/literals.h"
#include "codegen/names.h"
#include "codegen/one_of.h"
#include "codegen/text_rules.h"

namespace everfold::codegen {
namespace {

using pb::FieldDescriptor;

constexpr char kShown[] = "Shown(value)";

// Both bounds of a value are one rule in protovalidate: {gt: 0, lte: 9} is "int64.gt_lte".
class BoundsRule {
 public:
  template <class T>
  BoundsRule(const std::string& type, const Bounds<T>& bounds) : id_(type + "."), outside_(bounds.AskOutside()) {
    // Bounds that every value of the type keeps, or none, are left out: compilers warn of such comparisons.
    constexpr bool kInteger = std::is_integral_v<T>;
    if (bounds.gt) Add("gt", ">", "greater than", *bounds.gt, outside_ && kInteger && IsHighest(*bounds.gt));
    if (bounds.gte) Add("gte", ">=", "at least", *bounds.gte, kInteger && IsLowest(*bounds.gte));
    if (bounds.lt) Add("lt", "<", "less than", *bounds.lt, outside_ && kInteger && IsLowest(*bounds.lt));
    if (bounds.lte) Add("lte", "<=", "at most", *bounds.lte, kInteger && IsHighest(*bounds.lte));
  }

  void AddTo(std::vector<Rule>& rules) const {
    if (conditions_.empty()) return;
    rules.push_back(
        {.id = id_ + absl::StrJoin(names_, "_") + (outside_ ? "_exclusive" : ""),
         .condition = absl::StrJoin(conditions_, outside_ ? " || " : " && "),
         .description = absl::StrFormat("must be %s, is ", absl::StrJoin(texts_, outside_ ? " or " : " and ")),
         .met = kShown});
  }

 private:
  template <class T>
  void Add(const char* name, const char* comparison, const char* text, T limit, bool left_out) {
    names_.push_back(name);
    texts_.push_back(absl::StrFormat("%s %s", text, TextOf(limit)));
    if (!left_out) conditions_.push_back(absl::StrFormat("value %s %s", comparison, Literal(limit)));
  }

  std::string id_;
  bool outside_;
  std::vector<std::string> names_, conditions_, texts_;
};

// What numbers, times and durations have in common.
template <class T, class Rules>
std::vector<Rule> OrderedRules(const std::string& type, const Rules& rules) {
  std::vector<Rule> result;
  BoundsRule(type, BoundsOf<T>(rules)).AddTo(result);
  AddConstInNotIn<T>(
      type, rules, [](T value) { return TextOf(value); }, kShown, result);
  return result;
}

template <class T>
std::vector<Rule> FloatingRules(const std::string& type, const v1::DoubleRules& rules) {
  std::vector<Rule> result = OrderedRules<T>(type, rules);
  if (rules.finite()) {
    result.push_back({.id = type + ".finite",
                      .condition = "std::isfinite(value)",
                      .description = "must be finite, is ",
                      .met = kShown});
  }
  return result;
}

std::vector<Rule> TimestampRules(const v1::TimestampRules& rules) {
  std::vector<Rule> result = OrderedRules<absl::Time>("timestamp", rules);
  const auto add = [&result](const char* name, const std::string& condition, const std::string& text) {
    result.push_back({.id = std::string("timestamp.") + name,
                      .condition = condition,
                      .description = absl::StrFormat("must %s, is ", text),
                      .met = kShown,
                      .uses_now = true});
  };
  if (rules.lt_now()) add("lt_now", "value <= now", "not be after now");
  if (rules.gt_now()) add("gt_now", "value >= now", "not be before now");
  if (rules.has_within()) {
    const absl::Duration within = DurationOf(rules.within());
    add("within", absl::StrFormat("value >= now - %1$s && value <= now + %1$s", Literal(within)),
        absl::StrFormat("be within %s of now", TextOf(within)));
  }
  return result;
}

std::vector<Rule> BoolRules(const v1::BoolRules& rules) {
  if (!rules.has_const_()) return {};
  const std::string expected = rules.const_() ? "true" : "false";
  return {{.id = "bool.const",
           .condition = "value == " + expected,
           .description = absl::StrFormat("must be %s, is %s", expected, rules.const_() ? "false" : "true")}};
}

std::vector<Rule> EnumRules(const pb::EnumDescriptor& type, const v1::EnumRules& rules) {
  std::vector<Rule> result;
  if (rules.defined_only()) {
    result.push_back({.id = "enum.defined_only",
                      .condition = QualifiedName(type) + "_IsValid(value)",
                      .description = absl::StrFormat("must be a declared value of %s, is ", type.name()),
                      .met = "EnumText(value)"});
  }
  const auto name = [&type](std::int32_t number) {
    const pb::EnumValueDescriptor* value = type.FindValueByNumber(number);
    return value != nullptr ? value->name() : TextOf(number);
  };
  AddConstInNotIn<std::int32_t>("enum", rules, name, "EnumText(value)", result);
  return result;
}

}  // namespace

std::vector<Rule> ValueRules(const FieldDescriptor& field, const v1::FieldRules& rules) {
  const std::string type = field.type_name();
  switch (rules.type_case()) {
    case v1::FieldRules::kInt32:
      return OrderedRules<std::int32_t>(type, rules.int32());
    case v1::FieldRules::kInt64:
      return OrderedRules<std::int64_t>(type, rules.int64());
    case v1::FieldRules::kUint32:
      return OrderedRules<std::uint32_t>(type, rules.uint32());
    case v1::FieldRules::kUint64:
      return OrderedRules<std::uint64_t>(type, rules.uint64());
    case v1::FieldRules::kDouble:
      return field.cpp_type() == FieldDescriptor::CPPTYPE_FLOAT ? FloatingRules<float>(type, rules.double_())
                                                                : FloatingRules<double>(type, rules.double_());
    case v1::FieldRules::kBool:
      return BoolRules(rules.bool_());
    case v1::FieldRules::kString:
      return StringRules(rules.string());
    case v1::FieldRules::kBytes:
      return BytesRules(rules.bytes());
    case v1::FieldRules::kEnum:
      return EnumRules(*field.enum_type(), rules.enum_());
    case v1::FieldRules::kTimestamp:
      return TimestampRules(rules.timestamp());
    case v1::FieldRules::kDuration:
      return OrderedRules<absl::Duration>("duration", rules.duration());
    case v1::FieldRules::kRepeated:
    case v1::FieldRules::kMap:
    case v1::FieldRules::TYPE_NOT_SET:
      return {};
  }
  return {};
}

}  // namespace everfold::codegen

#include "codegen/value_rule_checks.h"

#include <re2/re2.h>

#include <cmath>
#include <functional>
#include <set>

#include "absl/strings/str_format.h"
#include "codegen/bounds.h"
#include "codegen/literals.h"
#include "google/protobuf/util/time_util.h"

namespace everfold::codegen {
namespace {

using google::protobuf::util::TimeUtil;
using TypeCase = v1::FieldRules::TypeCase;

// Calls `visit` with every value that the rules compare with.
template <class Rules, class Visit>
void ForEachValue(const Rules& rules, Visit visit) {
  if constexpr (requires { rules.gt(); }) {
    if (rules.has_gt()) visit(rules.gt());
    if (rules.has_gte()) visit(rules.gte());
    if (rules.has_lt()) visit(rules.lt());
    if (rules.has_lte()) visit(rules.lte());
  }
  if constexpr (requires { rules.in(); }) {
    for (const auto& value : rules.in()) visit(value);
    for (const auto& value : rules.not_in()) visit(value);
  }
  if (rules.has_const_()) visit(rules.const_());
}

// The rules hold something beside const.
template <class Rules>
bool HasMoreThanConst(Rules rules) {
  rules.clear_const_();
  return rules.ByteSizeLong() > 0;
}

// const, in and not_in, of any type.
template <class T, class Rules>
void CheckLists(const Rules& rules, FieldProblems& problems) {
  if (rules.has_const_() && HasMoreThanConst(rules)) {
    return problems.Add("has const together with other rules; keep one or the others");
  }
  if constexpr (requires { rules.in(); }) {
    std::set<std::string> allowed;
    for (const auto& value : rules.in()) allowed.insert(TextOf(RuleValue<T>(value)));
    for (const auto& value : rules.not_in()) {
      const std::string text = TextOf(RuleValue<T>(value));
      if (allowed.contains(text))
        problems.Add(absl::StrFormat("has %s both in `in` and in `not_in`; remove one", text));
    }
  }
}

template <class Rules>
bool HasBothOfASide(const Rules& rules, FieldProblems& problems) {
  if (rules.has_gt() && rules.has_gte()) problems.Add("has both gt and gte; keep one");
  if (rules.has_lt() && rules.has_lte()) problems.Add("has both lt and lte; keep one");
  return (rules.has_gt() && rules.has_gte()) || (rules.has_lt() && rules.has_lte());
}

template <class T, class Rules>
void CheckOrdered(const Rules& rules, FieldProblems& problems) {
  if (HasBothOfASide(rules, problems)) return;
  if (!BoundsOf<T>(rules).AreSatisfiable()) {
    return problems.Add("has bounds that no value can keep; the lower one must be below the upper one");
  }
  CheckLists<T>(rules, problems);
}

template <class T>
void CheckFloating(const v1::DoubleRules& rules, FieldProblems& problems) {
  bool nan = false, too_large = false;
  ForEachValue(rules, [&](double value) {
    nan = nan || std::isnan(value);
    too_large = too_large || (std::isfinite(value) && std::abs(value) > std::numeric_limits<T>::max());
  });
  if (nan) return problems.Add("has a rule with a value that is not a number; write a number");
  if (too_large)
    return problems.Add("has a rule with a number that no float can hold; write one between -3.4e38 and 3.4e38");
  CheckOrdered<T>(rules, problems);
}

// Times and durations, which must be valid before they are compared.
template <class T, class Rules, class Value>
bool AreValid(const Rules& rules, bool (*valid)(const Value& value), const char* type, FieldProblems& problems) {
  bool all = true;
  ForEachValue(rules, [&](const Value& value) { all = all && valid(value); });
  if (!all) problems.Add(absl::StrFormat("has a rule with an invalid %s; see its definition for what it may be", type));
  return all;
}

bool IsValidTime(const google::protobuf::Timestamp& value) {
  return value.seconds() >= TimeUtil::kTimestampMinSeconds && value.seconds() <= TimeUtil::kTimestampMaxSeconds &&
         value.nanos() >= 0 && value.nanos() <= 999'999'999;
}

bool IsValidDuration(const google::protobuf::Duration& value) {
  const bool same_sign = value.seconds() == 0 || value.nanos() == 0 || (value.seconds() < 0) == (value.nanos() < 0);
  return same_sign && std::abs(value.seconds()) <= TimeUtil::kDurationMaxSeconds &&
         std::abs(static_cast<std::int64_t>(value.nanos())) <= 999'999'999;
}

void CheckTimestamp(const v1::TimestampRules& rules, FieldProblems& problems) {
  if (!AreValid<absl::Time>(rules, IsValidTime, "google.protobuf.Timestamp", problems)) return;
  if (rules.lt_now() && (rules.has_lt() || rules.has_lte())) return problems.Add("has lt_now with lt or lte; keep one");
  if (rules.gt_now() && (rules.has_gt() || rules.has_gte())) return problems.Add("has gt_now with gt or gte; keep one");
  if (rules.lt_now() && rules.gt_now()) return problems.Add("has both lt_now and gt_now; keep one");
  if (rules.has_within() && (!IsValidDuration(rules.within()) || DurationOf(rules.within()) <= absl::ZeroDuration())) {
    return problems.Add("has `within` without a time to be within; write a positive google.protobuf.Duration");
  }
  CheckOrdered<absl::Time>(rules, problems);
}

void CheckDuration(const v1::DurationRules& rules, FieldProblems& problems) {
  if (!AreValid<absl::Duration>(rules, IsValidDuration, "google.protobuf.Duration", problems)) return;
  CheckOrdered<absl::Duration>(rules, problems);
}

// Strings and bytes ------------------------------------------------------------------------------------------------

struct Size {
  const char* name;
  bool given;
  std::uint64_t value;
};

void CheckSizes(const Size& exact, const Size& min, const Size& max, FieldProblems& problems) {
  if (exact.given && (min.given || max.given)) {
    return problems.Add(
        absl::StrFormat("has %s together with %s or %s; keep one or the other", exact.name, min.name, max.name));
  }
  if (min.given && max.given && min.value > max.value) {
    problems.Add(absl::StrFormat("has %s %d above %s %d; exchange them", min.name, min.value, max.name, max.value));
  }
}

template <class Rules>
void CheckLengths(const Rules& rules, FieldProblems& problems) {
  CheckSizes({"len", rules.has_len(), rules.len()}, {"min_len", rules.has_min_len(), rules.min_len()},
             {"max_len", rules.has_max_len(), rules.max_len()}, problems);
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

void CheckPart(const char* name, bool given, const std::string& part, FieldProblems& problems) {
  if (given && part.empty()) {
    problems.Add(absl::StrFormat("has an empty `%s`, which is in every value; write a text, or remove it", name));
  }
}

template <class Rules>
void CheckText(const Rules& rules, FieldProblems& problems) {
  CheckLengths(rules, problems);
  if (rules.has_pattern()) CheckPattern(rules.pattern(), problems);
  CheckPart("prefix", rules.has_prefix(), rules.prefix(), problems);
  CheckPart("suffix", rules.has_suffix(), rules.suffix(), problems);
  CheckPart("contains", rules.has_contains(), rules.contains(), problems);
  CheckLists<std::string>(rules, problems);
}

void CheckString(const v1::StringRules& rules, FieldProblems& problems) {
  CheckSizes({"len_bytes", rules.has_len_bytes(), rules.len_bytes()},
             {"min_bytes", rules.has_min_bytes(), rules.min_bytes()},
             {"max_bytes", rules.has_max_bytes(), rules.max_bytes()}, problems);
  CheckPart("not_contains", rules.has_not_contains(), rules.not_contains(), problems);
  CheckText(rules, problems);
}

}  // namespace

void CheckValueRules(const pb::FieldDescriptor& field, const v1::FieldRules& rules, FieldProblems& problems) {
  switch (rules.type_case()) {
    case TypeCase::kInt32:
      return CheckOrdered<std::int32_t>(rules.int32(), problems);
    case TypeCase::kInt64:
      return CheckOrdered<std::int64_t>(rules.int64(), problems);
    case TypeCase::kUint32:
      return CheckOrdered<std::uint32_t>(rules.uint32(), problems);
    case TypeCase::kUint64:
      return CheckOrdered<std::uint64_t>(rules.uint64(), problems);
    case TypeCase::kDouble:
      return field.cpp_type() == pb::FieldDescriptor::CPPTYPE_FLOAT ? CheckFloating<float>(rules.double_(), problems)
                                                                    : CheckFloating<double>(rules.double_(), problems);
    case TypeCase::kString:
      return CheckString(rules.string(), problems);
    case TypeCase::kBytes:
      return CheckText(rules.bytes(), problems);
    case TypeCase::kEnum:
      return CheckLists<std::int32_t>(rules.enum_(), problems);
    case TypeCase::kTimestamp:
      return CheckTimestamp(rules.timestamp(), problems);
    case TypeCase::kDuration:
      return CheckDuration(rules.duration(), problems);
    case TypeCase::kBool:
    case TypeCase::kRepeated:
    case TypeCase::kMap:
    case TypeCase::TYPE_NOT_SET:
      return;
  }
}

}  // namespace everfold::codegen

#include "codegen/text_rules.h"

#include "absl/strings/str_format.h"
#include "codegen/literals.h"
#include "codegen/names.h"
#include "codegen/one_of.h"
#include "codegen/value_rules.h"

namespace everfold::codegen {
namespace {

// The three rules on one kind of size: exactly, at least and at most so many units.
struct SizeLimits {
  std::string exact_id, min_id, max_id;
  std::string size;  // a C++ expression
  std::string unit;
};

void AddSizes(const SizeLimits& limits, std::optional<std::uint64_t> exact, std::uint64_t min,
              std::optional<std::uint64_t> max, std::vector<Rule>& result) {
  const auto add = [&](const std::string& id, const char* comparison, const char* text, std::uint64_t limit) {
    result.push_back(SizeRule(id, limits.size, comparison, text, limit, limits.unit));
  };
  if (exact) add(limits.exact_id, "==", "exactly", *exact);
  if (min > 0) add(limits.min_id, ">=", "at least", min);
  if (max) add(limits.max_id, "<=", "at most", *max);
}

template <class Rules>
void AddLengths(const std::string& type, const Rules& rules, const std::string& size, const std::string& unit,
                std::vector<Rule>& result) {
  AddSizes({type + ".len", type + ".min_len", type + ".max_len", size, unit},
           rules.has_len() ? std::optional(rules.len()) : std::nullopt, rules.min_len(),
           rules.has_max_len() ? std::optional(rules.max_len()) : std::nullopt, result);
}

void AddSizesInBytes(const v1::StringRules& rules, std::vector<Rule>& result) {
  AddSizes({"string.len_bytes", "string.min_bytes", "string.max_bytes", "value.size()", "byte"},
           rules.has_len_bytes() ? std::optional(rules.len_bytes()) : std::nullopt, rules.min_bytes(),
           rules.has_max_bytes() ? std::optional(rules.max_bytes()) : std::nullopt, result);
}

void AddPattern(const std::string& type, const std::string& pattern, std::vector<Rule>& result) {
  result.push_back(
      {.id = type + ".pattern",
       .condition = "pattern.Matches(value)",
       .description = absl::StrFormat("must match %s, is ", CppLiteral(pattern)),
       .met = "Shown(value)",
       .setup = absl::StrFormat("static const Pattern& pattern = *new Pattern(%s);", CppLiteral(pattern))});
}

// `condition` has %s for the part.
void AddPart(const std::string& id, const absl::ParsedFormat<'s'>& condition, const char* text, const std::string& part,
             std::vector<Rule>& result) {
  result.push_back({.id = id,
                    .condition = absl::StrFormat(condition, Literal(part)),
                    .description = absl::StrFormat("%s %s, is ", text, TextOf(part)),
                    .met = "Shown(value)"});
}

template <class Rules>
void AddParts(const std::string& type, const Rules& rules, std::vector<Rule>& result) {
  using Condition = absl::ParsedFormat<'s'>;
  static const Condition& prefix = *new Condition("value.starts_with(%s)");
  static const Condition& suffix = *new Condition("value.ends_with(%s)");
  static const Condition& contains = *new Condition("value.find(%s) != value.npos");
  static const Condition& lacks = *new Condition("value.find(%s) == value.npos");
  if (rules.has_prefix()) AddPart(type + ".prefix", prefix, "must begin with", rules.prefix(), result);
  if (rules.has_suffix()) AddPart(type + ".suffix", suffix, "must end with", rules.suffix(), result);
  if (rules.has_contains()) AddPart(type + ".contains", contains, "must contain", rules.contains(), result);
  if constexpr (requires { rules.has_not_contains(); }) {
    if (rules.has_not_contains()) {
      AddPart(type + ".not_contains", lacks, "must not contain", rules.not_contains(), result);
    }
  }
}

template <class Rules>
void AddConstInNotInOfText(const std::string& type, const Rules& rules, std::vector<Rule>& result) {
  const auto text = [](const std::string& value) { return TextOf(value); };
  AddConstInNotIn<std::string>(type, rules, text, "Shown(value)", result);
}

}  // namespace

std::vector<Rule> StringRules(const v1::StringRules& rules) {
  std::vector<Rule> result;
  AddLengths("string", rules, "CountCodePoints(value)", "character", result);
  AddSizesInBytes(rules, result);
  if (rules.has_pattern()) AddPattern("string", rules.pattern(), result);
  AddParts("string", rules, result);
  AddConstInNotInOfText("string", rules, result);
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

std::vector<Rule> BytesRules(const v1::BytesRules& rules) {
  std::vector<Rule> result;
  AddLengths("bytes", rules, "value.size()", "byte", result);
  if (rules.has_pattern()) AddPattern("bytes", rules.pattern(), result);
  AddParts("bytes", rules, result);
  AddConstInNotInOfText("bytes", rules, result);
  return result;
}

}  // namespace everfold::codegen

#include "codegen/rule.h"

#include <limits>
#include <optional>
#include <set>

#include "absl/strings/str_format.h"
#include "codegen/names.h"
#include "codegen/value_rules.h"

namespace everfold::codegen {
namespace {

using pb::FieldDescriptor;

// A repeated field and a map count their items in an int, so a higher limit is always kept.
bool CanExceed(std::uint64_t limit) { return limit < std::numeric_limits<std::int32_t>::max(); }

// At least and at most so many items or pairs.
void AddCounts(const FieldDescriptor& field, const std::string& min_id, std::uint64_t min, const std::string& max_id,
               std::optional<std::uint64_t> max, const std::string& unit, std::vector<Rule>& result) {
  const std::string count = absl::StrFormat("message.%s_size()", FieldName(field));
  if (min > 0) result.push_back(SizeRule(min_id, count, ">=", "at least", static_cast<std::int32_t>(min), unit));
  if (max && CanExceed(*max)) {
    result.push_back(SizeRule(max_id, count, "<=", "at most", static_cast<std::int32_t>(*max), unit));
  }
}

std::vector<Rule> RepeatedRules(const FieldDescriptor& field, const v1::RepeatedRules& rules) {
  std::vector<Rule> result;
  AddCounts(field, "repeated.min_items", rules.min_items(), "repeated.max_items",
            rules.has_max_items() ? std::optional(rules.max_items()) : std::nullopt, "item", result);
  if (rules.unique()) {
    result.push_back({.id = "repeated.unique",
                      .condition = "repeated < 0",
                      .description = "must have no item twice, has one again at ",
                      .met = "Shown(repeated)",
                      .setup = absl::StrFormat("const int repeated = FirstRepeated(message.%s());", FieldName(field))});
  }
  return result;
}

std::vector<Rule> MapRules(const FieldDescriptor& field, const v1::MapRules& rules) {
  std::vector<Rule> result;
  AddCounts(field, "map.min_pairs", rules.min_pairs(), "map.max_pairs",
            rules.has_max_pairs() ? std::optional(rules.max_pairs()) : std::nullopt, "pair", result);
  return result;
}

// A key's rules are told at the same place as those of its value.
std::vector<Rule> KeyRules(const FieldDescriptor& map, const v1::MapRules& rules) {
  std::vector<Rule> result = ValueRules(*map.message_type()->map_key(), rules.keys());
  for (Rule& rule : result) rule.description = "key " + rule.description;
  return result;
}

FieldChecks OwnChecksOf(const FieldDescriptor& field) {
  const v1::FieldRules& rules = field.options().GetExtension(v1::field).rules();
  FieldChecks checks{.required = rules.required()};
  if (rules.has_map()) {
    checks.whole_rules = MapRules(field, rules.map());
    checks.key_rules = KeyRules(field, rules.map());
    checks.value_rules = ValueRules(*field.message_type()->map_value(), rules.map().values());
  } else if (rules.has_repeated()) {
    checks.whole_rules = RepeatedRules(field, rules.repeated());
    checks.value_rules = ValueRules(field, rules.repeated().items());
  } else {
    checks.value_rules = ValueRules(field, rules);
  }
  return checks;
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
  for (int i = 0; i < message.real_oneof_decl_count(); ++i) {
    if (IsRequired(*message.oneof_decl(i))) return true;
  }
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

bool IsRequired(const pb::OneofDescriptor& oneof) { return oneof.options().GetExtension(v1::oneof).required(); }

bool UsesNow(const pb::Descriptor& message) {
  for (int i = 0; i < message.field_count(); ++i) {
    for (const Rule& rule : OwnChecksOf(*message.field(i)).value_rules) {
      if (rule.uses_now) return true;
    }
  }
  return false;
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
  for (const Command* command : CommandsOf(domain)) CollectReachable(*command->message, seen, reachable);
  return reachable;
}

}  // namespace everfold::codegen

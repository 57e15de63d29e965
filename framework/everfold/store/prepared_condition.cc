#include "everfold/store/prepared_condition.h"

#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/store/boundary_check.h"

namespace everfold {
namespace {

KeyedItem KeysOf(const QueryItem& item, std::string_view tenant) {
  KeyedItem keyed;
  for (const std::string& type : item.types) keyed.types.push_back(NameKey::Of(tenant, type));
  for (const std::string& tag : item.tags) keyed.tags.push_back(NameKey::Of(tenant, tag));
  return keyed;
}

absl::Status CheckAfter(Sequence after, Sequence durable) {
  if (after <= durable) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("an append condition is after a commit that is durable; this one is after %d, the last "
                               "one is %d",
                               after.value(), durable.value()),
               {{"limit", std::to_string(durable.value())}, {"actual", std::to_string(after.value())}});
}

}  // namespace

PreparedCondition PrepareCondition(AppendCondition condition, std::string_view tenant) {
  PreparedCondition prepared;
  prepared.tenant = NameKey::Of(tenant, "");
  prepared.items.reserve(condition.fail_if_events_match.items.size());
  for (const QueryItem& item : condition.fail_if_events_match.items) prepared.items.push_back(KeysOf(item, tenant));
  prepared.condition = std::move(condition);
  return prepared;
}

absl::Status CompareWithIndex(PreparedCondition& condition, std::string_view tenant, const StoreIndex& index,
                              Sequence durable) {
  const auto& [query, after] = condition.condition;
  EVERFOLD_RETURN_IF_ERROR(CheckAfter(after, durable));
  EVERFOLD_ASSIGN_OR_RETURN(condition.match, FindMatch(index, tenant, query, after));
  condition.checked = durable;
  return absl::OkStatus();
}

absl::Status ConditionFailed(const PreparedCondition& condition, const TaggedEvent& match) {
  const Position& position = match.position;
  return Error(absl::StatusCode::kAborted, reason::kConditionFailed,
               absl::StrFormat("commit %d, partition %d offset %d, has an event that the append's condition excludes "
                               "after commit %d",
                               match.sequence.value(), position.partition.value(), position.offset.value(),
                               condition.condition.after.value()),
               {{"after", std::to_string(condition.condition.after.value())},
                {"sequence", std::to_string(match.sequence.value())},
                {"partition", std::to_string(position.partition.value())},
                {"offset", std::to_string(position.offset.value())}});
}

}  // namespace everfold

#include "everfold/event/event_selection.h"

#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"

namespace everfold {

EventSelection SelectionOfTypes(const std::vector<std::string>& types) {
  EventSelection selection;
  std::vector<QueryItem>& items = selection.query.items;
  for (const std::string& type : types) {
    if (items.empty() || items.back().types.size() == kMaxTypesOfQueryItem) items.emplace_back();
    items.back().types.push_back(type);
  }
  return selection;
}

absl::Status ValidateSelection(const EventSelection& selection) {
  EVERFOLD_RETURN_IF_ERROR(ValidateQuery(selection.query));
  const bool named = selection.tenant.has_value() && !selection.tenant->empty();
  return named ? ValidateName(*selection.tenant, kMaxTenantBytes, "tenant") : absl::OkStatus();
}

}  // namespace everfold

#include "everfold/event/event_selection.h"

#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"

namespace everfold {

absl::Status ValidateSelection(const EventSelection& selection) {
  EVERFOLD_RETURN_IF_ERROR(ValidateQuery(selection.query));
  const bool named = selection.tenant.has_value() && !selection.tenant->empty();
  return named ? ValidateName(*selection.tenant, kMaxTenantBytes, "tenant") : absl::OkStatus();
}

}  // namespace everfold

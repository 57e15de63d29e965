#include "everfold/projection/projection_type.h"

namespace everfold {

void ProjectionType::AddStoredForms(const AggregateType& aggregate) {
  for (const auto& [name, form] : aggregate.stored_forms) {
    if (handlers.contains(form.becomes)) stored_forms.emplace(name, form);
  }
}

}  // namespace everfold

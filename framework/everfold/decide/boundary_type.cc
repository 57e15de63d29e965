#include "everfold/decide/boundary_type.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/decide/user_code.h"

namespace everfold {
namespace {

absl::Status DoesNotParse(const std::string& type) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("the stored bytes of an event %s do not parse", type), {{"type", type}});
}

}  // namespace

void BoundaryType::AddStoredForms(const AggregateType& aggregate) {
  for (const auto& [name, form] : aggregate.stored_forms) {
    if (events.contains(form.becomes)) stored_forms.emplace(name, form);
  }
}

absl::StatusOr<EventQuery> BoundaryType::Query(const BoundaryCommandType& command, const Message& message) const {
  EventQuery query;
  const absl::Status status = CatchUserCode("Query", name, command.type.name, [&] {
    query = command.query(message);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return query;
}

absl::StatusOr<AnyBoundaryDecision> BoundaryType::Decide(const BoundaryCommandType& command, const void* state,
                                                         const Message& message, Context& context) const {
  AnyBoundaryDecision decision;
  const absl::Status status = CatchUserCode("Decide", name, command.type.name, [&] {
    decision = command.decide(state, message, context);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return decision;
}

absl::Status BoundaryType::EvolveStored(void* state, const std::string& type, std::string_view payload) const {
  const auto form = stored_forms.find(type);
  const auto event = events.find(form == stored_forms.end() ? type : form->second.becomes);
  if (event == events.end()) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kUnknownType,
                 absl::StrFormat("the boundary %s meets an event %s, which this binary does not know", name, type),
                 {{"type", type}});
  }
  return CatchUserCode("Evolve", name, type, [&] {
    if (form == stored_forms.end() || form->second.upcast == nullptr) {
      return event->second(state, payload) ? absl::OkStatus() : DoesNotParse(type);
    }
    const std::optional<std::string> upcast = form->second.upcast(payload);
    return upcast.has_value() && event->second(state, *upcast) ? absl::OkStatus() : DoesNotParse(type);
  });
}

}  // namespace everfold

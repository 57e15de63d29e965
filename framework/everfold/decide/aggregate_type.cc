#include "everfold/decide/aggregate_type.h"

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/decide/user_code.h"

namespace everfold {
namespace {

using google::protobuf::Message;

using EvolvePayload = bool (*)(Message& state, std::string_view payload);

// nullptr if the type is unknown.
EvolvePayload FindEvolvePayload(const AggregateType& aggregate, const std::string& type) {
  if (const auto event = aggregate.events.find(type); event != aggregate.events.end()) {
    return event->second.evolve_payload;
  }
  const auto form = aggregate.stored_forms.find(type);
  return form != aggregate.stored_forms.end() ? form->second.evolve_payload : nullptr;
}

}  // namespace

std::unique_ptr<Message> AggregateType::NewState() const { return std::unique_ptr<Message>(initial_state->New()); }

absl::StatusOr<AnyDecision> AggregateType::Decide(const CommandType& command, const Message& state,
                                                  const Message& message, Context& context) const {
  AnyDecision decision;
  const absl::Status status = CatchUserCode("Decide", name, command.name, [&] {
    decision = command.decide(state, message, context);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return decision;
}

absl::Status AggregateType::Evolve(Message& state, const Message& event) const {
  const auto type = events.find(event.GetDescriptor()->full_name());
  EVERFOLD_CHECK(type != events.end());
  return CatchUserCode("Evolve", name, type->first, [&] {
    type->second.evolve(state, event);
    return absl::OkStatus();
  });
}

absl::Status AggregateType::EvolveStored(Message& state, const std::string& type, std::string_view payload) const {
  const auto evolve_payload = FindEvolvePayload(*this, type);
  if (evolve_payload == nullptr) {
    return Error(absl::StatusCode::kFailedPrecondition, reason::kUnknownType,
                 absl::StrFormat("a stream of %s holds an event %s, which this binary does not know", name, type),
                 {{"type", type}});
  }
  return CatchUserCode("Evolve", name, type, [&] {
    if (evolve_payload(state, payload)) return absl::OkStatus();
    return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                 absl::StrFormat("the stored bytes of an event %s do not parse", type), {{"type", type}});
  });
}

}  // namespace everfold

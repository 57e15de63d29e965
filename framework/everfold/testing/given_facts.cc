#include "everfold/testing/given_facts.h"

#include "absl/strings/str_format.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/testing/message_text.h"

namespace everfold::testing {
namespace {

using google::protobuf::Message;

std::vector<std::string> Texts(const std::vector<AddressedEvent>& events) {
  std::vector<std::string> texts;
  for (const AddressedEvent& event : events) {
    texts.push_back(absl::StrFormat("to %s/%s: %s", event.aggregate, event.id, TextOf(*event.event)));
  }
  return texts;
}

}  // namespace

void BoundaryDecided::ExpectEvents(const std::vector<AddressedEvent>& events) const {
  text_.ExpectEvents(Texts(events));
}

const BoundaryDecided& BoundaryDecided::ThenNothing() const {
  text_.ExpectEvents({});
  return *this;
}

const BoundaryDecided& BoundaryDecided::ThenRejected(const Message& rejection) const {
  text_.ExpectRejection(rejection);
  return *this;
}

const BoundaryDecided& BoundaryDecided::ThenInvalid(const std::string& field, const std::string& rule) const {
  text_.ExpectInvalid(field, rule);
  return *this;
}

Facts::Facts(BoundaryType type) : type_(std::move(type)), now_(ManualClock().Now()) {}

void Facts::Add(const Message& event, std::vector<std::string> tags) {
  facts_.push_back({event.GetDescriptor()->full_name(), event.SerializeAsString(), std::move(tags)});
}

BoundaryDecided Facts::Decide(const Message& command) const {
  return BoundaryDecided(DecidedText(TextOf(command), OutcomeOf(command)));
}

// As everfold/command does it.
DecidedText::Outcome Facts::OutcomeOf(const Message& command) const {
  const BoundaryCommandType& type = type_.commands.at(command.GetDescriptor()->full_name());
  Violations violations;
  type.type.validate(command, now_, violations);
  if (!violations.empty()) return violations;
  const absl::StatusOr<EventQuery> query = type_.Query(type, command);
  if (!query.ok()) return query.status();
  if (absl::Status status = ValidateQuery(*query); !status.ok()) return status;
  const BoundaryState state = type_.new_state();
  for (const Fact& fact : facts_) {
    if (query->items.empty() || !Matches(*query, fact.type, fact.tags)) continue;
    if (absl::Status status = type_.EvolveStored(state.get(), fact.type, fact.payload); !status.ok()) return status;
  }
  SeededRandom random(1);
  const Metadata metadata;
  const StreamId none;
  Context context(now_, none, Version(), metadata, random);
  const absl::StatusOr<AnyBoundaryDecision> decision = type_.Decide(type, state.get(), command, context);
  if (!decision.ok()) return decision.status();
  if (decision->rejected()) return DecidedText::Rejected{TextOf(*decision->rejection.message)};
  return DecidedText::Accepted{Texts(decision->events)};
}

}  // namespace everfold::testing

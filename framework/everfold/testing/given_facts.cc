#include "everfold/testing/given_facts.h"

#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/testing/message_text.h"

namespace everfold::testing {
namespace {

using google::protobuf::Message;

std::string Lines(const std::vector<std::string>& texts) {
  return texts.empty() ? "  nothing" : "  " + absl::StrJoin(texts, "\n  ");
}

std::vector<std::string> Texts(const std::vector<AddressedEvent>& events) {
  std::vector<std::string> texts;
  for (const AddressedEvent& event : events) {
    texts.push_back(absl::StrFormat("to %s/%s: %s", event.aggregate, event.id, TextOf(*event.event)));
  }
  return texts;
}

}  // namespace

std::string BoundaryDecided::Describe() const {
  if (const auto* violations = std::get_if<Violations>(&outcome_)) {
    std::vector<std::string> texts;
    for (const Violation& v : violations->kept()) {
      texts.push_back(absl::StrFormat("invalid: %s %s (%s)", v.field, v.description, v.rule));
    }
    return Lines(texts);
  }
  if (const auto* error = std::get_if<absl::Status>(&outcome_)) return "  an error: " + error->ToString();
  const auto& decision = std::get<AnyBoundaryDecision>(outcome_);
  if (decision.rejected()) return "  rejected: " + TextOf(*decision.rejection.message);
  return Lines(Texts(decision.events));
}

void BoundaryDecided::Fail(const std::string& expected) const {
  ADD_FAILURE() << "When " << command_ << "\nexpected:\n" << expected << "\nactual:\n" << Describe();
}

void BoundaryDecided::ExpectEvents(const std::vector<AddressedEvent>& events) const {
  const auto* decision = std::get_if<AnyBoundaryDecision>(&outcome_);
  const bool as_expected = decision != nullptr && !decision->rejected() && Texts(decision->events) == Texts(events);
  if (!as_expected) Fail(Lines(Texts(events)));
}

const BoundaryDecided& BoundaryDecided::ThenNothing() const {
  ExpectEvents({});
  return *this;
}

const BoundaryDecided& BoundaryDecided::ThenRejected(const Message& rejection) const {
  const auto* decision = std::get_if<AnyBoundaryDecision>(&outcome_);
  const bool as_expected =
      decision != nullptr && decision->rejected() && TextOf(*decision->rejection.message) == TextOf(rejection);
  if (!as_expected) Fail("  rejected: " + TextOf(rejection));
  return *this;
}

const BoundaryDecided& BoundaryDecided::ThenInvalid(const std::string& field, const std::string& rule) const {
  if (const auto* violations = std::get_if<Violations>(&outcome_)) {
    for (const Violation& v : violations->kept()) {
      if (v.field == field && v.rule == rule) return *this;
    }
  }
  Fail(absl::StrFormat("  invalid: %s (%s)", field, rule));
  return *this;
}

Facts::Facts(BoundaryType type) : type_(std::move(type)), now_(ManualClock().Now()) {}

void Facts::Add(const Message& event, std::vector<std::string> tags) {
  facts_.push_back({event.GetDescriptor()->full_name(), event.SerializeAsString(), std::move(tags)});
}

BoundaryDecided Facts::Decide(const Message& command) const {
  return BoundaryDecided(TextOf(command), OutcomeOf(command));
}

// As everfold/command does it.
BoundaryDecided::Outcome Facts::OutcomeOf(const Message& command) const {
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
  absl::StatusOr<AnyBoundaryDecision> decision = type_.Decide(type, state.get(), command, context);
  if (!decision.ok()) return decision.status();
  return *std::move(decision);
}

}  // namespace everfold::testing

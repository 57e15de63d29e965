#include "everfold/testing/given.h"

#include <gtest/gtest.h>

#include "everfold/base/clock.h"
#include "everfold/base/error.h"
#include "everfold/base/random.h"
#include "everfold/testing/message_text.h"

namespace everfold::testing {
namespace {

using google::protobuf::Message;

// As everfold/command does before it asks Decide.
absl::Status CheckExpectation(const CommandType& command, const StreamId& stream, Version actual) {
  if (command.expect == Expect::kNew && actual > Version()) {
    return Error(absl::StatusCode::kAlreadyExists, reason::kStreamExists, stream.ToString() + " exists already");
  }
  if (command.expect == Expect::kExisting && actual == Version()) {
    return Error(absl::StatusCode::kNotFound, reason::kStreamNotFound, stream.ToString() + " does not exist");
  }
  return absl::OkStatus();
}

}  // namespace

void Decided::ExpectEvents(const std::vector<const Message*>& events) const {
  std::vector<std::string> expected;
  for (const Message* event : events) expected.push_back(TextOf(*event));
  text_.ExpectEvents(expected);
}

const Decided& Decided::ThenNothing() const {
  text_.ExpectEvents({});
  return *this;
}

const Decided& Decided::ThenRejected(const Message& rejection) const {
  text_.ExpectRejection(rejection);
  return *this;
}

const Decided& Decided::ThenInvalid(const std::string& field, const std::string& rule) const {
  text_.ExpectInvalid(field, rule);
  return *this;
}

const Decided& Decided::ThenExists() const {
  text_.ExpectError(absl::StatusCode::kAlreadyExists, reason::kStreamExists);
  return *this;
}

const Decided& Decided::ThenNotFound() const {
  text_.ExpectError(absl::StatusCode::kNotFound, reason::kStreamNotFound);
  return *this;
}

const Decided& Decided::ThenState(const Message& state) const {
  if (TextOf(*state_) != TextOf(state)) {
    ADD_FAILURE() << "When " << text_.command() << "\nexpected the state:\n  " << TextOf(state) << "\nactual:\n  "
                  << TextOf(*state_);
  }
  return *this;
}

History::History(AggregateType type) : type_(std::move(type)), state_(type_.NewState()), now_(ManualClock().Now()) {}

void History::Add(const Message& event) {
  const std::string& name = event.GetDescriptor()->full_name();
  const absl::Status status = type_.events.contains(name)
                                  ? type_.Evolve(*state_, event)
                                  : type_.EvolveStored(*state_, name, event.SerializeAsString());
  if (!status.ok()) ADD_FAILURE() << "Given " << TextOf(event) << ": " << status;
  version_ = version_.Next();
}

Decided History::Decide(const Message& command) const {
  auto state = type_.NewState();
  state->CopyFrom(*state_);
  DecidedText::Outcome outcome = OutcomeOf(command, *state);
  return Decided(DecidedText(TextOf(command), std::move(outcome)), std::move(state));
}

// `state` is that of the history, to which the events are added.
DecidedText::Outcome History::OutcomeOf(const Message& command, Message& state) const {
  const CommandType& type = type_.commands.at(command.GetDescriptor()->full_name());
  Violations violations;
  type.validate(command, now_, violations);
  if (!violations.empty()) return violations;
  const StreamId stream{"", type_.name, type.id(command)};
  if (absl::Status status = CheckExpectation(type, stream, version_); !status.ok()) return status;
  SeededRandom random(1);
  const Metadata metadata;
  Context context(now_, stream, version_, metadata, random);
  const absl::StatusOr<AnyDecision> decision = type_.Decide(type, *state_, command, context);
  if (!decision.ok()) return decision.status();
  if (decision->rejected()) return DecidedText::Rejected{TextOf(*decision->rejection.message)};
  DecidedText::Accepted accepted;
  for (const EmittedEvent& event : decision->events) {
    accepted.events.push_back(TextOf(*event));
    if (absl::Status status = type_.Evolve(state, *event); !status.ok()) return status;
  }
  return accepted;
}

}  // namespace everfold::testing

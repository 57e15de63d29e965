#include "everfold/testing/given.h"

#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/clock.h"
#include "everfold/base/error.h"
#include "everfold/base/random.h"
#include "everfold/testing/message_text.h"

namespace everfold::testing {
namespace {

using google::protobuf::Message;

std::string Lines(const std::vector<std::string>& texts) {
  return texts.empty() ? "  nothing" : "  " + absl::StrJoin(texts, "\n  ");
}

std::vector<std::string> Texts(const std::vector<EmittedEvent>& events) {
  std::vector<std::string> texts;
  for (const EmittedEvent& event : events) texts.push_back(TextOf(*event));
  return texts;
}

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

Decided::Decided(std::string command, Outcome outcome, std::unique_ptr<Message> state)
    : command_(std::move(command)), outcome_(std::move(outcome)), state_(std::move(state)) {}

std::string Decided::Describe() const {
  if (const auto* violations = std::get_if<Violations>(&outcome_)) {
    std::vector<std::string> texts;
    for (const Violation& v : violations->kept()) {
      texts.push_back(absl::StrFormat("invalid: %s %s (%s)", v.field, v.description, v.rule));
    }
    return Lines(texts);
  }
  if (const auto* error = std::get_if<absl::Status>(&outcome_)) return "  an error: " + error->ToString();
  const auto& decision = std::get<AnyDecision>(outcome_);
  if (decision.rejected()) return "  rejected: " + TextOf(*decision.rejection.message);
  return Lines(Texts(decision.events));
}

void Decided::Fail(const std::string& expected) const {
  ADD_FAILURE() << "When " << command_ << "\nexpected:\n" << expected << "\nactual:\n" << Describe();
}

void Decided::ExpectEvents(const std::vector<const Message*>& events) const {
  std::vector<std::string> expected;
  for (const Message* event : events) expected.push_back(TextOf(*event));
  const auto* decision = std::get_if<AnyDecision>(&outcome_);
  const bool as_expected = decision != nullptr && !decision->rejected() && Texts(decision->events) == expected;
  if (!as_expected) Fail(Lines(expected));
}

const Decided& Decided::ThenNothing() const {
  ExpectEvents({});
  return *this;
}

const Decided& Decided::ThenRejected(const Message& rejection) const {
  const auto* decision = std::get_if<AnyDecision>(&outcome_);
  const bool as_expected =
      decision != nullptr && decision->rejected() && TextOf(*decision->rejection.message) == TextOf(rejection);
  if (!as_expected) Fail("  rejected: " + TextOf(rejection));
  return *this;
}

const Decided& Decided::ThenInvalid(const std::string& field, const std::string& rule) const {
  if (const auto* violations = std::get_if<Violations>(&outcome_)) {
    for (const Violation& v : violations->kept()) {
      if (v.field == field && v.rule == rule) return *this;
    }
  }
  Fail(absl::StrFormat("  invalid: %s (%s)", field, rule));
  return *this;
}

void Decided::ExpectError(absl::StatusCode code, const char* reason) const {
  const auto* error = std::get_if<absl::Status>(&outcome_);
  const bool as_expected = error != nullptr && error->code() == code && ReasonOf(*error) == reason;
  if (!as_expected) Fail(absl::StrFormat("  an error: %s", reason));
}

const Decided& Decided::ThenExists() const {
  ExpectError(absl::StatusCode::kAlreadyExists, reason::kStreamExists);
  return *this;
}

const Decided& Decided::ThenNotFound() const {
  ExpectError(absl::StatusCode::kNotFound, reason::kStreamNotFound);
  return *this;
}

const Decided& Decided::ThenState(const Message& state) const {
  if (TextOf(*state_) != TextOf(state)) {
    ADD_FAILURE() << "When " << command_ << "\nexpected the state:\n  " << TextOf(state) << "\nactual:\n  "
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
  const std::string text = TextOf(command);
  const CommandType& type = type_.commands.at(command.GetDescriptor()->full_name());
  auto state = type_.NewState();
  state->CopyFrom(*state_);
  Violations violations;
  type.validate(command, now_, violations);
  if (!violations.empty()) return Decided(text, std::move(violations), std::move(state));

  const StreamId stream{"", type_.name, type.id(command)};
  if (absl::Status status = CheckExpectation(type, stream, version_); !status.ok()) {
    return Decided(text, std::move(status), std::move(state));
  }
  SeededRandom random(1);
  const Metadata metadata;
  Context context(now_, stream, version_, metadata, random);
  absl::StatusOr<AnyDecision> decision = type_.Decide(type, *state_, command, context);
  if (!decision.ok()) return Decided(text, decision.status(), std::move(state));
  for (const EmittedEvent& event : decision->events) {
    if (const absl::Status status = type_.Evolve(*state, *event); !status.ok()) {
      return Decided(text, status, std::move(state));
    }
  }
  return Decided(text, *std::move(decision), std::move(state));
}

}  // namespace everfold::testing

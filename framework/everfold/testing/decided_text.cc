#include "everfold/testing/decided_text.h"

#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "everfold/testing/message_text.h"

namespace everfold::testing {
namespace {

std::string Lines(const std::vector<std::string>& texts) {
  return texts.empty() ? "  nothing" : "  " + absl::StrJoin(texts, "\n  ");
}

}  // namespace

std::string DecidedText::Describe() const {
  if (const auto* violations = std::get_if<Violations>(&outcome_)) {
    std::vector<std::string> texts;
    for (const Violation& v : violations->kept()) {
      texts.push_back(absl::StrFormat("invalid: %s %s (%s)", v.field, v.description, v.rule));
    }
    return Lines(texts);
  }
  if (const auto* error = std::get_if<absl::Status>(&outcome_)) return "  an error: " + error->ToString();
  if (const auto* rejected = std::get_if<Rejected>(&outcome_)) return "  rejected: " + rejected->rejection;
  return Lines(std::get<Accepted>(outcome_).events);
}

void DecidedText::Fail(const std::string& expected) const {
  ADD_FAILURE() << "When " << command_ << "\nexpected:\n" << expected << "\nactual:\n" << Describe();
}

void DecidedText::ExpectEvents(const std::vector<std::string>& events) const {
  const auto* accepted = std::get_if<Accepted>(&outcome_);
  if (accepted == nullptr || accepted->events != events) Fail(Lines(events));
}

void DecidedText::ExpectRejection(const google::protobuf::Message& rejection) const {
  const auto* rejected = std::get_if<Rejected>(&outcome_);
  const std::string expected = TextOf(rejection);
  if (rejected == nullptr || rejected->rejection != expected) Fail("  rejected: " + expected);
}

void DecidedText::ExpectInvalid(const std::string& field, const std::string& rule) const {
  if (const auto* violations = std::get_if<Violations>(&outcome_)) {
    for (const Violation& v : violations->kept()) {
      if (v.field == field && v.rule == rule) return;
    }
  }
  Fail(absl::StrFormat("  invalid: %s (%s)", field, rule));
}

void DecidedText::ExpectError(absl::StatusCode code, const char* reason) const {
  const auto* error = std::get_if<absl::Status>(&outcome_);
  const bool as_expected = error != nullptr && error->code() == code && ReasonOf(*error) == reason;
  if (!as_expected) Fail(absl::StrFormat("  an error: %s", reason));
}

}  // namespace everfold::testing

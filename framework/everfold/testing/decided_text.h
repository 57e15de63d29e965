// What came of a command, in words, and how it is compared with what a test expects: the same for deciders of
// aggregates and of boundaries.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "everfold/decide/violations.h"
#include "google/protobuf/message.h"

namespace everfold::testing {

// Every Expect reports to GoogleTest what came out next to what was expected, if they differ. Threading: one thread.
class DecidedText {
 public:
  struct Accepted {
    std::vector<std::string> events;
  };
  struct Rejected {
    std::string rejection;
  };
  using Outcome = std::variant<Violations, Accepted, Rejected, absl::Status>;

  DecidedText(std::string command, Outcome outcome) : command_(std::move(command)), outcome_(std::move(outcome)) {}

  // Exactly these, in this order.
  void ExpectEvents(const std::vector<std::string>& events) const;
  void ExpectRejection(const google::protobuf::Message& rejection) const;
  // This field breaks this rule; it may not be the only one.
  void ExpectInvalid(const std::string& field, const std::string& rule) const;
  void ExpectError(absl::StatusCode code, const char* reason) const;

  const std::string& command() const { return command_; }

 private:
  std::string Describe() const;
  void Fail(const std::string& expected) const;

  std::string command_;
  Outcome outcome_;
};

}  // namespace everfold::testing

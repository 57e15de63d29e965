#include "everfold/command/expectations.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"

namespace everfold {
namespace {

absl::Status AboutStream(absl::StatusCode code, const char* why, const RoutedCommand& command,
                         const std::string& message) {
  absl::Status status =
      Error(code, why, message, {{"stream", command.stream.ToString()}, {"command", command.type->name}});
  AddResourceInfo(status, command.aggregate->name, command.stream.ToString());
  return status;
}

}  // namespace

absl::Status CheckExpectations(const RoutedCommand& command, Version actual) {
  const std::string stream = command.stream.ToString();
  if (command.type->expect == Expect::kNew && actual > Version()) {
    return AboutStream(absl::StatusCode::kAlreadyExists, reason::kStreamExists, command,
                       absl::StrFormat("%s exists already, at version %d", stream, actual.value()));
  }
  if (command.type->expect == Expect::kExisting && actual == Version()) {
    return AboutStream(absl::StatusCode::kNotFound, reason::kStreamNotFound, command,
                       absl::StrFormat("%s does not exist", stream));
  }
  const std::optional<Version>& expected = command.request.expected_version;
  if (expected.has_value() && *expected != actual) {
    return Error(
        absl::StatusCode::kAborted, reason::kVersionConflict,
        absl::StrFormat("%s: expected version %d, it is at version %d", stream, expected->value(), actual.value()),
        {{"stream", stream},
         {"expected_version", std::to_string(expected->value())},
         {"actual_version", std::to_string(actual.value())}});
  }
  return absl::OkStatus();
}

}  // namespace everfold

#include "everfold/process/step_recorder.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_format.h"
#include "everfold/base/timestamp.h"
#include "everfold/base/uuid.h"

namespace everfold {
namespace {

// A string that is no UTF-8, or too deep a nesting, serializes and does not parse again.
absl::Status CanBeReadAgain(const google::protobuf::Message& message, const std::string& serialized) {
  const std::unique_ptr<google::protobuf::Message> again(message.New());
  if (again->ParseFromString(serialized)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat(
      "a message %s does not parse once it is serialized: a string that is no UTF-8, or too deep a nesting",
      message.GetDescriptor()->full_name()));
}

}  // namespace

std::string StepRecorder::NewId() { return NewUuid(now_, random_); }

void StepRecorder::Send(const google::protobuf::Message& command) {
  v1::ProcessCommand recorded;
  recorded.set_type(command.GetDescriptor()->full_name());
  recorded.set_payload(command.SerializeAsString());
  status_.Update(CanBeReadAgain(command, recorded.payload()));
  commands_.push_back(std::move(recorded));
}

void StepRecorder::Run(const std::string& activity, const google::protobuf::Message& request, absl::Duration timeout) {
  v1::ProcessActivity recorded;
  recorded.set_name(activity);
  recorded.set_request(request.SerializeAsString());
  status_.Update(CanBeReadAgain(request, recorded.request()));
  *recorded.mutable_deadline_time() = TimestampOf(now_ + timeout);
  activities_.push_back(std::move(recorded));
}

bool StepRecorder::CheckTimerName(const std::string& name) {
  status_.Update(ValidateName(name, kMaxTimerNameBytes, "the name of a timer"));
  return status_.ok();
}

void StepRecorder::SetTimer(const std::string& name, absl::Time at, const google::protobuf::Message* command) {
  if (!CheckTimerName(name)) return;
  std::erase(timers_cancelled_, name);
  std::erase_if(timers_set_, [&name](const v1::ProcessTimer& timer) { return timer.name() == name; });
  v1::ProcessTimer recorded;
  recorded.set_name(name);
  *recorded.mutable_due_time() = TimestampOf(at);
  if (command != nullptr) {
    recorded.mutable_command()->set_type(command->GetDescriptor()->full_name());
    recorded.mutable_command()->set_payload(command->SerializeAsString());
    status_.Update(CanBeReadAgain(*command, recorded.command().payload()));
  }
  timers_set_.push_back(std::move(recorded));
}

void StepRecorder::CancelTimer(const std::string& name) {
  if (!CheckTimerName(name)) return;
  std::erase_if(timers_set_, [&name](const v1::ProcessTimer& timer) { return timer.name() == name; });
  if (std::find(timers_cancelled_.begin(), timers_cancelled_.end(), name) == timers_cancelled_.end()) {
    timers_cancelled_.push_back(name);
  }
}

}  // namespace everfold

#include "everfold/rpc/execute_message.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/decide/violations.h"

namespace everfold {
namespace {

absl::Status NoCommand() {
  Violations violations;
  violations.Add("command", "required", "must be set");
  return violations.ToStatus("everfold.v1.ExecuteRequest", "");
}

// "type.googleapis.com/wallet.v1.Deposit" names wallet.v1.Deposit, whatever is before the last '/'.
std::string TypeNameIn(const std::string& url) { return url.substr(url.rfind('/') + 1); }

}  // namespace

absl::StatusOr<std::unique_ptr<google::protobuf::Message>> Unpack(const v1::ExecuteRequest& request,
                                                                  const CommandHandler& handler) {
  if (!request.has_command()) return NoCommand();
  const std::string name = TypeNameIn(request.command().type_url());
  const std::optional<CommandTarget> target = handler.FindTarget(name);
  if (!target.has_value()) {
    return Error(absl::StatusCode::kUnimplemented, reason::kRequestInvalid,
                 absl::StrFormat("no aggregate of this application takes %s", name), {{"command", name}});
  }
  std::unique_ptr<google::protobuf::Message> message(target->type->prototype->New());
  if (!message->ParseFromString(request.command().value())) {
    return Error(
        absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
        absl::StrFormat("the %d bytes of the command do not parse as %s", request.command().value().size(), name),
        {{"command", name}});
  }
  return message;
}

CommandRequest CommandRequestOf(const v1::ExecuteRequest& request, const google::protobuf::Message& command) {
  CommandRequest made;
  made.command = &command;
  made.request_id = request.request_id();
  if (request.has_expected_version()) made.expected_version = Version(request.expected_version());
  made.field_path = "command.";
  return made;
}

}  // namespace everfold

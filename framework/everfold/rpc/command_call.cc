#include "everfold/rpc/command_call.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/rpc/call_headers.h"
#include "everfold/rpc/receipt_message.h"
#include "everfold/rpc/unary_call.h"

namespace everfold {
namespace {

absl::Status MissingCommand(const std::string& type) {
  Violations violations;
  violations.Add("command", "required", "must be set");
  return violations.ToStatus(type, "");
}

absl::StatusOr<std::string> RequestIdOf(const CommandCall& call, const CallHeaders& headers) {
  if (call.request_id.empty()) return headers.idempotency_key;
  if (!headers.idempotency_key.empty() && headers.idempotency_key != call.request_id) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 "request_id and the header idempotency-key differ; set one of them",
                 {{"request_id", call.request_id}, {"idempotency_key", headers.idempotency_key}});
  }
  return call.request_id;
}

absl::StatusOr<CommandRequest> RequestOf(const CommandCall& call, const grpc::CallbackServerContext& context) {
  if (call.command == nullptr) return MissingCommand(call.command_field_type);
  EVERFOLD_ASSIGN_OR_RETURN(CallHeaders headers, ReadCallHeaders(context));
  EVERFOLD_ASSIGN_OR_RETURN(std::string request_id, RequestIdOf(call, headers));
  return CommandRequest{.command = call.command,
                        .request_id = std::move(request_id),
                        .expected_version = call.expected_version,
                        .tenant = {},
                        .metadata = std::move(headers.metadata),
                        .deadline = DeadlineOf(context),
                        .field_path = "command.",
                        .within_call = true};
}

}  // namespace

grpc::ServerUnaryReactor* HandleCommandCall(CommandHandler& handler, const grpc::CallbackServerContext& context,
                                            CommandCall call, v1::CommandReceipt& receipt) {
  UnaryCall* const reactor = UnaryCall::Start();
  absl::StatusOr<CommandRequest> request = RequestOf(call, context);
  if (!request.ok()) {
    reactor->End(request.status());
    return reactor;
  }
  request->abandoned = &reactor->abandoned();
  handler.Handle(*std::move(request), [reactor, &receipt](absl::StatusOr<CommandOutcome> outcome) {
    reactor->End(FillReceipt(outcome, receipt));
  });
  return reactor;
}

}  // namespace everfold

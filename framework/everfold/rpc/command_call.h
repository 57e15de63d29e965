// A generated rpc method becomes one call of the CommandHandler:
//
//   grpc::ServerUnaryReactor* Withdraw(grpc::CallbackServerContext* context, const WithdrawRequest* request,
//                                      WithdrawResponse* response) override {
//     return HandleCommand(handler_, context, request, response);
//   }
//
// Besides the request's fields these headers count: idempotency-key (the same as request_id),
// everfold-actor (unverified), everfold-correlation-id, everfold-causation-id and traceparent (W3C; a malformed one is
// ignored, as its specification says).
//
// A client that cancels, or whose deadline passes after the decision, does not undo its command: it asks again with the
// same request_id.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <optional>
#include <string>
#include <type_traits>

#include "everfold/command/command_handler.h"
#include "everfold/decide/traits.h"
#include "everfold/v1/receipt.pb.h"
#include "google/protobuf/message.h"

namespace everfold {

// A command's request without its type. Lifetime: `command` as the call's request.
struct CommandCall {
  const google::protobuf::Message* command = nullptr;  // nullptr: the request has none
  std::string command_field_type;                      // full name of the command that the request can carry
  std::string request_id;
  std::optional<Version> expected_version;
};

// Fills `receipt`, which lives as long as the call's response, when the command was accepted.
grpc::ServerUnaryReactor* HandleCommandCall(CommandHandler& handler, const grpc::CallbackServerContext& context,
                                            CommandCall call, v1::CommandReceipt& receipt);

// Request has command, request_id and, unless it is for a boundary, an optional expected_version; Response has a
// receipt.
template <class Request, class Response>
grpc::ServerUnaryReactor* HandleCommand(CommandHandler& handler, grpc::CallbackServerContext* context,
                                        const Request* request, Response* response) {
  using Traits = CommandTraits<std::remove_cvref_t<decltype(request->command())>>;
  CommandCall call{.command = request->has_command() ? &request->command() : nullptr,
                   .command_field_type = Traits::kName,
                   .request_id = request->request_id(),
                   .expected_version = std::nullopt};
  if constexpr (requires { request->has_expected_version(); }) {
    if (request->has_expected_version()) call.expected_version = Version(request->expected_version());
  }
  return HandleCommandCall(handler, *context, std::move(call), *response->mutable_receipt());
}

}  // namespace everfold

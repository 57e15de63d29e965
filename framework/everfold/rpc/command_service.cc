#include "everfold/rpc/command_service.h"

#include <grpcpp/server_context.h>

#include <utility>

#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/rpc/append_message.h"
#include "everfold/rpc/call_headers.h"
#include "everfold/rpc/execute_message.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/many_call.h"
#include "everfold/rpc/receipt_message.h"
#include "everfold/rpc/status.h"
#include "everfold/rpc/unary_call.h"
#include "everfold/v1/command_service.grpc.pb.h"

namespace everfold {
namespace {

using ExecuteManyCall = ManyCall<v1::ExecuteManyRequest, v1::ExecuteManyResponse>;
using ExecuteManyReactor = grpc::ServerBidiReactor<v1::ExecuteManyRequest, v1::ExecuteManyResponse>;

// What the headers of a call say of all its commands.
struct CallRules {
  Metadata metadata;
  absl::Time deadline;
};

absl::StatusOr<CallRules> RulesOf(const grpc::CallbackServerContext& context) {
  EVERFOLD_ASSIGN_OR_RETURN(CallHeaders headers, ReadCallHeaders(context));
  if (!headers.idempotency_key.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 "the header idempotency-key cannot serve here; set the request_id of the command");
  }
  return CallRules{std::move(headers.metadata), DeadlineOf(context)};
}

v1::ExecuteManyResponse::Item AnswerOf(const absl::StatusOr<CommandOutcome>& outcome) {
  v1::ExecuteManyResponse::Item answer;
  const absl::Status status = FillReceipt(outcome, *answer.mutable_receipt());
  if (!status.ok()) *answer.mutable_error() = ToStatusMessage(status);
  return answer;
}

// One that is refused before anything was read.
class RefusedCall final : public ExecuteManyReactor {
 public:
  explicit RefusedCall(const absl::Status& why) { Finish(ToGrpcStatus(why)); }
  void OnDone() override { delete this; }
};

absl::StatusOr<StateRequest> StateRequestOf(const v1::GetStateRequest& message, absl::Time deadline) {
  StateRequest request;
  EVERFOLD_ASSIGN_OR_RETURN(request.stream, ParseStreamId(message.stream()));
  request.deadline = deadline;
  if (message.at_case() == v1::GetStateRequest::kVersion) request.version = Version(message.version());
  if (message.at_case() == v1::GetStateRequest::kTime) {
    EVERFOLD_ASSIGN_OR_RETURN(request.as_of, TimeOf(message.time(), "time"));
  }
  return request;
}

absl::Status FillState(const absl::StatusOr<StateAnswer>& answer, const std::string& stream,
                       v1::GetStateResponse& response) {
  if (!answer.ok()) return answer.status();
  if (answer->version == Version()) {
    absl::Status status = Error(absl::StatusCode::kNotFound, reason::kStreamNotFound,
                                stream + " does not exist, or did not then", {{"stream", stream}});
    AddResourceInfo(status, stream.substr(0, stream.find('/')), stream);
    return status;
  }
  response.mutable_state()->PackFrom(*answer->state);
  response.set_version(answer->version.value());
  response.set_consistency_token(EncodeToken(answer->token));
  return absl::OkStatus();
}

class CommandService final : public RpcService, public v1::CommandService::CallbackService {
 public:
  explicit CommandService(CommandHandler& handler) : handler_(handler) {}

  const char* name() const override { return v1::CommandService::service_full_name(); }
  grpc::Service& service() override { return *this; }
  void EndLongCalls() override { long_calls_.EndAll(); }
  void CancelLongCalls() override { long_calls_.CancelAll(); }

  grpc::ServerUnaryReactor* Execute(grpc::CallbackServerContext* context, const v1::ExecuteRequest* message,
                                    v1::ExecuteResponse* response) override {
    UnaryCall* const call = UnaryCall::Start();
    const absl::StatusOr<CallRules> rules = RulesOf(*context);
    if (rules.ok()) {
      Execute(*message, *rules, &call->abandoned(), [call, response](const absl::StatusOr<CommandOutcome>& outcome) {
        call->End(FillReceipt(outcome, *response->mutable_receipt()));
      });
    } else {
      call->End(rules.status());
    }
    return call;
  }

  ExecuteManyReactor* ExecuteMany(grpc::CallbackServerContext* context) override {
    absl::StatusOr<CallRules> rules = RulesOf(*context);
    if (!rules.ok()) return new RefusedCall(rules.status());
    return ExecuteManyCall::Start(
        *context,
        [this, rules = *std::move(rules)](const v1::ExecuteManyRequest::Item& item, ExecuteManyCall::Reply reply) {
          Execute(item.command(), rules, &reply.abandoned(),
                  [reply](const absl::StatusOr<CommandOutcome>& outcome) { reply.Send(AnswerOf(outcome)); });
        },
        long_calls_);
  }

  grpc::ServerUnaryReactor* GetState(grpc::CallbackServerContext* context, const v1::GetStateRequest* message,
                                     v1::GetStateResponse* response) override {
    UnaryCall* const call = UnaryCall::Start();
    const absl::StatusOr<CallRules> rules = RulesOf(*context);
    absl::StatusOr<StateRequest> request =
        rules.ok() ? StateRequestOf(*message, rules->deadline) : absl::StatusOr<StateRequest>(rules.status());
    if (!request.ok()) {
      call->End(request.status());
      return call;
    }
    std::string stream = request->stream.ToString();
    handler_.GetState(*std::move(request),
                      [call, response, stream = std::move(stream)](const absl::StatusOr<StateAnswer>& answer) {
                        call->End(FillState(answer, stream, *response));
                      });
    return call;
  }

 private:
  template <class Done>
  void Execute(const v1::ExecuteRequest& message, const CallRules& rules, const std::atomic<bool>* abandoned,
               Done done) {
    absl::StatusOr<std::unique_ptr<google::protobuf::Message>> command = Unpack(message, handler_);
    if (!command.ok()) return done(command.status());
    CommandRequest request = CommandRequestOf(message, **command);
    request.metadata = rules.metadata;
    request.deadline = rules.deadline;
    request.abandoned = abandoned;
    handler_.Handle(std::move(request), [done, command = *std::move(command)](
                                            const absl::StatusOr<CommandOutcome>& outcome) { done(outcome); });
  }

  CommandHandler& handler_;
  LongCalls long_calls_;
};

}  // namespace

std::unique_ptr<RpcService> MakeCommandService(CommandHandler& handler) {
  return std::make_unique<CommandService>(handler);
}

}  // namespace everfold

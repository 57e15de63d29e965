#include "everfold/rpc/query_call.h"

#include "everfold/rpc/unary_call.h"

namespace everfold {
namespace {

QueryOptions OptionsOf(QueryCall& call, const grpc::CallbackServerContext& context) {
  return {.consistency_token = std::move(call.consistency_token), .deadline = DeadlineOf(context)};
}

}  // namespace

grpc::ServerUnaryReactor* HandleGetCall(QueryEngine& engine, const grpc::CallbackServerContext& context, QueryCall call,
                                        QueryEngine::BindKey key, QueryEngine::VisitRow row) {
  UnaryCall* const reactor = UnaryCall::Start();
  QueryOptions options = OptionsOf(call, context);
  options.within_call = true;
  engine.Get(call.schema, std::move(options), std::move(key), std::move(row),
             [reactor](absl::Status status) { reactor->End(status); });
  return reactor;
}

grpc::ServerUnaryReactor* HandleListCall(QueryEngine& engine, const grpc::CallbackServerContext& context,
                                         QueryCall call, ListOptions options, QueryEngine::TakeRow take,
                                         std::string& next_page_token) {
  UnaryCall* const reactor = UnaryCall::Start();
  engine.List(call.schema, OptionsOf(call, context), std::move(options), std::move(take),
              [reactor, &next_page_token](absl::StatusOr<std::string> next) {
                if (next.ok()) next_page_token = *next;
                reactor->End(next.status());
              });
  return reactor;
}

}  // namespace everfold

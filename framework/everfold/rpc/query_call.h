// A generated query method becomes one call of the QueryEngine:
//
//   grpc::ServerUnaryReactor* GetWalletBalance(grpc::CallbackServerContext* context,
//                                              const GetWalletBalanceRequest* request,
//                                              GetWalletBalanceResponse* response) override {
//     return HandleGet(engine_, context, request, response->mutable_wallet_balance(), Key(request->wallet_id()));
//   }
#pragma once

#include <grpcpp/support/server_callback.h>

#include <string>
#include <utility>

#include "everfold/projection/read_model.h"
#include "everfold/query/query_engine.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace everfold {

// What all queries have in common, without the row's type. Lifetime: the callbacks are called until the call has ended.
struct QueryCall {
  const ReadModelSchema& schema;
  std::string consistency_token;
  QueryEngine::VisitRow row;
};

grpc::ServerUnaryReactor* HandleGetCall(QueryEngine& engine, const grpc::CallbackServerContext& context, QueryCall call,
                                        QueryEngine::BindKey key);
// `next_page_token` lives as long as the call's response.
grpc::ServerUnaryReactor* HandleListCall(QueryEngine& engine, const grpc::CallbackServerContext& context,
                                         QueryCall call, ListOptions options, std::string& next_page_token);

// Request has a consistency_token.
template <class Row, class Request>
grpc::ServerUnaryReactor* HandleGet(QueryEngine& engine, grpc::CallbackServerContext* context, const Request* request,
                                    Row* row, typename ReadModelTraits<Row>::Key key) {
  using Traits = ReadModelTraits<Row>;
  return HandleGetCall(engine, *context,
                       {.schema = Traits::Schema(),
                        .consistency_token = request->consistency_token(),
                        .row = [row](const ColumnReader& in) { Traits::Read(in, *row); }},
                       [key = std::move(key)](ColumnWriter& out) { Traits::BindKey(key, out); });
}

// Request has page_size, page_token and a consistency_token.
template <class Row, class Request>
grpc::ServerUnaryReactor* HandleList(QueryEngine& engine, grpc::CallbackServerContext* context, const Request* request,
                                     google::protobuf::RepeatedPtrField<Row>* rows, std::string* next_page_token) {
  using Traits = ReadModelTraits<Row>;
  return HandleListCall(engine, *context,
                        {.schema = Traits::Schema(),
                         .consistency_token = request->consistency_token(),
                         .row = [rows](const ColumnReader& in) { Traits::Read(in, *rows->Add()); }},
                        {.page_size = static_cast<int>(request->page_size()), .page_token = request->page_token()},
                        *next_page_token);
}

}  // namespace everfold

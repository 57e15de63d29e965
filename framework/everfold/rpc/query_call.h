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
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/unary_call.h"
#include "everfold/rpc/watch_call.h"
#include "google/protobuf/repeated_ptr_field.h"

namespace everfold {

// What all queries have in common, without the row's type.
struct QueryCall {
  const ReadModelSchema& schema;
  std::string consistency_token;
};

// Lifetime, here and below: the callbacks are called until the call has ended.
grpc::ServerUnaryReactor* HandleGetCall(QueryEngine& engine, const grpc::CallbackServerContext& context, QueryCall call,
                                        QueryEngine::BindKey key, QueryEngine::VisitRow row);
// `next_page_token` lives as long as the call's response.
grpc::ServerUnaryReactor* HandleListCall(QueryEngine& engine, const grpc::CallbackServerContext& context,
                                         QueryCall call, ListOptions options, QueryEngine::TakeRow take,
                                         std::string& next_page_token);

// QueryEngine::TakeRow into a response.
template <class Row>
std::size_t TakeRow(const ColumnReader& in, std::size_t room, google::protobuf::RepeatedPtrField<Row>& rows) {
  constexpr std::size_t kBytesAroundARow = 8;  // its field's number and its length
  Row& row = *rows.Add();
  ReadModelTraits<Row>::Read(in, row);
  const std::size_t bytes = row.ByteSizeLong() + kBytesAroundARow;
  if (bytes > room) rows.RemoveLast();
  return bytes;
}

// Request has a consistency_token.
template <class Row, class Request>
grpc::ServerUnaryReactor* HandleGet(QueryEngine& engine, grpc::CallbackServerContext* context, const Request* request,
                                    Row* row, typename ReadModelTraits<Row>::Key key) {
  using Traits = ReadModelTraits<Row>;
  return HandleGetCall(
      engine, *context, {.schema = Traits::Schema(), .consistency_token = request->consistency_token()},
      [key = std::move(key)](ColumnWriter& out) { Traits::BindKey(key, out); },
      [row](const ColumnReader& in) { Traits::Read(in, *row); });
}

// Request has page_size, page_token, a consistency_token, filter and order_by.
template <class Row, class Request>
grpc::ServerUnaryReactor* HandleList(QueryEngine& engine, grpc::CallbackServerContext* context, const Request* request,
                                     google::protobuf::RepeatedPtrField<Row>* rows, std::string* next_page_token) {
  using Traits = ReadModelTraits<Row>;
  return HandleListCall(
      engine, *context, {.schema = Traits::Schema(), .consistency_token = request->consistency_token()},
      {.page_size = static_cast<int>(request->page_size()),
       .page_token = request->page_token(),
       .filter = request->filter(),
       .order_by = request->order_by()},
      [rows](const ColumnReader& in, std::size_t room) { return TakeRow(in, room, *rows); }, *next_page_token);
}

// A response has the row, or none where there is none. `row_of(Response&)` is where it is to be.
template <class Row, class Response, class Request, class RowOf>
grpc::ServerWriteReactor<Response>* HandleWatch(QueryEngine& engine, LongCalls& calls,
                                                grpc::CallbackServerContext* context, const Request* request,
                                                typename ReadModelTraits<Row>::Key key, RowOf row_of) {
  using Traits = ReadModelTraits<Row>;
  // The token counts for the first answer: later ones see what it names anyway.
  auto read = [&engine, context, key = std::move(key), row_of, token = request->consistency_token()](
                  Response& response, typename WatchCall<Response>::Done done) mutable {
    engine.Get(
        Traits::Schema(), {.consistency_token = std::exchange(token, {}), .deadline = DeadlineOf(*context)},
        [key](ColumnWriter& out) { Traits::BindKey(key, out); },
        [&response, row_of](const ColumnReader& in) { Traits::Read(in, *row_of(response)); },
        [done = std::move(done)](const absl::Status& status) mutable {
          done(absl::IsNotFound(status) ? absl::OkStatus() : status);
        });
  };
  return WatchCall<Response>::Start(engine, Traits::Schema(), calls, *context, std::move(read));
}

// A response has the first page of a list, and says whether there is more. Request as in HandleList, without
// page_token.
template <class Row, class Response, class Request, class RowsOf>
grpc::ServerWriteReactor<Response>* HandleWatchList(QueryEngine& engine, LongCalls& calls,
                                                    grpc::CallbackServerContext* context, const Request* request,
                                                    RowsOf rows_of) {
  using Traits = ReadModelTraits<Row>;
  const ListOptions list{.page_size = static_cast<int>(request->page_size()),
                         .page_token = {},
                         .filter = request->filter(),
                         .order_by = request->order_by()};
  auto read = [&engine, context, list, rows_of, token = request->consistency_token()](
                  Response& response, typename WatchCall<Response>::Done done) mutable {
    engine.List(
        Traits::Schema(), {.consistency_token = std::exchange(token, {}), .deadline = DeadlineOf(*context)}, list,
        [&response, rows_of](const ColumnReader& in, std::size_t room) {
          return TakeRow(in, room, *rows_of(response));
        },
        [&response, done = std::move(done)](const absl::StatusOr<std::string>& next) mutable {
          response.set_more(next.ok() && !next->empty());
          done(next.status());
        });
  };
  return WatchCall<Response>::Start(engine, Traits::Schema(), calls, *context, std::move(read));
}

}  // namespace everfold

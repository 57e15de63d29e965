// The counter domain as generated code would declare it, and a server of it whose handler and engine are mocks.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "everfold/command/command_handler.h"
#include "everfold/decide/traits.h"
#include "everfold/query/query_engine.h"
#include "everfold/rpc/command_call.h"
#include "everfold/rpc/grpc_server.h"
#include "everfold/rpc/query_call.h"
#include "tests/unit/rpc/counter.grpc.pb.h"

namespace everfold {

template <>
struct AggregateOf<counter::v1::Counter> {
  static constexpr char kName[] = "counter";
};

template <>
struct CommandTraits<counter::v1::Increase> {
  using Aggregate = counter::v1::Counter;
  static constexpr char kName[] = "counter.v1.Increase";
  static const std::string& Id(const counter::v1::Increase& command) { return command.counter_id(); }
};

template <>
struct ReadModelTraits<counter::v1::CounterTotal> {
  using Row = counter::v1::CounterTotal;
  struct Key {
    Key(std::string id) : counter_id(std::move(id)) {}  // NOLINT: implicit as in generated code
    std::string counter_id;
  };
  static const ReadModelSchema& Schema() {
    static const ReadModelSchema schema{
        .message = "counter.v1.CounterTotal",
        .table = "counter_total",
        .columns = {{"counter_id", ColumnType::kText, false}, {"total", ColumnType::kInteger, false}},
        .key = {0}};
    return schema;
  }
  static void BindKey(const Key& key, ColumnWriter& out) { out.Text(0, key.counter_id); }
  static void Read(const ColumnReader& in, Row& row) {
    row.set_counter_id(std::string(in.Text(0)));
    row.set_total(in.Integer(1));
  }
};

class MockCommandHandler : public CommandHandler {
 public:
  MOCK_METHOD(void, Handle, (CommandRequest request, Done done), (override));
  MOCK_METHOD(void, GetState, (StateRequest request, StateDone done), (override));
  MOCK_METHOD(std::optional<CommandTarget>, FindTarget, (const std::string& command), (const, override));
  MOCK_METHOD(CommandStats, stats, (), (const, override));
  MOCK_METHOD(void, Close, (Task done), (override));
};

class MockQueryEngine : public QueryEngine {
 public:
  MOCK_METHOD(void, Get, (const ReadModelSchema&, QueryOptions, BindKey, VisitRow, GetDone), (override));
  MOCK_METHOD(void, List, (const ReadModelSchema&, QueryOptions, ListOptions, TakeRow, ListDone), (override));
  MOCK_METHOD(void, Sql, (SqlQuery, QueryOptions, SqlDone), (override));
  MOCK_METHOD(void, EndSql, (), (override));
  MOCK_METHOD(absl::StatusOr<std::unique_ptr<ChangeWatch>>, WatchChanges, (const ReadModelSchema&, ChangeHint),
              (override));
  MOCK_METHOD(void, Close, (Task done), (override));
};

class CounterCommands final : public RpcService, public counter::v1::CounterCommandService::CallbackService {
 public:
  explicit CounterCommands(CommandHandler& handler) : handler_(handler) {}
  const char* name() const override { return "counter.v1.CounterCommandService"; }
  grpc::Service& service() override { return *this; }

  grpc::ServerUnaryReactor* Increase(grpc::CallbackServerContext* context, const counter::v1::IncreaseRequest* request,
                                     counter::v1::IncreaseResponse* response) override {
    return HandleCommand(handler_, context, request, response);
  }

 private:
  CommandHandler& handler_;
};

class CounterQueries final : public RpcService, public counter::v1::CounterTotalQueryService::CallbackService {
 public:
  explicit CounterQueries(QueryEngine& engine) : engine_(engine) {}
  const char* name() const override { return "counter.v1.CounterTotalQueryService"; }
  grpc::Service& service() override { return *this; }

  grpc::ServerUnaryReactor* GetCounterTotal(grpc::CallbackServerContext* context,
                                            const counter::v1::GetCounterTotalRequest* request,
                                            counter::v1::GetCounterTotalResponse* response) override {
    return HandleGet(engine_, context, request, response->mutable_counter_total(), request->counter_id());
  }
  grpc::ServerUnaryReactor* ListCounterTotals(grpc::CallbackServerContext* context,
                                              const counter::v1::ListCounterTotalsRequest* request,
                                              counter::v1::ListCounterTotalsResponse* response) override {
    return HandleList(engine_, context, request, response->mutable_counter_totals(),
                      response->mutable_next_page_token());
  }
  grpc::ServerWriteReactor<counter::v1::WatchCounterTotalResponse>* WatchCounterTotal(
      grpc::CallbackServerContext* context, const counter::v1::WatchCounterTotalRequest* request) override {
    return HandleWatch<counter::v1::CounterTotal, counter::v1::WatchCounterTotalResponse>(
        engine_, watches_, context, request, request->counter_id(),
        [](auto& response) { return response.mutable_counter_total(); });
  }
  grpc::ServerWriteReactor<counter::v1::WatchCounterTotalsResponse>* WatchCounterTotals(
      grpc::CallbackServerContext* context, const counter::v1::WatchCounterTotalsRequest* request) override {
    return HandleWatchList<counter::v1::CounterTotal, counter::v1::WatchCounterTotalsResponse>(
        engine_, watches_, context, request, [](auto& response) { return response.mutable_counter_totals(); });
  }
  void EndLongCalls() override { watches_.EndAll(); }
  void CancelLongCalls() override { watches_.CancelAll(); }

 private:
  QueryEngine& engine_;
  LongCalls watches_;
};

// Serves the counter on a free port.
class CounterServerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto server = GrpcServer::Start({.addresses = {"127.0.0.1:0"}}, {&command_service_, &query_service_});
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = grpc::CreateChannel(server_->addresses().front(), grpc::InsecureChannelCredentials());
    commands_ = counter::v1::CounterCommandService::NewStub(channel_);
    queries_ = counter::v1::CounterTotalQueryService::NewStub(channel_);
  }

  testing::StrictMock<MockCommandHandler> handler_;
  testing::StrictMock<MockQueryEngine> engine_;
  CounterCommands command_service_{handler_};
  CounterQueries query_service_{engine_};
  std::unique_ptr<GrpcServer> server_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<counter::v1::CounterCommandService::Stub> commands_;
  std::unique_ptr<counter::v1::CounterTotalQueryService::Stub> queries_;
};

}  // namespace everfold

#include "everfold/rpc/event_store_service.h"

#include <grpcpp/server_context.h>

#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "everfold/rpc/append_many_call.h"
#include "everfold/rpc/append_message.h"
#include "everfold/rpc/event_message.h"
#include "everfold/rpc/event_sources.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/read_call.h"
#include "everfold/rpc/request_bytes.h"
#include "everfold/rpc/subscribe_call.h"
#include "everfold/rpc/unary_call.h"
#include "everfold/v1/event_store.grpc.pb.h"

namespace everfold {
namespace {

// Events are sent as bytes: what is read in great numbers is not made into messages first.
using Generated = v1::EventStoreService;
using CallbackService = Generated::WithCallbackMethod_Append<
    Generated::WithCallbackMethod_AppendMany<Generated::WithRawCallbackMethod_ReadStream<
        Generated::WithRawCallbackMethod_ReadAll<Generated::WithRawCallbackMethod_Subscribe<
            Generated::WithCallbackMethod_GetHead<Generated::WithCallbackMethod_GetStats<Generated::Service>>>>>>>;

class EventStoreService final : public RpcService, public CallbackService {
 public:
  EventStoreService(EventStore& store, const EmbeddedLog& log, Executor& executor, RawAppendRules rules)
      : store_(store), log_(log), executor_(executor), guard_(std::move(rules)) {}

  const char* name() const override { return v1::EventStoreService::service_full_name(); }
  grpc::Service& service() override { return *this; }
  void EndLongCalls() override { long_calls_.EndAll(); }
  void CancelLongCalls() override { long_calls_.CancelAll(); }

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext*, const v1::AppendRequest* message,
                                   v1::AppendResponse* response) override {
    UnaryCall* const call = UnaryCall::Start();
    absl::StatusOr<AppendRequest> request = AppendRequestOf(*message, store_);
    const absl::Status allowed = request.ok() ? guard_.Check(*request) : request.status();
    if (!allowed.ok()) {
      call->End(allowed);
      return call;
    }
    store_.Append(*std::move(request), [this, call, response](const absl::StatusOr<AppendResult>& result) {
      if (result.ok()) Fill(*result, store_, *response);
      call->End(result.status());
    });
    return call;
  }

  AppendManyCall* AppendMany(grpc::CallbackServerContext* context) override {
    return StartAppendMany(*context, store_, guard_, long_calls_);
  }

  ReadCall* ReadStream(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes) override {
    const absl::StatusOr<v1::ReadStreamRequest> request = RequestOf<v1::ReadStreamRequest>(*bytes);
    if (!request.ok()) return StartRead(*context, request.status());
    return StartRead(*context, SourceOf(store_, *request));
  }

  ReadCall* ReadAll(grpc::CallbackServerContext* context, const grpc::ByteBuffer* bytes) override {
    const absl::StatusOr<v1::ReadAllRequest> request = RequestOf<v1::ReadAllRequest>(*bytes);
    if (!request.ok()) return StartRead(*context, request.status());
    return StartRead(*context, SourceOf(store_, executor_, *request));
  }

  SubscribeReactor* Subscribe(grpc::CallbackServerContext* context) override {
    return StartSubscribe(store_, executor_, long_calls_, *context);
  }

  grpc::ServerUnaryReactor* GetHead(grpc::CallbackServerContext*, const v1::GetHeadRequest*,
                                    v1::GetHeadResponse* response) override {
    UnaryCall* const call = UnaryCall::Start();
    // In this order, so that whoever has read up to the checkpoint has read all up to the sequence.
    response->set_sequence(store_.DurableSequence().value());
    const Checkpoint head = store_.DurableHead();
    for (const Offset offset : head.offsets) response->add_offsets(offset.value());
    response->set_checkpoint(EncodeCheckpointBytes(head));
    response->set_epoch(head.epoch.bytes);
    call->End(absl::OkStatus());
    return call;
  }

  grpc::ServerUnaryReactor* GetStats(grpc::CallbackServerContext*, const v1::GetStatsRequest*,
                                     v1::GetStatsResponse* response) override {
    UnaryCall* const call = UnaryCall::Start();
    // RocksDB is asked for its files.
    executor_.Post([this, call, response] {
      FillStats(*response);
      call->End(absl::OkStatus());
    });
    return call;
  }

 private:
  ReadCall* StartRead(grpc::CallbackServerContext& context, absl::StatusOr<std::unique_ptr<ResponseSource>> source) {
    return ReadCall::Start(executor_, long_calls_, context, std::move(source));
  }

  void FillStats(v1::GetStatsResponse& response) const {
    const Checkpoint head = store_.DurableHead();
    std::uint64_t events = 0;
    absl::flat_hash_set<std::string> types;
    for (std::uint32_t i = 0; i < head.offsets.size(); ++i) {
      events += head.offsets[i].value();
      const TypeId last = store_.types().LastId(PartitionId(i));
      for (TypeId id = 1; id <= last; ++id) types.insert(store_.types().Find(PartitionId(i), id)->name);
    }
    response.set_events(events);
    response.set_commits(store_.DurableSequence().value());
    response.set_partitions(static_cast<std::uint32_t>(head.offsets.size()));
    response.set_types(static_cast<std::uint32_t>(types.size()));
    const EmbeddedLog::Size size = log_.size();
    response.set_sealed_files(size.sealed_files);
    response.set_sealed_bytes(size.sealed_bytes);
  }

  EventStore& store_;
  const EmbeddedLog& log_;
  Executor& executor_;
  const RawAppendGuard guard_;
  LongCalls long_calls_;
};

}  // namespace

std::unique_ptr<RpcService> MakeEventStoreService(EventStore& store, const EmbeddedLog& log, Executor& executor,
                                                  RawAppendRules rules) {
  return std::make_unique<EventStoreService>(store, log, executor, std::move(rules));
}

}  // namespace everfold

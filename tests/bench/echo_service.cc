#include "tests/bench/echo_service.h"

#include <grpcpp/server_context.h>

#include <utility>

#include "everfold/v1/event_store.grpc.pb.h"

namespace everfold::bench {
namespace {

class EchoedResponses final : public grpc::ServerWriteReactor<v1::ReadAllResponse> {
 public:
  explicit EchoedResponses(const std::vector<v1::ReadAllResponse>& responses) : responses_(responses) { Next(); }

 private:
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    Next();
  }
  void OnDone() override { delete this; }
  void Next() {
    if (next_ == responses_.size()) return Finish(grpc::Status::OK);
    StartWrite(&responses_[next_++]);
  }

  const std::vector<v1::ReadAllResponse>& responses_;
  std::size_t next_ = 0;
};

class EchoService final : public RpcService, public v1::EventStoreService::CallbackService {
 public:
  explicit EchoService(std::vector<v1::ReadAllResponse> responses) : responses_(std::move(responses)) {}

  const char* name() const override { return v1::EventStoreService::service_full_name(); }
  grpc::Service& service() override { return *this; }

  grpc::ServerUnaryReactor* Append(grpc::CallbackServerContext* context, const v1::AppendRequest* request,
                                   v1::AppendResponse* response) override {
    response->set_sequence(1'000'000);
    response->mutable_recorded_at()->set_seconds(1'700'000'000);
    response->mutable_recorded_at()->set_nanos(123'456'000);
    v1::AppendedStream& stream = *response->add_streams();
    stream.set_stream(request->streams(0).stream());
    stream.set_version(10);
    stream.set_partition(7);
    stream.set_offset(100'000);
    response->set_consistency_token(std::string(36, 'A'));
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }

  grpc::ServerWriteReactor<v1::ReadAllResponse>* ReadAll(grpc::CallbackServerContext*,
                                                         const v1::ReadAllRequest*) override {
    return new EchoedResponses(responses_);
  }

 private:
  const std::vector<v1::ReadAllResponse> responses_;
};

}  // namespace

std::unique_ptr<RpcService> MakeEchoService(std::vector<v1::ReadAllResponse> responses) {
  return std::make_unique<EchoService>(std::move(responses));
}

}  // namespace everfold::bench

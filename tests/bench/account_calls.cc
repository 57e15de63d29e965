#include "tests/bench/account_calls.h"

#include <grpcpp/server_context.h>

#include "tests/bench/command_target.h"
#include "tests/bench/grpc_target.h"

namespace everfold::bench {
namespace {

using AccountService = ::bench::v1::AccountCommandService;

// Finishes a call once its request is durable, and ends.
class SyncedAnswer final : public Caller {
 public:
  SyncedAnswer(const ::bench::v1::AddEntryRequest& request, grpc::ServerUnaryReactor& reactor)
      : bytes_(request.SerializeAsString()), reactor_(reactor) {}
  std::string_view bytes() const { return bytes_; }

 private:
  void OnDurable(const absl::Status& status) override {
    reactor_.Finish(status.ok() ? grpc::Status::OK : grpc::Status(grpc::StatusCode::INTERNAL, "not durable"));
    delete this;
  }

  const std::string bytes_;
  grpc::ServerUnaryReactor& reactor_;
};

class EchoService final : public RpcService, public AccountService::CallbackService {
 public:
  explicit EchoService(BareRing* ring) : ring_(ring) {}

  const char* name() const override { return AccountService::service_full_name(); }
  grpc::Service& service() override { return *this; }

  grpc::ServerUnaryReactor* AddEntry(grpc::CallbackServerContext* context, const ::bench::v1::AddEntryRequest* request,
                                     ::bench::v1::AddEntryResponse* response) override {
    v1::CommandReceipt& receipt = *response->mutable_receipt();
    receipt.set_stream("account/" + request->command().account_id());
    receipt.set_version(1000);
    receipt.set_consistency_token(std::string(36, 'A'));
    receipt.set_sequence(1'000'000);
    receipt.mutable_recorded_at()->set_seconds(1'700'000'000);
    receipt.mutable_recorded_at()->set_nanos(123'456'000);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    if (ring_ == nullptr) {
      reactor->Finish(grpc::Status::OK);
    } else {
      auto* const answer = new SyncedAnswer(*request, *reactor);
      ring_->Append(answer->bytes(), *answer);
    }
    return reactor;
  }

 private:
  BareRing* const ring_;
};

}  // namespace

CallTarget::CallTarget(const std::string& address, const Payloads& payloads, std::uint32_t streams)
    : stub_(AccountService::NewStub(Connect(address))), payloads_(payloads), streams_(streams), slots_(kMostCallers) {
  SystemRandom random;
  for (Slot& slot : slots_) slot.noise = Noise(random.Next());
}

void CallTarget::Append(std::size_t number, Caller& caller) {
  Slot& slot = slots_[number];
  slot.context = std::make_unique<grpc::ClientContext>();
  FillCommand(slot.noise, payloads_, streams_, *slot.request.mutable_command());
  stub_->async()->AddEntry(slot.context.get(), &slot.request, &slot.response, [&caller](const grpc::Status& status) {
    caller.OnDurable(absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()));
  });
}

std::unique_ptr<RpcService> MakeAccountEcho(BareRing* ring) { return std::make_unique<EchoService>(ring); }

absl::StatusOr<std::unique_ptr<GrpcServer>> ListenTwice(const std::vector<RpcService*>& services,
                                                        const std::string& path) {
  GrpcServerOptions options;
  options.addresses = {"127.0.0.1:0", "unix:" + path};
  return GrpcServer::Start(options, services);
}

}  // namespace everfold::bench

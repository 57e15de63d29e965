#include "processes/payment_provider.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <utility>

#include "psp/v1/psp.grpc.pb.h"

namespace shop::v1 {
namespace {

using psp::v1::Operation;

// One call: what gRPC fills while it lasts.
template <class Request>
struct Call {
  Call(const Request& request, absl::Time deadline, PaymentProvider::Done done)
      : request(request), done(std::move(done)) {
    context.set_deadline(absl::ToChronoTime(deadline));
  }

  void Answer(const grpc::Status& status) {
    if (status.ok()) return done(std::move(operation));
    done(absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()));
  }

  const Request request;
  PaymentProvider::Done done;
  grpc::ClientContext context;
  Operation operation;
};

class GrpcProvider final : public PaymentProvider {
 public:
  explicit GrpcProvider(const std::shared_ptr<grpc::Channel>& channel)
      : stub_(psp::v1::PaymentProvider::NewStub(channel)) {}

  void Ask(const psp::v1::AuthorizeRequest& request, absl::Time deadline, Done done) override {
    const auto call = std::make_shared<Call<psp::v1::AuthorizeRequest>>(request, deadline, std::move(done));
    stub_->async()->Authorize(&call->context, &call->request, &call->operation, AnswerTo(call));
  }
  void Ask(const psp::v1::CaptureRequest& request, absl::Time deadline, Done done) override {
    const auto call = std::make_shared<Call<psp::v1::CaptureRequest>>(request, deadline, std::move(done));
    stub_->async()->Capture(&call->context, &call->request, &call->operation, AnswerTo(call));
  }
  void Ask(const psp::v1::ReleaseRequest& request, absl::Time deadline, Done done) override {
    const auto call = std::make_shared<Call<psp::v1::ReleaseRequest>>(request, deadline, std::move(done));
    stub_->async()->Release(&call->context, &call->request, &call->operation, AnswerTo(call));
  }
  void Ask(const psp::v1::RefundRequest& request, absl::Time deadline, Done done) override {
    const auto call = std::make_shared<Call<psp::v1::RefundRequest>>(request, deadline, std::move(done));
    stub_->async()->Refund(&call->context, &call->request, &call->operation, AnswerTo(call));
  }

 private:
  template <class Request>
  static std::function<void(grpc::Status)> AnswerTo(const std::shared_ptr<Call<Request>>& call) {
    return [call](const grpc::Status& status) { call->Answer(status); };
  }

  const std::unique_ptr<psp::v1::PaymentProvider::Stub> stub_;
};

}  // namespace

std::shared_ptr<PaymentProvider> ConnectToProvider(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 500);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 2000);
  return std::make_shared<GrpcProvider>(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
}

}  // namespace shop::v1

#include "everfold/rpc/reactor_client.h"

#include <utility>

#include "everfold/base/status.h"
#include "everfold/rpc/application_calls.h"
#include "everfold/rpc/listen_address.h"
#include "everfold/v1/reactor_service.grpc.pb.h"

namespace everfold {
namespace {

class GrpcReactorClient final : public ReactorClient {
  using Stub = v1::ReactorService::Stub;

 public:
  explicit GrpcReactorClient(std::string address) : calls_(std::move(address)) {}

  absl::StatusOr<std::vector<v1::ReactorInfo>> List() override {
    v1::ListReactorsResponse response;
    EVERFOLD_RETURN_IF_ERROR(calls_.Call(&Stub::ListReactors, v1::ListReactorsRequest(), response));
    return std::vector<v1::ReactorInfo>(response.reactors().begin(), response.reactors().end());
  }
  absl::Status Pause(const std::string& reactor) override {
    v1::PauseReactorResponse response;
    return calls_.Call(&Stub::PauseReactor, Of<v1::PauseReactorRequest>(reactor), response);
  }
  absl::Status Resume(const std::string& reactor) override {
    v1::ResumeReactorResponse response;
    return calls_.Call(&Stub::ResumeReactor, Of<v1::ResumeReactorRequest>(reactor), response);
  }
  absl::Status Reset(const std::string& reactor, v1::ReactorResetTo to, const std::string& reason) override {
    auto request = Of<v1::ResetReactorRequest>(reactor);
    request.set_to(to);
    request.set_reason(reason);
    v1::ResetReactorResponse response;
    return calls_.Call(&Stub::ResetReactor, request, response);
  }
  absl::StatusOr<std::vector<v1::WaitingReaction>> Waiting(const std::string& reactor) override {
    v1::ListWaitingReactionsResponse response;
    EVERFOLD_RETURN_IF_ERROR(
        calls_.Call(&Stub::ListWaitingReactions, Of<v1::ListWaitingReactionsRequest>(reactor), response));
    return std::vector<v1::WaitingReaction>(response.reactions().begin(), response.reactions().end());
  }
  absl::Status Retry(const std::string& reactor, const std::string& key) override {
    auto request = Of<v1::RetryReactionsRequest>(reactor);
    request.set_key(key);
    v1::RetryReactionsResponse response;
    return calls_.Call(&Stub::RetryReactions, request, response);
  }
  absl::Status Drop(const std::string& reactor, const std::string& key, const StreamId& stream, std::uint64_t version,
                    const std::string& reason) override {
    auto request = Of<v1::DropReactionRequest>(reactor);
    request.set_key(key);
    request.set_tenant(stream.tenant);
    request.set_stream(stream.ToString());
    request.set_version(version);
    request.set_reason(reason);
    v1::DropReactionResponse response;
    return calls_.Call(&Stub::DropReaction, request, response);
  }

 private:
  template <class Request>
  static Request Of(const std::string& reactor) {
    Request request;
    request.set_reactor(reactor);
    return request;
  }

  const ApplicationCalls<v1::ReactorService> calls_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ReactorClient>> ReactorClient::Open(const std::string& address) {
  EVERFOLD_RETURN_IF_ERROR(CheckAddress(address));
  return std::make_unique<GrpcReactorClient>(address);
}

}  // namespace everfold

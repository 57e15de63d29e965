#include "everfold/rpc/projection_client.h"

#include <grpcpp/client_context.h>

#include <utility>

#include "absl/time/time.h"
#include "everfold/base/clock.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/rpc/application_calls.h"
#include "everfold/rpc/application_stub.h"
#include "everfold/rpc/listen_address.h"
#include "everfold/v1/projection_service.grpc.pb.h"

namespace everfold {
namespace {

constexpr absl::Duration kProgressInterval = absl::Milliseconds(200);

class GrpcProjectionClient final : public ProjectionClient {
  using Stub = v1::ProjectionService::Stub;

 public:
  explicit GrpcProjectionClient(std::string address) : calls_(std::move(address)) {}

  absl::StatusOr<std::vector<v1::ProjectionInfo>> List() override {
    v1::ListProjectionsResponse response;
    EVERFOLD_RETURN_IF_ERROR(calls_.Call(&Stub::ListProjections, v1::ListProjectionsRequest(), response));
    return std::vector<v1::ProjectionInfo>(response.projections().begin(), response.projections().end());
  }
  absl::Status Pause(const std::string& projection) override {
    v1::PauseProjectionResponse response;
    return calls_.Call(&Stub::PauseProjection, Of<v1::PauseProjectionRequest>(projection), response);
  }
  absl::Status Resume(const std::string& projection) override {
    v1::ResumeProjectionResponse response;
    return calls_.Call(&Stub::ResumeProjection, Of<v1::ResumeProjectionRequest>(projection), response);
  }
  absl::Status CancelRebuild(const std::string& projection) override {
    v1::CancelRebuildResponse response;
    return calls_.Call(&Stub::CancelRebuild, Of<v1::CancelRebuildRequest>(projection), response);
  }

  absl::StatusOr<Swapped> Rebuild(const std::string& projection, const OnProgress& on_progress) override {
    const auto request = Of<v1::RebuildProjectionRequest>(projection);
    v1::RebuildProjectionResponse response;
    EVERFOLD_RETURN_IF_ERROR(Follow(projection, on_progress, [&](grpc::ClientContext& context, auto done) {
      calls_.stub().async()->RebuildProjection(&context, &request, &response, std::move(done));
    }));
    return Swapped{response.version(), response.previous_version()};
  }
  absl::StatusOr<Swapped> Rollback(const std::string& projection, const OnProgress& on_progress) override {
    const auto request = Of<v1::RollbackProjectionRequest>(projection);
    v1::RollbackProjectionResponse response;
    EVERFOLD_RETURN_IF_ERROR(Follow(projection, on_progress, [&](grpc::ClientContext& context, auto done) {
      calls_.stub().async()->RollbackProjection(&context, &request, &response, std::move(done));
    }));
    return Swapped{response.version(), response.previous_version()};
  }

  absl::StatusOr<v1::CompareProjectionResponse> Compare(const std::string& projection,
                                                        const OnProgress& on_progress) override {
    const auto request = Of<v1::CompareProjectionRequest>(projection);
    v1::CompareProjectionResponse response;
    EVERFOLD_RETURN_IF_ERROR(Follow(projection, on_progress, [&](grpc::ClientContext& context, auto done) {
      calls_.stub().async()->CompareProjection(&context, &request, &response, std::move(done));
    }));
    return response;
  }
  absl::Status Reset(const std::string& projection) override {
    v1::ResetProjectionResponse response;
    return calls_.Call(&Stub::ResetProjection, Of<v1::ResetProjectionRequest>(projection), response);
  }
  absl::StatusOr<v1::VerifiedProjection> Verify(
      const std::string& projection,
      const std::function<void(std::uint64_t events, std::uint64_t total)>& progress) override {
    grpc::ClientContext context;
    const auto responses = calls_.stub().VerifyProjection(&context, Of<v1::VerifyProjectionRequest>(projection));
    absl::StatusOr<v1::VerifiedProjection> verified =
        absl::InternalError("the application at " + calls_.address() + " ended without a result");
    for (v1::VerifyProjectionResponse response; responses->Read(&response);) {
      if (response.has_progress()) progress(response.progress().events(), response.progress().total());
      if (response.has_verified()) verified = response.verified();
    }
    EVERFOLD_RETURN_IF_ERROR(AnswerOf(calls_.address(), responses->Finish()));
    return verified;
  }
  absl::Status WaitFor(const std::string& projection, absl::Duration timeout) override {
    grpc::ClientContext context;
    if (timeout != absl::InfiniteDuration()) context.set_deadline(absl::ToChronoTime(SystemClock().Now() + timeout));
    v1::WaitForProjectionResponse response;
    return AnswerOf(calls_.address(),
                    calls_.stub().WaitForProjection(&context, Of<v1::WaitForProjectionRequest>(projection), &response));
  }

  absl::StatusOr<std::vector<v1::ParkedKey>> ParkedKeys(const std::string& projection) override {
    v1::ListParkedKeysResponse response;
    EVERFOLD_RETURN_IF_ERROR(calls_.Call(&Stub::ListParkedKeys, Of<v1::ListParkedKeysRequest>(projection), response));
    return std::vector<v1::ParkedKey>(response.keys().begin(), response.keys().end());
  }
  absl::StatusOr<std::vector<v1::ParkedEvent>> ParkedEvents(const std::string& projection,
                                                            const std::string& key) override {
    auto request = Of<v1::ListParkedEventsRequest>(projection);
    request.set_key(key);
    v1::ListParkedEventsResponse response;
    EVERFOLD_RETURN_IF_ERROR(calls_.Call(&Stub::ListParkedEvents, request, response));
    return std::vector<v1::ParkedEvent>(response.events().begin(), response.events().end());
  }
  absl::StatusOr<Tried> Retry(const std::string& projection, const std::string& key) override {
    auto request = Of<v1::RetryParkedKeyRequest>(projection);
    request.set_key(key);
    v1::RetryParkedKeyResponse response;
    EVERFOLD_RETURN_IF_ERROR(calls_.Call(&Stub::RetryParkedKey, request, response));
    return Tried{response.waiting_events(), response.error()};
  }
  absl::StatusOr<Tried> Drop(const std::string& projection, const std::string& key, const StreamId& stream,
                             std::uint64_t version, const std::string& reason) override {
    auto request = Of<v1::DropParkedEventRequest>(projection);
    request.set_key(key);
    request.set_tenant(stream.tenant);
    request.set_stream(stream.ToString());
    request.set_version(version);
    request.set_reason(reason);
    v1::DropParkedEventResponse response;
    EVERFOLD_RETURN_IF_ERROR(calls_.Call(&Stub::DropParkedEvent, request, response));
    return Tried{response.waiting_events(), response.error()};
  }

 private:
  template <class Request>
  static Request Of(const std::string& projection) {
    Request request;
    request.set_projection(projection);
    return request;
  }

  template <class Begin>
  absl::Status Follow(const std::string& projection, const OnProgress& on_progress, Begin begin) {
    grpc::ClientContext context;
    Notification answered;
    grpc::Status status;
    begin(context, [&answered, &status](const grpc::Status& s) {
      status = s;
      answered.Notify();
    });
    while (!answered.WaitForNotificationWithTimeout(kProgressInterval)) TellProgress(projection, on_progress);
    return AnswerOf(calls_.address(), status);
  }

  // That it cannot be asked is told by the call itself.
  void TellProgress(const std::string& projection, const OnProgress& on_progress) {
    const absl::StatusOr<std::vector<v1::ProjectionInfo>> projections = List();
    if (!projections.ok()) return;
    for (const v1::ProjectionInfo& info : *projections) {
      if (info.name() == projection && info.has_rebuild()) on_progress(info.rebuild());
    }
  }

  const ApplicationCalls<v1::ProjectionService> calls_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProjectionClient>> ProjectionClient::Open(const std::string& address) {
  EVERFOLD_RETURN_IF_ERROR(CheckAddress(address));
  return std::make_unique<GrpcProjectionClient>(address);
}

}  // namespace everfold

// The provider over gRPC, with everything that goes wrong on the way.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>

#include "absl/status/statusor.h"
#include "psp/v1/psp.grpc.pb.h"
#include "tools/fake_psp/provider.h"

namespace psp {

// Threading: thread-safe.
class ProviderService final : public v1::PaymentProvider::CallbackService {
 public:
  // REQUIRES: `provider` outlives the server that this is added to.
  explicit ProviderService(Provider& provider) : provider_(provider) {}

  grpc::ServerUnaryReactor* Authorize(grpc::CallbackServerContext* context, const v1::AuthorizeRequest* request,
                                      v1::Operation* response) override;
  grpc::ServerUnaryReactor* Capture(grpc::CallbackServerContext* context, const v1::CaptureRequest* request,
                                    v1::Operation* response) override;
  grpc::ServerUnaryReactor* Release(grpc::CallbackServerContext* context, const v1::ReleaseRequest* request,
                                    v1::Operation* response) override;
  grpc::ServerUnaryReactor* Refund(grpc::CallbackServerContext* context, const v1::RefundRequest* request,
                                   v1::Operation* response) override;
  grpc::ServerUnaryReactor* GetOperation(grpc::CallbackServerContext* context, const v1::GetOperationRequest* request,
                                         v1::Operation* response) override;
  grpc::ServerWriteReactor<v1::Notification>* WatchOperations(grpc::CallbackServerContext* context,
                                                              const v1::WatchOperationsRequest* request) override;

 private:
  using Work = std::function<absl::StatusOr<v1::Operation>()>;
  grpc::ServerUnaryReactor* Answer(const std::string& key, v1::Operation* response, const Work& work);

  Provider& provider_;
  std::atomic<std::uint64_t> watchers_ = 0;
};

}  // namespace psp

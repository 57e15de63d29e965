#include "everfold/rpc/health_service.h"

#include <optional>

#include "everfold/base/check.h"

namespace everfold {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

// One open Watch: writes the state whenever it is not what the client was told last. gRPC never calls back from within
// StartWrite or Finish, so both may be called under the service's lock.
class HealthService::Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(HealthService& service, bool known) : service_(service), known_(known) {
    MutexLock lock(&service_.mutex_);
    service_.watchers_.insert(this);
    Step();
  }

  void Step() ABSL_EXCLUSIVE_LOCKS_REQUIRED(service_.mutex_) {
    if (writing_ || finished_) return;
    const Status status = known_ ? service_.StatusNow() : HealthCheckResponse::SERVICE_UNKNOWN;
    if (!cancelled_ && told_ != status) {
      Write(status);
    } else if (cancelled_ || service_.retired_) {
      finished_ = true;
      Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the server is shutting down"));
    }
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&service_.mutex_);
    writing_ = false;
    cancelled_ = cancelled_ || !ok;
    Step();
  }

  void OnCancel() override {
    MutexLock lock(&service_.mutex_);
    cancelled_ = true;
    Step();
  }

  void OnDone() override {
    {
      MutexLock lock(&service_.mutex_);
      service_.watchers_.erase(this);
    }
    delete this;
  }

 private:
  void Write(Status status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(service_.mutex_) {
    told_ = status;
    response_.set_status(status);
    writing_ = true;
    StartWrite(&response_);
  }

  HealthService& service_;
  const bool known_;
  HealthCheckResponse response_;
  std::optional<Status> told_ ABSL_GUARDED_BY(service_.mutex_);
  bool writing_ ABSL_GUARDED_BY(service_.mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(service_.mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(service_.mutex_) = false;
};

HealthService::HealthService(std::vector<std::string> services) : services_(services.begin(), services.end()) {}

HealthService::~HealthService() {
  MutexLock lock(&mutex_);
  EVERFOLD_CHECK(watchers_.empty());
}

HealthService::Status HealthService::StatusNow() const {
  return serving_ && !retired_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

void HealthService::SetServing(bool serving) {
  MutexLock lock(&mutex_);
  serving_ = serving;
  for (Watcher* const watcher : watchers_) watcher->Step();
}

void HealthService::Retire() {
  MutexLock lock(&mutex_);
  retired_ = true;
  for (Watcher* const watcher : watchers_) watcher->Step();
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  if (!Knows(request->service())) {
    reactor->Finish(grpc::Status(grpc::StatusCode::NOT_FOUND, "this server has no service " + request->service()));
    return reactor;
  }
  {
    MutexLock lock(&mutex_);
    response->set_status(StatusNow());
  }
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(grpc::CallbackServerContext*,
                                                                    const HealthCheckRequest* request) {
  return new Watcher(*this, Knows(request->service()));
}

}  // namespace everfold

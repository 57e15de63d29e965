// grpc.health.v1: tells load balancers and probes whether the server takes calls, for each service and for "" (the
// server as a whole). gRPC's own one keeps watches open while a server shuts down, and so makes the shutdown wait.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace everfold {

// Threading: thread-safe. Lifetime: outlives its server.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  // Serving from the start.
  explicit HealthService(std::vector<std::string> services);
  // REQUIRES: every call has ended.
  ~HealthService() override;

  void SetServing(bool serving);
  // Not serving for good: watches learn it and end.
  void Retire();

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context, const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Watcher;
  using Status = grpc::health::v1::HealthCheckResponse::ServingStatus;

  bool Knows(const std::string& service) const { return service.empty() || services_.contains(service); }
  Status StatusNow() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::set<std::string> services_;
  Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = true;
  bool retired_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

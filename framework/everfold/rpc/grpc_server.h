// The gRPC server of an application: its services, health and reflection, on TCP and Unix sockets.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/rpc/rpc_service.h"

namespace grpc {
class Server;
}

namespace everfold {

class CallsUnderWay;
class HealthService;
class ReflectionService;

struct GrpcServerOptions {
  // "127.0.0.1:50051", "[::1]:50051", or "unix:/path". Port 0 takes a free one.
  std::vector<std::string> addresses = {"127.0.0.1:50051"};
  int max_request_bytes = 4 << 20;
  int max_metadata_bytes = 16 << 10;         // of one call's headers
  int max_calls_per_connection = 10000;      // further ones wait at the client
  std::size_t max_buffer_bytes = 512 << 20;  // of all connections together
};

// Threading: Shutdown once, from any thread; everything else is thread-safe. Lifetime: `services` outlive it.
class GrpcServer {
 public:
  // Takes calls when it returns, and answers health checks with SERVING.
  //   INVALID_ARGUMENT  no address, two services of one name
  //   UNAVAILABLE       cannot listen on an address; the message names it and says why
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const GrpcServerOptions& options,
                                                           const std::vector<RpcService*>& services);
  // Shuts down at once unless Shutdown was called.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // As in the options, with the port that was taken in place of 0.
  const std::vector<std::string>& addresses() const { return addresses_; }

  // What health checks say; calls are taken regardless.
  void SetServing(bool serving);

  // Health checks say NOT_SERVING, calls without an end of their own are told that they end, no further call is taken,
  // and calls under way may end until `deadline` (by the system's clock); what is left then is cancelled. A call
  // without an end whose caller has stalled is cancelled after a second. Blocks until the last call has ended;
  // connections without a call are not waited for.
  void Shutdown(absl::Time deadline);

 private:
  GrpcServer();
  absl::Status Listen(const GrpcServerOptions& options, const std::vector<RpcService*>& services);

  const std::unique_ptr<CallsUnderWay> calls_;
  std::unique_ptr<HealthService> health_;
  std::unique_ptr<ReflectionService> reflection_;
  std::vector<RpcService*> services_;
  std::vector<std::string> addresses_;
  std::unique_ptr<grpc::Server> server_;  // last: it goes before what it serves
};

}  // namespace everfold

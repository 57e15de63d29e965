// A gRPC service of a domain, without gRPC's headers: what generated code hands to the application.
#pragma once

namespace grpc {
class Service;
}

namespace everfold {

// Lifetime: outlives the server that it is registered with.
class RpcService {
 public:
  virtual ~RpcService() = default;
  virtual const char* name() const = 0;  // full service name, for health and reflection
  virtual grpc::Service& service() = 0;
  // The server is about to shut down: calls that go on until their callers end them are to end now.
  virtual void EndLongCalls() {}
  // Those that have not, because their callers do not read what is on its way to them, are cancelled.
  virtual void CancelLongCalls() {}
};

}  // namespace everfold

// Commands to accounts over gRPC: callers, and a server of the same service that answers at once, their ceiling.
#pragma once

#include <grpcpp/client_context.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/v1/account_api.grpc.pb.h"
#include "everfold/rpc/grpc_server.h"
#include "everfold/rpc/rpc_service.h"
#include "tests/bench/append_target.h"
#include "tests/bench/bare_ring.h"
#include "tests/bench/payloads.h"

namespace everfold::bench {

// One command a call, to one of so many streams chosen at random.
class CallTarget final : public AppendTarget {
 public:
  // Lifetime: payloads outlive it.
  CallTarget(const std::string& address, const Payloads& payloads, std::uint32_t streams);

  void Append(std::size_t number, Caller& caller) override;
  std::size_t events_a_commit() const override { return 1; }

 private:
  struct Slot {
    Noise noise{0};
    std::unique_ptr<grpc::ClientContext> context;
    ::bench::v1::AddEntryRequest request;
    ::bench::v1::AddEntryResponse response;
  };

  const std::unique_ptr<::bench::v1::AccountCommandService::Stub> stub_;
  const Payloads& payloads_;
  const std::uint32_t streams_;
  std::vector<Slot> slots_;
};

// Answers at once, with an answer of the usual size; or when the request is durable in the ring, which outlives it.
std::unique_ptr<RpcService> MakeAccountEcho(BareRing* ring = nullptr);

// A server on a free port of the loopback interface and on the Unix socket `path`; its addresses in this order.
absl::StatusOr<std::unique_ptr<GrpcServer>> ListenTwice(const std::vector<RpcService*>& services,
                                                        const std::string& path);

}  // namespace everfold::bench

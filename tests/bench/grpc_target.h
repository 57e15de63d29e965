// Callers that append through the event store's gRPC service.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>
#include <vector>

#include "everfold/v1/event_store.grpc.pb.h"
#include "tests/bench/append_target.h"
#include "tests/bench/payloads.h"
#include "tests/bench/streams.h"

namespace everfold::bench {

// A connection to a server in this process. Several of them, so that no two targets share one.
std::shared_ptr<grpc::Channel> Connect(const std::string& address);

// Each commit goes to another stream chosen at random, whatever its version is.
class GrpcTarget final : public AppendTarget {
 public:
  GrpcTarget(const std::string& address, const Payloads& payloads, std::size_t events_a_commit);

  void Append(std::size_t number, Caller& caller) override;
  std::size_t events_a_commit() const override { return events_a_commit_; }

 private:
  // Of one caller, whose messages are reused.
  struct Slot {
    Noise noise{0};
    std::unique_ptr<grpc::ClientContext> context;  // gRPC wants another one for each call
    v1::AppendRequest request;
    v1::AppendResponse response;
  };

  void FillRequest(Slot& slot) const;

  const std::unique_ptr<v1::EventStoreService::Stub> stub_;
  const Payloads& payloads_;
  const std::size_t events_a_commit_;
  std::vector<Slot> slots_;
};

}  // namespace everfold::bench

// The unary calls of a client that asks an application that runs.
#pragma once

#include <grpcpp/client_context.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "everfold/rpc/application_stub.h"

namespace everfold {

// Each call blocks until the application has answered. Threading: thread-safe.
template <class Service>
class ApplicationCalls {
 public:
  using Stub = typename Service::Stub;

  explicit ApplicationCalls(std::string address)
      : address_(std::move(address)), stub_(Service::NewStub(ChannelTo(address_))) {}

  const std::string& address() const { return address_; }
  // For calls of other kinds.
  Stub& stub() const { return *stub_; }

  // As AnswerOf.
  template <class Request, class Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) const {
    grpc::ClientContext context;
    return AnswerOf(address_, ((*stub_).*method)(&context, request, &response));
  }

 private:
  const std::string address_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace everfold

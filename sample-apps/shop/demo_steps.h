// The steps of the demo as a reader sees them: each has a number, a request and its answer.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "everfold/v1/receipt.pb.h"
#include "google/protobuf/message.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "tools/import/rpc_status.h"

namespace shop::v1 {

template <class Stub, class Request, class Response>
using Method = grpc::Status (Stub::*)(grpc::ClientContext*, const Request&, Response*);

template <class Stub, class Request, class Response>
absl::Status Call(Stub& stub, Method<Stub, Request, Response> method, const Request& request, Response& response) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  return everfold::FromGrpc((stub.*method)(&context, request, &response));
}

// Lines of a table with two columns.
void PrintLine(std::string_view name, std::string_view value);
void PrintAmount(std::string_view name, std::int64_t minor);

enum class Outcome { kAccepted, kRepeated, kRejected, kInvalid, kFailed };

class DemoSteps {
 public:
  void Title(std::string_view title);
  void Ask(std::string_view title, std::string_view method, const google::protobuf::Message& request);
  // Remembers the token of a receipt.
  Outcome Answer(const absl::Status& status, const everfold::v1::CommandReceipt& receipt);
  void AnswerFailed(const absl::Status& status);

  void Expect(bool promise_is_kept) { as_promised_ = as_promised_ && promise_is_kept; }
  bool as_promised() const { return as_promised_; }
  // Of the last receipt.
  const std::string& token() const { return token_; }

 private:
  Outcome Accepted(const everfold::v1::CommandReceipt& receipt);

  std::string token_;
  int step_ = 0;
  bool as_promised_ = true;
};

}  // namespace shop::v1

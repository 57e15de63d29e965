// Generated gRPC stubs in a CallWindow.
//
//   auto exchange = std::make_shared<Exchange<DepositRequest, DepositResponse>>();
//   window.Call(Send(*stub, &WalletCommandService::Stub::async_interface::Deposit, exchange), finish);
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "grpcpp/client_context.h"
#include "tools/import/call_window.h"
#include "tools/import/rpc_status.h"

namespace everfold {

// What a call sends and gets; it lives as long as its attempts.
template <class Request, class Response>
struct Exchange {
  Request request;
  Response response;
};

template <class Stub, class Request, class Response>
using UnaryMethod = void (Stub::async_interface::*)(grpc::ClientContext*, const Request*, Response*,
                                                    std::function<void(grpc::Status)>);

// A server that does not answer within this time is asked again.
inline constexpr std::chrono::seconds kAttemptDeadline{10};

// Attempts of one call. Lifetime: the stub outlives the call.
template <class Stub, class Request, class Response>
CallWindow::Attempt Send(Stub& stub, std::type_identity_t<UnaryMethod<Stub, Request, Response>> method,
                         std::shared_ptr<Exchange<Request, Response>> exchange) {
  return [&stub, method, exchange = std::move(exchange)](CallWindow::Answer answer) {
    auto context = std::make_shared<grpc::ClientContext>();
    context->set_deadline(std::chrono::system_clock::now() + kAttemptDeadline);
    typename Stub::async_interface& service = *stub.async();
    (service.*method)(
        context.get(), &exchange->request, &exchange->response,
        [context, exchange, answer = std::move(answer)](const grpc::Status& status) { answer(FromGrpc(status)); });
  };
}

// Sends one call and waits for it and for all others of the window.
template <class Stub, class Request, class Response>
absl::Status CallAndWait(CallWindow& window, Stub& stub,
                         std::type_identity_t<UnaryMethod<Stub, Request, Response>> method, Request request,
                         Response& response) {
  auto exchange = std::make_shared<Exchange<Request, Response>>();
  exchange->request = std::move(request);
  absl::Status outcome;
  window.Call(Send(stub, method, exchange), [&outcome](const absl::Status& status) { outcome = status; });
  window.Drain();
  response = std::move(exchange->response);
  return outcome;
}

}  // namespace everfold

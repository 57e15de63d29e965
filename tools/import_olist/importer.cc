#include "tools/import_olist/importer.h"

#include <utility>

#include "tools/import/unary_call.h"
#include "tools/import_olist/refusal.h"

namespace everfold {

namespace api = shop::v1;

// A step on its way.
struct Importer::Call {
  CallWindow::Attempt attempt;
  std::function<const v1::CommandReceipt&()> receipt;
};

// Which rpc a request is for.
class Importer::Sender {
 public:
  explicit Sender(Importer& importer) : orders_(*importer.orders_), payments_(*importer.payments_) {}

  Call operator()(api::PlaceOrderRequest& r) { return Start<api::PlaceOrderResponse>(orders_, &Orders::PlaceOrder, r); }
  Call operator()(api::ApproveOrderRequest& r) {
    return Start<api::ApproveOrderResponse>(orders_, &Orders::ApproveOrder, r);
  }
  Call operator()(api::InvoiceOrderRequest& r) {
    return Start<api::InvoiceOrderResponse>(orders_, &Orders::InvoiceOrder, r);
  }
  Call operator()(api::StartProcessingRequest& r) {
    return Start<api::StartProcessingResponse>(orders_, &Orders::StartProcessing, r);
  }
  Call operator()(api::ShipOrderRequest& r) { return Start<api::ShipOrderResponse>(orders_, &Orders::ShipOrder, r); }
  Call operator()(api::DeliverOrderRequest& r) {
    return Start<api::DeliverOrderResponse>(orders_, &Orders::DeliverOrder, r);
  }
  Call operator()(api::CancelOrderRequest& r) {
    return Start<api::CancelOrderResponse>(orders_, &Orders::CancelOrder, r);
  }
  Call operator()(api::MarkUnavailableRequest& r) {
    return Start<api::MarkUnavailableResponse>(orders_, &Orders::MarkUnavailable, r);
  }
  Call operator()(api::CapturePaymentRequest& r) {
    return Start<api::CapturePaymentResponse>(payments_, &Payments::CapturePayment, r);
  }

 private:
  using Orders = api::OrderCommandService::Stub::async_interface;
  using Payments = api::PaymentCommandService::Stub::async_interface;

  template <class Response, class Stub, class Request>
  static Call Start(Stub& stub, UnaryMethod<Stub, Request, Response> method, Request& request) {
    auto exchange = std::make_shared<Exchange<Request, Response>>();
    exchange->request = std::move(request);
    return {.attempt = Send(stub, method, exchange),
            .receipt = [exchange]() -> const v1::CommandReceipt& { return exchange->response.receipt(); }};
  }

  api::OrderCommandService::Stub& orders_;
  api::PaymentCommandService::Stub& payments_;
};

Importer::Importer(std::shared_ptr<grpc::Channel> channel, CallWindow::Options options, Report report)
    : report_(std::move(report)),
      orders_(api::OrderCommandService::NewStub(channel)),
      payments_(api::PaymentCommandService::NewStub(channel)),
      window_(options) {}

void Importer::Import(const OlistOrder& order) {
  if (unreachable_.ok()) SendNext(std::make_shared<Chain>(Chain{.order = &order, .steps = StepsOf(order)}));
}

void Importer::SendNext(std::shared_ptr<Chain> chain) {
  Call call = std::visit(Sender(*this), chain->steps[chain->next].request);
  window_.Call(std::move(call.attempt), [this, chain = std::move(chain), receipt = std::move(call.receipt)](
                                            const absl::Status& status) { OnAnswer(chain, status, receipt()); });
}

void Importer::OnAnswer(std::shared_ptr<Chain> chain, const absl::Status& status, const v1::CommandReceipt& receipt) {
  const bool is_placed = status.ok() || chain->next > 0 || WasImportedOtherwise(status);
  if (status.ok()) {
    ++(receipt.repeated() ? counts_.repeated : counts_.accepted);
    Remember(receipt);
  } else if (IsPassing(status)) {
    unreachable_ = status;
  } else {
    ++counts_.refused;
    report_({*chain->order, chain->steps[chain->next], status, is_placed});
  }
  if (!unreachable_.ok()) return;
  if (is_placed && ++chain->next < chain->steps.size()) return SendNext(std::move(chain));
  ++counts_.orders;
}

void Importer::Remember(const v1::CommandReceipt& receipt) {
  if (receipt.sequence() < newest_sequence_) return;
  newest_sequence_ = receipt.sequence();
  newest_token_ = receipt.consistency_token();
}

}  // namespace everfold

#include "fulfilment_session.h"

#include <chrono>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace shop::v1 {
namespace {

constexpr std::chrono::seconds kPatience(60);
constexpr std::int64_t kPriceMinor = 34900;

std::string NameOf(OrderStatus status) { return OrderStatus_Name(status).substr(sizeof("ORDER_STATUS_") - 1); }

}  // namespace

FulfilmentSession::FulfilmentSession(std::shared_ptr<grpc::Channel> channel, std::string name, DemoSteps& steps)
    : name_(std::move(name)),
      steps_(steps),
      orders_(OrderCommandService::NewStub(channel)),
      stocks_(StockCommandService::NewStub(channel)),
      queries_(OrderSummaryQueryService::NewStub(channel)) {}

void FulfilmentSession::Play() {
  const std::string bought = name_ + "-bought";
  const std::string canceled = name_ + "-canceled";
  const std::string too_many = name_ + "-too-many";
  ReceiveStock(3);
  if (!Place("An order with a checkout: from here on a process sees to it", bought, 2)) return;
  WatchUntil(
      "Watched in the read model: pieces are set aside, the payment is authorized at a provider that loses answers",
      bought, ORDER_STATUS_CONFIRMED);
  Ship(bought);
  WatchUntil("The goods are gone, so the money is captured; the read model has it when the provider has it", bought,
             ORDER_STATUS_SHIPPED);
  if (!Place("Two more are ordered, and one is left: what was set aside is given back", too_many, 2)) return;
  WatchUntil("So it ends", too_many, ORDER_STATUS_UNAVAILABLE);
  if (!Place("The last one is ordered", canceled, 1)) return;
  Cancel(canceled);
  WatchUntil("Whatever was done for it is undone", canceled, ORDER_STATUS_CANCELED);
}

void FulfilmentSession::ReceiveStock(int pieces) {
  ReceiveStockRequest request;
  ReceiveStockResponse response;
  // A product of this run: what earlier ones left does not count.
  request.mutable_command()->set_product_id(name_ + "-table");
  request.mutable_command()->set_quantity(pieces);
  steps_.Ask("Tables come in. A stock is an aggregate that is never negative", "ReceiveStock", request);
  const absl::Status status = Call(*stocks_, &Stocks::ReceiveStock, request, response);
  steps_.Expect(steps_.Answer(status, response.receipt()) == Outcome::kAccepted);
}

bool FulfilmentSession::Place(const char* title, const std::string& order, int pieces) {
  PlaceOrderRequest request;
  PlaceOrderResponse response;
  PlaceOrder& command = *request.mutable_command();
  command.set_order_id(order);
  command.set_customer_id("alice");
  command.set_currency("BRL");
  command.mutable_checkout()->set_payment_token("card-of-alice");
  command.mutable_checkout()->set_method(PAYMENT_METHOD_CREDIT_CARD);
  OrderItem& item = *command.add_items();
  item.set_product_id(name_ + "-table");
  item.set_seller_id("bob");
  item.set_quantity(pieces);
  item.mutable_price()->set_currency("BRL");
  item.mutable_price()->set_minor(kPriceMinor);
  steps_.Ask(title, "PlaceOrder", request);
  const absl::Status status = Call(*orders_, &Orders::PlaceOrder, request, response);
  const bool placed = steps_.Answer(status, response.receipt()) == Outcome::kAccepted;
  steps_.Expect(placed);
  return placed;
}

void FulfilmentSession::Ship(const std::string& order) {
  ShipOrderRequest request;
  ShipOrderResponse response;
  request.mutable_command()->set_order_id(order);
  steps_.Ask("The warehouse ships it", "ShipOrder", request);
  const absl::Status status = Call(*orders_, &Orders::ShipOrder, request, response);
  steps_.Expect(steps_.Answer(status, response.receipt()) == Outcome::kAccepted);
}

void FulfilmentSession::Cancel(const std::string& order) {
  CancelOrderRequest request;
  CancelOrderResponse response;
  request.mutable_command()->set_order_id(order);
  request.mutable_command()->set_reason("the customer has found a better one");
  steps_.Ask("At once the customer changes their mind: it races with the fulfilment, and the order decides",
             "CancelOrder", request);
  const absl::Status status = Call(*orders_, &Orders::CancelOrder, request, response);
  steps_.Expect(steps_.Answer(status, response.receipt()) == Outcome::kAccepted);
}

void FulfilmentSession::WatchUntil(const char* title, const std::string& order, OrderStatus status) {
  WatchOrderSummaryRequest request;
  request.set_order_id(order);
  request.set_consistency_token(steps_.token());
  steps_.Ask(title, "WatchOrderSummary", request);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  const auto reader = queries_->WatchOrderSummary(&context, request);
  const auto began = std::chrono::steady_clock::now();
  const bool money_too = status == ORDER_STATUS_SHIPPED;
  WatchOrderSummaryResponse response;
  bool met = false;
  while (!met && reader->Read(&response)) {
    const OrderSummary& row = response.order_summary();
    const std::chrono::duration<double> since = std::chrono::steady_clock::now() - began;
    PrintLine(absl::StrFormat("%6.2f s", since.count()),
              row.captured_minor() > 0 ? absl::StrCat(NameOf(row.status()), ", paid") : NameOf(row.status()));
    met = row.status() == status && (!money_too || row.captured_minor() > 0);
  }
  context.TryCancel();
  const absl::Status ended = everfold::FromGrpc(reader->Finish());
  if (!met) steps_.AnswerFailed(ended);
}

}  // namespace shop::v1

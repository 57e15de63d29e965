// A client of the shop, in plain gRPC: plays a short session against a running server and prints each request and its
// answer. Ends with 0 if every answer was the expected one.
//
//   shop_demo_session ADDRESS         the session, with an order of its own
//   shop_demo_session ADDRESS --dump  only every row of every read model, one line each
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "demo_rows.h"
#include "demo_steps.h"
#include "everfold/base/error.h"
#include "everfold/base/timestamp.h"
#include "fulfilment_session.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "shop/v1/order_api.grpc.pb.h"
#include "shop/v1/order_book_api.grpc.pb.h"
#include "shop/v1/payment_api.grpc.pb.h"
#include "tools/import/decimal.h"
#include "tools/import/rpc_status.h"
#include "tools/import_olist/figures.h"

namespace shop::v1 {
namespace {

using Orders = OrderCommandService::Stub;
using Payments = PaymentCommandService::Stub;
using OrderQueries = OrderSummaryQueryService::Stub;
using CustomerQueries = CustomerHistoryQueryService::Stub;

constexpr char kCustomer[] = "alice";
constexpr char kCurrency[] = "BRL";
constexpr std::int64_t kPriceMinor = 10990;
constexpr std::int64_t kFreightMinor = 2551;

void Set(everfold::v1::Money& money, std::int64_t minor) {
  money.set_currency(kCurrency);
  money.set_minor(minor);
}

PlaceOrderRequest PlaceRequest(const std::string& order_id) {
  PlaceOrderRequest request;
  PlaceOrder& command = *request.mutable_command();
  command.set_order_id(order_id);
  command.set_customer_id(kCustomer);
  command.set_currency(kCurrency);
  OrderItem& item = *command.add_items();
  item.set_product_id("chair");
  item.set_seller_id("bob");
  item.set_quantity(1);
  Set(*item.mutable_price(), kPriceMinor);
  Set(*item.mutable_freight(), kFreightMinor);
  return request;
}

void PrintDay(std::string_view name, const google::protobuf::Timestamp& time) {
  PrintLine(name, absl::FormatTime("%Y-%m-%d", everfold::TimeOf(time), absl::UTCTimeZone()));
}

void PrintSummary(const OrderSummary& order) {
  PrintLine("order", order.order_id());
  PrintLine("customer", order.customer_id());
  PrintLine("status", OrderStatus_Name(order.status()).substr(sizeof("ORDER_STATUS_") - 1));
  PrintLine("pieces", std::to_string(order.items()));
  PrintAmount("goods", order.items_minor());
  PrintAmount("freight", order.freight_minor());
  PrintAmount("captured", order.captured_minor());
  PrintDay("placed", order.placed_at());
  PrintDay("approved", order.approved_at());
}

void PrintHistory(const CustomerHistory& history) {
  PrintLine("customer", history.customer_id());
  PrintLine("orders", std::to_string(history.orders()));
  PrintAmount("goods", history.items_minor());
  PrintAmount("freight", history.freight_minor());
  PrintAmount("captured", history.captured_minor());
  PrintDay("first order", history.first_order_at());
  PrintDay("last order", history.last_order_at());
}

// False if the shop does not answer.
bool PrintFigures(std::shared_ptr<grpc::Channel> channel, const std::string& token) {
  const auto figures = everfold::ReadFigures(channel, {.in_flight = 1, .give_up_after = absl::Seconds(10)}, token);
  absl::Status status = figures.status();
  if (status.ok()) {
    everfold::Print(*figures, std::cout);
    std::cout << "\nrevenue by method and day, the first days\n";
    status = PrintSomeDays(std::move(channel), token, std::cout);
  }
  if (!status.ok()) std::cerr << everfold::Describe(status) << "\n";
  return status.ok();
}

// False likewise.
bool PrintDump(std::shared_ptr<grpc::Channel> channel) {
  const absl::Status status = DumpRows(std::move(channel), std::cout);
  if (!status.ok()) std::cerr << everfold::Describe(status) << "\n";
  return status.ok();
}

class Session {
 public:
  explicit Session(std::shared_ptr<grpc::Channel> channel)
      : channel_(channel),
        orders_(OrderCommandService::NewStub(channel)),
        payments_(PaymentCommandService::NewStub(channel)),
        order_queries_(OrderSummaryQueryService::NewStub(channel)),
        customer_queries_(CustomerHistoryQueryService::NewStub(channel)) {}

  // True if every answer was the one that its title promises.
  bool Play() {
    if (!Place()) return false;
    Approve();
    Capture("The payment arrives. It is an aggregate of its own, beside the order", Outcome::kAccepted);
    DeliverTooEarly();
    PlaceInNoCurrency();
    Capture("The payment once more, as a client sends it that got no answer: same request_id", Outcome::kRepeated);
    ReadOrder();
    ReadCustomer();
    ReadLatestOrders();
    ReadAll();
    FulfilmentSession(channel_, order_, steps_).Play();
    return steps_.as_promised();
  }

 private:
  // Each run has an order of its own: demo-1, then demo-2, ...
  bool Place() {
    PlaceOrderRequest request;
    PlaceOrderResponse response;
    absl::Status status;
    int number = 0;
    do {
      order_ = absl::StrFormat("demo-%d", ++number);
      request = PlaceRequest(order_);
      status = Call(*orders_, &Orders::PlaceOrder, request, response);
    } while (absl::IsAlreadyExists(status));
    steps_.Ask("An order is placed. The answer comes when the event is on disk", "PlaceOrder", request);
    return steps_.Answer(status, response.receipt()) == Outcome::kAccepted;
  }

  void Approve() {
    ApproveOrderRequest request;
    ApproveOrderResponse response;
    request.mutable_command()->set_order_id(order_);
    steps_.Ask("It is approved", "ApproveOrder", request);
    const absl::Status status = Call(*orders_, &Orders::ApproveOrder, request, response);
    steps_.Expect(steps_.Answer(status, response.receipt()) == Outcome::kAccepted);
  }

  void Capture(const char* title, Outcome promised) {
    CapturePaymentRequest request;
    CapturePaymentResponse response;
    CapturePayment& command = *request.mutable_command();
    command.set_payment_id(absl::StrFormat("%s-1", order_));
    command.mutable_terms()->set_order_id(order_);
    command.mutable_terms()->set_method(PAYMENT_METHOD_CREDIT_CARD);
    command.mutable_terms()->set_installments(1);
    Set(*command.mutable_amount(), kPriceMinor + kFreightMinor);
    request.set_request_id(absl::StrFormat("%s/capture", order_));
    steps_.Ask(title, "CapturePayment", request);
    const absl::Status status = Call(*payments_, &Payments::CapturePayment, request, response);
    steps_.Expect(steps_.Answer(status, response.receipt()) == promised);
  }

  void DeliverTooEarly() {
    DeliverOrderRequest request;
    DeliverOrderResponse response;
    request.mutable_command()->set_order_id(order_);
    steps_.Ask("It cannot be delivered yet: the business rule in Decide says no, with a typed rejection",
               "DeliverOrder", request);
    const absl::Status status = Call(*orders_, &Orders::DeliverOrder, request, response);
    steps_.Expect(steps_.Answer(status, response.receipt()) == Outcome::kRejected);
  }

  void PlaceInNoCurrency() {
    PlaceOrderRequest request;
    PlaceOrderResponse response;
    request.mutable_command()->set_order_id(absl::StrFormat("%s-invalid", order_));
    request.mutable_command()->set_customer_id(kCustomer);
    request.mutable_command()->set_currency("reais");
    steps_.Ask("No such currency: the field rule in order.proto says no, before Decide is asked", "PlaceOrder",
               request);
    const absl::Status status = Call(*orders_, &Orders::PlaceOrder, request, response);
    steps_.Expect(steps_.Answer(status, response.receipt()) == Outcome::kInvalid);
  }

  void ReadOrder() {
    GetOrderSummaryRequest request;
    GetOrderSummaryResponse response;
    request.set_order_id(order_);
    request.set_consistency_token(steps_.token());
    steps_.Ask("The order, read with the token of the last receipt: no older state may answer", "GetOrderSummary",
               request);
    const absl::Status status = Call(*order_queries_, &OrderQueries::GetOrderSummary, request, response);
    if (!status.ok()) return steps_.AnswerFailed(status);
    PrintSummary(response.order_summary());
    steps_.Expect(response.order_summary().status() == ORDER_STATUS_APPROVED &&
                  response.order_summary().captured_minor() == kPriceMinor + kFreightMinor);
  }

  void ReadCustomer() {
    GetCustomerHistoryRequest request;
    GetCustomerHistoryResponse response;
    request.set_customer_id(kCustomer);
    request.set_currency(kCurrency);
    request.set_consistency_token(steps_.token());
    steps_.Ask("The customer's history; each run of the demo adds an order", "GetCustomerHistory", request);
    const absl::Status status = Call(*customer_queries_, &CustomerQueries::GetCustomerHistory, request, response);
    if (!status.ok()) return steps_.AnswerFailed(status);
    PrintHistory(response.customer_history());
    steps_.Expect(response.customer_history().orders() > 0);
  }

  void ReadLatestOrders() {
    ListOrderSummariesRequest request;
    ListOrderSummariesResponse response;
    request.set_page_size(3);
    request.set_filter(absl::StrFormat("customer_id = \"%s\"", kCustomer));
    request.set_order_by("placed_at desc");
    request.set_consistency_token(steps_.token());
    steps_.Ask("The customer's latest orders, by an index of the read model", "ListOrderSummaries", request);
    const absl::Status status = Call(*order_queries_, &OrderQueries::ListOrderSummaries, request, response);
    if (!status.ok()) return steps_.AnswerFailed(status);
    for (const OrderSummary& order : response.order_summaries()) PrintDay(order.order_id(), order.placed_at());
    steps_.Expect(response.order_summaries_size() > 0 && response.order_summaries(0).order_id() == order_);
  }

  void ReadAll() {
    steps_.Title("All orders by status, and payments by method and by day, with the same token");
    std::cout << "\n";
    steps_.Expect(PrintFigures(channel_, steps_.token()));
  }

  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<Orders> orders_;
  std::unique_ptr<Payments> payments_;
  std::unique_ptr<OrderQueries> order_queries_;
  std::unique_ptr<CustomerQueries> customer_queries_;
  std::string order_;
  DemoSteps steps_;
};

}  // namespace
}  // namespace shop::v1

int main(int argc, char** argv) {
  const bool dump = argc == 3 && std::string_view(argv[2]) == "--dump";
  if (argc != 2 && !dump) {
    std::cerr << "usage: shop_demo_session ADDRESS [--dump]\n";
    return 2;
  }
  auto channel = grpc::CreateChannel(argv[1], grpc::InsecureChannelCredentials());
  if (dump) return shop::v1::PrintDump(std::move(channel)) ? 0 : 1;
  return shop::v1::Session(std::move(channel)).Play() ? 0 : 1;
}

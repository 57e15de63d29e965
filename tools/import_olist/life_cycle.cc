#include "tools/import_olist/life_cycle.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/money.h"

namespace everfold {
namespace {

namespace api = shop::v1;
using enum shop::v1::OrderStatus;

class LifeCycle {
 public:
  explicit LifeCycle(const OlistOrder& order) : order_(order), latest_(order.placed_at) {}

  std::vector<Step> Steps() && {
    Place();
    Take<api::ApproveOrderRequest>("approve", ORDER_STATUS_APPROVED, order_.approved_at);
    for (const OlistPayment& payment : order_.payments) Capture(payment);
    Take<api::InvoiceOrderRequest>("invoice", ORDER_STATUS_INVOICED, std::nullopt);
    Take<api::StartProcessingRequest>("process", ORDER_STATUS_PROCESSING, std::nullopt);
    Take<api::ShipOrderRequest>("ship", ORDER_STATUS_SHIPPED, order_.shipped_at);
    Take<api::DeliverOrderRequest>("deliver", ORDER_STATUS_DELIVERED, order_.delivered_at);
    Take<api::CancelOrderRequest>("cancel", ORDER_STATUS_CANCELED, std::nullopt);
    Take<api::MarkUnavailableRequest>("unavailable", ORDER_STATUS_UNAVAILABLE, std::nullopt);
    return std::move(steps_);
  }

 private:
  template <class Request>
  auto& Begin(Request& request, const std::string& step, absl::Time at) const {
    request.set_request_id(absl::StrFormat("olist/%s/%s", order_.order_id, step));
    *request.mutable_command()->mutable_occurred_at() = TimestampOf(at);
    return *request.mutable_command();
  }

  void Place() {
    api::PlaceOrderRequest request;
    api::PlaceOrder& place = Begin(request, "place", order_.placed_at);
    place.set_order_id(order_.order_id);
    place.set_customer_id(order_.customer_id);
    place.set_currency(kCurrency);
    place.set_origin(api::ORIGIN_IMPORTED);
    for (const OlistItem& item : order_.items) AddItem(item, place);
    steps_.push_back({kOrdersFile, order_.line, "place", std::move(request)});
  }

  static void AddItem(const OlistItem& item, api::PlaceOrder& place) {
    api::OrderItem& added = *place.add_items();
    added.set_product_id(item.product_id);
    added.set_seller_id(item.seller_id);
    *added.mutable_price() = MakeMoney(kCurrency, item.price_minor);
    *added.mutable_freight() = MakeMoney(kCurrency, item.freight_minor);
    added.set_quantity(1);
  }

  void Capture(const OlistPayment& payment) {
    api::CapturePaymentRequest request;
    const std::string name = absl::StrFormat("capture-%d", payment.sequential);
    api::CapturePayment& capture = Begin(request, name, order_.approved_at.value_or(order_.placed_at));
    capture.set_payment_id(absl::StrFormat("%s-%d", order_.order_id, payment.sequential));
    capture.mutable_terms()->set_order_id(order_.order_id);
    capture.mutable_terms()->set_method(payment.method);
    capture.mutable_terms()->set_installments(static_cast<std::uint32_t>(payment.installments));
    *capture.mutable_amount() = MakeMoney(kCurrency, payment.amount_minor);
    steps_.push_back({kPaymentsFile, payment.line, name, std::move(request)});
  }

  // The step to `to`, if the order took it.
  template <class Request>
  void Take(const char* step, api::OrderStatus to, std::optional<absl::Time> at) {
    const bool is_last = order_.status == to;
    if (!is_last && (!at.has_value() || order_.status < to)) return;
    latest_ = std::max(latest_, at.value_or(latest_));
    Request request;
    Begin(request, step, at.value_or(latest_)).set_order_id(order_.order_id);
    steps_.push_back({kOrdersFile, order_.line, step, std::move(request)});
  }

  const OlistOrder& order_;
  absl::Time latest_;
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> StepsOf(const OlistOrder& order) { return LifeCycle(order).Steps(); }

}  // namespace everfold

#include "domain/order_decider.h"

#include <optional>
#include <set>

#include "domain/amounts.h"
#include "domain/checkout.h"
#include "domain/order_totals.h"

namespace shop::v1 {
namespace {

using everfold::Money, everfold::Plus;
using Refusal = std::optional<Decision<Order>>;

Refusal RefuseAmount(int item, const Money& amount, const std::string& currency) {
  if (amount.currency() != currency) {
    return Reject(MakeItemCurrencyMismatch({.item = item, .actual = amount.currency(), .wanted = currency}));
  }
  if (!IsAmount(amount, 0)) {
    return Reject(MakeItemAmountRefused({.item = item, .amount = amount, .most_minor = kMostMinor}));
  }
  return std::nullopt;
}

Refusal RefuseItems(const PlaceOrder& c) {
  if (c.items().empty() && c.origin() != ORIGIN_IMPORTED) return Reject(MakeOrderWithoutItems({}));
  for (int i = 0; i < c.items_size(); ++i) {
    const OrderItem& item = c.items(i);
    if (Refusal refusal = RefuseAmount(i, item.price(), c.currency())) return refusal;
    if (!item.has_freight()) continue;
    if (Refusal refusal = RefuseAmount(i, item.freight(), c.currency())) return refusal;
  }
  return std::nullopt;
}

Refusal RefuseProducts(const PlaceOrder& c) {
  std::set<std::string> products;
  for (int i = 0; i < c.items_size(); ++i) {
    const std::string& product = c.items(i).product_id();
    if (product.size() > kMostProductIdBytes) {
      return Reject(MakeProductIdTooLong({.item = i, .most_bytes = kMostProductIdBytes}));
    }
    products.insert(product);
  }
  const auto actual = static_cast<int>(products.size());
  if (actual <= kMostProducts) return std::nullopt;
  return Reject(MakeTooManyProducts({.actual = actual, .most = kMostProducts}));
}

Refusal RefuseCheckout(const PlaceOrder& c, const OrderTotals& totals) {
  if (!c.has_checkout()) return std::nullopt;
  if (c.origin() == ORIGIN_IMPORTED) return Reject(MakeCheckoutOfImport({}));
  if (totals.items.minor() + totals.freight.minor() == 0) return Reject(MakeNothingToPay({}));
  return RefuseProducts(c);
}

bool IsTooLarge(const OrderTotals& totals) {
  const absl::StatusOr<Money> total = Plus(totals.items, totals.freight);
  return !total.ok() || total->minor() > kMostMinor;
}

}  // namespace

Decision<Order> OrderDecider::Decide(const Order&, const PlaceOrder& c, Context& context) {
  const TimeBounds bounds = BoundsOfHistory(context);
  const Timestamp at = OccurredAt(c, bounds);
  if (!IsWithin(at, bounds)) return Reject(TimeRefused(at, bounds));
  if (Refusal refusal = RefuseItems(c)) return *std::move(refusal);
  const absl::StatusOr<OrderTotals> totals = TotalsOf(c.items(), c.currency());
  if (!totals.ok() || IsTooLarge(*totals)) return Reject(MakeOrderTooLarge({.most_minor = kMostMinor}));
  if (Refusal refusal = RefuseCheckout(c, *totals)) return *std::move(refusal);
  return Emit(MakeOrderPlaced({.customer_id = c.customer_id(),
                               .currency = c.currency(),
                               .items = {c.items().begin(), c.items().end()},
                               .origin = c.origin() == ORIGIN_UNSPECIFIED ? ORIGIN_WEB : c.origin(),
                               .items_total = totals->items,
                               .freight_total = totals->freight,
                               .occurred_at = at,
                               .checkout = CheckoutOf(c)}));
}

Timestamp OrderDecider::LatestReturn(const Order& order) {
  return everfold::TimestampOf(everfold::TimeOf(order.last_event_at()) + absl::Hours(24 * kReturnWithinDays));
}

bool OrderDecider::IsTooLateToReturn(const Order& order, const Context& context) {
  return order.has_checkout() && order.status() == ORDER_STATUS_DELIVERED &&
         context.now() > everfold::TimeOf(LatestReturn(order));
}

WrongOrderStatus OrderDecider::WrongStatus(const Order& order, OrderStatus to) {
  WrongOrderStatus rejection;
  rejection.set_actual(order.status());
  for (const OrderStatus status : StatusesBefore(to, LifeCycleOf(order))) rejection.add_wanted(status);
  return rejection;
}

OrderTimeRefused OrderDecider::TimeRefused(const Timestamp& at, const TimeBounds& bounds) {
  return MakeOrderTimeRefused({.occurred_at = at,
                               .earliest = everfold::TimestampOf(bounds.earliest),
                               .latest = everfold::TimestampOf(bounds.latest)});
}

}  // namespace shop::v1

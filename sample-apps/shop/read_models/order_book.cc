#include "read_models/order_book.h"

#include <optional>

#include "domain/event_time.h"
#include "everfold/base/timestamp.h"
#include "read_models/checked_sum.h"

namespace shop::v1 {
namespace {

using ReadModels = OrderBook::ReadModels;
using everfold::Money;

void Count(OrderStatus status, std::int64_t change, ReadModels& t) {
  auto counts = t.Of<OrdersByStatus>();
  OrdersByStatus row = counts.Get(status).value_or(MakeOrdersByStatus({.status = status, .orders = 0}));
  row.set_orders(row.orders() + change);
  row.orders() == 0 ? counts.Remove(status) : counts.Upsert(row);
}

std::int64_t PiecesOf(const OrderPlaced& e) {
  std::int64_t pieces = 0;
  for (const OrderItem& item : e.items()) pieces += item.quantity();
  return pieces;
}

OrderSummary SummaryOf(const OrderPlaced& e, const std::string& order_id, const OrderBalance& balance) {
  return MakeOrderSummary({.order_id = order_id,
                           .customer_id = e.customer_id(),
                           .status = ORDER_STATUS_PLACED,
                           .origin = e.origin(),
                           .currency = e.currency(),
                           .items = PiecesOf(e),
                           .items_minor = e.items_total().minor(),
                           .freight_minor = e.freight_total().minor(),
                           .captured_minor = balance.captured_minor(),
                           .refunded_minor = balance.refunded_minor(),
                           .placed_at = e.occurred_at(),
                           .approved_at = {},
                           .shipped_at = {},
                           .delivered_at = {},
                           .closed_at = {}});
}

void AddOrder(CustomerHistory& history, const OrderPlaced& e, const OrderBalance& balance) {
  const bool first = history.orders() == 0;
  history.set_orders(history.orders() + 1);
  history.set_items_minor(CheckedSum(history.items_minor(), e.items_total()));
  history.set_freight_minor(CheckedSum(history.freight_minor(), e.freight_total()));
  history.set_captured_minor(
      CheckedSum(history.captured_minor(), everfold::MakeMoney(e.currency(), balance.captured_minor())));
  history.set_refunded_minor(
      CheckedSum(history.refunded_minor(), everfold::MakeMoney(e.currency(), balance.refunded_minor())));
  if (first || everfold::TimeOf(e.occurred_at()) < everfold::TimeOf(history.first_order_at())) {
    *history.mutable_first_order_at() = e.occurred_at();
  }
  *history.mutable_last_order_at() = Later(history.last_order_at(), e.occurred_at());
}

// The order's own columns: what came in another currency stays in its balance.
template <class Add>
void AddToOrder(const std::string& order_id, const Money& amount, ReadModels& t, Add add) {
  std::optional<OrderSummary> order = t.Of<OrderSummary>().Get(order_id);
  if (!order.has_value() || order->currency() != amount.currency()) return;
  add(*order);
  t.Of<OrderSummary>().Upsert(*order);
  t.Of<CustomerHistory>().Edit({order->customer_id(), order->currency()}, add);
}

// A step of an order that is placed. `edit` has the step's own columns.
template <class Edit>
void Move(const EventContext& c, OrderStatus to, ReadModels& t, Edit edit) {
  t.Of<OrderSummary>().Edit(c.id, [&](OrderSummary& order) {
    Count(order.status(), -1, t);
    Count(to, +1, t);
    order.set_status(to);
    edit(order);
  });
}

void Move(const EventContext& c, OrderStatus to, ReadModels& t) {
  Move(c, to, t, [](OrderSummary&) {});
}

template <class Event>
void Close(const Event& e, const EventContext& c, OrderStatus to, ReadModels& t) {
  Move(c, to, t, [&](OrderSummary& order) { *order.mutable_closed_at() = e.occurred_at(); });
}

}  // namespace

void OrderBook::On(const OrderPlaced& e, const EventContext& c, ReadModels& t) {
  const OrderBalance balance = t.Of<OrderBalance>().Get({c.id, e.currency()}).value_or(OrderBalance());
  t.Of<OrderSummary>().Upsert(SummaryOf(e, c.id, balance));
  t.Of<CustomerHistory>().Edit({e.customer_id(), e.currency()},
                               [&](CustomerHistory& history) { AddOrder(history, e, balance); });
  Count(ORDER_STATUS_PLACED, +1, t);
}

void OrderBook::On(const OrderApproved& e, const EventContext& c, ReadModels& t) {
  Move(c, ORDER_STATUS_APPROVED, t, [&](OrderSummary& order) { *order.mutable_approved_at() = e.occurred_at(); });
}

void OrderBook::On(const OrderInvoiced&, const EventContext& c, ReadModels& t) { Move(c, ORDER_STATUS_INVOICED, t); }

void OrderBook::On(const ProcessingStarted&, const EventContext& c, ReadModels& t) {
  Move(c, ORDER_STATUS_PROCESSING, t);
}

void OrderBook::On(const OrderShipped& e, const EventContext& c, ReadModels& t) {
  Move(c, ORDER_STATUS_SHIPPED, t, [&](OrderSummary& order) { *order.mutable_shipped_at() = e.occurred_at(); });
}

void OrderBook::On(const OrderDelivered& e, const EventContext& c, ReadModels& t) {
  Move(c, ORDER_STATUS_DELIVERED, t, [&](OrderSummary& order) { *order.mutable_delivered_at() = e.occurred_at(); });
}

void OrderBook::On(const OrderCanceled& e, const EventContext& c, ReadModels& t) {
  Close(e, c, ORDER_STATUS_CANCELED, t);
}

void OrderBook::On(const OrderMarkedUnavailable& e, const EventContext& c, ReadModels& t) {
  Close(e, c, ORDER_STATUS_UNAVAILABLE, t);
}

void OrderBook::On(const OrderRefunded& e, const EventContext& c, ReadModels& t) {
  Close(e, c, ORDER_STATUS_REFUNDED, t);
}

void OrderBook::On(const OrderStockReserved&, const EventContext& c, ReadModels& t) {
  Move(c, ORDER_STATUS_STOCK_RESERVED, t);
}

void OrderBook::On(const OrderPaymentAuthorized&, const EventContext& c, ReadModels& t) {
  Move(c, ORDER_STATUS_PAYMENT_AUTHORIZED, t);
}

void OrderBook::On(const OrderConfirmed& e, const EventContext& c, ReadModels& t) {
  Move(c, ORDER_STATUS_CONFIRMED, t, [&](OrderSummary& order) { *order.mutable_approved_at() = e.occurred_at(); });
}

void OrderBook::On(const OrderReturned&, const EventContext& c, ReadModels& t) { Move(c, ORDER_STATUS_RETURNED, t); }

void OrderBook::On(const PaymentCaptured& e, const EventContext&, ReadModels& t) {
  const auto add = [&](auto& row) { row.set_captured_minor(CheckedSum(row.captured_minor(), e.amount())); };
  t.Of<OrderBalance>().Edit({e.terms().order_id(), e.amount().currency()}, [&](OrderBalance& balance) {
    balance.set_payments(balance.payments() + 1);
    add(balance);
  });
  AddToOrder(e.terms().order_id(), e.amount(), t, add);
}

void OrderBook::On(const PaymentRefunded& e, const EventContext&, ReadModels& t) {
  const auto add = [&](auto& row) { row.set_refunded_minor(CheckedSum(row.refunded_minor(), e.amount())); };
  t.Of<OrderBalance>().Edit({e.terms().order_id(), e.amount().currency()}, add);
  AddToOrder(e.terms().order_id(), e.amount(), t, add);
}

}  // namespace shop::v1

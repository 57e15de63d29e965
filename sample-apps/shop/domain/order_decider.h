// What each command leads to in the life of an order, and what each event means.
#pragma once

#include "domain/event_time.h"
#include "domain/order_life_cycle.h"
#include "shop/v1/order.everfold.h"

namespace shop::v1 {

using everfold::Context, everfold::Decision, everfold::Emit, everfold::Reject;

struct OrderDecider {
  using Aggregate = Order;

  static Decision<Order> Decide(const Order&, const PlaceOrder& c, Context& context);
  static Decision<Order> Decide(const Order& s, const ApproveOrder& c, Context& context) {
    return Step<OrderApproved>(s, ORDER_STATUS_APPROVED, c, context);
  }
  static Decision<Order> Decide(const Order& s, const InvoiceOrder& c, Context& context) {
    return Step<OrderInvoiced>(s, ORDER_STATUS_INVOICED, c, context);
  }
  static Decision<Order> Decide(const Order& s, const StartProcessing& c, Context& context) {
    return Step<ProcessingStarted>(s, ORDER_STATUS_PROCESSING, c, context);
  }
  static Decision<Order> Decide(const Order& s, const ShipOrder& c, Context& context) {
    return Step<OrderShipped>(s, ORDER_STATUS_SHIPPED, c, context);
  }
  static Decision<Order> Decide(const Order& s, const DeliverOrder& c, Context& context) {
    return Step<OrderDelivered>(s, ORDER_STATUS_DELIVERED, c, context);
  }
  static Decision<Order> Decide(const Order& s, const CancelOrder& c, Context& context) {
    return Step<OrderCanceled>(s, ORDER_STATUS_CANCELED, c, context);
  }
  static Decision<Order> Decide(const Order& s, const MarkUnavailable& c, Context& context) {
    return Step<OrderMarkedUnavailable>(s, ORDER_STATUS_UNAVAILABLE, c, context);
  }
  static Decision<Order> Decide(const Order& s, const RefundOrder& c, Context& context) {
    return Step<OrderRefunded>(s, ORDER_STATUS_REFUNDED, c, context);
  }
  static Decision<Order> Decide(const Order& s, const MarkStockReserved& c, Context& context) {
    return Step<OrderStockReserved>(s, ORDER_STATUS_STOCK_RESERVED, c, context);
  }
  static Decision<Order> Decide(const Order& s, const MarkPaymentAuthorized& c, Context& context) {
    return Step<OrderPaymentAuthorized>(s, ORDER_STATUS_PAYMENT_AUTHORIZED, c, context);
  }
  static Decision<Order> Decide(const Order& s, const ConfirmOrder& c, Context& context) {
    return Step<OrderConfirmed>(s, ORDER_STATUS_CONFIRMED, c, context);
  }
  static Decision<Order> Decide(const Order& s, const ReturnOrder& c, Context& context) {
    if (IsTooLateToReturn(s, context)) return Reject(MakeReturnTooLate({.latest = LatestReturn(s)}));
    return Step<OrderReturned>(s, ORDER_STATUS_RETURNED, c, context);
  }

  static void Evolve(Order& s, const OrderPlaced& e) {
    s.set_origin(e.origin());
    s.set_has_checkout(e.has_checkout());
    Move(s, ORDER_STATUS_PLACED, e);
  }
  static void Evolve(Order& s, const OrderApproved& e) { Move(s, ORDER_STATUS_APPROVED, e); }
  static void Evolve(Order& s, const OrderInvoiced& e) { Move(s, ORDER_STATUS_INVOICED, e); }
  static void Evolve(Order& s, const ProcessingStarted& e) { Move(s, ORDER_STATUS_PROCESSING, e); }
  static void Evolve(Order& s, const OrderShipped& e) { Move(s, ORDER_STATUS_SHIPPED, e); }
  static void Evolve(Order& s, const OrderDelivered& e) { Move(s, ORDER_STATUS_DELIVERED, e); }
  static void Evolve(Order& s, const OrderCanceled& e) { Move(s, ORDER_STATUS_CANCELED, e); }
  static void Evolve(Order& s, const OrderMarkedUnavailable& e) { Move(s, ORDER_STATUS_UNAVAILABLE, e); }
  static void Evolve(Order& s, const OrderRefunded& e) { Move(s, ORDER_STATUS_REFUNDED, e); }
  static void Evolve(Order& s, const OrderStockReserved& e) { Move(s, ORDER_STATUS_STOCK_RESERVED, e); }
  static void Evolve(Order& s, const OrderPaymentAuthorized& e) { Move(s, ORDER_STATUS_PAYMENT_AUTHORIZED, e); }
  static void Evolve(Order& s, const OrderConfirmed& e) { Move(s, ORDER_STATUS_CONFIRMED, e); }
  static void Evolve(Order& s, const OrderReturned& e) { Move(s, ORDER_STATUS_RETURNED, e); }

 private:
  // Imported histories may go against time.
  static TimeBounds BoundsOf(const Order& order, const Context& context) {
    return order.origin() == ORIGIN_IMPORTED ? BoundsOfHistory(context) : BoundsSince(order.last_event_at(), context);
  }
  static Timestamp LatestReturn(const Order& order);
  static bool IsTooLateToReturn(const Order& order, const Context& context);
  static WrongOrderStatus WrongStatus(const Order& order, OrderStatus to);
  static OrderTimeRefused TimeRefused(const Timestamp& at, const TimeBounds& bounds);

  template <class Event, class Command>
  static Decision<Order> Step(const Order& order, OrderStatus to, const Command& c, const Context& context) {
    if (!MayFollow(to, order.status(), LifeCycleOf(order))) return Reject(WrongStatus(order, to));
    const TimeBounds bounds = BoundsOf(order, context);
    Event event;
    *event.mutable_occurred_at() = OccurredAt(c, bounds);
    if (!IsWithin(event.occurred_at(), bounds)) return Reject(TimeRefused(event.occurred_at(), bounds));
    if constexpr (requires { c.reason(); }) event.set_reason(c.reason());
    if constexpr (requires { event.has_checkout(); }) event.set_has_checkout(order.has_checkout());
    return Emit(std::move(event));
  }

  template <class Event>
  static void Move(Order& order, OrderStatus to, const Event& event) {
    order.set_status(to);
    *order.mutable_last_event_at() = Later(order.last_event_at(), event.occurred_at());
  }
};

}  // namespace shop::v1

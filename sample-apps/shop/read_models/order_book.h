// The order book: orders as they go through their life, and the payments that arrive for them. An order and its
// payments are aggregates of their own, so a payment may come before its order: its money waits in OrderBalance.
#pragma once

#include "shop/v1/order.everfold.h"
#include "shop/v1/order_book.everfold.h"
#include "shop/v1/payment.everfold.h"

namespace shop::v1 {

using everfold::EventContext;

struct OrderBook {
  static constexpr everfold::ProjectionOptions kOptions{.name = "order_book", .revision = 1};
  using Events = everfold::EventsOf<Order, Payment>;
  using ReadModels = everfold::Tables<OrderSummary, OrderBalance, OrdersByStatus, CustomerHistory>;

  static void On(const OrderPlaced& e, const EventContext& c, ReadModels& t);
  static void On(const OrderApproved& e, const EventContext& c, ReadModels& t);
  static void On(const OrderInvoiced& e, const EventContext& c, ReadModels& t);
  static void On(const ProcessingStarted& e, const EventContext& c, ReadModels& t);
  static void On(const OrderShipped& e, const EventContext& c, ReadModels& t);
  static void On(const OrderDelivered& e, const EventContext& c, ReadModels& t);
  static void On(const OrderCanceled& e, const EventContext& c, ReadModels& t);
  static void On(const OrderMarkedUnavailable& e, const EventContext& c, ReadModels& t);
  static void On(const OrderRefunded& e, const EventContext& c, ReadModels& t);
  static void On(const OrderStockReserved& e, const EventContext& c, ReadModels& t);
  static void On(const OrderPaymentAuthorized& e, const EventContext& c, ReadModels& t);
  static void On(const OrderConfirmed& e, const EventContext& c, ReadModels& t);
  static void On(const OrderReturned& e, const EventContext& c, ReadModels& t);
  static void On(const PaymentCaptured& e, const EventContext& c, ReadModels& t);
  static void On(const PaymentRefunded& e, const EventContext& c, ReadModels& t);
};

}  // namespace shop::v1

// What becomes of an order with a checkout: stock is reserved, the payment authorized, the order confirmed; when the
// warehouse has shipped it the payment is captured; and whatever was set aside or taken is given back when the order
// ends otherwise. docs/guides/fulfilment.md has the picture.
//
// The payment has the id of the order. What it says is what the provider has done: each of its commands follows on an
// answer of the provider, and the next thing is asked for when it is on record.
#pragma once

#include "everfold/process/process_type.h"
#include "processes/provider_calls.h"
#include "shop/v1/fulfilment.everfold.h"
#include "shop/v1/order.everfold.h"
#include "shop/v1/payment.everfold.h"
#include "shop/v1/stock.everfold.h"

namespace shop::v1 {

using everfold::EventContext, everfold::Outcome, everfold::Refused;

struct FulfilmentProcess {
  using Process = Fulfilment;
  using Events = everfold::EventsOf<Order, Payment, Stock>;
  using Commands = everfold::Types<ReserveStock, ReleaseStock, ShipStock, ReceiveStock, MarkStockReserved,
                                   MarkPaymentAuthorized, ConfirmOrder, CancelOrder, MarkUnavailable, RefundOrder,
                                   AuthorizePayment, CapturePayment, ReleasePayment, RefundPayment, DeclinePayment>;
  using Activities = everfold::Types<AuthorizeAtProvider, CaptureAtProvider, ReleaseAtProvider, RefundAtProvider>;
  using Steps = everfold::Steps<FulfilmentProcess>;
  // No order is left out, whenever the shop has learnt to fulfil them.
  static constexpr everfold::ProcessOptions kOptions{.start = everfold::ReactorStart::kBeginning};

  static constexpr const char* kConfirmTimer = "confirm";
  static constexpr const char* kReturnTimer = "return";

  // Orders without a checkout, their payments, and reservations for them are somebody else's.
  static everfold::Route Route(const OrderPlaced& e, const EventContext& c);
  static everfold::Route Route(const StockReserved& e, const EventContext& c);
  static everfold::Route Route(const OrderStockReserved& e, const EventContext& c);
  static everfold::Route Route(const OrderPaymentAuthorized& e, const EventContext& c);
  static everfold::Route Route(const OrderConfirmed& e, const EventContext& c);
  static everfold::Route Route(const OrderShipped& e, const EventContext& c);
  static everfold::Route Route(const OrderDelivered& e, const EventContext& c);
  static everfold::Route Route(const OrderReturned& e, const EventContext& c);
  static everfold::Route Route(const OrderCanceled& e, const EventContext& c);
  static everfold::Route Route(const OrderMarkedUnavailable& e, const EventContext& c);
  static everfold::Route Route(const PaymentAuthorized& e, const EventContext& c);
  static everfold::Route Route(const PaymentCaptured& e, const EventContext& c);
  static everfold::Route Route(const PaymentRefunded& e, const EventContext& c);

  // To the warehouse and the bank, and on to the customer.
  static void React(Fulfilment& s, const OrderPlaced& e, Steps& steps);
  static void React(Fulfilment& s, const StockReserved& e, Steps& steps);
  static void React(Fulfilment& s, const OrderStockReserved& e, Steps& steps);
  static void React(Fulfilment& s, const Outcome<AuthorizeAtProvider>& outcome, Steps& steps);
  static void React(Fulfilment& s, const PaymentAuthorized& e, Steps& steps);
  static void React(Fulfilment& s, const OrderPaymentAuthorized& e, Steps& steps);
  static void React(Fulfilment& s, const OrderConfirmed& e, Steps& steps);
  static void React(Fulfilment& s, const OrderShipped& e, Steps& steps);
  static void React(Fulfilment& s, const Outcome<CaptureAtProvider>& outcome, Steps& steps);
  static void React(Fulfilment& s, const PaymentCaptured& e, Steps& steps);
  static void React(Fulfilment& s, const OrderDelivered& e, Steps& steps);

  // And back.
  static void React(Fulfilment& s, const OrderCanceled& e, Steps& steps);
  static void React(Fulfilment& s, const OrderMarkedUnavailable& e, Steps& steps);
  static void React(Fulfilment& s, const Outcome<ReleaseAtProvider>& outcome, Steps& steps);
  static void React(Fulfilment& s, const OrderReturned& e, Steps& steps);
  static void React(Fulfilment& s, const Outcome<RefundAtProvider>& outcome, Steps& steps);
  static void React(Fulfilment& s, const PaymentRefunded& e, Steps& steps);
  static void React(Fulfilment& s, const everfold::TimerFired& timer, Steps& steps);
  static void React(Fulfilment& s, const Refused<ReserveStock>& refused, Steps& steps);

  // The order has gone another way meanwhile, of which an event tells.
  static void React(Fulfilment&, const Refused<MarkStockReserved>&, Steps&) {}
  static void React(Fulfilment&, const Refused<MarkPaymentAuthorized>&, Steps&) {}
  static void React(Fulfilment&, const Refused<ConfirmOrder>&, Steps&) {}
  static void React(Fulfilment&, const Refused<CancelOrder>&, Steps&) {}
  static void React(Fulfilment&, const Refused<MarkUnavailable>&, Steps&) {}

  // What cannot be unless somebody interferes by hand: it throws, and so the process is parked until a person has
  // looked.
  static void React(Fulfilment& s, const Refused<ReleaseStock>& refused, Steps& steps);
  static void React(Fulfilment& s, const Refused<ShipStock>& refused, Steps& steps);
  static void React(Fulfilment& s, const Refused<ReceiveStock>& refused, Steps& steps);
  static void React(Fulfilment& s, const Refused<RefundOrder>& refused, Steps& steps);
  static void React(Fulfilment& s, const Refused<AuthorizePayment>& refused, Steps& steps);
  static void React(Fulfilment& s, const Refused<CapturePayment>& refused, Steps& steps);
  static void React(Fulfilment& s, const Refused<ReleasePayment>& refused, Steps& steps);
  static void React(Fulfilment& s, const Refused<RefundPayment>& refused, Steps& steps);
  static void React(Fulfilment& s, const Refused<DeclinePayment>& refused, Steps& steps);
};

}  // namespace shop::v1

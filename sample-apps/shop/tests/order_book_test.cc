#include "read_models/order_book.h"

#include "everfold/testing/project.h"
#include "gtest/gtest.h"
#include "shop_samples.h"

namespace shop::v1 {
namespace {

using everfold::Money;
using everfold::testing::InStream;
using everfold::testing::Project;

OrderPlaced Placed(const std::string& customer, std::int64_t items, std::int64_t freight, const std::string& at) {
  return MakeOrderPlaced({.customer_id = customer,
                          .currency = "BRL",
                          .items = {Item(items, freight), Item(0, 0, 2)},
                          .origin = ORIGIN_WEB,
                          .items_total = Brl(items),
                          .freight_total = Brl(freight),
                          .occurred_at = At(at)});
}
PaymentCaptured Captured(const std::string& order, const Money& amount) {
  return MakePaymentCaptured({.terms = CardFor(order), .amount = amount, .occurred_at = At("2025-03-01")});
}
PaymentRefunded Refunded(const std::string& order, const Money& amount) {
  return MakePaymentRefunded({.terms = CardFor(order), .amount = amount, .occurred_at = At("2025-03-09")});
}

OrderSummary NewOrder() {
  return MakeOrderSummary({.order_id = "o1",
                           .customer_id = "c1",
                           .status = ORDER_STATUS_PLACED,
                           .origin = ORIGIN_WEB,
                           .currency = "BRL",
                           .items = 3,
                           .items_minor = 1000,
                           .freight_minor = 200,
                           .captured_minor = 0,
                           .refunded_minor = 0,
                           .placed_at = At("2025-03-01"),
                           .approved_at = {},
                           .shipped_at = {},
                           .delivered_at = {},
                           .closed_at = {}});
}
OrdersByStatus Count(OrderStatus status, std::int64_t orders) {
  return MakeOrdersByStatus({.status = status, .orders = orders});
}
OrderBalance Balance(const std::string& order, const std::string& currency, std::int64_t payments,
                     std::int64_t captured, std::int64_t refunded) {
  return MakeOrderBalance({.order_id = order,
                           .currency = currency,
                           .payments = payments,
                           .captured_minor = captured,
                           .refunded_minor = refunded});
}

TEST(OrderBook, ShowsANewOrder) {
  Project<OrderBook>(InStream("o1", Placed("c1", 1000, 200, "2025-03-01")))
      .ExpectRows(NewOrder())
      .ExpectRows(Count(ORDER_STATUS_PLACED, 1))
      .ExpectNoRows<OrderBalance>()
      .ExpectRows(MakeCustomerHistory({.customer_id = "c1",
                                       .currency = "BRL",
                                       .orders = 1,
                                       .items_minor = 1000,
                                       .freight_minor = 200,
                                       .captured_minor = 0,
                                       .refunded_minor = 0,
                                       .first_order_at = At("2025-03-01"),
                                       .last_order_at = At("2025-03-01")}));
}

TEST(OrderBook, FollowsAnOrderToTheCustomer) {
  OrderSummary order = NewOrder();
  order.set_status(ORDER_STATUS_DELIVERED);
  *order.mutable_approved_at() = At("2025-03-02");
  *order.mutable_shipped_at() = At("2025-03-05");
  *order.mutable_delivered_at() = At("2025-03-06");
  Project<OrderBook>(InStream("o1", Placed("c1", 1000, 200, "2025-03-01"),
                              MakeOrderApproved({.occurred_at = At("2025-03-02")}),
                              MakeOrderInvoiced({.occurred_at = At("2025-03-03")}),
                              MakeProcessingStarted({.occurred_at = At("2025-03-04")}),
                              MakeOrderShipped({.occurred_at = At("2025-03-05")}),
                              MakeOrderDelivered({.occurred_at = At("2025-03-06")})))
      .ExpectRows(order)
      .ExpectRows(Count(ORDER_STATUS_DELIVERED, 1));
}

TEST(OrderBook, FollowsAnOrderWithACheckout) {
  OrderSummary order = NewOrder();
  order.set_status(ORDER_STATUS_RETURNED);
  *order.mutable_approved_at() = At("2025-03-04");
  *order.mutable_shipped_at() = At("2025-03-05");
  const auto steps = [](const auto&... events) {
    return Project<OrderBook>(InStream("o1", Placed("c1", 1000, 200, "2025-03-01"),
                                       MakeOrderStockReserved({.occurred_at = At("2025-03-02")}), events...));
  };
  const auto authorized = MakeOrderPaymentAuthorized({.occurred_at = At("2025-03-03")});
  const auto confirmed = MakeOrderConfirmed({.occurred_at = At("2025-03-04")});
  steps().ExpectRows(Count(ORDER_STATUS_STOCK_RESERVED, 1));
  steps(authorized).ExpectRows(Count(ORDER_STATUS_PAYMENT_AUTHORIZED, 1));
  steps(authorized, confirmed).ExpectRows(Count(ORDER_STATUS_CONFIRMED, 1));
  steps(authorized, confirmed, MakeOrderShipped({.occurred_at = At("2025-03-05"), .has_checkout = true}),
        MakeOrderReturned({.occurred_at = At("2025-03-06"), .reason = ""}))
      .ExpectRows(order)
      .ExpectRows(Count(ORDER_STATUS_RETURNED, 1));
}

template <class Event>
void ExpectClosed(const Event& event, OrderStatus status) {
  OrderSummary order = NewOrder();
  order.set_status(status);
  *order.mutable_closed_at() = event.occurred_at();
  Project<OrderBook>(InStream("o1", Placed("c1", 1000, 200, "2025-03-01"), event))
      .ExpectRows(order)
      .ExpectRows(Count(status, 1));
}

TEST(OrderBook, ShowsWhenAnOrderWasClosed) {
  ExpectClosed(MakeOrderCanceled({.occurred_at = At("2025-03-02"), .reason = ""}), ORDER_STATUS_CANCELED);
  ExpectClosed(MakeOrderMarkedUnavailable({.occurred_at = At("2025-03-02")}), ORDER_STATUS_UNAVAILABLE);
  ExpectClosed(MakeOrderRefunded({.occurred_at = At("2025-03-02"), .reason = ""}), ORDER_STATUS_REFUNDED);
}

TEST(OrderBook, CountsEachOrderInItsStatusOnly) {
  const auto approved = MakeOrderApproved({.occurred_at = At("2025-03-02")});
  Project<OrderBook>(
      InStream("o1", Placed("c1", 1, 1, "2025-03-01")), InStream("o2", Placed("c1", 1, 1, "2025-03-01"), approved),
      InStream("o3", Placed("c2", 1, 1, "2025-03-01"), approved),
      InStream("o4", Placed("c2", 1, 1, "2025-03-01"), approved, MakeOrderInvoiced({.occurred_at = At("2025-03-03")})))
      .ExpectRows(Count(ORDER_STATUS_APPROVED, 2), Count(ORDER_STATUS_INVOICED, 1), Count(ORDER_STATUS_PLACED, 1));
}

TEST(OrderBook, AddsPaymentsToTheirOrder) {
  OrderSummary order = NewOrder();
  order.set_captured_minor(1200);
  order.set_refunded_minor(300);
  Project<OrderBook>(InStream("o1", Placed("c1", 1000, 200, "2025-03-01")), InStream("o1-1", Captured("o1", Brl(700))),
                     InStream("o1-2", Captured("o1", Brl(500)), Refunded("o1", Brl(300))))
      .ExpectRows(order)
      .ExpectRows(Balance("o1", "BRL", 2, 1200, 300));
}

TEST(OrderBook, TakesPaymentsThatComeBeforeTheirOrder) {
  OrderSummary order = NewOrder();
  order.set_captured_minor(1200);
  order.set_refunded_minor(300);
  Project<OrderBook>(InStream("o1-1", Captured("o1", Brl(1200)), Refunded("o1", Brl(300))),
                     InStream("o1", Placed("c1", 1000, 200, "2025-03-01")))
      .ExpectRows(order)
      .ExpectRows(MakeCustomerHistory({.customer_id = "c1",
                                       .currency = "BRL",
                                       .orders = 1,
                                       .items_minor = 1000,
                                       .freight_minor = 200,
                                       .captured_minor = 1200,
                                       .refunded_minor = 300,
                                       .first_order_at = At("2025-03-01"),
                                       .last_order_at = At("2025-03-01")}));
}

TEST(OrderBook, KeepsMoneyOfAnotherCurrencyApart) {
  Project<OrderBook>(InStream("o1-1", Captured("o1", Eur(7))), InStream("o1", Placed("c1", 1000, 200, "2025-03-01")),
                     InStream("o1-2", Captured("o1", Eur(5)), Refunded("o1", Eur(1))))
      .ExpectRows(NewOrder())
      .ExpectRows(Balance("o1", "EUR", 2, 12, 1));
}

TEST(OrderBook, ShowsNoOrderForMoneyAlone) {
  Project<OrderBook>(InStream("o1-1", Captured("o1", Brl(7))))
      .ExpectNoRows<OrderSummary>()
      .ExpectNoRows<OrdersByStatus>()
      .ExpectNoRows<CustomerHistory>()
      .ExpectRows(Balance("o1", "BRL", 1, 7, 0));
}

TEST(OrderBook, AddsUpACustomersOrders) {
  Project<OrderBook>(InStream("o1", Placed("c1", 1000, 200, "2025-03-05")), InStream("o1-1", Captured("o1", Brl(1200))),
                     InStream("o2", Placed("c1", 50, 5, "2025-01-05")),
                     InStream("o2-1", Captured("o2", Brl(55)), Refunded("o2", Brl(5))),
                     InStream("o3", Placed("c1", 7, 0, "2025-02-05")), InStream("o4", Placed("c2", 9, 1, "2025-04-05")))
      .ExpectRows(MakeCustomerHistory({.customer_id = "c1",
                                       .currency = "BRL",
                                       .orders = 3,
                                       .items_minor = 1057,
                                       .freight_minor = 205,
                                       .captured_minor = 1255,
                                       .refunded_minor = 5,
                                       .first_order_at = At("2025-01-05"),
                                       .last_order_at = At("2025-03-05")}),
                  MakeCustomerHistory({.customer_id = "c2",
                                       .currency = "BRL",
                                       .orders = 1,
                                       .items_minor = 9,
                                       .freight_minor = 1,
                                       .captured_minor = 0,
                                       .refunded_minor = 0,
                                       .first_order_at = At("2025-04-05"),
                                       .last_order_at = At("2025-04-05")}));
}

}  // namespace
}  // namespace shop::v1

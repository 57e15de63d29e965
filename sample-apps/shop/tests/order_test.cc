#include <limits>
#include <vector>

#include "domain/amounts.h"
#include "domain/checkout.h"
#include "domain/order_decider.h"
#include "domain/order_totals.h"
#include "everfold/base/error.h"
#include "everfold/testing/given.h"
#include "gtest/gtest.h"
#include "shop_samples.h"

namespace shop::v1 {
namespace {

using everfold::testing::Given;

PlaceOrder Place(std::vector<OrderItem> items, Origin origin = ORIGIN_WEB) {
  return MakePlaceOrder({.order_id = "o1",
                         .customer_id = "c1",
                         .currency = "BRL",
                         .items = std::move(items),
                         .origin = origin,
                         .occurred_at = {}});
}

OrderPlaced Placed(Origin origin, const std::string& at) {
  return MakeOrderPlaced({.customer_id = "c1",
                          .currency = "BRL",
                          .items = {Item(10990, 2551)},
                          .origin = origin,
                          .items_total = Brl(10990),
                          .freight_total = Brl(2551),
                          .occurred_at = At(at)});
}

ShipOrder Ship(std::optional<Timestamp> at = {}) { return MakeShipOrder({.order_id = "o1", .occurred_at = at}); }
DeliverOrder Deliver(std::optional<Timestamp> at = {}) {
  return MakeDeliverOrder({.order_id = "o1", .occurred_at = at});
}

// Orders in each status, as the steps of the shop lead to them -------------------------------------------------------

const std::vector<OrderStatus> kStatuses = {ORDER_STATUS_PLACED,     ORDER_STATUS_APPROVED,    ORDER_STATUS_INVOICED,
                                            ORDER_STATUS_PROCESSING, ORDER_STATUS_SHIPPED,     ORDER_STATUS_DELIVERED,
                                            ORDER_STATUS_CANCELED,   ORDER_STATUS_UNAVAILABLE, ORDER_STATUS_REFUNDED};

everfold::testing::GivenHistory<OrderDecider> GivenOrder(Origin origin, OrderStatus status) {
  const OrderPlaced placed = Placed(origin, "2025-03-01");
  const Timestamp later = At("2025-03-02");
  switch (status) {
    case ORDER_STATUS_APPROVED:
      return Given<OrderDecider>(placed, MakeOrderApproved({.occurred_at = later}));
    case ORDER_STATUS_INVOICED:
      return Given<OrderDecider>(placed, MakeOrderInvoiced({.occurred_at = later}));
    case ORDER_STATUS_PROCESSING:
      return Given<OrderDecider>(placed, MakeProcessingStarted({.occurred_at = later}));
    case ORDER_STATUS_SHIPPED:
      return Given<OrderDecider>(placed, MakeOrderShipped({.occurred_at = later}));
    case ORDER_STATUS_DELIVERED:
      return Given<OrderDecider>(placed, MakeOrderDelivered({.occurred_at = later}));
    case ORDER_STATUS_CANCELED:
      return Given<OrderDecider>(placed, MakeOrderCanceled({.occurred_at = later, .reason = ""}));
    case ORDER_STATUS_UNAVAILABLE:
      return Given<OrderDecider>(placed, MakeOrderMarkedUnavailable({.occurred_at = later}));
    case ORDER_STATUS_REFUNDED:
      return Given<OrderDecider>(placed, MakeOrderRefunded({.occurred_at = later, .reason = ""}));
    default:
      return Given<OrderDecider>(placed);
  }
}

WrongOrderStatus Wrong(OrderStatus actual, const std::vector<OrderStatus>& wanted) {
  WrongOrderStatus rejection;
  rejection.set_actual(actual);
  for (const OrderStatus status : wanted) rejection.add_wanted(status);
  return rejection;
}

// The command leads to the event from the statuses in `wanted`, and from no other.
template <class Command, class Event>
void ExpectStep(Origin origin, const Command& command, const Event& event, const std::vector<OrderStatus>& wanted) {
  for (const OrderStatus status : kStatuses) {
    SCOPED_TRACE(OrderStatus_Name(status));
    const auto decided = GivenOrder(origin, status).When(command);
    if (std::find(wanted.begin(), wanted.end(), status) != wanted.end()) {
      decided.Then(event);
    } else {
      decided.ThenRejected(Wrong(status, wanted));
    }
  }
}

// Placing ------------------------------------------------------------------------------------------------------------

TEST(PlacingAnOrder, AddsUpItsItems) {
  Given<OrderDecider>()
      .When(Place({Item(10990, 2551), Item(500, 0, 3)}))
      .Then(MakeOrderPlaced({.customer_id = "c1",
                             .currency = "BRL",
                             .items = {Item(10990, 2551), Item(500, 0, 3)},
                             .origin = ORIGIN_WEB,
                             .items_total = Brl(12490),
                             .freight_total = Brl(2551),
                             .occurred_at = Now()}));
}

TEST(PlacingAnOrder, MultipliesFreightByTheQuantity) {
  Given<OrderDecider>()
      .When(Place({Item(100, 10, 7)}))
      .Then(MakeOrderPlaced({.customer_id = "c1",
                             .currency = "BRL",
                             .items = {Item(100, 10, 7)},
                             .origin = ORIGIN_WEB,
                             .items_total = Brl(700),
                             .freight_total = Brl(70),
                             .occurred_at = Now()}));
}

TEST(PlacingAnOrder, TakesAnItemThatIsCarriedForNothing) {
  OrderItem item = Item(100, 0);
  item.clear_freight();
  Given<OrderDecider>()
      .When(Place({item}))
      .Then(MakeOrderPlaced({.customer_id = "c1",
                             .currency = "BRL",
                             .items = {item},
                             .origin = ORIGIN_WEB,
                             .items_total = Brl(100),
                             .freight_total = Brl(0),
                             .occurred_at = Now()}));
}

TEST(PlacingAnOrder, TakesAnUnspecifiedOriginForTheWeb) {
  Given<OrderDecider>().When(Place({}, ORIGIN_UNSPECIFIED)).ThenRejected(MakeOrderWithoutItems({}));
  Given<OrderDecider>()
      .When(Place({Item(1, 1)}, ORIGIN_UNSPECIFIED))
      .Then(MakeOrderPlaced({.customer_id = "c1",
                             .currency = "BRL",
                             .items = {Item(1, 1)},
                             .origin = ORIGIN_WEB,
                             .items_total = Brl(1),
                             .freight_total = Brl(1),
                             .occurred_at = Now()}));
}

TEST(PlacingAnOrder, TakesNoItemsFromAnImportOnly) {
  Given<OrderDecider>().When(Place({}, ORIGIN_WEB)).ThenRejected(MakeOrderWithoutItems({}));
  Given<OrderDecider>()
      .When(Place({}, ORIGIN_IMPORTED))
      .Then(MakeOrderPlaced({.customer_id = "c1",
                             .currency = "BRL",
                             .items = {},
                             .origin = ORIGIN_IMPORTED,
                             .items_total = Brl(0),
                             .freight_total = Brl(0),
                             .occurred_at = Now()}));
}

TEST(PlacingAnOrder, RefusesASecondCurrency) {
  OrderItem other = Item(1, 1);
  *other.mutable_price() = Eur(1);
  Given<OrderDecider>()
      .When(Place({Item(1, 1), other}))
      .ThenRejected(MakeItemCurrencyMismatch({.item = 1, .actual = "EUR", .wanted = "BRL"}));
  other = Item(1, 1);
  *other.mutable_freight() = Eur(0);
  Given<OrderDecider>()
      .When(Place({other}))
      .ThenRejected(MakeItemCurrencyMismatch({.item = 0, .actual = "EUR", .wanted = "BRL"}));
}

TEST(PlacingAnOrder, RefusesAnAmountBelowZeroOrBeyondTheLimit) {
  const auto refused = [](int item, const everfold::Money& amount) {
    return MakeItemAmountRefused({.item = item, .amount = amount, .most_minor = kMostMinor});
  };
  Given<OrderDecider>().When(Place({Item(-1, 0)})).ThenRejected(refused(0, Brl(-1)));
  Given<OrderDecider>().When(Place({Item(0, 0), Item(0, -1)})).ThenRejected(refused(1, Brl(-1)));
  Given<OrderDecider>().When(Place({Item(kMostMinor + 1, 0)})).ThenRejected(refused(0, Brl(kMostMinor + 1)));
  Given<OrderDecider>().When(Place({Item(0, kMostMinor + 1)})).ThenRejected(refused(0, Brl(kMostMinor + 1)));
}

TEST(PlacingAnOrder, RefusesATotalBeyondTheLimit) {
  const auto too_large = MakeOrderTooLarge({.most_minor = kMostMinor});
  Given<OrderDecider>().When(Place({Item(kMostMinor, 1)})).ThenRejected(too_large);
  Given<OrderDecider>().When(Place({Item(kMostMinor / 2, kMostMinor / 2, 2)})).ThenRejected(too_large);
  // 500 times this would be beyond 64 bits for items and freight together.
  const std::vector<OrderItem> most(500, Item(kMostMinor, kMostMinor, 10000));
  Given<OrderDecider>().When(Place(most)).ThenRejected(too_large);
}

TEST(PlacingAnOrder, TakesTheLargestTotal) {
  Given<OrderDecider>()
      .When(Place({Item(kMostMinor - 1, 1)}))
      .Then(MakeOrderPlaced({.customer_id = "c1",
                             .currency = "BRL",
                             .items = {Item(kMostMinor - 1, 1)},
                             .origin = ORIGIN_WEB,
                             .items_total = Brl(kMostMinor - 1),
                             .freight_total = Brl(1),
                             .occurred_at = Now()}));
}

TEST(PlacingAnOrder, ChecksItsFields) {
  PlaceOrder order = Place({Item(1, 1)});
  order.set_customer_id("");
  Given<OrderDecider>().When(order).ThenInvalid("customer_id", "required");
  order.set_customer_id("a\nb");
  Given<OrderDecider>().When(order).ThenInvalid("customer_id", "string.pattern");
  order.set_customer_id(std::string(201, 'c'));
  Given<OrderDecider>().When(order).ThenInvalid("customer_id", "string.max_len");
  for (const std::string& currency : kNoCurrencies) {
    order.set_currency(currency);
    Given<OrderDecider>().When(order).ThenInvalid("currency", "string.pattern");
  }
  order = Place({Item(1, 1, 0)});
  Given<OrderDecider>().When(order).ThenInvalid("items[0].quantity", "int32.gte_lte");
  order = Place({Item(1, 1, 10001)});
  Given<OrderDecider>().When(order).ThenInvalid("items[0].quantity", "int32.gte_lte");
  order.mutable_items(0)->clear_price();
  Given<OrderDecider>().When(order).ThenInvalid("items[0].price", "required");
  order.set_origin(static_cast<Origin>(77));
  Given<OrderDecider>().When(order).ThenInvalid("origin", "enum.defined_only");
  Given<OrderDecider>().When(Place(std::vector<OrderItem>(501, Item(1, 1)))).ThenInvalid("items", "repeated.max_items");
}

TEST(PlacingAnOrder, ChecksWhoseProductAnItemIs) {
  PlaceOrder order = Place({Item(1, 1)});
  OrderItem& item = *order.mutable_items(0);
  item.set_product_id("");
  item.set_seller_id("");
  Given<OrderDecider>()
      .When(order)
      .ThenInvalid("items[0].product_id", "required")
      .ThenInvalid("items[0].seller_id", "required");
  item.set_product_id(std::string(201, 'p'));
  item.set_seller_id(std::string(201, 's'));
  Given<OrderDecider>()
      .When(order)
      .ThenInvalid("items[0].product_id", "string.max_len")
      .ThenInvalid("items[0].seller_id", "string.max_len");
  item.set_product_id("a\nb");
  item.set_seller_id("a\tb");
  Given<OrderDecider>()
      .When(order)
      .ThenInvalid("items[0].product_id", "string.pattern")
      .ThenInvalid("items[0].seller_id", "string.pattern");
}

TEST(PlacingAnOrder, TakesAmountsInACurrencyOnly) {
  for (const std::string& currency : kNoCurrencies) {
    SCOPED_TRACE(currency.substr(0, 10));
    PlaceOrder order = Place({Item(1, 1)});
    order.mutable_items(0)->mutable_price()->set_currency(currency);
    order.mutable_items(0)->mutable_freight()->set_currency(currency);
    Given<OrderDecider>()
        .When(order)
        .ThenInvalid("items[0].price.currency", "string.pattern")
        .ThenInvalid("items[0].freight.currency", "string.pattern");
  }
}

TEST(PlacingAnOrder, HappensOnce) {
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_PLACED).When(Place({Item(1, 1)})).ThenExists();
}

TEST(OrderTotals, AreRightOrErrors) {
  const auto totals = [](const std::vector<OrderItem>& items) {
    return TotalsOf({items.begin(), items.end()}, "BRL").status();
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(everfold::ReasonOf(totals({Item(kMost / 2 + 1, 0, 2)})), "MONEY_OVERFLOW");
  EXPECT_EQ(everfold::ReasonOf(totals({Item(0, kMost), Item(0, 1)})), "MONEY_OVERFLOW");
  OrderItem other = Item(1, 1);
  *other.mutable_price() = Eur(1);
  EXPECT_EQ(everfold::ReasonOf(totals({other})), "CURRENCY_MISMATCH");
}

// Steps --------------------------------------------------------------------------------------------------------------

TEST(StepsOfAnOrder, FollowOnEachOther) {
  ExpectStep(ORIGIN_WEB, MakeApproveOrder({.order_id = "o1", .occurred_at = {}}),
             MakeOrderApproved({.occurred_at = Now()}), {ORDER_STATUS_PLACED});
  ExpectStep(ORIGIN_WEB, MakeInvoiceOrder({.order_id = "o1", .occurred_at = {}}),
             MakeOrderInvoiced({.occurred_at = Now()}), {ORDER_STATUS_APPROVED});
  ExpectStep(ORIGIN_WEB, MakeStartProcessing({.order_id = "o1", .occurred_at = {}}),
             MakeProcessingStarted({.occurred_at = Now()}), {ORDER_STATUS_INVOICED});
  ExpectStep(ORIGIN_WEB, Ship(), MakeOrderShipped({.occurred_at = Now()}), {ORDER_STATUS_PROCESSING});
  ExpectStep(ORIGIN_WEB, Deliver(), MakeOrderDelivered({.occurred_at = Now()}), {ORDER_STATUS_SHIPPED});
}

TEST(StepsOfAnOrder, EndItUntilItIsShipped) {
  const std::vector<OrderStatus> open = {ORDER_STATUS_PLACED, ORDER_STATUS_APPROVED, ORDER_STATUS_INVOICED,
                                         ORDER_STATUS_PROCESSING};
  ExpectStep(ORIGIN_WEB, MakeCancelOrder({.order_id = "o1", .occurred_at = {}, .reason = "changed my mind"}),
             MakeOrderCanceled({.occurred_at = Now(), .reason = "changed my mind"}), open);
  ExpectStep(ORIGIN_WEB, MakeMarkUnavailable({.order_id = "o1", .occurred_at = {}}),
             MakeOrderMarkedUnavailable({.occurred_at = Now()}), open);
}

TEST(StepsOfAnOrder, RefundWhatIsDeliveredOrEnded) {
  ExpectStep(ORIGIN_WEB, MakeRefundOrder({.order_id = "o1", .occurred_at = {}, .reason = "broken"}),
             MakeOrderRefunded({.occurred_at = Now(), .reason = "broken"}),
             {ORDER_STATUS_DELIVERED, ORDER_STATUS_CANCELED, ORDER_STATUS_UNAVAILABLE});
}

TEST(StepsOfAnOrder, NeedAnOrder) {
  const auto given_none = Given<OrderDecider>();
  given_none.When(MakeApproveOrder({.order_id = "o1", .occurred_at = {}})).ThenNotFound();
  given_none.When(MakeInvoiceOrder({.order_id = "o1", .occurred_at = {}})).ThenNotFound();
  given_none.When(MakeStartProcessing({.order_id = "o1", .occurred_at = {}})).ThenNotFound();
  given_none.When(Ship()).ThenNotFound();
  given_none.When(Deliver()).ThenNotFound();
  given_none.When(MakeCancelOrder({.order_id = "o1", .occurred_at = {}, .reason = ""})).ThenNotFound();
  given_none.When(MakeMarkUnavailable({.order_id = "o1", .occurred_at = {}})).ThenNotFound();
  given_none.When(MakeRefundOrder({.order_id = "o1", .occurred_at = {}, .reason = ""})).ThenNotFound();
}

TEST(StepsOfAnOrder, HaveReasonsOfSomeLines) {
  const std::string long_reason(501, 'r');
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_PLACED)
      .When(MakeCancelOrder({.order_id = "o1", .occurred_at = {}, .reason = long_reason}))
      .ThenInvalid("reason", "string.max_len");
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_DELIVERED)
      .When(MakeRefundOrder({.order_id = "o1", .occurred_at = {}, .reason = long_reason}))
      .ThenInvalid("reason", "string.max_len");
}

TEST(StepsOfAnImportedOrder, MayBeLeftOutButGoForward) {
  using S = std::vector<OrderStatus>;
  ExpectStep(ORIGIN_IMPORTED, MakeApproveOrder({.order_id = "o1", .occurred_at = {}}),
             MakeOrderApproved({.occurred_at = Now()}), S(kStatuses.begin(), kStatuses.begin() + 1));
  ExpectStep(ORIGIN_IMPORTED, MakeInvoiceOrder({.order_id = "o1", .occurred_at = {}}),
             MakeOrderInvoiced({.occurred_at = Now()}), S(kStatuses.begin(), kStatuses.begin() + 2));
  ExpectStep(ORIGIN_IMPORTED, MakeStartProcessing({.order_id = "o1", .occurred_at = {}}),
             MakeProcessingStarted({.occurred_at = Now()}), S(kStatuses.begin(), kStatuses.begin() + 3));
  ExpectStep(ORIGIN_IMPORTED, Ship(), MakeOrderShipped({.occurred_at = Now()}),
             S(kStatuses.begin(), kStatuses.begin() + 4));
  ExpectStep(ORIGIN_IMPORTED, Deliver(), MakeOrderDelivered({.occurred_at = Now()}),
             S(kStatuses.begin(), kStatuses.begin() + 5));
}

TEST(StepsOfAnImportedOrder, EndItEvenWhenItIsDelivered) {
  const std::vector<OrderStatus> open(kStatuses.begin(), kStatuses.begin() + 6);
  ExpectStep(ORIGIN_IMPORTED, MakeCancelOrder({.order_id = "o1", .occurred_at = {}, .reason = ""}),
             MakeOrderCanceled({.occurred_at = Now(), .reason = ""}), open);
  ExpectStep(ORIGIN_IMPORTED, MakeMarkUnavailable({.order_id = "o1", .occurred_at = {}}),
             MakeOrderMarkedUnavailable({.occurred_at = Now()}), open);
  ExpectStep(ORIGIN_IMPORTED, MakeRefundOrder({.order_id = "o1", .occurred_at = {}, .reason = ""}),
             MakeOrderRefunded({.occurred_at = Now(), .reason = ""}),
             std::vector<OrderStatus>(kStatuses.begin(), kStatuses.begin() + 8));
}

// Orders with a checkout ---------------------------------------------------------------------------------------------

Checkout ACheckout(std::optional<google::protobuf::Duration> confirm_within = {}) {
  return MakeCheckout(
      {.payment_token = "card", .method = PAYMENT_METHOD_CREDIT_CARD, .confirm_within = confirm_within});
}
google::protobuf::Duration Seconds(std::int64_t seconds) {
  google::protobuf::Duration duration;
  duration.set_seconds(seconds);
  return duration;
}
PlaceOrder PlaceWithCheckout(std::vector<OrderItem> items, Checkout checkout = ACheckout()) {
  PlaceOrder place = Place(std::move(items));
  *place.mutable_checkout() = std::move(checkout);
  return place;
}
OrderPlaced PlacedWithCheckout(Checkout checkout = ACheckout(Seconds(1800))) {
  OrderPlaced placed = Placed(ORIGIN_WEB, "2025-03-01");
  *placed.mutable_checkout() = std::move(checkout);
  return placed;
}

const std::vector<OrderStatus> kCheckoutStatuses = {
    ORDER_STATUS_PLACED,   ORDER_STATUS_STOCK_RESERVED, ORDER_STATUS_PAYMENT_AUTHORIZED, ORDER_STATUS_CONFIRMED,
    ORDER_STATUS_SHIPPED,  ORDER_STATUS_DELIVERED,      ORDER_STATUS_CANCELED,           ORDER_STATUS_UNAVAILABLE,
    ORDER_STATUS_RETURNED, ORDER_STATUS_REFUNDED};

everfold::testing::GivenHistory<OrderDecider> GivenCheckoutOrder(OrderStatus status) {
  const OrderPlaced placed = PlacedWithCheckout();
  const Timestamp later = At("2025-12-15");
  switch (status) {
    case ORDER_STATUS_STOCK_RESERVED:
      return Given<OrderDecider>(placed, MakeOrderStockReserved({.occurred_at = later}));
    case ORDER_STATUS_PAYMENT_AUTHORIZED:
      return Given<OrderDecider>(placed, MakeOrderPaymentAuthorized({.occurred_at = later}));
    case ORDER_STATUS_CONFIRMED:
      return Given<OrderDecider>(placed, MakeOrderConfirmed({.occurred_at = later}));
    case ORDER_STATUS_SHIPPED:
      return Given<OrderDecider>(placed, MakeOrderShipped({.occurred_at = later, .has_checkout = true}));
    case ORDER_STATUS_DELIVERED:
      return Given<OrderDecider>(placed, MakeOrderDelivered({.occurred_at = later, .has_checkout = true}));
    case ORDER_STATUS_CANCELED:
      return Given<OrderDecider>(placed, MakeOrderCanceled({.occurred_at = later, .reason = "", .has_checkout = true}));
    case ORDER_STATUS_UNAVAILABLE:
      return Given<OrderDecider>(placed, MakeOrderMarkedUnavailable({.occurred_at = later, .has_checkout = true}));
    case ORDER_STATUS_RETURNED:
      return Given<OrderDecider>(placed, MakeOrderReturned({.occurred_at = later, .reason = ""}));
    case ORDER_STATUS_REFUNDED:
      return Given<OrderDecider>(placed, MakeOrderRefunded({.occurred_at = later, .reason = ""}));
    default:
      return Given<OrderDecider>(placed);
  }
}

template <class Command, class Event>
void ExpectCheckoutStep(const Command& command, const Event& event, const std::vector<OrderStatus>& wanted) {
  for (const OrderStatus status : kCheckoutStatuses) {
    SCOPED_TRACE(OrderStatus_Name(status));
    const auto decided = GivenCheckoutOrder(status).When(command);
    if (std::find(wanted.begin(), wanted.end(), status) != wanted.end()) {
      decided.Then(event);
    } else {
      decided.ThenRejected(Wrong(status, wanted));
    }
  }
}

TEST(AnOrderWithACheckout, IsPlacedWithTheTimeThatItMayTake) {
  const auto placed_with = [](const Checkout& checkout) {
    OrderPlaced placed = PlacedWithCheckout(checkout);
    *placed.mutable_occurred_at() = Now();
    return placed;
  };
  Given<OrderDecider>().When(PlaceWithCheckout({Item(10990, 2551)})).Then(placed_with(ACheckout(Seconds(30 * 60))));
  Given<OrderDecider>()
      .When(PlaceWithCheckout({Item(10990, 2551)}, ACheckout(Seconds(5))))
      .Then(placed_with(ACheckout(Seconds(5))));
}

TEST(AnOrderWithACheckout, ChecksIt) {
  Checkout checkout = ACheckout(Seconds(0));
  Given<OrderDecider>()
      .When(PlaceWithCheckout({Item(1, 1)}, checkout))
      .ThenInvalid("checkout.confirm_within", "duration.gt_lte");
  checkout = ACheckout(Seconds(604801));
  Given<OrderDecider>()
      .When(PlaceWithCheckout({Item(1, 1)}, checkout))
      .ThenInvalid("checkout.confirm_within", "duration.gt_lte");
  checkout.set_payment_token("");
  Given<OrderDecider>()
      .When(PlaceWithCheckout({Item(1, 1)}, checkout))
      .ThenInvalid("checkout.payment_token", "required");
  checkout.clear_method();
  Given<OrderDecider>().When(PlaceWithCheckout({Item(1, 1)}, checkout)).ThenInvalid("checkout.method", "required");
}

TEST(AnOrderWithACheckout, CostsSomething) {
  Given<OrderDecider>().When(PlaceWithCheckout({Item(0, 0)})).ThenRejected(MakeNothingToPay({}));
}

TEST(AnOrderWithACheckout, IsNotImported) {
  PlaceOrder place = PlaceWithCheckout({Item(1, 1)});
  place.set_origin(ORIGIN_IMPORTED);
  Given<OrderDecider>().When(place).ThenRejected(MakeCheckoutOfImport({}));
}

TEST(AnOrderWithACheckout, IsOfProductsThatMayHaveAStock) {
  PlaceOrder place = PlaceWithCheckout({Item(1, 1), Item(1, 1)});
  // 101 letters of two bytes each.
  std::string long_id;
  for (int i = 0; i < 101; ++i) long_id += "\xC3\xA4";
  place.mutable_items(1)->set_product_id(long_id);
  Given<OrderDecider>().When(place).ThenRejected(MakeProductIdTooLong({.item = 1, .most_bytes = kMostProductIdBytes}));
  place.clear_checkout();
  OrderPlaced placed = Placed(ORIGIN_WEB, "2026-01-01");
  *placed.mutable_items() = place.items();
  *placed.mutable_items_total() = Brl(2);
  *placed.mutable_freight_total() = Brl(2);
  Given<OrderDecider>().When(place).Then(placed);
}

TEST(AnOrderWithACheckout, HasAFewProducts) {
  std::vector<OrderItem> items;
  for (int i = 0; i < kMostProducts; ++i) {
    for (int twice = 0; twice < 2; ++twice) items.push_back(Item(1, 1));
    items[items.size() - 1].set_product_id("p" + std::to_string(i));
    items[items.size() - 2].set_product_id("p" + std::to_string(i));
  }
  items.push_back(Item(1, 1));
  items.back().set_product_id("p0");
  OrderPlaced placed = PlacedWithCheckout();
  *placed.mutable_items() = {items.begin(), items.end()};
  *placed.mutable_items_total() = Brl(101);
  *placed.mutable_freight_total() = Brl(101);
  *placed.mutable_occurred_at() = Now();
  Given<OrderDecider>().When(PlaceWithCheckout(items)).Then(placed);
  items.back().set_product_id("one more");
  Given<OrderDecider>()
      .When(PlaceWithCheckout(items))
      .ThenRejected(MakeTooManyProducts({.actual = kMostProducts + 1, .most = kMostProducts}));
}

TEST(AnOrderWithACheckout, TakesItsOwnSteps) {
  ExpectCheckoutStep(MakeMarkStockReserved({.order_id = "o1", .occurred_at = {}}),
                     MakeOrderStockReserved({.occurred_at = Now()}), {ORDER_STATUS_PLACED});
  ExpectCheckoutStep(MakeMarkPaymentAuthorized({.order_id = "o1", .occurred_at = {}}),
                     MakeOrderPaymentAuthorized({.occurred_at = Now()}), {ORDER_STATUS_STOCK_RESERVED});
  ExpectCheckoutStep(MakeConfirmOrder({.order_id = "o1", .occurred_at = {}}),
                     MakeOrderConfirmed({.occurred_at = Now()}), {ORDER_STATUS_PAYMENT_AUTHORIZED});
  ExpectCheckoutStep(Ship(), MakeOrderShipped({.occurred_at = Now(), .has_checkout = true}), {ORDER_STATUS_CONFIRMED});
  ExpectCheckoutStep(Deliver(), MakeOrderDelivered({.occurred_at = Now(), .has_checkout = true}),
                     {ORDER_STATUS_SHIPPED});
  ExpectCheckoutStep(MakeReturnOrder({.order_id = "o1", .occurred_at = {}, .reason = "too small"}),
                     MakeOrderReturned({.occurred_at = Now(), .reason = "too small"}),
                     {ORDER_STATUS_SHIPPED, ORDER_STATUS_DELIVERED});
  ExpectCheckoutStep(MakeRefundOrder({.order_id = "o1", .occurred_at = {}, .reason = ""}),
                     MakeOrderRefunded({.occurred_at = Now(), .reason = ""}), {ORDER_STATUS_RETURNED});
}

TEST(AnOrderWithACheckout, IsCanceledUntilItIsShipped) {
  ExpectCheckoutStep(
      MakeCancelOrder({.order_id = "o1", .occurred_at = {}, .reason = "changed my mind"}),
      MakeOrderCanceled({.occurred_at = Now(), .reason = "changed my mind", .has_checkout = true}),
      {ORDER_STATUS_PLACED, ORDER_STATUS_STOCK_RESERVED, ORDER_STATUS_PAYMENT_AUTHORIZED, ORDER_STATUS_CONFIRMED});
  ExpectCheckoutStep(MakeMarkUnavailable({.order_id = "o1", .occurred_at = {}}),
                     MakeOrderMarkedUnavailable({.occurred_at = Now(), .has_checkout = true}), {ORDER_STATUS_PLACED});
}

TEST(AnOrderWithACheckout, TakesNoStepsByHand) {
  ExpectCheckoutStep(MakeApproveOrder({.order_id = "o1", .occurred_at = {}}), OrderApproved(), {});
  ExpectCheckoutStep(MakeInvoiceOrder({.order_id = "o1", .occurred_at = {}}), OrderInvoiced(), {});
  ExpectCheckoutStep(MakeStartProcessing({.order_id = "o1", .occurred_at = {}}), ProcessingStarted(), {});
}

TEST(StepsOfACheckout, AreNotForOtherOrders) {
  for (const Origin origin : {ORIGIN_WEB, ORIGIN_IMPORTED}) {
    ExpectStep(origin, MakeMarkStockReserved({.order_id = "o1", .occurred_at = {}}), OrderStockReserved(), {});
    ExpectStep(origin, MakeMarkPaymentAuthorized({.order_id = "o1", .occurred_at = {}}), OrderPaymentAuthorized(), {});
    ExpectStep(origin, MakeConfirmOrder({.order_id = "o1", .occurred_at = {}}), OrderConfirmed(), {});
    ExpectStep(origin, MakeReturnOrder({.order_id = "o1", .occurred_at = {}, .reason = ""}), OrderReturned(), {});
  }
}

TEST(StepsOfACheckout, NeedAnOrder) {
  const auto given_none = Given<OrderDecider>();
  given_none.When(MakeMarkStockReserved({.order_id = "o1", .occurred_at = {}})).ThenNotFound();
  given_none.When(MakeMarkPaymentAuthorized({.order_id = "o1", .occurred_at = {}})).ThenNotFound();
  given_none.When(MakeConfirmOrder({.order_id = "o1", .occurred_at = {}})).ThenNotFound();
  given_none.When(MakeReturnOrder({.order_id = "o1", .occurred_at = {}, .reason = ""})).ThenNotFound();
}

TEST(ReturningAnOrder, TakesAtMost30DaysFromItsDelivery) {
  const auto back = MakeReturnOrder({.order_id = "o1", .occurred_at = {}, .reason = ""});
  GivenCheckoutOrder(ORDER_STATUS_DELIVERED)
      .At(Utc("2026-01-14"))
      .When(back)
      .Then(MakeOrderReturned({.occurred_at = At("2026-01-14"), .reason = ""}));
  GivenCheckoutOrder(ORDER_STATUS_DELIVERED)
      .At(Utc("2026-01-14T00:00:01"))
      .When(back)
      .ThenRejected(MakeReturnTooLate({.latest = At("2026-01-14")}));
  // Who says that it happened earlier comes too late as well.
  GivenCheckoutOrder(ORDER_STATUS_DELIVERED)
      .At(Utc("2026-01-14T00:00:01"))
      .When(MakeReturnOrder({.order_id = "o1", .occurred_at = At("2026-01-01"), .reason = ""}))
      .ThenRejected(MakeReturnTooLate({.latest = At("2026-01-14")}));
  // What has not arrived may come back whenever it does.
  GivenCheckoutOrder(ORDER_STATUS_SHIPPED)
      .At(Utc("2026-03-01"))
      .When(back)
      .Then(MakeOrderReturned({.occurred_at = At("2026-03-01"), .reason = ""}));
}

// Times --------------------------------------------------------------------------------------------------------------

OrderTimeRefused TimeRefused(const Timestamp& at, const std::string& earliest) {
  return MakeOrderTimeRefused({.occurred_at = at, .earliest = At(earliest), .latest = Now()});
}

TEST(TheTimeOfAStep, IsWhatTheCommandSays) {
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_SHIPPED)
      .When(Deliver(At("2025-04-01T08:30:00")))
      .Then(MakeOrderDelivered({.occurred_at = At("2025-04-01T08:30:00")}));
}

TEST(TheTimeOfAStep, IsNeverInTheFuture) {
  const Timestamp tomorrow = At("2026-01-02");
  PlaceOrder place = Place({Item(1, 1)}, ORIGIN_IMPORTED);
  *place.mutable_occurred_at() = tomorrow;
  Given<OrderDecider>().When(place).ThenRejected(TimeRefused(tomorrow, "1970-01-01"));
  GivenOrder(ORIGIN_IMPORTED, ORDER_STATUS_SHIPPED)
      .When(Deliver(tomorrow))
      .ThenRejected(TimeRefused(tomorrow, "1970-01-01"));
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_SHIPPED)
      .When(Deliver(tomorrow))
      .ThenRejected(TimeRefused(tomorrow, "2025-03-02"));
}

TEST(TheTimeOfAStep, IsNotBefore1970) {
  const Timestamp before = At("1969-12-31T23:59:59");
  for (const Origin origin : {ORIGIN_WEB, ORIGIN_IMPORTED}) {
    PlaceOrder place = Place({Item(1, 1)}, origin);
    *place.mutable_occurred_at() = before;
    Given<OrderDecider>().When(place).ThenRejected(TimeRefused(before, "1970-01-01"));
  }
}

TEST(TheTimeOfAStep, GoesBackForImportsOnly) {
  const Timestamp before = At("2025-03-01T12:00:00");
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_PROCESSING).When(Ship(before)).ThenRejected(TimeRefused(before, "2025-03-02"));
  GivenOrder(ORIGIN_IMPORTED, ORDER_STATUS_APPROVED).When(Ship(before)).Then(MakeOrderShipped({.occurred_at = before}));
}

TEST(TheTimeOfAStep, StandsStillWhenTheClockHasSteppedBack) {
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_PROCESSING)
      .At(Utc("2025-02-01"))
      .When(Ship())
      .Then(MakeOrderShipped({.occurred_at = At("2025-03-02")}));
}

TEST(TheTimeOfAStep, IsATimestamp) {
  Timestamp at = At("2025-03-03");
  at.set_nanos(-1);
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_SHIPPED).When(Deliver(at)).ThenRejected(TimeRefused(at, "2025-03-02"));
  at.set_nanos(1'000'000'000);
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_SHIPPED).When(Deliver(at)).ThenRejected(TimeRefused(at, "2025-03-02"));
  at.set_nanos(0);
  at.set_seconds(std::numeric_limits<std::int64_t>::max());
  GivenOrder(ORIGIN_WEB, ORDER_STATUS_SHIPPED).When(Deliver(at)).ThenRejected(TimeRefused(at, "2025-03-02"));
  at.set_seconds(std::numeric_limits<std::int64_t>::min());
  GivenOrder(ORIGIN_IMPORTED, ORDER_STATUS_SHIPPED).When(Deliver(at)).ThenRejected(TimeRefused(at, "1970-01-01"));
}

TEST(AnOrdersState, KeepsItsLatestTime) {
  Order state = MakeOrder(
      {.order_id = "", .status = ORDER_STATUS_DELIVERED, .origin = ORIGIN_IMPORTED, .last_event_at = At("2025-03-05")});
  Given<OrderDecider>(Placed(ORIGIN_IMPORTED, "2025-03-01"), MakeOrderApproved({.occurred_at = At("2025-03-05")}),
                      MakeOrderShipped({.occurred_at = At("2025-03-03")}),
                      MakeOrderDelivered({.occurred_at = At("2025-03-04")}))
      .When(Ship())
      .ThenState(state);
}

}  // namespace
}  // namespace shop::v1

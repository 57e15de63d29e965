// The shop end to end, in one thread: commands to rows, and rows that are the same however they came about.
#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "domain/order_decider.h"
#include "domain/payment_decider.h"
#include "domain/stock_decider.h"
#include "everfold/testing/message_text.h"
#include "everfold/testing/test_app.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "read_models/order_book.h"
#include "read_models/revenue.h"
#include "read_models/stock_levels.h"
#include "shop_samples.h"

namespace shop::v1 {
namespace {

using everfold::CommandReceipt;
using everfold::Rejection;
using everfold::testing::TestApp;
using everfold::testing::TestAppOptions;
using ::testing::ElementsAre;

everfold::Parts ShopParts() {
  return everfold::Parts()
      .Aggregate<OrderDecider>()
      .Aggregate<PaymentDecider>()
      .Aggregate<StockDecider>()
      .Projection<OrderBook>()
      .Projection<Revenue>()
      .Projection<StockLevels>();
}

PlaceOrder PlaceOrderOf(const std::string& order, const std::string& customer, std::vector<OrderItem> items,
                        const Timestamp& at = At("2025-03-01")) {
  return MakePlaceOrder({.order_id = order,
                         .customer_id = customer,
                         .currency = "BRL",
                         .items = std::move(items),
                         .origin = ORIGIN_WEB,
                         .occurred_at = at});
}

TEST(Shop, ShowsAnOrderThatIsPlacedAndPaid) {
  TestApp app(ShopParts());
  app.Accepted(PlaceOrderOf("o1", "c1", {Item(10990, 2551)}));
  app.Accepted(MakeApproveOrder({.order_id = "o1", .occurred_at = At("2025-03-02")}));
  const CommandReceipt receipt = app.Accepted(MakeCapturePayment(
      {.payment_id = "o1-1", .terms = CardFor("o1"), .amount = Brl(13541), .occurred_at = At("2025-03-02")}));

  const auto order = app.Get<OrderSummary>({"o1"}, receipt.token);
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->status(), ORDER_STATUS_APPROVED);
  EXPECT_EQ(order->captured_minor(), 13541);
  EXPECT_EQ(order->items_minor() + order->freight_minor(), 13541);
  const auto day = app.Get<RevenueByMethodDay>({PAYMENT_METHOD_CREDIT_CARD, "2025-03-02", "BRL"}, receipt.token);
  ASSERT_TRUE(day.ok()) << day.status();
  EXPECT_EQ(day->captured_minor(), 13541);
}

TEST(Shop, ListsTheOrdersOfACustomerFromTheLatestOn) {
  TestApp app(ShopParts());
  app.Accepted(PlaceOrderOf("o1", "c1", {Item(100, 0)}, At("2025-03-01")));
  app.Accepted(PlaceOrderOf("o2", "c2", {Item(100, 0)}, At("2025-03-02")));
  app.Accepted(PlaceOrderOf("o3", "c1", {Item(100, 0)}, At("2025-03-03")));
  app.Accepted(PlaceOrderOf("o4", "c1", {Item(100, 0)}, At("2025-03-02")));
  const CommandReceipt receipt = app.Accepted(MakeApproveOrder({.order_id = "o4", .occurred_at = At("2025-03-04")}));

  const auto ids = [&](const std::string& filter, const std::string& order_by) {
    std::vector<std::string> found;
    const auto rows = app.List<OrderSummary>(receipt.token, {.page_size = 1, .filter = filter, .order_by = order_by});
    EXPECT_TRUE(rows.ok()) << rows.status();
    for (const OrderSummary& row : rows.value_or(std::vector<OrderSummary>())) found.push_back(row.order_id());
    return found;
  };
  EXPECT_THAT(ids("customer_id = \"c1\"", "placed_at desc"), ElementsAre("o3", "o4", "o1"));
  EXPECT_THAT(ids("status = ORDER_STATUS_PLACED AND placed_at < \"2025-03-03T00:00:00Z\"", ""),
              ElementsAre("o1", "o2"));
  const auto refused = app.List<OrderSummary>(receipt.token, {.filter = "freight_minor = 0"});
  EXPECT_EQ(
      refused.status().message(),
      "filter, at 1: there is no field \"freight_minor\" to filter by; there are: order_id, customer_id, placed_at, "
      "status");
}

TEST(Shop, RefusesAStepOutOfOrder) {
  TestApp app(ShopParts());
  app.Accepted(PlaceOrderOf("o1", "c1", {Item(100, 0)}));
  const TestApp::Answer answer = app.Send(MakeDeliverOrder({.order_id = "o1", .occurred_at = {}}));
  ASSERT_TRUE(answer.ok()) << answer.status();
  const auto& rejected = dynamic_cast<const WrongOrderStatus&>(*std::get<Rejection>(*answer).message);
  EXPECT_EQ(rejected.actual(), ORDER_STATUS_PLACED);
  EXPECT_THAT(rejected.wanted(), ElementsAre(ORDER_STATUS_SHIPPED));
}

TEST(Shop, PlacesAnOrderOnceHoweverOftenItIsAsked) {
  TestApp app(ShopParts());
  const auto place = PlaceOrderOf("o1", "c1", {Item(100, 0)});
  const CommandReceipt first = app.Accepted(place, {.request_id = "r1"});
  const CommandReceipt again = app.Accepted(place, {.request_id = "r1"});
  EXPECT_TRUE(again.repeated);
  EXPECT_EQ(again.sequence, first.sequence);
  EXPECT_EQ(app.Get<OrdersByStatus>(ORDER_STATUS_PLACED, again.token)->orders(), 1);
}

// Rows under random commands -----------------------------------------------------------------------------------------

using Commands = std::vector<std::shared_ptr<const google::protobuf::Message>>;
// Read model -> its rows as text, in the order of the key.
using AllRows = std::map<std::string, std::vector<std::string>>;

template <class C>
std::shared_ptr<const google::protobuf::Message> Share(C command) {
  return std::make_shared<C>(std::move(command));
}

class RandomShopping {
 public:
  explicit RandomShopping(std::uint64_t seed) : random_(seed) {}

  Commands Draw(int count) {
    Commands commands;
    while (count-- > 0) commands.push_back(DrawOne());
    return commands;
  }

 private:
  std::string AnOrder() { return "o" + std::to_string(random_.Below(15)); }
  Timestamp ATime() {
    return everfold::TimestampOf(Utc("2025-03-01") + absl::Hours(static_cast<std::int64_t>(random_.Below(200))));
  }
  everfold::Money AnAmount() {
    const auto minor = static_cast<std::int64_t>(random_.Below(1000));
    return random_.Below(10) == 0 ? Eur(minor) : Brl(minor);
  }
  PaymentTerms Terms(const std::string& order) {
    const auto method = static_cast<PaymentMethod>(1 + random_.Below(4));
    return MakePaymentTerms({.order_id = order, .method = method, .installments = 1});
  }

  std::shared_ptr<const google::protobuf::Message> DrawOne() {
    const std::uint64_t draw = random_.Below(10);
    return draw < 4 ? OfOrder() : draw < 8 ? OfPayment() : OfStock();
  }

  std::shared_ptr<const google::protobuf::Message> OfOrder() {
    const std::string order = AnOrder();
    switch (random_.Below(10)) {
      case 0:
        return Share(MakeApproveOrder({.order_id = order, .occurred_at = ATime()}));
      case 1:
        return Share(MakeInvoiceOrder({.order_id = order, .occurred_at = ATime()}));
      case 2:
        return Share(MakeStartProcessing({.order_id = order, .occurred_at = ATime()}));
      case 3:
        return Share(MakeShipOrder({.order_id = order, .occurred_at = ATime()}));
      case 4:
        return Share(MakeDeliverOrder({.order_id = order, .occurred_at = ATime()}));
      case 5:
        return Share(MakeCancelOrder({.order_id = order, .occurred_at = ATime(), .reason = ""}));
      case 6:
        return Share(MakeRefundOrder({.order_id = order, .occurred_at = ATime(), .reason = ""}));
      default:
        return Share(Place(order));
    }
  }

  PlaceOrder Place(const std::string& order) {
    const Origin origin = random_.Below(2) == 0 ? ORIGIN_WEB : ORIGIN_IMPORTED;
    const std::string customer = "c" + std::to_string(random_.Below(4));
    PlaceOrder place = PlaceOrderOf(order, customer, {}, ATime());
    place.set_origin(origin);
    for (std::uint64_t items = random_.Below(3); items > 0; --items) {
      *place.add_items() = Item(static_cast<std::int64_t>(random_.Below(5000)), 10);
    }
    return place;
  }

  std::shared_ptr<const google::protobuf::Message> OfStock() {
    const std::string product = "p" + std::to_string(random_.Below(3));
    const auto quantity = static_cast<std::int64_t>(1 + random_.Below(5));
    switch (random_.Below(6)) {
      case 0:
        return Share(MakeReserveStock({.product_id = product, .order_id = AnOrder(), .quantity = quantity}));
      case 1:
        return Share(MakeReserveStock({.product_id = product, .order_id = AnOrder(), .quantity = 1}));
      case 2:
        return Share(MakeReleaseStock({.product_id = product, .order_id = AnOrder()}));
      case 3:
        return Share(MakeShipStock({.product_id = product, .order_id = AnOrder()}));
      default:
        return Share(MakeReceiveStock({.product_id = product, .quantity = quantity}));
    }
  }

  std::shared_ptr<const google::protobuf::Message> OfPayment() {
    const std::string order = AnOrder();
    const std::string payment = order + "-" + std::to_string(random_.Below(3));
    switch (random_.Below(5)) {
      case 4:
        return Share(MakeReleasePayment({.payment_id = payment, .reason = "", .occurred_at = ATime()}));
      case 0:
        return Share(MakeAuthorizePayment(
            {.payment_id = payment, .terms = Terms(order), .amount = AnAmount(), .occurred_at = ATime()}));
      case 1:
        return Share(MakeRefundPayment({.payment_id = payment, .amount = AnAmount(), .occurred_at = ATime()}));
      default:
        return Share(MakeCapturePayment(
            {.payment_id = payment, .terms = Terms(order), .amount = AnAmount(), .occurred_at = ATime()}));
    }
  }

  everfold::SeededRandom random_;
};

template <class... Rows>
AllRows Collect(TestApp& app) {
  AllRows all;
  const auto add = [&all](const auto& rows, const char* name) {
    ASSERT_TRUE(rows.ok()) << rows.status();
    for (const auto& row : *rows) all[name].push_back(everfold::testing::TextOf(row));
  };
  (add(app.List<Rows>(), Rows::descriptor()->name().c_str()), ...);
  return all;
}

AllRows RowsOf(TestApp& app) {
  app.Settle();
  return Collect<OrderSummary, OrderBalance, OrdersByStatus, CustomerHistory, RevenueByMethodDay, RevenueByMethod,
                 StockLevel>(app);
}

// Sends every command, many at a time, and crashes once in the middle.
void Send(TestApp& app, const Commands& commands, everfold::RandomSource& random) {
  std::vector<TestApp::Pending> pending;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    pending.push_back(app.Start(*commands[i], {.request_id = "r" + std::to_string(i)}));
    for (std::uint64_t steps = random.Below(20); steps > 0 && app.executor().RunOne(); --steps) continue;
    if (i != commands.size() / 2) continue;
    app.Settle();
    app.Crash();
    ASSERT_EQ(app.Open(), absl::OkStatus());
  }
  app.Settle();
  for (const TestApp::Pending& answer : pending) EXPECT_TRUE(answer->has_value());
}

void Rebuild(TestApp& app) {
  app.Stop();
  std::filesystem::remove_all(app.directory() + "/read");
  ASSERT_EQ(app.Open(), absl::OkStatus());
}

template <class Row>
std::vector<Row> All(TestApp& app) {
  return app.List<Row>().value();
}

// The read models tell the same story: what one adds up is what the others have.
void ExpectConsistent(TestApp& app) {
  std::map<OrderStatus, std::int64_t> orders_by_status;
  std::map<std::string, std::int64_t> items_by_customer, captured_by_customer;
  for (const OrderSummary& order : All<OrderSummary>(app)) {
    ++orders_by_status[order.status()];
    items_by_customer[order.customer_id()] += order.items_minor();
    captured_by_customer[order.customer_id()] += order.captured_minor();
  }
  for (const OrdersByStatus& row : All<OrdersByStatus>(app)) {
    EXPECT_EQ(row.orders(), orders_by_status[row.status()]) << OrderStatus_Name(row.status());
    orders_by_status.erase(row.status());
  }
  EXPECT_TRUE(orders_by_status.empty());
  for (const CustomerHistory& row : All<CustomerHistory>(app)) {
    EXPECT_EQ(row.items_minor(), items_by_customer[row.customer_id()]) << row.customer_id();
    EXPECT_EQ(row.captured_minor(), captured_by_customer[row.customer_id()]) << row.customer_id();
  }

  for (const StockLevel& row : All<StockLevel>(app)) {
    EXPECT_GE(row.available(), 0) << row.product_id();
    EXPECT_GE(row.reserved(), 0) << row.product_id();
    EXPECT_EQ(row.available(), row.on_hand() - row.reserved()) << row.product_id();
    EXPECT_EQ(row.reservations() == 0, row.reserved() == 0) << row.product_id();
  }

  std::map<std::string, std::int64_t> by_order, by_day, by_method;
  for (const OrderBalance& row : All<OrderBalance>(app)) {
    by_order[row.currency()] += row.captured_minor() - row.refunded_minor();
  }
  for (const RevenueByMethodDay& row : All<RevenueByMethodDay>(app)) {
    by_day[row.currency()] += row.captured_minor() - row.refunded_minor();
  }
  for (const RevenueByMethod& row : All<RevenueByMethod>(app)) {
    by_method[row.currency()] += row.captured_minor() - row.refunded_minor();
  }
  EXPECT_EQ(by_day, by_order);
  EXPECT_EQ(by_method, by_order);
}

TEST(ShopRows, AreTheSameLiveRebuiltAndOnAnyNumberOfPartitions) {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const Commands commands = RandomShopping(seed).Draw(300);
    AllRows first;
    for (const std::uint32_t partitions : {1u, 4u, 16u}) {
      SCOPED_TRACE(std::to_string(partitions) + " partitions");
      everfold::SeededRandom random(seed * partitions);
      TestApp app(ShopParts(), {.seed = seed, .partitions = partitions});
      Send(app, commands, random);
      const AllRows live = RowsOf(app);
      EXPECT_EQ(live.size(), 7u) << "every read model has rows";
      ExpectConsistent(app);
      Rebuild(app);
      EXPECT_EQ(RowsOf(app), live);
      if (first.empty()) first = live;
      EXPECT_EQ(live, first);
    }
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace shop::v1

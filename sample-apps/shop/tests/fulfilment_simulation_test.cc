// The whole shop with its payment provider in one thread, on virtual time, in an order that a seed decides: declined
// payments, lost, doubled and late answers, time-outs, cancels, returns, and crashes of the shop at any step.
// Afterwards everything is added up.
//
// EVERFOLD_SEEDS: how many seeds, 40 if it is not set. EVERFOLD_FIRST_SEED: the first of them.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "domain/order_decider.h"
#include "domain/payment_decider.h"
#include "domain/stock_decider.h"
#include "everfold/testing/test_app.h"
#include "gtest/gtest.h"
#include "processes/fulfilment.h"
#include "shop_samples.h"
#include "simulated_provider.h"

namespace shop::v1 {
namespace {

using everfold::RecordedEvent;
using everfold::testing::TestApp;

std::uint64_t NumberIn(const char* variable, std::uint64_t otherwise) {
  const char* const text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Sums {
  std::int64_t authorized = 0;
  std::int64_t captured = 0;
  std::int64_t released = 0;
  std::int64_t refunded = 0;
  friend bool operator==(const Sums&, const Sums&) = default;
};
std::string TextOf(const Sums& sums) {
  return absl::StrCat(sums.authorized, " authorized, ", sums.captured, " captured, ", sums.released, " released, ",
                      sums.refunded, " refunded");
}

// On the heap, or GCC 12 takes a part of it for uninitialized.
std::unique_ptr<everfold::testing::TestAppOptions> OptionsOf(std::uint64_t seed) {
  auto options = std::make_unique<everfold::testing::TestAppOptions>();
  options->seed = seed;
  options->partitions = 4;
  // The clock does not jump here, and days go by in few steps; of some seeds as they would in the shop.
  if (seed % 16 != 0) {
    options->engine.processes.longest_sleep = absl::Hours(1);
    options->engine.processes.timers_read_ahead = absl::Hours(1 + seed % 16);
  }
  return options;
}

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, bool forgets_keys = false)
      : random_(seed),
        provider_(
            std::make_shared<SimulatedProvider>(SimulatedProviderOptions{.seed = seed, .forgets_keys = forgets_keys})),
        app_(PartsWith(provider_), std::move(*OptionsOf(seed))) {
    provider_->RunOn(app_.executor());
  }

  void Run() {
    for (const std::string& product : products_) {
      app_.Accepted(MakeReceiveStock({.product_id = product, .quantity = kBought}));
    }
    for (int order = 0; order < kOrders; ++order) {
      Place("o" + std::to_string(order));
      for (int i = 0; i < 12; ++i) DoSomething();
    }
    provider_->CalmDown();
    for (int i = 0; i < 60 && !AllEnded(); ++i) {
      for (const std::string& order : orders_) ShipAndDeliver(order);
      app_.Advance(absl::Minutes(2));
    }
    app_.Advance(absl::Hours(24 * 40));
  }

  // What does not agree.
  std::vector<std::string> Errors() {
    errors_.clear();
    std::map<std::string, Sums> books;
    const psp::v1::BooksReport report = provider_->Report();
    for (const psp::v1::PaymentBook& book : report.payments()) AddBook(book, books[book.reference()]);
    for (const std::string& order : orders_) CheckOrder(order, books[order]);
    for (const std::string& product : products_) CheckStock(product);
    return errors_;
  }
  const std::map<OrderStatus, int>& endings() const { return endings_; }
  int lost() const { return provider_->lost(); }
  int crashes() const { return crashes_; }

 private:
  static constexpr int kOrders = 5;
  static constexpr std::int64_t kBought = 6;

  static everfold::Parts PartsWith(const std::shared_ptr<PaymentProvider>& provider) {
    return everfold::Parts()
        .Aggregate<OrderDecider>()
        .Aggregate<PaymentDecider>()
        .Aggregate<StockDecider>()
        .Process<FulfilmentProcess>(AuthorizeAtProvider(provider), CaptureAtProvider(provider),
                                    ReleaseAtProvider(provider), RefundAtProvider(provider));
  }

  std::int64_t Draw(int bound) { return static_cast<std::int64_t>(random_.Below(static_cast<std::uint64_t>(bound))); }
  const std::string& AnOrder() { return orders_[static_cast<std::size_t>(Draw(static_cast<int>(orders_.size())))]; }

  void Place(const std::string& order) {
    PlaceOrder place = MakePlaceOrder({.order_id = order,
                                       .customer_id = "c1",
                                       .currency = "BRL",
                                       .items = {},
                                       .origin = ORIGIN_WEB,
                                       .occurred_at = {}});
    for (std::int64_t items = 1 + Draw(3); items > 0; --items) {
      OrderItem item = Item(1 + Draw(1000), Draw(10), static_cast<std::int32_t>(1 + Draw(2)));
      item.set_product_id(products_[static_cast<std::size_t>(Draw(3))]);
      *place.add_items() = item;
    }
    *place.mutable_checkout() =
        MakeCheckout({.payment_token = "card", .method = PAYMENT_METHOD_CREDIT_CARD, .confirm_within = std::nullopt});
    orders_.push_back(order);
    app_.Accepted(place, {.request_id = "place " + order});
  }

  void DoSomething() {
    switch (Draw(12)) {
      case 0:
        return static_cast<void>(
            app_.Start(MakeCancelOrder({.order_id = AnOrder(), .occurred_at = {}, .reason = "changed my mind"})));
      case 1:
        return static_cast<void>(
            app_.Start(MakeReturnOrder({.order_id = AnOrder(), .occurred_at = {}, .reason = "too small"})));
      case 2:
      case 3:
        return ShipAndDeliver(AnOrder());
      case 4:
        return app_.Advance(absl::Minutes(Draw(20)));
      case 5:
        return app_.Advance(absl::Milliseconds(Draw(5000)));
      case 6:
        return Crash();
      default:
        for (std::int64_t steps = Draw(60); steps > 0 && app_.executor().RunOne(); --steps) continue;
    }
  }

  void Crash() {
    ++crashes_;
    app_.Crash();
    ASSERT_EQ(app_.Open(), absl::OkStatus());
  }

  // Refused unless it is time for it.
  void ShipAndDeliver(const std::string& order) {
    app_.Start(MakeShipOrder({.order_id = order, .occurred_at = {}}));
    if (Draw(3) > 0) app_.Start(MakeDeliverOrder({.order_id = order, .occurred_at = {}}));
  }

  template <class Visit>
  void ReadStream(const std::string& aggregate, const std::string& id, Visit visit) {
    const absl::Status read =
        app_.engine().store().ReadStream({"", aggregate, id}, {}, [&](const RecordedEvent& event) -> absl::Status {
          visit(event);
          return absl::OkStatus();
        });
    EXPECT_TRUE(read.ok() || absl::IsNotFound(read)) << read;
  }
  // The event, if it is an E.
  template <class E>
  static std::optional<E> As(const RecordedEvent& recorded) {
    E event;
    if (recorded.event.type != E::descriptor()->full_name()) return std::nullopt;
    EXPECT_TRUE(event.ParseFromString(std::string(recorded.event.payload)));
    return event;
  }

  OrderStatus StatusOf(const std::string& order) {
    OrderStatus status = ORDER_STATUS_UNSPECIFIED;
    ReadStream("order", order, [&](const RecordedEvent& event) {
      if (As<OrderPlaced>(event)) status = ORDER_STATUS_PLACED;
      if (As<OrderShipped>(event)) status = ORDER_STATUS_SHIPPED;
      if (As<OrderDelivered>(event)) status = ORDER_STATUS_DELIVERED;
      if (As<OrderReturned>(event)) status = ORDER_STATUS_RETURNED;
      if (As<OrderRefunded>(event)) status = ORDER_STATUS_REFUNDED;
      if (As<OrderCanceled>(event)) status = ORDER_STATUS_CANCELED;
      if (As<OrderMarkedUnavailable>(event)) status = ORDER_STATUS_UNAVAILABLE;
    });
    return status;
  }

  bool AllEnded() {
    return std::all_of(orders_.begin(), orders_.end(), [&](const std::string& order) {
      const OrderStatus status = StatusOf(order);
      return status != ORDER_STATUS_PLACED && status != ORDER_STATUS_SHIPPED && status != ORDER_STATUS_RETURNED;
    });
  }

  void Expect(bool holds, const std::string& error) {
    if (!holds) errors_.push_back(error);
  }

  void AddBook(const psp::v1::PaymentBook& book, Sums& sums) {
    Expect(book.authorized_minor() == 0 || sums.authorized == 0, book.reference() + " is charged twice");
    sums.authorized += book.authorized_minor();
    sums.captured += book.captured_minor();
    sums.released += book.released_minor();
    sums.refunded += book.refunded_minor();
  }

  Sums PaymentOf(const std::string& order) {
    Sums sums;
    ReadStream("payment", order, [&](const RecordedEvent& event) {
      if (const auto e = As<PaymentAuthorized>(event)) sums.authorized += e->amount().minor();
      if (const auto e = As<PaymentCaptured>(event)) sums.captured += e->amount().minor();
      if (const auto e = As<PaymentReleased>(event)) sums.released += e->amount().minor();
      if (const auto e = As<PaymentRefunded>(event)) sums.refunded += e->amount().minor();
    });
    return sums;
  }

  void CheckOrder(const std::string& order, const Sums& books) {
    const OrderStatus status = StatusOf(order);
    const Sums payment = PaymentOf(order);
    ++endings_[status];
    const std::string text = absl::StrCat(order, ", ", OrderStatus_Name(status), ": ", TextOf(payment));
    Expect(payment == books, absl::StrCat(text, "; the provider has ", TextOf(books)));
    Expect(payment.authorized == payment.captured + payment.released, text);
    const bool shipped = status == ORDER_STATUS_DELIVERED || status == ORDER_STATUS_SHIPPED;
    const bool returned = status == ORDER_STATUS_REFUNDED;
    const bool ended = status == ORDER_STATUS_CANCELED || status == ORDER_STATUS_UNAVAILABLE;
    Expect(shipped || returned || ended, text);
    Expect((payment.captured > 0) == (shipped || returned), text);
    Expect(payment.refunded == (returned ? payment.captured : 0), text);
  }

  void CheckStock(const std::string& product) {
    std::int64_t on_hand = 0;
    std::map<std::string, std::int64_t> reserved, gone;
    ReadStream("stock", product, [&](const RecordedEvent& event) {
      if (const auto e = As<StockReceived>(event)) on_hand += e->quantity();
      if (const auto e = As<StockReserved>(event)) reserved[e->order_id()] = e->quantity();
      if (const auto e = As<StockReleased>(event)) reserved.erase(e->order_id());
      if (const auto e = As<StockShipped>(event)) {
        reserved.erase(e->order_id());
        gone[e->order_id()] = e->quantity();
        on_hand -= e->quantity();
      }
      std::int64_t held = 0;
      for (const auto& [order, quantity] : reserved) held += quantity;
      Expect(on_hand >= held, absl::StrCat(product, " has ", on_hand, " pieces, and ", held, " are reserved"));
    });
    std::int64_t kept = 0;
    for (const auto& [order, quantity] : gone) kept += StatusOf(order) == ORDER_STATUS_REFUNDED ? 0 : quantity;
    Expect(reserved.empty(), product + " is still reserved");
    Expect(on_hand == kBought - kept, absl::StrCat(product, " has ", on_hand, " pieces, and orders kept ", kept));
  }

  everfold::SeededRandom random_;
  std::shared_ptr<SimulatedProvider> provider_;
  TestApp app_;
  const std::vector<std::string> products_ = {"p1", "p2", "p3"};
  std::vector<std::string> orders_;
  std::vector<std::string> errors_;
  std::map<OrderStatus, int> endings_;
  int crashes_ = 0;
};

TEST(FulfilmentSimulation, LosesNoCentAndNoPiece) {
  std::map<OrderStatus, int> endings;
  int lost = 0, crashes = 0;
  const std::uint64_t first = NumberIn("EVERFOLD_FIRST_SEED", 1);
  const std::uint64_t seeds = NumberIn("EVERFOLD_SEEDS", 40);
  for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Simulation simulation(seed);
    simulation.Run();
    EXPECT_EQ(absl::StrJoin(simulation.Errors(), "\n"), "");
    if (HasFailure()) return;
    for (const auto& [status, orders] : simulation.endings()) endings[status] += orders;
    lost += simulation.lost();
    crashes += simulation.crashes();
  }
  if (seeds < 20) return;
  // All of it has happened.
  for (const OrderStatus status :
       {ORDER_STATUS_CANCELED, ORDER_STATUS_UNAVAILABLE, ORDER_STATUS_DELIVERED, ORDER_STATUS_REFUNDED}) {
    EXPECT_GT(endings[status], 0) << OrderStatus_Name(status);
  }
  EXPECT_GT(lost, 20);
  EXPECT_GT(crashes, 20);
}

TEST(FulfilmentSimulation, FindsAProviderThatForgetsKeys) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    Simulation simulation(seed, true);
    simulation.Run();
    const std::vector<std::string> errors = simulation.Errors();
    const auto is_charged_twice = [](const std::string& error) { return error.find("charged twice") != error.npos; };
    if (std::any_of(errors.begin(), errors.end(), is_charged_twice)) return;
  }
  ADD_FAILURE() << "nobody was charged twice, though every answer that got lost was asked for under a new key";
}

}  // namespace
}  // namespace shop::v1

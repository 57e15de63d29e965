// The fulfilment of an order, for tests: the items are reserved, the payment is authorized, the order is completed; or
// whatever was done is undone.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "everfold/app/parts.h"
#include "everfold/process/process_type.h"
#include "fulfil/v1/fulfil.everfold.h"

namespace fulfil::v1 {

struct OrderDecider {
  using Aggregate = Order;
  static everfold::Decision<Order> Decide(const Order&, const PlaceOrder& c, everfold::Context&) {
    return everfold::Emit(MakeOrderPlaced({.item_id = c.item_id(), .quantity = c.quantity()}));
  }
  static everfold::Decision<Order> Decide(const Order& s, const CancelOrder& c, everfold::Context&) {
    if (!s.open()) return everfold::Reject(MakeOrderIsClosed());
    return everfold::Emit(MakeOrderCancelled({.reason = c.reason()}));
  }
  static everfold::Decision<Order> Decide(const Order& s, const CompleteOrder&, everfold::Context&) {
    if (!s.open()) return everfold::Reject(MakeOrderIsClosed());
    return everfold::Emit(MakeOrderCompleted());
  }
  static void Evolve(Order& s, const OrderPlaced&) { s.set_open(true); }
  static void Evolve(Order& s, const OrderCancelled&) { s.set_open(false); }
  static void Evolve(Order& s, const OrderCompleted&) { s.set_open(false); }
};

struct ItemDecider {
  using Aggregate = Item;
  static everfold::Decision<Item> Decide(const Item&, const StockItem& c, everfold::Context&) {
    return everfold::Emit(MakeItemStocked({.quantity = c.quantity()}));
  }
  static everfold::Decision<Item> Decide(const Item& s, const ReserveItem& c, everfold::Context&) {
    if (c.quantity() > s.available()) return everfold::Reject(MakeOutOfStock({.available = s.available()}));
    return everfold::Emit(MakeItemReserved({.order_id = c.order_id(), .quantity = c.quantity()}));
  }
  static everfold::Decision<Item> Decide(const Item&, const ReleaseItem& c, everfold::Context&) {
    return everfold::Emit(MakeItemReleased({.order_id = c.order_id(), .quantity = c.quantity()}));
  }
  static void Evolve(Item& s, const ItemStocked& e) { s.set_available(s.available() + e.quantity()); }
  static void Evolve(Item& s, const ItemReserved& e) { s.set_available(s.available() - e.quantity()); }
  static void Evolve(Item& s, const ItemReleased& e) { s.set_available(s.available() + e.quantity()); }
};

// The provider of payments, as a test has it: its answers are the test's.
struct Provider {
  struct Call {
    std::string key;
    std::string order_id;
    unsigned attempt = 0;
    std::shared_ptr<std::function<void(absl::StatusOr<PaymentAuthorization>)>> answer;
  };
  // Not null: takes the calls, from any thread, and nothing below counts.
  std::function<void(const PaymentRequest& request, const everfold::ActivityCall& call,
                     std::function<void(absl::StatusOr<PaymentAuthorization>)> answer)>
      take = nullptr;
  std::vector<Call> calls;
  // What is answered at once; null: nothing is.
  std::function<absl::StatusOr<PaymentAuthorization>(const Call& call)> answer = nullptr;
};

struct AuthorizePayment {
  static constexpr everfold::ActivityOptions kOptions{
      .name = "authorize_payment",
      .timeout = absl::Minutes(10),
      .attempt_timeout = absl::Minutes(1),
      .retry = {.attempts = 3, .first_wait = absl::Seconds(10), .longest_wait = absl::Seconds(20)},
      .concurrency = 50};
  using Request = PaymentRequest;
  using Result = PaymentAuthorization;

  void Start(const PaymentRequest& request, const everfold::ActivityCall& call,
             everfold::ActivityDone<AuthorizePayment> done) {
    auto kept = std::make_shared<everfold::ActivityDone<AuthorizePayment>>(std::move(done));
    const auto answer = [kept](absl::StatusOr<PaymentAuthorization> result) {
      if (result.ok()) {
        (*kept)(*result);
      } else {
        (*kept)(result.status());
      }
    };
    if (provider->take != nullptr) return provider->take(request, call, answer);
    Provider::Call made{.key = call.key, .order_id = request.order_id(), .attempt = call.attempt, .answer = nullptr};
    made.answer = std::make_shared<std::function<void(absl::StatusOr<PaymentAuthorization>)>>(answer);
    provider->calls.push_back(made);
    if (provider->answer != nullptr) (*made.answer)(provider->answer(made));
  }

  Provider* provider;
};

struct FulfilmentProcess {
  static constexpr everfold::ProcessOptions kOptions{.start = everfold::ReactorStart::kBeginning};
  using Process = Fulfilment;
  using Events = everfold::EventsOf<Order, Item>;
  using Commands = everfold::Types<ReserveItem, ReleaseItem, CompleteOrder, CancelOrder>;
  using Activities = everfold::Types<AuthorizePayment>;
  using Steps = everfold::Steps<FulfilmentProcess>;

  static everfold::Route Route(const OrderPlaced&, const everfold::EventContext& c) {
    return everfold::Route::Start(c.id);
  }
  static everfold::Route Route(const ItemReserved& e, const everfold::EventContext&) {
    return e.order_id().empty() ? everfold::Route::Ignore() : everfold::Route::Continue(e.order_id());
  }
  static everfold::Route Route(const OrderCompleted&, const everfold::EventContext& c) {
    return everfold::Route::Continue(c.id);
  }
  static everfold::Route Route(const OrderCancelled&, const everfold::EventContext& c) {
    return everfold::Route::Continue(c.id);
  }

  static void React(Fulfilment& state, const OrderPlaced& e, Steps& steps) {
    state.set_item_id(e.item_id());
    state.set_quantity(e.quantity());
    state.set_reserving(true);
    steps.Send(MakeReserveItem({.item_id = e.item_id(), .order_id = steps.id(), .quantity = e.quantity()}));
    steps.SetTimer("payment", absl::Minutes(3));
  }
  static void React(Fulfilment& state, const ItemReserved&, Steps& steps) {
    state.set_reserving(false);
    state.set_reserved(true);
    if (state.cancelled()) return Release(state, steps);
    steps.Run<AuthorizePayment>(MakePaymentRequest({.order_id = steps.id(), .amount_minor = 100 * state.quantity()}));
  }
  static void React(Fulfilment& state, const everfold::Refused<ReserveItem>& refused, Steps& steps) {
    state.set_reserving(false);
    if (state.cancelled()) return steps.Done();
    const bool out_of_stock = refused.As<OutOfStock>().has_value();
    GiveUp(out_of_stock ? "out of stock" : "refused", steps);
  }
  static void React(Fulfilment& state, const everfold::Outcome<AuthorizePayment>& outcome, Steps& steps) {
    if (!outcome.has_result()) return GiveUp(outcome.is_unknown() ? "payment unknown" : "not paid", steps);
    if (outcome.result.authorization_id().empty()) throw std::invalid_argument("an authorization without an id");
    state.set_authorization_id(outcome.result.authorization_id());
    steps.CancelTimer("payment");
    steps.Send(MakeCompleteOrder({.order_id = steps.id()}));
  }
  static void React(Fulfilment&, const everfold::TimerFired&, Steps& steps) { GiveUp("too late", steps); }
  static void React(Fulfilment&, const OrderCompleted&, Steps& steps) { steps.Done(); }
  static void React(Fulfilment& state, const OrderCancelled&, Steps& steps) {
    state.set_cancelled(true);
    steps.CancelTimer("payment");
    if (state.reserved()) return Release(state, steps);
    if (!state.reserving()) steps.Done();
  }
  // What became of the order, its events tell.
  static void React(Fulfilment&, const everfold::Refused<ReleaseItem>&, Steps&) {}
  static void React(Fulfilment&, const everfold::Refused<CompleteOrder>&, Steps&) {}
  static void React(Fulfilment&, const everfold::Refused<CancelOrder>&, Steps&) {}

 private:
  static void Release(Fulfilment& state, Steps& steps) {
    state.set_reserved(false);
    steps.Send(MakeReleaseItem({.item_id = state.item_id(), .order_id = steps.id(), .quantity = state.quantity()}));
    steps.Done();
  }
  static void GiveUp(const char* reason, Steps& steps) {
    steps.Send(MakeCancelOrder({.order_id = steps.id(), .reason = reason}));
  }
};

inline everfold::Parts FulfilmentParts(Provider& provider) {
  return everfold::Parts().Aggregate<OrderDecider>().Aggregate<ItemDecider>().Process<FulfilmentProcess>(
      AuthorizePayment{&provider});
}

}  // namespace fulfil::v1

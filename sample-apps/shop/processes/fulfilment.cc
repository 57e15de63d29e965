#include "processes/fulfilment.h"

#include <map>
#include <stdexcept>

#include "absl/strings/str_cat.h"
#include "domain/checkout.h"
#include "everfold/event/money.h"

namespace shop::v1 {
namespace {

using everfold::Route;
using Steps = FulfilmentProcess::Steps;

Route OfOrder(bool has_checkout, const EventContext& c) {
  return has_checkout ? Route::Continue(c.id) : Route::Ignore();
}

Route OfTerms(const PaymentTerms& terms) {
  return terms.has_checkout() ? Route::Continue(terms.order_id()) : Route::Ignore();
}

// For a person: the instance is parked with this.
[[noreturn]] void Stop(const std::string& what, const std::string& why) {
  throw std::runtime_error(absl::StrCat(what, ": ", why));
}

template <class C>
[[noreturn]] void StopAt(const Refused<C>& refused) {
  Stop(absl::StrCat(C::descriptor()->name(), " was refused"), std::string(refused.status.message()));
}

// What the provider said no to, though it had promised.
template <class A>
[[noreturn]] void StopAt(const Outcome<A>& outcome) {
  Stop(std::string(A::kOptions.name),
       outcome.has_result() ? outcome.result.reason() : std::string(outcome.status.message()));
}

template <class A>
bool Succeeded(const Outcome<A>& outcome) {
  return outcome.has_result() && outcome.result.state() == psp::v1::OPERATION_STATE_SUCCEEDED;
}

// What it is for is told to the provider, and is the same whenever it is asked for.
std::string KeyOf(const Fulfilment& s, const char* what) { return absl::StrCat(s.order_id(), ":", what); }

psp::v1::Amount AmountOf(const Fulfilment& s) {
  psp::v1::Amount amount;
  amount.set_currency(s.total().currency());
  amount.set_minor(s.total().minor());
  return amount;
}

PaymentTerms TermsOf(const Fulfilment& s) {
  return MakePaymentTerms({.order_id = s.order_id(), .method = s.method(), .installments = 1, .has_checkout = true});
}

void Authorize(Fulfilment& s, Steps& steps) {
  psp::v1::AuthorizeRequest request;
  request.set_key(KeyOf(s, "authorize"));
  request.set_reference(s.order_id());
  request.set_token(s.payment_token());
  *request.mutable_amount() = AmountOf(s);
  s.set_payment(FULFILMENT_PAYMENT_STATE_AUTHORIZING);
  steps.Run<AuthorizeAtProvider>(request);
}

void Capture(Fulfilment& s, Steps& steps) {
  psp::v1::CaptureRequest request;
  request.set_key(KeyOf(s, "capture"));
  request.set_payment(s.provider_payment());
  *request.mutable_amount() = AmountOf(s);
  s.set_payment(FULFILMENT_PAYMENT_STATE_CAPTURING);
  steps.Run<CaptureAtProvider>(request);
}

void Release(Fulfilment& s, Steps& steps) {
  psp::v1::ReleaseRequest request;
  request.set_key(KeyOf(s, "release"));
  request.set_payment(s.provider_payment());
  s.set_payment(FULFILMENT_PAYMENT_STATE_RELEASING);
  steps.Run<ReleaseAtProvider>(request);
}

void Refund(Fulfilment& s, Steps& steps) {
  psp::v1::RefundRequest request;
  request.set_key(KeyOf(s, "refund"));
  request.set_payment(s.provider_payment());
  *request.mutable_amount() = AmountOf(s);
  s.set_payment(FULFILMENT_PAYMENT_STATE_REFUNDING);
  steps.Run<RefundAtProvider>(request);
}

absl::Duration DurationOf(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

FulfilmentLine& LineOf(Fulfilment& s, const std::string& product) {
  for (FulfilmentLine& line : *s.mutable_lines()) {
    if (line.product_id() == product) return line;
  }
  Stop("no product of this order", product);
}

bool AreAll(const Fulfilment& s, FulfilmentLineState state) {
  for (const FulfilmentLine& line : s.lines()) {
    if (line.state() != state) return false;
  }
  return true;
}

bool IsAny(const Fulfilment& s, FulfilmentLineState state) {
  for (const FulfilmentLine& line : s.lines()) {
    if (line.state() == state) return true;
  }
  return false;
}

void ReleaseLine(Fulfilment& s, FulfilmentLine& line, Steps& steps) {
  line.set_state(FULFILMENT_LINE_STATE_RELEASED);
  steps.Send(MakeReleaseStock({.product_id = line.product_id(), .order_id = s.order_id()}));
}

// An order that has ended is done with when nothing is held for it, and no answer may yet come that holds something.
void FinishIfNothingIsHeld(const Fulfilment& s, Steps& steps) {
  const bool pays_nothing = s.payment() == FULFILMENT_PAYMENT_STATE_UNSPECIFIED ||
                            s.payment() == FULFILMENT_PAYMENT_STATE_DECLINED ||
                            s.payment() == FULFILMENT_PAYMENT_STATE_RELEASED;
  if (s.ended() && pays_nothing && !IsAny(s, FULFILMENT_LINE_STATE_ASKED)) steps.Done();
}

// Gives back what is held by now. What is under way is given back when its answer comes.
void End(Fulfilment& s, Steps& steps) {
  s.set_ended(true);
  steps.CancelTimer(FulfilmentProcess::kConfirmTimer);
  for (FulfilmentLine& line : *s.mutable_lines()) {
    if (line.state() == FULFILMENT_LINE_STATE_RESERVED) ReleaseLine(s, line, steps);
  }
  if (s.payment() == FULFILMENT_PAYMENT_STATE_AUTHORIZED_ON_RECORD) Release(s, steps);
  FinishIfNothingIsHeld(s, steps);
}

void FinishIfNothingCanComeBack(const Fulfilment& s, Steps& steps) {
  if (s.return_window_over() && s.payment() == FULFILMENT_PAYMENT_STATE_CAPTURED) steps.Done();
}

void TakeOrder(Fulfilment& s, const std::string& id, const OrderPlaced& e) {
  s.set_order_id(id);
  *s.mutable_total() = everfold::Plus(e.items_total(), e.freight_total()).value();
  s.set_method(e.checkout().method());
  s.set_payment_token(e.checkout().payment_token());
  std::map<std::string, std::int64_t> quantities;
  for (const OrderItem& item : e.items()) quantities[item.product_id()] += item.quantity();
  for (const auto& [product, quantity] : quantities) {
    *s.add_lines() =
        MakeFulfilmentLine({.product_id = product, .quantity = quantity, .state = FULFILMENT_LINE_STATE_ASKED});
  }
}

}  // namespace

// Which order
// -----------------------------------------------------------------------------------------------------------

Route FulfilmentProcess::Route(const OrderPlaced& e, const EventContext& c) {
  return e.has_checkout() ? everfold::Route::Start(c.id) : everfold::Route::Ignore();
}
Route FulfilmentProcess::Route(const StockReserved& e, const EventContext&) {
  return e.has_checkout() ? everfold::Route::Continue(e.order_id()) : everfold::Route::Ignore();
}
Route FulfilmentProcess::Route(const OrderStockReserved&, const EventContext& c) { return OfOrder(true, c); }
Route FulfilmentProcess::Route(const OrderPaymentAuthorized&, const EventContext& c) { return OfOrder(true, c); }
Route FulfilmentProcess::Route(const OrderConfirmed&, const EventContext& c) { return OfOrder(true, c); }
Route FulfilmentProcess::Route(const OrderShipped& e, const EventContext& c) { return OfOrder(e.has_checkout(), c); }
Route FulfilmentProcess::Route(const OrderDelivered& e, const EventContext& c) { return OfOrder(e.has_checkout(), c); }
Route FulfilmentProcess::Route(const OrderReturned&, const EventContext& c) { return OfOrder(true, c); }
Route FulfilmentProcess::Route(const OrderCanceled& e, const EventContext& c) { return OfOrder(e.has_checkout(), c); }
Route FulfilmentProcess::Route(const OrderMarkedUnavailable& e, const EventContext& c) {
  return OfOrder(e.has_checkout(), c);
}
Route FulfilmentProcess::Route(const PaymentAuthorized& e, const EventContext&) { return OfTerms(e.terms()); }
Route FulfilmentProcess::Route(const PaymentCaptured& e, const EventContext&) { return OfTerms(e.terms()); }
Route FulfilmentProcess::Route(const PaymentRefunded& e, const EventContext&) { return OfTerms(e.terms()); }

// To the customer
// -------------------------------------------------------------------------------------------------------

void FulfilmentProcess::React(Fulfilment& s, const OrderPlaced& e, Steps& steps) {
  TakeOrder(s, steps.id(), e);
  for (const FulfilmentLine& line : s.lines()) {
    steps.Send(MakeReserveStock({.product_id = line.product_id(),
                                 .order_id = s.order_id(),
                                 .quantity = line.quantity(),
                                 .has_checkout = true}));
  }
  steps.SetTimer(kConfirmTimer, DurationOf(e.checkout().confirm_within()));
}

void FulfilmentProcess::React(Fulfilment& s, const StockReserved&, Steps& steps) {
  FulfilmentLine& line = LineOf(s, steps.event()->id);
  line.set_state(FULFILMENT_LINE_STATE_RESERVED);
  if (s.ended()) {
    ReleaseLine(s, line, steps);
    FinishIfNothingIsHeld(s, steps);
  } else if (AreAll(s, FULFILMENT_LINE_STATE_RESERVED)) {
    steps.Send(MakeMarkStockReserved({.order_id = s.order_id(), .occurred_at = {}}));
  }
}

void FulfilmentProcess::React(Fulfilment& s, const OrderStockReserved&, Steps& steps) { Authorize(s, steps); }

void FulfilmentProcess::React(Fulfilment& s, const Outcome<AuthorizeAtProvider>& outcome, Steps& steps) {
  if (outcome.is_unknown()) return Authorize(s, steps);  // under the same key: so it is asked what became of it
  if (Succeeded(outcome)) {
    s.set_payment(FULFILMENT_PAYMENT_STATE_AUTHORIZED);
    s.set_provider_payment(outcome.result.payment());
    return steps.Send(MakeAuthorizePayment(
        {.payment_id = s.order_id(), .terms = TermsOf(s), .amount = s.total(), .occurred_at = {}}));
  }
  const std::string reason = outcome.has_result() ? outcome.result.reason() : std::string(outcome.status.message());
  s.set_payment(FULFILMENT_PAYMENT_STATE_DECLINED);
  steps.Send(MakeDeclinePayment(
      {.payment_id = s.order_id(), .terms = TermsOf(s), .reason = reason.substr(0, 500), .occurred_at = {}}));
  if (!s.ended()) {
    steps.Send(MakeCancelOrder({.order_id = s.order_id(), .occurred_at = {}, .reason = "the payment was declined"}));
  }
  FinishIfNothingIsHeld(s, steps);
}

void FulfilmentProcess::React(Fulfilment& s, const PaymentAuthorized&, Steps& steps) {
  s.set_payment(FULFILMENT_PAYMENT_STATE_AUTHORIZED_ON_RECORD);
  if (s.ended()) return Release(s, steps);
  steps.Send(MakeMarkPaymentAuthorized({.order_id = s.order_id(), .occurred_at = {}}));
}

void FulfilmentProcess::React(Fulfilment& s, const OrderPaymentAuthorized&, Steps& steps) {
  steps.Send(MakeConfirmOrder({.order_id = s.order_id(), .occurred_at = {}}));
}

void FulfilmentProcess::React(Fulfilment& s, const OrderConfirmed&, Steps& steps) {
  s.set_confirmed(true);
  steps.CancelTimer(kConfirmTimer);
}

void FulfilmentProcess::React(Fulfilment& s, const OrderShipped&, Steps& steps) {
  for (FulfilmentLine& line : *s.mutable_lines()) {
    line.set_state(FULFILMENT_LINE_STATE_SHIPPED);
    steps.Send(MakeShipStock({.product_id = line.product_id(), .order_id = s.order_id()}));
  }
  Capture(s, steps);
}

void FulfilmentProcess::React(Fulfilment& s, const Outcome<CaptureAtProvider>& outcome, Steps& steps) {
  if (outcome.is_unknown()) return Capture(s, steps);
  if (!Succeeded(outcome)) StopAt(outcome);
  steps.Send(
      MakeCapturePayment({.payment_id = s.order_id(), .terms = TermsOf(s), .amount = s.total(), .occurred_at = {}}));
}

void FulfilmentProcess::React(Fulfilment& s, const PaymentCaptured&, Steps& steps) {
  s.set_payment(FULFILMENT_PAYMENT_STATE_CAPTURED);
  if (s.returned()) return Refund(s, steps);
  FinishIfNothingCanComeBack(s, steps);
}

// The order takes nothing back later than that, whatever time it says that it was delivered at.
void FulfilmentProcess::React(Fulfilment&, const OrderDelivered&, Steps& steps) {
  steps.SetTimer(kReturnTimer, absl::Hours(24 * (kReturnWithinDays + 1)));
}

// And back
// --------------------------------------------------------------------------------------------------------------

void FulfilmentProcess::React(Fulfilment& s, const OrderCanceled&, Steps& steps) { End(s, steps); }
void FulfilmentProcess::React(Fulfilment& s, const OrderMarkedUnavailable&, Steps& steps) { End(s, steps); }

void FulfilmentProcess::React(Fulfilment& s, const Refused<ReserveStock>& refused, Steps& steps) {
  const bool is_first = !IsAny(s, FULFILMENT_LINE_STATE_SHORT) && !s.ended();
  LineOf(s, refused.command.product_id()).set_state(FULFILMENT_LINE_STATE_SHORT);
  if (is_first) steps.Send(MakeMarkUnavailable({.order_id = s.order_id(), .occurred_at = {}}));
  FinishIfNothingIsHeld(s, steps);
}

void FulfilmentProcess::React(Fulfilment& s, const everfold::TimerFired& timer, Steps& steps) {
  if (timer.name == kReturnTimer) {
    s.set_return_window_over(true);
    return FinishIfNothingCanComeBack(s, steps);
  }
  if (s.confirmed() || s.ended()) return;
  steps.Send(MakeCancelOrder({.order_id = s.order_id(), .occurred_at = {}, .reason = "it was not confirmed in time"}));
}

void FulfilmentProcess::React(Fulfilment& s, const Outcome<ReleaseAtProvider>& outcome, Steps& steps) {
  if (outcome.is_unknown()) return Release(s, steps);
  if (!Succeeded(outcome)) StopAt(outcome);
  s.set_payment(FULFILMENT_PAYMENT_STATE_RELEASED);
  steps.Send(MakeReleasePayment({.payment_id = s.order_id(), .reason = "the order has ended", .occurred_at = {}}));
  FinishIfNothingIsHeld(s, steps);
}

void FulfilmentProcess::React(Fulfilment& s, const OrderReturned&, Steps& steps) {
  s.set_returned(true);
  steps.CancelTimer(kReturnTimer);
  for (const FulfilmentLine& line : s.lines()) {
    steps.Send(MakeReceiveStock({.product_id = line.product_id(), .quantity = line.quantity()}));
  }
  if (s.payment() == FULFILMENT_PAYMENT_STATE_CAPTURED) Refund(s, steps);
}

void FulfilmentProcess::React(Fulfilment& s, const Outcome<RefundAtProvider>& outcome, Steps& steps) {
  if (outcome.is_unknown()) return Refund(s, steps);
  if (!Succeeded(outcome)) StopAt(outcome);
  steps.Send(MakeRefundPayment({.payment_id = s.order_id(), .amount = s.total(), .occurred_at = {}}));
}

void FulfilmentProcess::React(Fulfilment& s, const PaymentRefunded&, Steps& steps) {
  steps.Send(MakeRefundOrder({.order_id = s.order_id(), .occurred_at = {}, .reason = "the goods are back"}));
  steps.Done();
}

// What cannot be
// --------------------------------------------------------------------------------------------------------

void FulfilmentProcess::React(Fulfilment&, const Refused<ReleaseStock>& r, Steps&) { StopAt(r); }
void FulfilmentProcess::React(Fulfilment&, const Refused<ShipStock>& r, Steps&) { StopAt(r); }
void FulfilmentProcess::React(Fulfilment&, const Refused<ReceiveStock>& r, Steps&) { StopAt(r); }
void FulfilmentProcess::React(Fulfilment&, const Refused<RefundOrder>& r, Steps&) { StopAt(r); }
void FulfilmentProcess::React(Fulfilment&, const Refused<AuthorizePayment>& r, Steps&) { StopAt(r); }
void FulfilmentProcess::React(Fulfilment&, const Refused<CapturePayment>& r, Steps&) { StopAt(r); }
void FulfilmentProcess::React(Fulfilment&, const Refused<ReleasePayment>& r, Steps&) { StopAt(r); }
void FulfilmentProcess::React(Fulfilment&, const Refused<RefundPayment>& r, Steps&) { StopAt(r); }
void FulfilmentProcess::React(Fulfilment&, const Refused<DeclinePayment>& r, Steps&) { StopAt(r); }

}  // namespace shop::v1

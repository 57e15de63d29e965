#include "domain/payment_decider.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "domain/amounts.h"
#include "domain/event_time.h"

namespace shop::v1 {
namespace {

using everfold::Emit, everfold::Minus, everfold::Money, everfold::Plus, everfold::Reject;
using Refusal = std::optional<Decision<Payment>>;

Refusal RefuseStatus(const Payment& payment, const std::vector<PaymentStatus>& wanted) {
  if (std::find(wanted.begin(), wanted.end(), payment.status()) != wanted.end()) return std::nullopt;
  WrongPaymentStatus rejection;
  rejection.set_actual(payment.status());
  for (const PaymentStatus status : wanted) rejection.add_wanted(status);
  return Reject(std::move(rejection));
}

bool AreEqual(const PaymentTerms& a, const PaymentTerms& b) {
  return a.order_id() == b.order_id() && a.method() == b.method() && a.installments() == b.installments() &&
         a.has_checkout() == b.has_checkout();
}

// Of a command that may begin a payment or go on with one.
template <class Command>
Refusal RefuseTerms(const Payment& payment, const Command& c) {
  if (!payment.has_terms()) return c.has_terms() ? Refusal() : Reject(MakePaymentTermsMissing({}));
  if (!c.has_terms() || AreEqual(c.terms(), payment.terms())) return std::nullopt;
  return Reject(MakePaymentTermsDiffer({.authorized = payment.terms()}));
}

template <class Command>
const PaymentTerms& TermsOf(const Payment& payment, const Command& c) {
  return payment.has_terms() ? payment.terms() : c.terms();
}

Refusal RefuseAmount(const Money& amount, std::int64_t least_minor) {
  if (IsAmount(amount, least_minor)) return std::nullopt;
  return Reject(MakePaymentAmountRefused({.amount = amount, .least_minor = least_minor, .most_minor = kMostMinor}));
}

Refusal RefuseCurrency(const Money& amount, const Money& other) {
  if (amount.currency() == other.currency()) return std::nullopt;
  return Reject(MakePaymentCurrencyMismatch({.actual = amount.currency(), .wanted = other.currency()}));
}

Refusal RefuseTime(const Timestamp& at, const TimeBounds& bounds) {
  if (IsWithin(at, bounds)) return std::nullopt;
  return Reject(MakePaymentTimeRefused({.occurred_at = at,
                                        .earliest = everfold::TimestampOf(bounds.earliest),
                                        .latest = everfold::TimestampOf(bounds.latest)}));
}

Refusal RefuseCapture(const Payment& payment, const CapturePayment& c) {
  if (Refusal refusal = RefuseStatus(payment, {PAYMENT_STATUS_UNSPECIFIED, PAYMENT_STATUS_AUTHORIZED})) return refusal;
  if (Refusal refusal = RefuseTerms(payment, c)) return refusal;
  if (Refusal refusal = RefuseAmount(c.amount(), 0)) return refusal;
  if (!payment.has_authorized()) return std::nullopt;
  if (Refusal refusal = RefuseCurrency(c.amount(), payment.authorized())) return refusal;
  if (c.amount().minor() <= payment.authorized().minor()) return std::nullopt;
  return Reject(MakeCaptureExceedsAuthorization({.authorized = payment.authorized()}));
}

Refusal RefuseRefund(const Payment& payment, const RefundPayment& c) {
  if (Refusal refusal = RefuseStatus(payment, {PAYMENT_STATUS_CAPTURED})) return refusal;
  if (Refusal refusal = RefuseAmount(c.amount(), 1)) return refusal;
  if (Refusal refusal = RefuseCurrency(c.amount(), payment.captured())) return refusal;
  const Money left = Minus(payment.captured(), payment.refunded()).value();
  if (c.amount().minor() <= left.minor()) return std::nullopt;
  return Reject(MakeRefundExceedsCapture({.left = left}));
}

// What is authorized and neither captured nor released. Sums of these stay far below 64 bits.
std::int64_t MinorToRelease(const Payment& payment) {
  return payment.authorized().minor() - payment.captured().minor() - payment.released().minor();
}

Refusal RefuseRelease(const Payment& payment) {
  const std::vector<PaymentStatus> wanted = {PAYMENT_STATUS_AUTHORIZED, PAYMENT_STATUS_CAPTURED,
                                             PAYMENT_STATUS_REFUNDED};
  if (Refusal refusal = RefuseStatus(payment, wanted)) return refusal;
  if (payment.has_authorized() && MinorToRelease(payment) > 0) return std::nullopt;
  return Reject(MakeNothingToRelease({}));
}

template <class Event>
void Move(Payment& payment, PaymentStatus to, const Event& event) {
  payment.set_status(to);
  *payment.mutable_terms() = event.terms();
  *payment.mutable_last_event_at() = event.occurred_at();
}

}  // namespace

Decision<Payment> PaymentDecider::Decide(const Payment& s, const AuthorizePayment& c, Context& context) {
  if (Refusal refusal = RefuseAmount(c.amount(), 1)) return *std::move(refusal);
  const TimeBounds bounds = BoundsSince(s.last_event_at(), context);
  const Timestamp at = OccurredAt(c, bounds);
  if (Refusal refusal = RefuseTime(at, bounds)) return *std::move(refusal);
  return Emit(MakePaymentAuthorized({.terms = c.terms(), .amount = c.amount(), .occurred_at = at}));
}

Decision<Payment> PaymentDecider::Decide(const Payment& s, const CapturePayment& c, Context& context) {
  if (Refusal refusal = RefuseCapture(s, c)) return *std::move(refusal);
  const TimeBounds bounds = BoundsSince(s.last_event_at(), context);
  const Timestamp at = OccurredAt(c, bounds);
  if (Refusal refusal = RefuseTime(at, bounds)) return *std::move(refusal);
  return Emit(MakePaymentCaptured({.terms = TermsOf(s, c), .amount = c.amount(), .occurred_at = at}));
}

Decision<Payment> PaymentDecider::Decide(const Payment& s, const RefundPayment& c, Context& context) {
  if (Refusal refusal = RefuseRefund(s, c)) return *std::move(refusal);
  const TimeBounds bounds = BoundsSince(s.last_event_at(), context);
  const Timestamp at = OccurredAt(c, bounds);
  if (Refusal refusal = RefuseTime(at, bounds)) return *std::move(refusal);
  return Emit(MakePaymentRefunded({.terms = s.terms(), .amount = c.amount(), .occurred_at = at}));
}

Decision<Payment> PaymentDecider::Decide(const Payment& s, const ReleasePayment& c, Context& context) {
  if (Refusal refusal = RefuseRelease(s)) return *std::move(refusal);
  const TimeBounds bounds = BoundsSince(s.last_event_at(), context);
  const Timestamp at = OccurredAt(c, bounds);
  if (Refusal refusal = RefuseTime(at, bounds)) return *std::move(refusal);
  const Money left = everfold::MakeMoney(s.authorized().currency(), MinorToRelease(s));
  return Emit(MakePaymentReleased({.terms = s.terms(), .amount = left, .reason = c.reason(), .occurred_at = at}));
}

Decision<Payment> PaymentDecider::Decide(const Payment& s, const DeclinePayment& c, Context& context) {
  if (Refusal refusal = RefuseStatus(s, {PAYMENT_STATUS_UNSPECIFIED, PAYMENT_STATUS_AUTHORIZED})) {
    return *std::move(refusal);
  }
  if (Refusal refusal = RefuseTerms(s, c)) return *std::move(refusal);
  const TimeBounds bounds = BoundsSince(s.last_event_at(), context);
  const Timestamp at = OccurredAt(c, bounds);
  if (Refusal refusal = RefuseTime(at, bounds)) return *std::move(refusal);
  return Emit(MakePaymentDeclined({.terms = TermsOf(s, c), .reason = c.reason(), .occurred_at = at}));
}

void PaymentDecider::Evolve(Payment& s, const PaymentAuthorized& e) {
  Move(s, PAYMENT_STATUS_AUTHORIZED, e);
  *s.mutable_authorized() = e.amount();
}

void PaymentDecider::Evolve(Payment& s, const PaymentCaptured& e) {
  Move(s, PAYMENT_STATUS_CAPTURED, e);
  *s.mutable_captured() = e.amount();
}

void PaymentDecider::Evolve(Payment& s, const PaymentRefunded& e) {
  *s.mutable_refunded() = Plus(s.refunded(), e.amount()).value();
  const bool all = s.refunded().minor() == s.captured().minor();
  Move(s, all ? PAYMENT_STATUS_REFUNDED : PAYMENT_STATUS_CAPTURED, e);
}

void PaymentDecider::Evolve(Payment& s, const PaymentReleased& e) {
  Move(s, s.status() == PAYMENT_STATUS_AUTHORIZED ? PAYMENT_STATUS_RELEASED : s.status(), e);
  *s.mutable_released() = s.has_released() ? Plus(s.released(), e.amount()).value() : e.amount();
}

void PaymentDecider::Evolve(Payment& s, const PaymentDeclined& e) {
  Move(s, PAYMENT_STATUS_DECLINED, e);
  if (s.has_authorized()) *s.mutable_released() = s.authorized();
}

}  // namespace shop::v1

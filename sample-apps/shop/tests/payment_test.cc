#include <limits>

#include "domain/amounts.h"
#include "domain/payment_decider.h"
#include "everfold/testing/given.h"
#include "gtest/gtest.h"
#include "shop_samples.h"

namespace shop::v1 {
namespace {

using everfold::Money;
using everfold::testing::Given;

const std::string kPayment = "o1-1";
const PaymentTerms kCard = CardFor("o1");

AuthorizePayment Authorize(const Money& amount) {
  return MakeAuthorizePayment({.payment_id = kPayment, .terms = kCard, .amount = amount, .occurred_at = {}});
}
CapturePayment Capture(const Money& amount, std::optional<PaymentTerms> terms = {}) {
  return MakeCapturePayment({.payment_id = kPayment, .terms = terms, .amount = amount, .occurred_at = {}});
}
RefundPayment Refund(const Money& amount) {
  return MakeRefundPayment({.payment_id = kPayment, .amount = amount, .occurred_at = {}});
}
DeclinePayment Decline(std::optional<PaymentTerms> terms = {}) {
  return MakeDeclinePayment({.payment_id = kPayment, .terms = terms, .reason = "no funds", .occurred_at = {}});
}

PaymentAuthorized Authorized(const Money& amount, const Timestamp& at = Now()) {
  return MakePaymentAuthorized({.terms = kCard, .amount = amount, .occurred_at = at});
}
PaymentCaptured Captured(const Money& amount, const Timestamp& at = Now()) {
  return MakePaymentCaptured({.terms = kCard, .amount = amount, .occurred_at = at});
}
PaymentRefunded Refunded(const Money& amount, const Timestamp& at = Now()) {
  return MakePaymentRefunded({.terms = kCard, .amount = amount, .occurred_at = at});
}
PaymentDeclined Declined() { return MakePaymentDeclined({.terms = kCard, .reason = "no funds", .occurred_at = Now()}); }

WrongPaymentStatus Wrong(PaymentStatus actual, std::vector<PaymentStatus> wanted) {
  WrongPaymentStatus rejection;
  rejection.set_actual(actual);
  for (const PaymentStatus status : wanted) rejection.add_wanted(status);
  return rejection;
}
WrongPaymentStatus NotOpen(PaymentStatus actual) {
  return Wrong(actual, {PAYMENT_STATUS_UNSPECIFIED, PAYMENT_STATUS_AUTHORIZED});
}
PaymentAmountRefused AmountRefused(const Money& amount, std::int64_t least) {
  return MakePaymentAmountRefused({.amount = amount, .least_minor = least, .most_minor = kMostMinor});
}

TEST(AuthorizingAPayment, BeginsIt) {
  Given<PaymentDecider>().When(Authorize(Brl(13541))).Then(Authorized(Brl(13541)));
}

TEST(AuthorizingAPayment, TakesMoreThanNothingUpToTheLimit) {
  Given<PaymentDecider>().When(Authorize(Brl(0))).ThenRejected(AmountRefused(Brl(0), 1));
  Given<PaymentDecider>().When(Authorize(Brl(kMostMinor))).Then(Authorized(Brl(kMostMinor)));
  Given<PaymentDecider>().When(Authorize(Brl(kMostMinor + 1))).ThenRejected(AmountRefused(Brl(kMostMinor + 1), 1));
}

TEST(AuthorizingAPayment, ChecksItsFields) {
  AuthorizePayment payment = Authorize(Brl(1));
  payment.clear_amount();
  Given<PaymentDecider>().When(payment).ThenInvalid("amount", "required");
  payment.mutable_terms()->clear_method();
  Given<PaymentDecider>().When(payment).ThenInvalid("terms.method", "required");
  payment.mutable_terms()->set_method(static_cast<PaymentMethod>(77));
  Given<PaymentDecider>().When(payment).ThenInvalid("terms.method", "enum.defined_only");
  payment.mutable_terms()->set_installments(1001);
  Given<PaymentDecider>().When(payment).ThenInvalid("terms.installments", "uint32.lte");
  payment.mutable_terms()->set_order_id("");
  Given<PaymentDecider>().When(payment).ThenInvalid("terms.order_id", "required");
  payment.clear_terms();
  Given<PaymentDecider>().When(payment).ThenInvalid("terms", "required");
}

TEST(AuthorizingAPayment, ChecksTheOrderThatIsPaid) {
  AuthorizePayment payment = Authorize(Brl(1));
  payment.mutable_terms()->set_order_id(std::string(201, 'o'));
  Given<PaymentDecider>().When(payment).ThenInvalid("terms.order_id", "string.max_len");
  payment.mutable_terms()->set_order_id("o\n1");
  Given<PaymentDecider>().When(payment).ThenInvalid("terms.order_id", "string.pattern");
}

TEST(AuthorizingAPayment, HappensOnce) {
  Given<PaymentDecider>(Authorized(Brl(1))).When(Authorize(Brl(1))).ThenExists();
  Given<PaymentDecider>(Declined()).When(Authorize(Brl(1))).ThenExists();
}

TEST(APaymentsAmount, IsInACurrency) {
  for (const std::string& currency : kNoCurrencies) {
    SCOPED_TRACE(currency.substr(0, 10));
    const Money amount = everfold::MakeMoney(currency, 5);
    Given<PaymentDecider>().When(Authorize(amount)).ThenInvalid("amount.currency", "string.pattern");
    Given<PaymentDecider>().When(Capture(amount, kCard)).ThenInvalid("amount.currency", "string.pattern");
    Given<PaymentDecider>(Captured(Brl(5))).When(Refund(amount)).ThenInvalid("amount.currency", "string.pattern");
  }
}

TEST(APaymentsAmount, IsRequired) {
  CapturePayment capture = Capture(Brl(1), kCard);
  capture.clear_amount();
  Given<PaymentDecider>().When(capture).ThenInvalid("amount", "required");
  RefundPayment refund = Refund(Brl(1));
  refund.clear_amount();
  Given<PaymentDecider>(Captured(Brl(1))).When(refund).ThenInvalid("amount", "required");
}

TEST(CapturingAPayment, TakesWhatWasAuthorizedOrLess) {
  Given<PaymentDecider>(Authorized(Brl(100))).When(Capture(Brl(100))).Then(Captured(Brl(100)));
  Given<PaymentDecider>(Authorized(Brl(100))).When(Capture(Brl(40))).Then(Captured(Brl(40)));
  Given<PaymentDecider>(Authorized(Brl(100)))
      .When(Capture(Brl(101)))
      .ThenRejected(MakeCaptureExceedsAuthorization({.authorized = Brl(100)}));
}

TEST(CapturingAPayment, NeedsNoAuthorization) {
  Given<PaymentDecider>().When(Capture(Brl(100), kCard)).Then(Captured(Brl(100)));
  Given<PaymentDecider>().When(Capture(Brl(0), kCard)).Then(Captured(Brl(0)));
}

TEST(CapturingAPayment, NeedsTermsWhereNoneAreAuthorized) {
  Given<PaymentDecider>().When(Capture(Brl(100))).ThenRejected(MakePaymentTermsMissing({}));
}

TEST(CapturingAPayment, KeepsToTheAuthorizedTerms) {
  Given<PaymentDecider>(Authorized(Brl(100))).When(Capture(Brl(100), kCard)).Then(Captured(Brl(100)));
  PaymentTerms other = kCard;
  other.set_method(PAYMENT_METHOD_BOLETO);
  Given<PaymentDecider>(Authorized(Brl(100)))
      .When(Capture(Brl(100), other))
      .ThenRejected(MakePaymentTermsDiffer({.authorized = kCard}));
  other = kCard;
  other.set_order_id("o2");
  Given<PaymentDecider>(Authorized(Brl(100)))
      .When(Capture(Brl(100), other))
      .ThenRejected(MakePaymentTermsDiffer({.authorized = kCard}));
  other = kCard;
  other.set_has_checkout(true);
  Given<PaymentDecider>(Authorized(Brl(100)))
      .When(Capture(Brl(100), other))
      .ThenRejected(MakePaymentTermsDiffer({.authorized = kCard}));
  other = kCard;
  other.set_installments(2);
  Given<PaymentDecider>(Authorized(Brl(100)))
      .When(Capture(Brl(100), other))
      .ThenRejected(MakePaymentTermsDiffer({.authorized = kCard}));
}

TEST(CapturingAPayment, RefusesAmountsThatCannotBe) {
  Given<PaymentDecider>().When(Capture(Brl(-1), kCard)).ThenRejected(AmountRefused(Brl(-1), 0));
  Given<PaymentDecider>().When(Capture(Brl(kMostMinor + 1), kCard)).ThenRejected(AmountRefused(Brl(kMostMinor + 1), 0));
}

TEST(CapturingAPayment, KeepsToTheAuthorizedCurrency) {
  Given<PaymentDecider>(Authorized(Brl(100)))
      .When(Capture(Eur(1)))
      .ThenRejected(MakePaymentCurrencyMismatch({.actual = "EUR", .wanted = "BRL"}));
}

TEST(CapturingAPayment, HappensOnce) {
  Given<PaymentDecider>(Captured(Brl(100))).When(Capture(Brl(1))).ThenRejected(NotOpen(PAYMENT_STATUS_CAPTURED));
  Given<PaymentDecider>(Captured(Brl(100)), Refunded(Brl(100)))
      .When(Capture(Brl(1)))
      .ThenRejected(NotOpen(PAYMENT_STATUS_REFUNDED));
  Given<PaymentDecider>(Declined()).When(Capture(Brl(1))).ThenRejected(NotOpen(PAYMENT_STATUS_DECLINED));
}

TEST(RefundingAPayment, GivesBackInPartsUntilNothingIsLeft) {
  Given<PaymentDecider>(Captured(Brl(100))).When(Refund(Brl(100))).Then(Refunded(Brl(100)));
  Given<PaymentDecider>(Captured(Brl(100)), Refunded(Brl(60))).When(Refund(Brl(40))).Then(Refunded(Brl(40)));
  Given<PaymentDecider>(Captured(Brl(100)), Refunded(Brl(60)))
      .When(Refund(Brl(41)))
      .ThenRejected(MakeRefundExceedsCapture({.left = Brl(40)}));
  Given<PaymentDecider>(Captured(Brl(0))).When(Refund(Brl(1))).ThenRejected(MakeRefundExceedsCapture({.left = Brl(0)}));
}

TEST(RefundingAPayment, CountsWhatWasCapturedAndNotWhatWasAuthorized) {
  Given<PaymentDecider>(Authorized(Brl(100)), Captured(Brl(40)))
      .When(Refund(Brl(41)))
      .ThenRejected(MakeRefundExceedsCapture({.left = Brl(40)}));
}

TEST(RefundingAPayment, NeedsACapturedOne) {
  Given<PaymentDecider>().When(Refund(Brl(1))).ThenNotFound();
  const std::vector<PaymentStatus> captured = {PAYMENT_STATUS_CAPTURED};
  Given<PaymentDecider>(Authorized(Brl(100)))
      .When(Refund(Brl(1)))
      .ThenRejected(Wrong(PAYMENT_STATUS_AUTHORIZED, captured));
  Given<PaymentDecider>(Declined()).When(Refund(Brl(1))).ThenRejected(Wrong(PAYMENT_STATUS_DECLINED, captured));
  Given<PaymentDecider>(Captured(Brl(100)), Refunded(Brl(100)))
      .When(Refund(Brl(1)))
      .ThenRejected(Wrong(PAYMENT_STATUS_REFUNDED, captured));
}

TEST(RefundingAPayment, RefusesAmountsThatCannotBe) {
  Given<PaymentDecider>(Captured(Brl(100))).When(Refund(Brl(0))).ThenRejected(AmountRefused(Brl(0), 1));
  Given<PaymentDecider>(Captured(Brl(100))).When(Refund(Brl(-5))).ThenRejected(AmountRefused(Brl(-5), 1));
  Given<PaymentDecider>(Captured(Brl(100)))
      .When(Refund(Eur(5)))
      .ThenRejected(MakePaymentCurrencyMismatch({.actual = "EUR", .wanted = "BRL"}));
}

ReleasePayment Release() {
  return MakeReleasePayment({.payment_id = kPayment, .reason = "canceled", .occurred_at = {}});
}
PaymentReleased Released(const Money& amount, const Timestamp& at = Now()) {
  return MakePaymentReleased({.terms = kCard, .amount = amount, .reason = "canceled", .occurred_at = at});
}

TEST(ReleasingAPayment, GivesUpWhatIsAuthorizedAndNotCaptured) {
  Given<PaymentDecider>(Authorized(Brl(100))).When(Release()).Then(Released(Brl(100)));
  Given<PaymentDecider>(Authorized(Brl(100)), Captured(Brl(40))).When(Release()).Then(Released(Brl(60)));
  Given<PaymentDecider>(Authorized(Brl(100)), Captured(Brl(40)), Refunded(Brl(40)))
      .When(Release())
      .Then(Released(Brl(60)));
}

TEST(ReleasingAPayment, OfNothingIsRefused) {
  const auto nothing = MakeNothingToRelease({});
  Given<PaymentDecider>(Captured(Brl(100))).When(Release()).ThenRejected(nothing);
  Given<PaymentDecider>(Authorized(Brl(100)), Captured(Brl(100))).When(Release()).ThenRejected(nothing);
  Given<PaymentDecider>(Authorized(Brl(100)), Captured(Brl(40)), Released(Brl(60)))
      .When(Release())
      .ThenRejected(nothing);
  const std::vector<PaymentStatus> wanted = {PAYMENT_STATUS_AUTHORIZED, PAYMENT_STATUS_CAPTURED,
                                             PAYMENT_STATUS_REFUNDED};
  Given<PaymentDecider>(Authorized(Brl(100)), Released(Brl(100)))
      .When(Release())
      .ThenRejected(Wrong(PAYMENT_STATUS_RELEASED, wanted));
  Given<PaymentDecider>(Declined()).When(Release()).ThenRejected(Wrong(PAYMENT_STATUS_DECLINED, wanted));
  Given<PaymentDecider>().When(Release()).ThenNotFound();
}

TEST(ReleasingAPayment, EndsOneOfWhichNothingIsCaptured) {
  Given<PaymentDecider>(Authorized(Brl(100)), Released(Brl(100)))
      .When(Capture(Brl(1)))
      .ThenRejected(NotOpen(PAYMENT_STATUS_RELEASED));
  Given<PaymentDecider>(Authorized(Brl(100)), Released(Brl(100)))
      .When(Decline())
      .ThenRejected(NotOpen(PAYMENT_STATUS_RELEASED));
  Given<PaymentDecider>(Authorized(Brl(100)), Released(Brl(100)))
      .When(Refund(Brl(1)))
      .ThenRejected(Wrong(PAYMENT_STATUS_RELEASED, {PAYMENT_STATUS_CAPTURED}));
}

TEST(ReleasingAPayment, LeavesWhatIsCaptured) {
  Given<PaymentDecider>(Authorized(Brl(100)), Captured(Brl(40)), Released(Brl(60)))
      .When(Refund(Brl(40)))
      .Then(Refunded(Brl(40)));
}

TEST(ReleasingAPayment, HasATimeAndAReason) {
  ReleasePayment release = Release();
  *release.mutable_occurred_at() = At("2025-02-28");
  Given<PaymentDecider>(Authorized(Brl(100), At("2025-03-01")))
      .When(release)
      .ThenRejected(
          MakePaymentTimeRefused({.occurred_at = At("2025-02-28"), .earliest = At("2025-03-01"), .latest = Now()}));
  release.set_reason(std::string(501, 'r'));
  Given<PaymentDecider>(Authorized(Brl(100))).When(release).ThenInvalid("reason", "string.max_len");
}

TEST(APaymentsState, KnowsWhatIsReleased) {
  Payment state;
  *state.mutable_terms() = kCard;
  state.set_status(PAYMENT_STATUS_CAPTURED);
  *state.mutable_authorized() = Brl(100);
  *state.mutable_captured() = Brl(40);
  *state.mutable_released() = Brl(60);
  *state.mutable_last_event_at() = Now();
  Given<PaymentDecider>(Authorized(Brl(100)), Captured(Brl(40)), Released(Brl(60))).When(Decline()).ThenState(state);
  state.clear_captured();
  state.set_status(PAYMENT_STATUS_RELEASED);
  *state.mutable_released() = Brl(100);
  Given<PaymentDecider>(Authorized(Brl(100)), Released(Brl(100))).When(Decline()).ThenState(state);
  state.set_status(PAYMENT_STATUS_DECLINED);
  Given<PaymentDecider>(Authorized(Brl(100)), Declined()).When(Decline()).ThenState(state);
}

TEST(DecliningAPayment, EndsItBeforeTheMoneyIsThere) {
  Given<PaymentDecider>().When(Decline(kCard)).Then(Declined());
  Given<PaymentDecider>(Authorized(Brl(100))).When(Decline()).Then(Declined());
  Given<PaymentDecider>(Captured(Brl(100))).When(Decline()).ThenRejected(NotOpen(PAYMENT_STATUS_CAPTURED));
  Given<PaymentDecider>(Declined()).When(Decline()).ThenRejected(NotOpen(PAYMENT_STATUS_DECLINED));
  Given<PaymentDecider>(Captured(Brl(100)), Refunded(Brl(100)))
      .When(Decline())
      .ThenRejected(NotOpen(PAYMENT_STATUS_REFUNDED));
}

TEST(DecliningAPayment, HasAReasonOfSomeLines) {
  DeclinePayment decline = Decline(kCard);
  decline.set_reason(std::string(501, 'r'));
  Given<PaymentDecider>().When(decline).ThenInvalid("reason", "string.max_len");
}

TEST(DecliningAPayment, NeedsTermsWhereNoneAreAuthorized) {
  Given<PaymentDecider>().When(Decline()).ThenRejected(MakePaymentTermsMissing({}));
  Given<PaymentDecider>(Authorized(Brl(100)))
      .When(Decline(CardFor("o2")))
      .ThenRejected(MakePaymentTermsDiffer({.authorized = kCard}));
}

TEST(TheTimeOfAPayment, IsNeitherBeforeTheLastNorInTheFuture) {
  const auto refused = [](const std::string& at, const std::string& earliest) {
    return MakePaymentTimeRefused({.occurred_at = At(at), .earliest = At(earliest), .latest = Now()});
  };
  AuthorizePayment authorize = Authorize(Brl(100));
  *authorize.mutable_occurred_at() = At("2026-01-02");
  Given<PaymentDecider>().When(authorize).ThenRejected(refused("2026-01-02", "1970-01-01"));
  CapturePayment capture = Capture(Brl(100));
  *capture.mutable_occurred_at() = At("2025-02-28");
  Given<PaymentDecider>(Authorized(Brl(100), At("2025-03-01")))
      .When(capture)
      .ThenRejected(refused("2025-02-28", "2025-03-01"));
  RefundPayment refund = Refund(Brl(100));
  *refund.mutable_occurred_at() = At("2025-02-28");
  Given<PaymentDecider>(Captured(Brl(100), At("2025-03-01")))
      .When(refund)
      .ThenRejected(refused("2025-02-28", "2025-03-01"));
  DeclinePayment decline = Decline();
  *decline.mutable_occurred_at() = At("2025-02-28");
  Given<PaymentDecider>(Authorized(Brl(100), At("2025-03-01")))
      .When(decline)
      .ThenRejected(refused("2025-02-28", "2025-03-01"));
}

TEST(TheTimeOfAPayment, IsNeverInTheFuture) {
  const Timestamp tomorrow = At("2026-01-02");
  const auto refused = MakePaymentTimeRefused({.occurred_at = tomorrow, .earliest = At("2025-03-01"), .latest = Now()});
  CapturePayment capture = Capture(Brl(100));
  *capture.mutable_occurred_at() = tomorrow;
  Given<PaymentDecider>(Authorized(Brl(100), At("2025-03-01"))).When(capture).ThenRejected(refused);
  RefundPayment refund = Refund(Brl(100));
  *refund.mutable_occurred_at() = tomorrow;
  Given<PaymentDecider>(Captured(Brl(100), At("2025-03-01"))).When(refund).ThenRejected(refused);
  DeclinePayment decline = Decline();
  *decline.mutable_occurred_at() = tomorrow;
  Given<PaymentDecider>(Authorized(Brl(100), At("2025-03-01"))).When(decline).ThenRejected(refused);
}

TEST(TheTimeOfAPayment, IsWhatTheCommandSays) {
  CapturePayment capture = Capture(Brl(100), kCard);
  *capture.mutable_occurred_at() = At("2017-10-02T11:07:00");
  Given<PaymentDecider>().When(capture).Then(Captured(Brl(100), At("2017-10-02T11:07:00")));
}

TEST(APaymentsState, FollowsItsEvents) {
  Payment state;
  *state.mutable_terms() = kCard;
  state.set_status(PAYMENT_STATUS_CAPTURED);
  *state.mutable_authorized() = Brl(100);
  *state.mutable_captured() = Brl(90);
  *state.mutable_refunded() = Brl(89);
  *state.mutable_last_event_at() = At("2025-03-04");
  Given<PaymentDecider>(Authorized(Brl(100), At("2025-03-01")), Captured(Brl(90), At("2025-03-02")),
                        Refunded(Brl(80), At("2025-03-03")), Refunded(Brl(9), At("2025-03-04")))
      .When(Decline())
      .ThenState(state);
}

}  // namespace
}  // namespace shop::v1

// Each way that a fulfilment can go.
#include "processes/fulfilment.h"

#include "domain/checkout.h"
#include "fulfilment_story.h"
#include "gtest/gtest.h"
#include "shop_samples.h"

namespace shop::v1 {
namespace {

constexpr std::int64_t kTotal = 3 * 100 + 2 * 50 + 5 * 7;
constexpr std::int64_t kProviderPayment = 77;

// Three of p1, in two lines, and two of p2.
OrderPlaced Placed() {
  OrderItem first = Item(100, 7, 2);
  OrderItem second = Item(50, 7, 2);
  second.set_product_id("p2");
  const Checkout checkout = MakeCheckout(
      {.payment_token = "card", .method = PAYMENT_METHOD_CREDIT_CARD, .confirm_within = google::protobuf::Duration()});
  OrderPlaced placed = MakeOrderPlaced({.customer_id = "c1",
                                        .currency = "BRL",
                                        .items = {first, second, Item(100, 7, 1)},
                                        .origin = ORIGIN_WEB,
                                        .items_total = Brl(400),
                                        .freight_total = Brl(35),
                                        .occurred_at = Now(),
                                        .checkout = checkout});
  placed.mutable_checkout()->mutable_confirm_within()->set_seconds(kConfirmWithinSeconds);
  return placed;
}

ReserveStock Reserve(const std::string& product, std::int64_t quantity) {
  return MakeReserveStock({.product_id = product, .order_id = "o1", .quantity = quantity, .has_checkout = true});
}
ReleaseStock Release(const std::string& product) { return MakeReleaseStock({.product_id = product, .order_id = "o1"}); }
StockReserved Reserved(std::int64_t quantity) {
  return MakeStockReserved({.order_id = "o1", .quantity = quantity, .has_checkout = true});
}
StockShort Short() { return MakeStockShort({.wanted = 2, .available = 1}); }

PaymentTerms Terms() {
  return MakePaymentTerms(
      {.order_id = "o1", .method = PAYMENT_METHOD_CREDIT_CARD, .installments = 1, .has_checkout = true});
}
psp::v1::Amount Total() {
  psp::v1::Amount amount;
  amount.set_currency("BRL");
  amount.set_minor(kTotal);
  return amount;
}
psp::v1::AuthorizeRequest ToAuthorize() {
  psp::v1::AuthorizeRequest request;
  request.set_key("o1:authorize");
  request.set_reference("o1");
  request.set_token("card");
  *request.mutable_amount() = Total();
  return request;
}
psp::v1::CaptureRequest ToCapture() {
  psp::v1::CaptureRequest request;
  request.set_key("o1:capture");
  request.set_payment(kProviderPayment);
  *request.mutable_amount() = Total();
  return request;
}
psp::v1::ReleaseRequest ToRelease() {
  psp::v1::ReleaseRequest request;
  request.set_key("o1:release");
  request.set_payment(kProviderPayment);
  return request;
}
psp::v1::RefundRequest ToRefund() {
  psp::v1::RefundRequest request;
  request.set_key("o1:refund");
  request.set_payment(kProviderPayment);
  *request.mutable_amount() = Total();
  return request;
}
psp::v1::Operation Operation(psp::v1::OperationState state, const std::string& reason = "") {
  psp::v1::Operation operation;
  operation.set_state(state);
  operation.set_payment(kProviderPayment);
  *operation.mutable_amount() = Total();
  operation.set_reason(reason);
  return operation;
}
psp::v1::Operation Succeeded() { return Operation(psp::v1::OPERATION_STATE_SUCCEEDED); }
psp::v1::Operation Declined() { return Operation(psp::v1::OPERATION_STATE_DECLINED, "no funds"); }
psp::v1::Operation RefusedByBooks() { return Operation(psp::v1::OPERATION_STATE_REFUSED, "nothing is left"); }

AuthorizePayment Authorize() {
  return MakeAuthorizePayment({.payment_id = "o1", .terms = Terms(), .amount = Brl(kTotal), .occurred_at = {}});
}
CapturePayment Capture() {
  return MakeCapturePayment({.payment_id = "o1", .terms = Terms(), .amount = Brl(kTotal), .occurred_at = {}});
}
ReleasePayment ReleaseMoney() {
  return MakeReleasePayment({.payment_id = "o1", .reason = "the order has ended", .occurred_at = {}});
}
CancelOrder Cancel(const std::string& reason) {
  return MakeCancelOrder({.order_id = "o1", .occurred_at = {}, .reason = reason});
}
PaymentAuthorized Authorized() {
  return MakePaymentAuthorized({.terms = Terms(), .amount = Brl(kTotal), .occurred_at = Now()});
}
PaymentCaptured Captured() {
  return MakePaymentCaptured({.terms = Terms(), .amount = Brl(kTotal), .occurred_at = Now()});
}
PaymentRefunded Refunded() {
  return MakePaymentRefunded({.terms = Terms(), .amount = Brl(kTotal), .occurred_at = Now()});
}
OrderCanceled Canceled() {
  return MakeOrderCanceled({.occurred_at = Now(), .reason = "changed my mind", .has_checkout = true});
}
OrderShipped Shipped() { return MakeOrderShipped({.occurred_at = Now(), .has_checkout = true}); }
OrderDelivered Delivered() { return MakeOrderDelivered({.occurred_at = Now(), .has_checkout = true}); }
OrderReturned Returned() { return MakeOrderReturned({.occurred_at = Now(), .reason = "too small"}); }
OrderMarkedUnavailable Unavailable() {
  return MakeOrderMarkedUnavailable({.occurred_at = Now(), .has_checkout = true});
}
WrongOrderStatus Wrong(OrderStatus actual) { return MakeWrongOrderStatus({.actual = actual, .wanted = {}}); }

// Orders on their way
// -----------------------------------------------------------------------------------------------------

void TellReserved(FulfilmentStory& story) { story.On(Placed()).On(Reserved(3), "p1").On(Reserved(2), "p2"); }
void TellAsking(FulfilmentStory& story) {
  TellReserved(story);
  story.On(MakeOrderStockReserved({.occurred_at = Now()}));
}
void TellAuthorized(FulfilmentStory& story) {
  TellAsking(story);
  story.Answers<AuthorizeAtProvider>(Succeeded()).On(Authorized());
}
void TellConfirmed(FulfilmentStory& story) {
  TellAuthorized(story);
  story.On(MakeOrderPaymentAuthorized({.occurred_at = Now()})).On(MakeOrderConfirmed({.occurred_at = Now()}));
}
void TellShipped(FulfilmentStory& story) {
  TellConfirmed(story);
  story.On(Shipped());
}
void TellCaptured(FulfilmentStory& story) {
  TellShipped(story);
  story.Answers<CaptureAtProvider>(Succeeded()).On(Captured());
}

TEST(AFulfilment, GoesFromTheOrderToTheCustomer) {
  FulfilmentStory story;
  story.On(Placed()).ThenSent(Reserve("p1", 3), Reserve("p2", 2)).ThenAsked();
  story.On(Reserved(2), "p2").ThenNothing();
  story.On(Reserved(3), "p1").ThenSent(MakeMarkStockReserved({.order_id = "o1", .occurred_at = {}}));
  story.On(MakeOrderStockReserved({.occurred_at = Now()})).ThenSent().ThenAsked(ToAuthorize());
  story.Answers<AuthorizeAtProvider>(Succeeded()).ThenSent(Authorize()).ThenAsked();
  story.On(Authorized()).ThenSent(MakeMarkPaymentAuthorized({.order_id = "o1", .occurred_at = {}}));
  story.On(MakeOrderPaymentAuthorized({.occurred_at = Now()}))
      .ThenSent(MakeConfirmOrder({.order_id = "o1", .occurred_at = {}}));
  story.On(MakeOrderConfirmed({.occurred_at = Now()})).ThenNothing();
  story.Advance(absl::Hours(24 * 10)).ThenNothing();
  story.On(Shipped())
      .ThenSent(MakeShipStock({.product_id = "p1", .order_id = "o1"}),
                MakeShipStock({.product_id = "p2", .order_id = "o1"}))
      .ThenAsked(ToCapture());
  story.Answers<CaptureAtProvider>(Succeeded()).ThenSent(Capture());
  story.On(Captured()).ThenNothing();
  story.On(Delivered()).ThenNothing().ThenGoesOn();
  story.Advance(absl::Hours(24 * 30)).ThenGoesOn();
  story.Advance(absl::Hours(24)).ThenNothing().ThenDone();
}

// What is not for it
// ------------------------------------------------------------------------------------------------------

TEST(AFulfilment, IsOfOrdersWithACheckoutOnly) {
  OrderPlaced placed = Placed();
  placed.clear_checkout();
  FulfilmentStory()
      .On(placed)
      .ThenNothing()
      .On(MakeOrderShipped({.occurred_at = Now()}))
      .On(MakeOrderDelivered({.occurred_at = Now()}))
      .On(MakeOrderCanceled({.occurred_at = Now(), .reason = ""}))
      .On(MakeOrderMarkedUnavailable({.occurred_at = Now()}))
      .On(MakeStockReserved({.order_id = "o1", .quantity = 1}), "p1")
      .On(MakePaymentAuthorized({.terms = CardFor("o1"), .amount = Brl(1), .occurred_at = Now()}))
      .On(MakePaymentCaptured({.terms = CardFor("o1"), .amount = Brl(1), .occurred_at = Now()}))
      .On(MakePaymentRefunded({.terms = CardFor("o1"), .amount = Brl(1), .occurred_at = Now()}))
      .ThenNothing();
}

// Goods that are short
// ----------------------------------------------------------------------------------------------------

TEST(GoodsThatAreShort, EndTheOrder) {
  FulfilmentStory story;
  story.On(Placed()).On(Reserved(3), "p1");
  story.Rejects<ReserveStock>(Short()).ThenSent(MakeMarkUnavailable({.order_id = "o1", .occurred_at = {}}));
}

// The first ReserveStock is that of p1.
TEST(GoodsThatAreShort, GiveBackTheOthers) {
  FulfilmentStory story;
  story.On(Placed()).On(Reserved(2), "p2").Rejects<ReserveStock>(Short()).ThenGoesOn();
  story.On(Unavailable()).ThenSent(Release("p2")).ThenAsked().ThenDone();
}

TEST(GoodsThatAreShort, GiveBackWhatIsReservedLater) {
  FulfilmentStory story;
  story.On(Placed()).Rejects<ReserveStock>(Short());
  story.On(Unavailable()).ThenNothing().ThenGoesOn();
  story.On(Reserved(2), "p2").ThenSent(Release("p2")).ThenDone();
}

TEST(GoodsThatAreShort, AreToldOnce) {
  FulfilmentStory story;
  story.On(Placed()).Rejects<ReserveStock>(Short());
  story.Rejects<ReserveStock>(Short()).ThenNothing();
  story.On(Unavailable()).ThenNothing().ThenDone();
}

TEST(GoodsThatAreShort, OfACanceledOrderChangeNothing) {
  FulfilmentStory story;
  story.On(Placed()).On(Canceled()).ThenNothing();
  story.Rejects<ReserveStock>(Short()).ThenNothing().ThenGoesOn();
  story.Rejects<ReserveStock>(Short()).ThenNothing().ThenDone();
}

TEST(GoodsThatAreShort, MayBeFoundAfterTheCustomerHasCanceled) {
  FulfilmentStory story;
  story.On(Placed()).Rejects<ReserveStock>(Short());
  story.Rejects<MarkUnavailable>(Wrong(ORDER_STATUS_CANCELED)).ThenNothing().ThenGoesOn();
  story.On(Canceled()).On(Reserved(2), "p2").ThenSent(Release("p2")).ThenDone();
}

// Payments that are declined
// ----------------------------------------------------------------------------------------------

DeclinePayment Decline(const std::string& reason) {
  return MakeDeclinePayment({.payment_id = "o1", .terms = Terms(), .reason = reason, .occurred_at = {}});
}

TEST(ADeclinedPayment, CancelsTheOrder) {
  FulfilmentStory story;
  TellAsking(story);
  story.Answers<AuthorizeAtProvider>(Declined())
      .ThenSent(Decline("no funds"), Cancel("the payment was declined"))
      .ThenGoesOn();
  story.On(Canceled()).ThenSent(Release("p1"), Release("p2")).ThenAsked().ThenDone();
}

TEST(ADeclinedPayment, IsAlsoOneThatTheProviderRefuses) {
  FulfilmentStory story;
  TellAsking(story);
  story.Refuses<AuthorizeAtProvider>(absl::InvalidArgumentError(std::string(600, 'x')))
      .ThenSent(Decline(std::string(500, 'x')), Cancel("the payment was declined"));
}

TEST(ADeclinedPayment, OfACanceledOrderIsTheEnd) {
  FulfilmentStory story;
  TellAsking(story);
  story.On(Canceled()).ThenSent(Release("p1"), Release("p2")).ThenGoesOn();
  story.Answers<AuthorizeAtProvider>(Declined()).ThenSent(Decline("no funds")).ThenDone();
}

// Answers that do not come
// ------------------------------------------------------------------------------------------------

TEST(AnAnswerThatGetsLost, IsAskedForUnderTheSameKeyUntilItIsKnown) {
  FulfilmentStory story;
  TellAsking(story);
  for (int i = 0; i < 3; ++i) story.AnswersNothing<AuthorizeAtProvider>().ThenSent().ThenAsked(ToAuthorize());
  story.Answers<AuthorizeAtProvider>(Succeeded()).ThenSent(Authorize());
}

TEST(AnAnswerThatGetsLost, IsAskedForWithCapturesAndReleasesAndRefunds) {
  FulfilmentStory captured;
  TellShipped(captured);
  captured.AnswersNothing<CaptureAtProvider>().ThenSent().ThenAsked(ToCapture());
  captured.Answers<CaptureAtProvider>(Succeeded()).On(Captured()).On(Returned());
  captured.AnswersNothing<RefundAtProvider>().ThenSent().ThenAsked(ToRefund());
  FulfilmentStory released;
  TellAuthorized(released);
  released.On(Canceled()).AnswersNothing<ReleaseAtProvider>().ThenSent().ThenAsked(ToRelease());
}

TEST(AnAnswerThatGetsLost, IsAskedForAlsoIfTheOrderIsCanceled) {
  FulfilmentStory story;
  TellAsking(story);
  story.On(Canceled()).AnswersNothing<AuthorizeAtProvider>().ThenSent().ThenAsked(ToAuthorize()).ThenGoesOn();
  story.Answers<AuthorizeAtProvider>(Succeeded()).ThenSent(Authorize());
  story.On(Authorized()).ThenSent().ThenAsked(ToRelease());
}

// Time that is up
// ---------------------------------------------------------------------------------------------------------

TEST(AnOrderThatTakesTooLong, IsCanceled) {
  FulfilmentStory story;
  TellAsking(story);
  story.Advance(absl::Minutes(29)).ThenNothing();
  story.Advance(absl::Minutes(2)).ThenSent(Cancel("it was not confirmed in time"));
  story.On(Canceled()).ThenSent(Release("p1"), Release("p2")).ThenGoesOn();
}

TEST(AnOrderThatTakesTooLong, WaitsForTheGoodsThatItHasAskedFor) {
  FulfilmentStory story;
  story.On(Placed()).Advance(absl::Minutes(31)).ThenSent(Cancel("it was not confirmed in time"));
  story.On(Canceled()).ThenNothing().ThenGoesOn();
  story.On(Reserved(3), "p1").ThenSent(Release("p1")).ThenGoesOn();
  story.On(Reserved(2), "p2").ThenSent(Release("p2")).ThenDone();
}

TEST(AnOrderThatTakesTooLong, MayBeConfirmedAtThatMoment) {
  FulfilmentStory story;
  TellAuthorized(story);
  story.On(MakeOrderPaymentAuthorized({.occurred_at = Now()})).Advance(absl::Minutes(31));
  story.ThenSent(Cancel("it was not confirmed in time"));
  story.On(MakeOrderConfirmed({.occurred_at = Now()})).ThenNothing();
  // Confirmed and not shipped: the order takes the cancel that is on its way.
  story.On(Canceled()).ThenSent(Release("p1"), Release("p2")).ThenAsked(ToRelease());
}

TEST(AnOrderThatTakesTooLong, MayBeShippedAtThatMoment) {
  FulfilmentStory story;
  TellAuthorized(story);
  story.On(MakeOrderPaymentAuthorized({.occurred_at = Now()})).Advance(absl::Minutes(31));
  story.On(MakeOrderConfirmed({.occurred_at = Now()})).On(Shipped());
  story.Rejects<CancelOrder>(Wrong(ORDER_STATUS_SHIPPED)).ThenNothing();
  story.Answers<CaptureAtProvider>(Succeeded()).ThenSent(Capture());
}

// Customers who change their minds
// ----------------------------------------------------------------------------------------

TEST(ACanceledOrder, IsDoneWithoutAPayment) {
  FulfilmentStory story;
  TellReserved(story);
  story.On(Canceled()).ThenSent(Release("p1"), Release("p2")).ThenAsked().ThenDone();
}

TEST(ACanceledOrder, WaitsForTheBankAndReleasesWhatItHasPromised) {
  FulfilmentStory story;
  TellAsking(story);
  story.On(Canceled()).ThenSent(Release("p1"), Release("p2")).ThenAsked().ThenGoesOn();
  story.Answers<AuthorizeAtProvider>(Succeeded()).ThenSent(Authorize()).ThenAsked();
  story.On(Authorized()).ThenSent().ThenAsked(ToRelease());
  story.Answers<ReleaseAtProvider>(Succeeded()).ThenSent(ReleaseMoney()).ThenDone();
}

TEST(ACanceledOrder, ReleasesNothingBeforeTheAuthorizationIsOnRecord) {
  FulfilmentStory story;
  TellAsking(story);
  story.Answers<AuthorizeAtProvider>(Succeeded());
  story.On(Canceled()).ThenSent(Release("p1"), Release("p2")).ThenAsked().ThenGoesOn();
  story.On(Authorized()).ThenSent().ThenAsked(ToRelease());
}

TEST(ACanceledOrder, GivesBackWhatWasAuthorized) {
  for (const auto& tell : {TellAuthorized, TellConfirmed}) {
    FulfilmentStory story;
    tell(story);
    story.On(Canceled()).ThenSent(Release("p1"), Release("p2")).ThenAsked(ToRelease()).ThenGoesOn();
    story.Answers<ReleaseAtProvider>(Succeeded()).ThenSent(ReleaseMoney()).ThenDone();
  }
}

TEST(ACanceledOrder, IsNotConcernedWithItsStepsAnyMore) {
  FulfilmentStory story;
  TellAuthorized(story);
  story.On(Canceled());
  story.Rejects<MarkPaymentAuthorized>(Wrong(ORDER_STATUS_CANCELED)).ThenNothing();
  FulfilmentStory reserved;
  TellReserved(reserved);
  reserved.Rejects<MarkStockReserved>(Wrong(ORDER_STATUS_CANCELED)).ThenNothing();
  reserved.On(Canceled()).ThenSent(Release("p1"), Release("p2")).ThenDone();
  FulfilmentStory confirming;
  TellAuthorized(confirming);
  confirming.On(MakeOrderPaymentAuthorized({.occurred_at = Now()}));
  confirming.Rejects<ConfirmOrder>(Wrong(ORDER_STATUS_CANCELED)).ThenNothing();
  confirming.On(Canceled()).ThenAsked(ToRelease());
}

TEST(ACanceledOrder, HasNoTimer) {
  FulfilmentStory story;
  TellAsking(story);
  story.On(Canceled());
  story.Advance(absl::Hours(1)).ThenNothing();
}

// Goods that come back
// ----------------------------------------------------------------------------------------------------

ReceiveStock Receive(const std::string& product, std::int64_t quantity) {
  return MakeReceiveStock({.product_id = product, .quantity = quantity});
}

TEST(AReturnedOrder, IsRefunded) {
  FulfilmentStory story;
  TellCaptured(story);
  story.On(Delivered()).On(Returned()).ThenSent(Receive("p1", 3), Receive("p2", 2)).ThenAsked(ToRefund());
  story.Answers<RefundAtProvider>(Succeeded())
      .ThenSent(MakeRefundPayment({.payment_id = "o1", .amount = Brl(kTotal), .occurred_at = {}}))
      .ThenGoesOn();
  story.On(Refunded())
      .ThenSent(MakeRefundOrder({.order_id = "o1", .occurred_at = {}, .reason = "the goods are back"}))
      .ThenDone();
}

TEST(AReturnedOrder, IsRefundedOnceItIsCaptured) {
  FulfilmentStory story;
  TellShipped(story);
  story.On(Returned()).ThenSent(Receive("p1", 3), Receive("p2", 2)).ThenAsked();
  story.Answers<CaptureAtProvider>(Succeeded()).ThenSent(Capture()).ThenAsked();
  story.On(Captured()).ThenSent().ThenAsked(ToRefund());
}

TEST(AReturnedOrder, WaitsForNoTime) {
  FulfilmentStory story;
  TellCaptured(story);
  story.On(Delivered()).On(Returned());
  story.Advance(absl::Hours(24 * 40)).ThenNothing().ThenGoesOn();
}

TEST(ADeliveredOrder, IsNotDoneBeforeItIsPaid) {
  FulfilmentStory story;
  TellShipped(story);
  story.On(Delivered()).Advance(absl::Hours(24 * 31)).ThenNothing().ThenGoesOn();
  story.Answers<CaptureAtProvider>(Succeeded()).On(Captured()).ThenNothing().ThenDone();
}

// What cannot be
// ----------------------------------------------------------------------------------------------------------

TEST(AFulfilment, StopsWhereTheProviderBreaksItsPromise) {
  FulfilmentStory capture;
  TellShipped(capture);
  capture.Answers<CaptureAtProvider>(RefusedByBooks()).ThenParked("capture_at_provider: nothing is left");
  FulfilmentStory release;
  TellAuthorized(release);
  release.On(Canceled())
      .Answers<ReleaseAtProvider>(RefusedByBooks())
      .ThenParked("release_at_provider: nothing is left");
  FulfilmentStory refund;
  TellCaptured(refund);
  refund.On(Returned());
  refund.Refuses<RefundAtProvider>(absl::NotFoundError("there is no payment 77"))
      .ThenParked("refund_at_provider: there is no payment 77");
}

TEST(AFulfilment, StopsWhereSomebodyHasInterfered) {
  FulfilmentStory story;
  TellAsking(story);
  story.Answers<AuthorizeAtProvider>(Succeeded());
  story.Rejects<AuthorizePayment>(MakePaymentTermsMissing({})).ThenParked("AuthorizePayment was refused: no");
  FulfilmentStory shipped;
  TellShipped(shipped);
  shipped.Rejects<ShipStock>(MakeNoReservation({.order_id = "o1"})).ThenParked("ShipStock was refused: no");
  FulfilmentStory captured;
  TellShipped(captured);
  captured.Answers<CaptureAtProvider>(Succeeded());
  captured.Rejects<CapturePayment>(MakePaymentTermsMissing({})).ThenParked("CapturePayment was refused: no");
}

}  // namespace
}  // namespace shop::v1

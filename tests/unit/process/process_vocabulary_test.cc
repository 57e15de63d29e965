#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "everfold/testing/process.h"
#include "tests/unit/process/fulfilment.h"

namespace fulfil::v1 {
namespace {

using everfold::testing::InStream;
using everfold::testing::Process;

auto Placed() { return Process<FulfilmentProcess>(InStream("o1", MakeOrderPlaced({.item_id = "pen", .quantity = 2}))); }
auto Reserved() { return InStream("pen", MakeItemReserved({.order_id = "o1", .quantity = 2})); }
const ReserveItem kReserve = MakeReserveItem({.item_id = "pen", .order_id = "o1", .quantity = 2});
const ReleaseItem kRelease = MakeReleaseItem({.item_id = "pen", .order_id = "o1", .quantity = 2});

TEST(ProcessVocabularyTest, FollowsAnOrder) {
  Placed()
      .ThenSent(kReserve)
      .ThenTimer("o1", "payment", absl::Minutes(3))
      .Takes(Reserved())
      .ThenSentNothing()
      .ThenRan<AuthorizePayment>(MakePaymentRequest({.order_id = "o1", .amount_minor = 200}))
      .Answers<AuthorizePayment>(MakePaymentAuthorization({.authorization_id = "a1"}))
      .ThenSent(MakeCompleteOrder({.order_id = "o1"}))
      .ThenNoTimer("o1")
      .ThenState(MakeFulfilment(
          {.order_id = "o1", .item_id = "pen", .quantity = 2, .reserved = true, .authorization_id = "a1"}))
      .ThenOpen("o1")
      .Takes(InStream("o1", MakeOrderCompleted()))
      .ThenSentNothing()
      .ThenDone("o1");
}

TEST(ProcessVocabularyTest, HearsOfARejection) {
  Placed()
      .ThenSent(kReserve)
      .Rejects<ReserveItem>(MakeOutOfStock({.available = 1}))
      .ThenSent(MakeCancelOrder({.order_id = "o1", .reason = "out of stock"}))
      .Refuses<CancelOrder>(absl::NotFoundError("no such order"))
      .ThenSentNothing();
}

TEST(ProcessVocabularyTest, FiresTimers) {
  Placed()
      .Takes(Reserved())
      .ThenSent(kReserve)
      .Advance(absl::Minutes(2))
      .ThenSentNothing()
      .Advance(absl::Minutes(1))
      .ThenSent(MakeCancelOrder({.order_id = "o1", .reason = "too late"}))
      .Takes(InStream("o1", MakeOrderCancelled({})))
      .ThenSent(kRelease)
      .ThenDone("o1");
}

TEST(ProcessVocabularyTest, ActivitiesEndInThreeWays) {
  Placed()
      .Takes(Reserved())
      .ThenSent(kReserve)
      .Fails<AuthorizePayment>(absl::FailedPreconditionError("declined"))
      .ThenSent(MakeCancelOrder({.order_id = "o1", .reason = "not paid"}));
  Placed()
      .Takes(Reserved())
      .ThenSent(kReserve)
      .EndsUnknown<AuthorizePayment>()
      .ThenSent(MakeCancelOrder({.order_id = "o1", .reason = "payment unknown"}));
}

TEST(ProcessVocabularyTest, RoutesAreStrict) {
  Process<FulfilmentProcess>(Reserved()).ThenParked("Route continues $process_fulfilment/o1, which has not begun");
  Placed()
      .Takes(InStream("o1", MakeOrderPlaced({.item_id = "cup", .quantity = 1})))
      .ThenParked("which has begun already");
}

TEST(ProcessVocabularyTest, WhatComesBehindAParkedInputWaits) {
  Placed()
      .Takes(Reserved())
      .ThenSent(kReserve)
      .Answers<AuthorizePayment>(MakePaymentAuthorization({}))
      .ThenParked("an authorization without an id")
      .Takes(InStream("o1", MakeOrderCancelled({})))
      .Advance(absl::Minutes(10))
      .ThenSentNothing()
      .ThenTimer("o1", "payment", absl::Minutes(-7))
      .ThenOpen("o1");
}

// Each has a key of its own, after its stream, and what follows goes ahead of it.
TEST(ProcessVocabularyTest, AnEventWithoutAKeyHoldsNothing) {
  Placed()
      .ThenSent(kReserve)
      .Takes(InStream("pen", MakeItemReserved({.order_id = "o1\n", .quantity = 1})))
      .ThenParked("which cannot be an id")
      .Takes(Reserved())
      .ThenRan<AuthorizePayment>(MakePaymentRequest({.order_id = "o1", .amount_minor = 200}));
}

TEST(ProcessVocabularyTest, ShowsWhatWasExpectedAndWhatCame) {
  EXPECT_NONFATAL_FAILURE(Placed().ThenSent(kRelease),
                          "expected commands:\n"
                          "  ReleaseItem {item_id: \"pen\" order_id: \"o1\" quantity: 2}\n"
                          "actual:\n"
                          "  ReserveItem {item_id: \"pen\" order_id: \"o1\" quantity: 2}");
  EXPECT_NONFATAL_FAILURE(Placed().ThenDone("o1"), "the instance o1 has not ended");
  EXPECT_NONFATAL_FAILURE(Placed().ThenSent(kReserve).Advance(absl::Minutes(1)).ThenDone("o1"),
                          "after Advance(1m), check 2: the instance o1 has not ended");
  EXPECT_NONFATAL_FAILURE(Placed().ThenDone("o1"),
                          "after event fulfil.v1.OrderPlaced of order/o1 version 1, check 1: ");
  EXPECT_NONFATAL_FAILURE(Placed().ThenTimer("o1", "payment", absl::Minutes(4)), "payment in 3m");
  EXPECT_NONFATAL_FAILURE(Placed().Answers<AuthorizePayment>({}), "authorize_payment does not run");
  EXPECT_NONFATAL_FAILURE(Process<FulfilmentProcess>(Reserved()), "parked, and no ThenParked");
  EXPECT_NONFATAL_FAILURE(
      Process<FulfilmentProcess>(Reserved(), InStream("o2", MakeOrderPlaced({}))),
      "after event fulfil.v1.ItemReserved of item/pen version 1, check 0: parked, and no ThenParked");
}

}  // namespace
}  // namespace fulfil::v1

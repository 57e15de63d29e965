// Inputs that an instance does not take, and what waits behind them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "tests/unit/process/fulfilment_test.h"

namespace fulfil::v1 {
namespace {

using everfold::ReasonOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ProcessParkingTest : public FulfilmentTest {
 protected:
  // One activity more than may be open: its event parks, and waits for an operator.
  void ParkAnEventOf(const std::string& order) {
    for (std::size_t i = 0; i < everfold::kMaxOpenActivities; ++i) {
      app_.Accepted(MakeReserveItem({.item_id = "pen", .order_id = order, .quantity = 1}));
    }
    app_.Settle();
    ASSERT_EQ(Parked().size(), 1u);
  }
};

TEST_F(ProcessParkingTest, AnEventThatFitsNoInstanceParksAndOthersGoOn) {
  AnswerPayments();
  Stock(9);
  app_.Accepted(MakeReserveItem({.item_id = "pen", .order_id = "nobody", .quantity = 1}));
  Place("o1");
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/nobody: item/pen@2"));
  EXPECT_EQ(Status().parked, 1u);

  EXPECT_EQ(Retry("$process_fulfilment/nobody"), absl::OkStatus());
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/nobody: item/pen@2"));
  EXPECT_EQ(ReasonOf(Drop("$process_fulfilment/nobody", "item/pen@3")), everfold::reason::kNotParked);
  EXPECT_TRUE(absl::IsInvalidArgument(Drop("$process_fulfilment/nobody", "item/pen@2", "")));
  EXPECT_EQ(Drop("$process_fulfilment/nobody", "item/pen@2"), absl::OkStatus());
  EXPECT_THAT(Parked(), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(Retry("$process_fulfilment/nobody")));
}

TEST_F(ProcessParkingTest, AParkedEventSurvivesACrash) {
  app_.Accepted(MakeStockItem({.item_id = "pen", .quantity = 9}));
  app_.Accepted(MakeReserveItem({.item_id = "pen", .order_id = "nobody", .quantity = 1}));
  app_.Settle();
  app_.Advance(absl::Seconds(2));
  app_.Crash();
  Reopen();
  app_.Settle();
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/nobody: item/pen@2"));
}

TEST_F(ProcessParkingTest, AnOutcomeThatIsNoneParksUntilItIsDropped) {
  provider_.answer = [](const Provider::Call&) { return MakePaymentAuthorization({}); };
  Stock(9);
  Place("o1");
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: activity 2/0"));
  EXPECT_TRUE(absl::IsFailedPrecondition(Drop("o1", "")));
  // What comes behind it waits, an event where events are kept.
  app_.Accepted(MakeCancelOrder({.order_id = "o1", .reason = "customer"}));
  app_.Settle();
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: activity 2/0", "$process_fulfilment/o1: order/o1@2"));
  AnswerPayments();
  Place("o2");
  EXPECT_EQ(EventsOf("order/o2"), "OrderPlaced OrderCompleted");

  app_.Advance(absl::Hours(1));  // its timer is due, and comes behind the event
  const absl::Status another = Drop("o1", "activity 3/0");
  EXPECT_TRUE(absl::IsFailedPrecondition(another)) << another;
  EXPECT_THAT(another.message(), HasSubstr("$process_fulfilment/o1\" is activity 2/0, not \"activity 3/0\""));
  EXPECT_EQ(Drop("o1", "activity 2/0"), absl::OkStatus());
  EXPECT_THAT(Parked(), IsEmpty());
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep ProcessStep ProcessStep ProcessStep");
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked ItemReserved ItemReserved ItemReleased");
  EXPECT_EQ(Status().parked, 0u);
}

TEST_F(ProcessParkingTest, WhatIsParkedComesInAgainAfterACrash) {
  provider_.answer = [](const Provider::Call&) { return MakePaymentAuthorization({}); };
  Stock(9);
  Place("o1");
  ASSERT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: activity 2/0"));
  AnswerPayments();
  app_.Crash();
  Reopen();
  app_.Settle();
  EXPECT_THAT(Parked(), IsEmpty());
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(provider_.calls[0].key, provider_.calls[1].key);
}

TEST_F(ProcessParkingTest, AStopOfAStoppedProcessParksNoEvent) {
  Stock(9);
  Place("o1");
  ASSERT_NO_FATAL_FAILURE(SomebodyElseMakesAStep("o1"));
  (*provider_.calls.at(0).answer)(Authorized());
  app_.Settle();
  ASSERT_TRUE(absl::IsAborted(Status().error)) << Status().error;
  Place("o2");
  AnswerPayments();
  app_.Stop();
  Reopen();
  app_.Settle();
  EXPECT_THAT(Parked(), IsEmpty());
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(EventsOf("order/o2"), "OrderPlaced OrderCompleted");
}

TEST_F(ProcessParkingTest, AStopWhileItIsPausedParksNoEventWhereverItIs) {
  AnswerPayments();
  Stock(100);
  for (int steps = 0; steps < 40; ++steps) {
    const std::string order = absl::StrFormat("o%d", steps);
    app_.Accepted(MakePlaceOrder({.order_id = order, .item_id = "pen", .quantity = 1}));
    for (int i = 0; i < steps; ++i) app_.executor().RunOne();
    process().Pause([](const absl::Status&) {});
    for (int i = 0; i < steps % 7; ++i) app_.executor().RunOne();
    app_.Stop();
    Reopen();
    app_.Settle();
    ASSERT_THAT(Parked(), IsEmpty()) << steps;
    ASSERT_EQ(Resume(), absl::OkStatus());
    ASSERT_EQ(EventsOf("order/" + order), "OrderPlaced OrderCompleted") << steps;
  }
}

TEST_F(ProcessParkingTest, AnAnswerForAnInstanceWithAParkedEventIsRefused) {
  Stock(1000);
  Place("o1");
  ASSERT_NO_FATAL_FAILURE(ParkAnEventOf("o1"));
  const std::string result = Authorized().SerializeAsString();
  const absl::Status refused = Answer(provider_.calls.at(0).key, "webhook-1", result);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(ReasonOf(refused), everfold::reason::kEventParked);
}

TEST_F(ProcessParkingTest, AParkedEventIsNotOvertakenAfterItHasBegunAgain) {
  Stock(1000);
  Place("o1");
  Place("o2");
  ASSERT_NO_FATAL_FAILURE(ParkAnEventOf("o1"));
  ASSERT_NO_FATAL_FAILURE(SomebodyElseMakesAStep("o2"));
  app_.Accepted(MakeCancelOrder({.order_id = "o2", .reason = "customer"}));
  app_.Settle();
  ASSERT_TRUE(absl::IsAborted(Status().error)) << Status().error;
  ASSERT_EQ(Resume(), absl::OkStatus());
  ASSERT_EQ(Status().error, absl::OkStatus());
  app_.Advance(absl::Hours(1));  // its timer, and the time of its activities, is over
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced");
  EXPECT_THAT(EventsOf("item/pen"), HasSubstr("ItemReleased"));  // of o2, which goes on
  EXPECT_EQ(Parked().size(), 1u);
}

TEST_F(ProcessParkingTest, ADroppedEventDoesNotLetGoWhatWaitsForTheNextOne) {
  Stock(1000);
  Place("o1");
  ASSERT_NO_FATAL_FAILURE(ParkAnEventOf("o1"));
  app_.Accepted(MakeReserveItem({.item_id = "pen", .order_id = "o1", .quantity = 1}));
  app_.Settle();
  const std::vector<std::string> parked = Parked();
  ASSERT_EQ(parked.size(), 1u);
  ASSERT_EQ(Drop("$process_fulfilment/o1", parked[0].substr(parked[0].find(": ") + 2)), absl::OkStatus());
  ASSERT_EQ(Parked().size(), 1u);
  EXPECT_NE(Parked(), parked);
  app_.Advance(absl::Hours(1));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced");
}

TEST_F(ProcessParkingTest, WhatWaitedForAParkedEventGoesOnFromTheHead) {
  Stock(1000);
  Place("o1");
  ASSERT_NO_FATAL_FAILURE(ParkAnEventOf("o1"));
  ASSERT_EQ(Reset(everfold::v1::REACTOR_RESET_TO_HEAD, "a test"), absl::OkStatus());
  EXPECT_THAT(Parked(), IsEmpty());
  app_.Advance(absl::Hours(1));  // its timer, and the time of its activity, is over
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
}

// The event that was turned away is forgotten by a reset, so nothing waits for it when the input before it is dropped.
TEST_F(ProcessParkingTest, WhatWasTurnedAwayHoldsNothingAfterAReset) {
  provider_.answer = [](const Provider::Call&) { return MakePaymentAuthorization({}); };
  Stock(9);
  Place("o1");
  app_.Accepted(MakeReserveItem({.item_id = "pen", .order_id = "o1", .quantity = 1}));
  app_.Settle();
  ASSERT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: activity 2/0", "$process_fulfilment/o1: item/pen@3"));
  ASSERT_EQ(Reset(everfold::v1::REACTOR_RESET_TO_HEAD, "a test"), absl::OkStatus());
  ASSERT_EQ(Drop("$process_fulfilment/o1", "activity 2/0"), absl::OkStatus());
  EXPECT_THAT(Parked(), IsEmpty());
  app_.Advance(absl::Hours(1));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
}

// A process that stops as soon as one instance is parked.

std::unique_ptr<everfold::testing::TestAppOptions> NoneParked() {
  auto options = std::make_unique<everfold::testing::TestAppOptions>();
  options->engine.processes.max_parked_instances = 0;
  return options;
}

class StoppedProcessTest : public FulfilmentTest {
 protected:
  StoppedProcessTest() : FulfilmentTest(NoneParked()) {
    provider_.answer = [](const Provider::Call&) { return MakePaymentAuthorization({}); };
    Stock(9);
    Place("o1");
  }
};

TEST_F(StoppedProcessTest, IsResumedBeforeAnythingIsTriedOrDropped) {
  EXPECT_EQ(Status().error.message(),
            "1 instances of process fulfilment were parked; with more than 0 it stops, and "
            "tries them again when it is resumed");
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: activity 2/0"));
  const std::string stopped = "process fulfilment is stopped; resume it first: 1 instances";
  for (const absl::Status& refused :
       {Retry("$process_fulfilment/o1"), RetryAll(), Drop("$process_fulfilment/o1", "activity 2/0")}) {
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(refused.message()), HasSubstr(stopped));
  }
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: activity 2/0"));
  AnswerPayments();
  EXPECT_EQ(Resume(), absl::OkStatus());
  app_.Settle();
  EXPECT_EQ(Status().error, absl::OkStatus());
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
}

}  // namespace
}  // namespace fulfil::v1

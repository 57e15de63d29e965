#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "everfold/event/event_key.h"
#include "everfold/process/process_directory.h"
#include "everfold/testing/test_app.h"
#include "tests/unit/process/fulfilment.h"

namespace fulfil::v1 {
namespace {

using everfold::testing::TestApp;

PaymentAuthorization Authorized(const std::string& id = "auth") {
  return MakePaymentAuthorization({.authorization_id = id});
}

class ProcessTest : public ::testing::Test {
 protected:
  ProcessTest() : app_(FulfilmentParts(provider_)) {}

  void Place(const std::string& order, std::int64_t quantity = 1) {
    app_.Accepted(MakePlaceOrder({.order_id = order, .item_id = "pen", .quantity = quantity}));
    app_.Settle();
  }
  void Stock(std::int64_t quantity) {
    app_.Accepted(MakeStockItem({.item_id = "pen", .quantity = quantity}));
    app_.Settle();
  }
  void AnswerPayments() {
    provider_.answer = [](const Provider::Call&) { return Authorized(); };
  }
  // Types and ids of the commands' events of a stream: "OrderPlaced OrderCompleted".
  std::string EventsOf(const std::string& stream) {
    std::string types;
    EXPECT_EQ(app_.engine().store().ReadStream(everfold::StreamOfKey(stream).value(), {},
                                               [&](const everfold::RecordedEvent& event) {
                                                 const std::size_t dot = event.event.type.rfind('.');
                                                 if (!types.empty()) types += " ";
                                                 types += event.event.type.substr(dot + 1);
                                                 return absl::OkStatus();
                                               }),
              absl::OkStatus());
    return types;
  }
  everfold::ProcessStatus Status() { return app_.engine().processes().front()->Describe(); }
  void Reopen() { ASSERT_EQ(app_.Open(), absl::OkStatus()); }

  Provider provider_;
  TestApp app_;
};

TEST_F(ProcessTest, GoesItsWay) {
  AnswerPayments();
  Stock(5);
  Place("o1", 2);
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked ItemReserved");
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep ProcessStep ProcessStep ProcessStep");
  ASSERT_EQ(provider_.calls.size(), 1u);
  EXPECT_EQ(Status().instances, 0u);
  EXPECT_EQ(Status().timers, 0u);
  EXPECT_EQ(Status().in_flight, 0u);
  EXPECT_EQ(Status().parked, 0u);
}

TEST_F(ProcessTest, HearsOfARejection) {
  Place("o1");
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
  EXPECT_EQ(EventsOf("item/pen"), "");
  EXPECT_EQ(Status().instances, 0u);
}

TEST_F(ProcessTest, FiresATimerWhenItIsDue) {
  Stock(5);
  Place("o1");
  app_.Advance(absl::Seconds(179));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced");
  EXPECT_EQ(Status().timers, 1u);
  app_.Advance(absl::Seconds(1));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
  EXPECT_EQ(Status().timers, 0u);
  EXPECT_EQ(Status().timers_fired, 1u);
}

TEST_F(ProcessTest, TimersSurviveACrash) {
  Stock(5);
  Place("o1");
  app_.Crash();
  app_.executor().Advance(absl::Hours(5));
  Reopen();
  app_.Settle();
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked ItemReserved ItemReleased");
}

TEST_F(ProcessTest, SendsAgainAfterACrashAndIsDecidedOnce) {
  AnswerPayments();
  Stock(100);
  for (int crash = 0; crash < 60; ++crash) {
    const std::string order = absl::StrFormat("o%d", crash);
    app_.Accepted(MakePlaceOrder({.order_id = order, .item_id = "pen", .quantity = 1}));
    for (int i = 0; i < 3 * crash; ++i) app_.executor().RunOne();
    app_.Crash();
    Reopen();
  }
  app_.Settle();
  for (int crash = 0; crash < 60; ++crash) {
    EXPECT_EQ(EventsOf(absl::StrFormat("order/o%d", crash)), "OrderPlaced OrderCompleted") << crash;
  }
  std::string expected = "ItemStocked";
  for (int crash = 0; crash < 60; ++crash) expected += " ItemReserved";
  EXPECT_EQ(EventsOf("item/pen"), expected);
}

TEST_F(ProcessTest, AStopIsClean) {
  AnswerPayments();
  Stock(5);
  Place("o1");
  app_.Accepted(MakePlaceOrder({.order_id = "o2", .item_id = "pen", .quantity = 1}));
  app_.Stop();
  Reopen();
  app_.Settle();
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(EventsOf("order/o2"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked ItemReserved ItemReserved");
}

TEST_F(ProcessTest, TriesAnActivityAgainWithTheSameKey) {
  Stock(5);
  provider_.answer = [](const Provider::Call& call) -> absl::StatusOr<PaymentAuthorization> {
    if (call.attempt < 3) return absl::UnavailableError("down");
    return Authorized();
  };
  Place("o1");
  app_.Advance(absl::Minutes(1));
  ASSERT_EQ(provider_.calls.size(), 3u);
  EXPECT_EQ(provider_.calls[0].key, provider_.calls[2].key);
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
}

TEST_F(ProcessTest, AnActivityThatMayHaveHadAnEffectIsUnknown) {
  Stock(5);
  provider_.answer = [](const Provider::Call&) { return absl::UnavailableError("down"); };
  Place("o1");
  app_.Advance(absl::Minutes(2));
  EXPECT_EQ(provider_.calls.size(), 3u);
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
}

TEST_F(ProcessTest, TheSecondAnswerOfAnActivityIsLeftOut) {
  Stock(5);
  Place("o1");
  ASSERT_EQ(provider_.calls.size(), 1u);
  app_.Advance(absl::Seconds(80));
  ASSERT_EQ(provider_.calls.size(), 2u);
  (*provider_.calls[0].answer)(Authorized());
  (*provider_.calls[1].answer)(Authorized());
  app_.Settle();
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
}

TEST_F(ProcessTest, TheDirectoryIsMadeAnew) {
  Stock(5);
  Place("o1");
  app_.Crash();
  ASSERT_EQ(everfold::ProcessDirectory::Remove(app_.directory() + "/process/fulfilment.db"), absl::OkStatus());
  Reopen();
  app_.Settle();
  EXPECT_EQ(Status().timers, 1u);
  AnswerPayments();
  app_.Advance(absl::Minutes(2));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
}

}  // namespace
}  // namespace fulfil::v1

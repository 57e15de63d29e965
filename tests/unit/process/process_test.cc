#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "everfold/event/event_key.h"
#include "everfold/process/process_directory.h"
#include "everfold/testing/test_app.h"
#include "tests/unit/process/fulfilment_test.h"

namespace fulfil::v1 {
namespace {

class ProcessTest : public FulfilmentTest {
 protected:
  std::string ReasonOfCancelling(const std::string& order) {
    std::string reason = "not cancelled";
    EXPECT_EQ(app_.engine().store().ReadStream(everfold::StreamOfKey("order/" + order).value(), {},
                                               [&](const everfold::RecordedEvent& event) {
                                                 OrderCancelled cancelled;
                                                 if (event.event.type == cancelled.GetDescriptor()->full_name() &&
                                                     cancelled.ParseFromString(std::string(event.event.payload))) {
                                                   reason = cancelled.reason();
                                                 }
                                                 return absl::OkStatus();
                                               }),
              absl::OkStatus());
    return reason;
  }
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

TEST_F(ProcessTest, ARejectedCommandThatIsSentAgainIsNotDecidedAfresh) {
  Place("o1");
  ASSERT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
  Stock(5);
  const everfold::StreamId stream{"", "$process_fulfilment", "o1"};
  std::string id;
  ASSERT_EQ(app_.engine().store().ReadStream(
                stream, {.limit = 1},
                [&](const everfold::RecordedEvent& event) {
                  id = everfold::OutgoingId(stream, {everfold::Version(1), 0}, event.commit.recorded_at);
                  return absl::OkStatus();
                }),
            absl::OkStatus());
  // As the process does that was killed before it had the answer on record.
  const auto answer =
      app_.Send(MakeReserveItem({.item_id = "pen", .order_id = "o1", .quantity = 1}), {.request_id = id});
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(std::holds_alternative<everfold::Rejection>(*answer));
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked");
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

TEST_F(ProcessTest, ARefusalAfterAnAttemptThatMayHaveHadAnEffectIsUnknown) {
  Stock(5);
  Place("o1");
  ASSERT_EQ(provider_.calls.size(), 1u);
  provider_.answer = [](const Provider::Call&) { return absl::UnauthenticatedError("another key"); };
  app_.Advance(absl::Seconds(80));  // the first attempt is not answered in time
  EXPECT_EQ(provider_.calls.size(), 2u);
  EXPECT_EQ(ReasonOfCancelling("o1"), "payment unknown");
}

TEST_F(ProcessTest, ARefusalAfterAttemptsThatHadNoneIsAFailure) {
  Stock(5);
  provider_.answer = [](const Provider::Call& call) -> absl::StatusOr<PaymentAuthorization> {
    if (call.attempt == 1) return absl::ResourceExhaustedError("busy");
    return absl::FailedPreconditionError("declined");
  };
  Place("o1");
  app_.Advance(absl::Seconds(80));
  EXPECT_EQ(provider_.calls.size(), 2u);
  EXPECT_EQ(ReasonOfCancelling("o1"), "not paid");
}

TEST_F(ProcessTest, ACallThatWasCancelledIsTriedAgainAndMayHaveHadAnEffect) {
  Stock(5);
  provider_.answer = [](const Provider::Call&) { return absl::CancelledError("the client has gone"); };
  Place("o1");
  app_.Advance(absl::Minutes(2));
  EXPECT_EQ(provider_.calls.size(), 3u);
  EXPECT_EQ(ReasonOfCancelling("o1"), "payment unknown");
}

TEST_F(ProcessTest, NoMoreAttemptsAreUnderWayThanTheActivityAllows) {
  constexpr std::size_t kMost = AuthorizePayment::kOptions.concurrency;
  Stock(1000);
  for (std::size_t i = 0; i < kMost + 20; ++i) Place(absl::StrFormat("o%d", i));
  ASSERT_EQ(provider_.calls.size(), kMost);
  (*provider_.calls[7].answer)(Authorized());
  app_.Settle();
  ASSERT_EQ(provider_.calls.size(), kMost + 1);
  EXPECT_EQ(provider_.calls.back().order_id, absl::StrFormat("o%d", kMost)) << "who has waited longest";

  app_.Crash();
  provider_.calls.clear();
  Reopen();
  app_.Settle();
  EXPECT_EQ(provider_.calls.size(), kMost);
  for (std::size_t i = 0; i < provider_.calls.size(); ++i) {
    (*provider_.calls[i].answer)(Authorized());
    app_.Settle();
  }
  EXPECT_EQ(provider_.calls.size(), kMost + 19);
  for (std::size_t i = 0; i < kMost + 20; ++i) {
    EXPECT_EQ(EventsOf(absl::StrFormat("order/o%d", i)), "OrderPlaced OrderCompleted") << i;
  }
}

TEST_F(ProcessTest, AttemptsThatAreOverLetOthersBegin) {
  constexpr std::size_t kMost = AuthorizePayment::kOptions.concurrency;
  Stock(1000);
  for (std::size_t i = 0; i < 2 * kMost; ++i) Place(absl::StrFormat("o%d", i));
  ASSERT_EQ(provider_.calls.size(), kMost);
  app_.Advance(AuthorizePayment::kOptions.attempt_timeout);
  EXPECT_EQ(provider_.calls.size(), 2 * kMost) << "the first ones are not answered in time";
  for (std::size_t i = 0; i < kMost; ++i) (*provider_.calls[kMost + i].answer)(absl::UnavailableError("down"));
  app_.Advance(AuthorizePayment::kOptions.retry.longest_wait);
  EXPECT_EQ(provider_.calls.size(), 3 * kMost);
}

TEST_F(ProcessTest, AnAttemptThatIsLetGoTakesNobodysTurn) {
  constexpr std::size_t kMost = AuthorizePayment::kOptions.concurrency;
  std::vector<std::string> keys;
  provider_.take = [&keys](const PaymentRequest&, const everfold::ActivityCall& call, const auto&) {
    keys.push_back(call.key);
  };
  Stock(1000);
  for (std::size_t i = 0; i < 2 * kMost; ++i) Place(absl::StrFormat("o%d", i));
  ASSERT_EQ(keys.size(), 2 * kMost);
  EXPECT_EQ(Answer(keys[0], "a webhook", Authorized().SerializeAsString()), absl::OkStatus());
  EXPECT_EQ(EventsOf("order/o0"), "OrderPlaced OrderCompleted");
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

TEST_F(ProcessTest, AcceptanceGoesOnRecordWithTheNextStepOrLater) {
  Stock(5);
  Place("o1");
  const auto open_commands = [&] {
    std::optional<std::size_t> open;
    process().Get("", "o1", [&](const absl::StatusOr<everfold::ProcessInstance>& instance) {
      open = instance.value().commands.size();
    });
    app_.Settle();
    return open.value();
  };
  EXPECT_EQ(open_commands(), 0u);  // ItemReserved came in, under the id of ReserveItem
  AnswerPayments();
  app_.Advance(absl::Minutes(2));
  ASSERT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(open_commands(), 0u);
  EXPECT_EQ(Status().instances, 0u);
}

TEST_F(ProcessTest, AStopPutsOnRecordWhatWasAccepted) {
  provider_.answer = [](const Provider::Call&) { return absl::FailedPreconditionError("declined"); };
  Stock(5);
  Place("o1");
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked ItemReserved ItemReleased");
  // The instance has ended, and nothing comes in any more that could say that ReleaseItem was accepted.
  EXPECT_EQ(Status().in_flight, 1u);
  app_.Stop();
  Reopen();
  app_.Settle();
  EXPECT_EQ(Status().in_flight, 0u);
  EXPECT_EQ(Status().instances, 0u);
  EXPECT_EQ(Status().commands_sent, 0u);
}

TEST_F(ProcessTest, WhatWasAcceptedGoesOnRecordAfterAWhile) {
  provider_.answer = [](const Provider::Call&) { return absl::FailedPreconditionError("declined"); };
  Stock(5);
  Place("o1");
  Place("o2");
  EXPECT_EQ(Status().in_flight, 2u);
  app_.Advance(absl::Minutes(10));
  EXPECT_EQ(Status().in_flight, 0u);
  app_.Crash();
  Reopen();
  app_.Settle();
  EXPECT_EQ(Status().commands_sent, 0u);
}

TEST_F(ProcessTest, WhatWasAcceptedOfAnEndedInstanceGoesOnRecordSoon) {
  provider_.answer = [](const Provider::Call&) { return absl::FailedPreconditionError("declined"); };
  Stock(5);
  Place("o1");
  EXPECT_EQ(Status().in_flight, 1u);
  app_.Advance(absl::Seconds(2));
  EXPECT_EQ(Status().in_flight, 0u);
}

TEST_F(ProcessTest, WhatAStartSendsAgainGoesOnRecordSoon) {
  Stock(5);
  app_.Start(MakePlaceOrder({.order_id = "o1", .item_id = "pen", .quantity = 1}));
  const everfold::StreamId stream{"", "$process_fulfilment", "o1"};
  while (app_.engine().store().VersionOf(stream).value() < everfold::Version(1)) ASSERT_TRUE(app_.executor().RunOne());
  app_.Crash();
  Reopen();
  ASSERT_EQ(Pause(), absl::OkStatus());  // so no next step puts it on record
  ASSERT_EQ(EventsOf("item/pen"), "ItemStocked ItemReserved");
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep");
  EXPECT_EQ(Status().in_flight, 1u);
  app_.Advance(absl::Seconds(1));
  EXPECT_EQ(Status().in_flight, 0u);
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

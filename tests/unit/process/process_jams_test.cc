// What does not go through: commands whose decider fails, and activities of which no more may be open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "everfold/base/error.h"
#include "everfold/event/stream_id.h"
#include "tests/unit/process/fulfilment_test.h"

namespace fulfil::v1 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Items whose decider fails.

struct JammedItemDecider : ItemDecider {
  using ItemDecider::Decide;
  static everfold::Decision<Item> Decide(const Item& s, const ReserveItem& c, everfold::Context& context) {
    if (jammed) throw std::runtime_error("the drawer is jammed");
    return ItemDecider::Decide(s, c, context);
  }
  inline static bool jammed = true;
};

class JammedProcessTest : public FulfilmentTest {
 protected:
  JammedProcessTest()
      : FulfilmentTest([](Provider& provider) {
          return everfold::Parts().Aggregate<OrderDecider>().Aggregate<JammedItemDecider>().Process<FulfilmentProcess>(
              AuthorizePayment{&provider});
        }) {
    JammedItemDecider::jammed = true;
    AnswerPayments();
    Stock(9);
    Place("o1");
  }
};

TEST_F(JammedProcessTest, ACommandThatDoesNotGoThroughIsShownAndGoesOnByItself) {
  EXPECT_THAT(Parked(), IsEmpty());
  app_.Advance(absl::Minutes(1));
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: command 1/0"));
  EXPECT_EQ(Status().waiting_sends, 1u);
  EXPECT_EQ(Retry("$process_fulfilment/o1"), absl::OkStatus());
  EXPECT_EQ(Status().waiting_sends, 1u);
  JammedItemDecider::jammed = false;
  app_.Advance(absl::Minutes(1));
  EXPECT_THAT(Parked(), IsEmpty());
  EXPECT_EQ(Status().waiting_sends, 0u);
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
}

TEST_F(JammedProcessTest, AllThatWaitIsTriedAgainAtOnce) {
  Place("o2");
  app_.Advance(absl::Minutes(1));
  ASSERT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: command 1/0", "$process_fulfilment/o2: command 1/0"));
  JammedItemDecider::jammed = false;
  EXPECT_EQ(RetryAll(), absl::OkStatus());
  EXPECT_THAT(Parked(), IsEmpty());
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(EventsOf("order/o2"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(RetryAll(), absl::OkStatus()) << "nothing waits";
}

TEST_F(JammedProcessTest, ShowsHowOftenACommandWasSent) {
  app_.Advance(absl::Seconds(10));
  std::optional<absl::StatusOr<everfold::ProcessInstance>> instance;
  process().Get("", "o1", [&](absl::StatusOr<everfold::ProcessInstance> got) { instance = std::move(got); });
  app_.Settle();
  ASSERT_TRUE(instance.has_value() && instance->ok());
  const everfold::OpenCommand& command = (*instance)->commands.begin()->second;
  EXPECT_THAT(command.attempts.begun, ::testing::Gt(2u));
  EXPECT_THAT(command.attempts.error.message(), HasSubstr("the drawer is jammed"));
  EXPECT_FALSE(command.accepted);
}

TEST_F(JammedProcessTest, TheReasonOfWhatDoesNotGoThroughIsKept) {
  EXPECT_EQ(everfold::ReasonOf(Status().send_error), everfold::reason::kDeciderFailed) << Status().send_error;
}

TEST_F(JammedProcessTest, ACommandThatDoesNotGoThroughMayBeDropped) {
  app_.Advance(absl::Minutes(1));
  ASSERT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: command 1/0"));
  EXPECT_EQ(Drop("$process_fulfilment/o1", "command 1/0"), absl::OkStatus());
  EXPECT_THAT(Parked(), IsEmpty());
  EXPECT_EQ(Status().waiting_sends, 0u);
  JammedItemDecider::jammed = false;
  app_.Crash();
  Reopen();
  app_.Advance(absl::Minutes(3));
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked");
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");  // by its timer
}

// The store forgets ids by the time that it recorded last: a clock that was wrong for a commit makes it forget.
TEST_F(JammedProcessTest, ACommandWhoseIdTheStoreMayHaveForgottenIsNotSentAgain) {
  everfold::AppendRequest late;
  late.not_before = app_.executor().clock().Now() + absl::Hours(24 * 30);
  late.streams.push_back({.stream = {"", "note", "n1"},
                          .expectation = everfold::StreamExpectation::Any(),
                          .events = {{.type = "note.v1.Written",
                                      .fingerprint = std::string(32, 'f'),
                                      .payload = "",
                                      .event_time = {},
                                      .tags = {}}}});
  std::optional<absl::Status> appended;
  app_.engine().store().Append(
      std::move(late), [&](const absl::StatusOr<everfold::AppendResult>& result) { appended = result.status(); });
  app_.Settle();
  ASSERT_EQ(appended, absl::OkStatus());
  app_.Crash();
  JammedItemDecider::jammed = false;
  Reopen();
  app_.Settle();
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: command 1/0"));
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked");
}

// With a provider that is down.

class DownProviderTest : public FulfilmentTest {
 protected:
  DownProviderTest() {
    provider_.answer = [](const Provider::Call&) { return absl::UnavailableError("the line is down"); };
    Stock(9);
    Place("o1");
    Place("o2");
  }
};

TEST_F(DownProviderTest, ActivitiesInVainAreCountedUntilTheyEnd) {
  EXPECT_EQ(Status().activities_in_vain, 2u);
  EXPECT_EQ(Status().activity_error.message(), "authorize_payment: the line is down");
  app_.Crash();
  Reopen();
  app_.Settle();
  EXPECT_EQ(Status().activities_in_vain, 2u);
  AnswerPayments();
  app_.Advance(absl::Minutes(1));
  EXPECT_EQ(Status().activities_in_vain, 0u);
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
}

TEST_F(DownProviderTest, ActivitiesInVainAreCountedUntilTheyAreAnsweredFromOutside) {
  const std::string key = provider_.calls.front().key;
  EXPECT_EQ(Answer(key, "webhook 1", Authorized().SerializeAsString()), absl::OkStatus());
  EXPECT_EQ(Status().activities_in_vain, 1u);
  EXPECT_EQ(Answer(provider_.calls.back().key, "webhook 2", Authorized().SerializeAsString()), absl::OkStatus());
  EXPECT_EQ(Status().activities_in_vain, 0u);
  EXPECT_EQ(Status().activity_error, absl::OkStatus());
}

// What a provider says may be anything, and is told in messages that take text only.
TEST_F(DownProviderTest, WhatAnAttemptWasToldIsShownAsText) {
  provider_.answer = [](const Provider::Call&) { return absl::UnavailableError("caf\xe9\n"); };
  app_.Advance(absl::Seconds(10));
  EXPECT_EQ(Status().activities_in_vain, 2u);
  const std::string told(Status().activity_error.message());
  EXPECT_TRUE(everfold::IsPrintableUtf8(told)) << told;
  EXPECT_THAT(told, HasSubstr("caf"));
}

TEST_F(DownProviderTest, ActivitiesInVainAreCountedUntilTheyAreGivenUp) {
  app_.Advance(absl::Minutes(2));  // three attempts
  EXPECT_EQ(Status().activities_in_vain, 0u);
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
}

// With one activity at a time.

std::unique_ptr<everfold::testing::TestAppOptions> OneActivity() {
  auto options = std::make_unique<everfold::testing::TestAppOptions>();
  options->engine.processes.max_events_under_way = 1;
  options->engine.processes.max_activities = 1;
  return options;
}

class OneActivityTest : public FulfilmentTest {
 protected:
  OneActivityTest() : FulfilmentTest(OneActivity()) { Stock(9); }
  void ExpectOneAfterTheOther() {
    for (std::size_t order = 0; order < 3; ++order) {
      ASSERT_EQ(provider_.calls.size(), order + 1);
      (*provider_.calls.back().answer)(Authorized());
      app_.Settle();
    }
    for (const char* order : {"o1", "o2", "o3"}) {
      EXPECT_EQ(EventsOf(absl::StrFormat("order/%s", order)), "OrderPlaced OrderCompleted");
    }
  }
};

TEST_F(OneActivityTest, NoFurtherEventIsTakenWhileAsManyActivitiesAreOpenAsMayBe) {
  for (const char* order : {"o1", "o2", "o3"}) Place(order);
  ExpectOneAfterTheOther();
}

}  // namespace
}  // namespace fulfil::v1

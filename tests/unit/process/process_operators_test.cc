#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

#include "everfold/base/error.h"
#include "everfold/event/fingerprint.h"
#include "everfold/process/process_directory.h"
#include "everfold/projection/sqlite.h"
#include "tests/unit/process/fulfilment_test.h"

namespace fulfil::v1 {
namespace {

using everfold::ReasonOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ProcessOperatorsTest : public FulfilmentTest {
 protected:
  // Runs steps until the instance has made its first one, and its command is on its way.
  void PlaceAndCrashAfterTheFirstStep() {
    app_.Start(MakePlaceOrder({.order_id = "o1", .item_id = "pen", .quantity = 1}));
    const everfold::StreamId stream{"", "$process_fulfilment", "o1"};
    while (app_.engine().store().VersionOf(stream).value() < everfold::Version(1)) {
      ASSERT_TRUE(app_.executor().RunOne());
    }
    app_.Crash();
  }
  // One activity more than may be open: its event parks, and waits for an operator.
  void ParkAnEventOf(const std::string& order) {
    for (std::size_t i = 0; i < everfold::kMaxOpenActivities; ++i) {
      app_.Accepted(MakeReserveItem({.item_id = "pen", .order_id = order, .quantity = 1}));
    }
    app_.Settle();
    ASSERT_EQ(Parked().size(), 1u);
  }
  // As a second process of this name would, so that the next step of the first one finds another version.
  void SomebodyElseMakesAStep(const std::string& order) {
    const everfold::StreamId stream{"", "$process_fulfilment", order};
    everfold::AppendRequest request;
    request.of_framework = true;
    const auto repeat = [&](const everfold::RecordedEvent& event) {
      request.streams.clear();
      request.streams.push_back(
          {.stream = stream,
           .expectation = everfold::StreamExpectation::Exact(event.version),
           .events = {{.type = std::string(event.event.type),
                       .fingerprint = std::string(everfold::FingerprintOf(*everfold::v1::ProcessStep::descriptor())),
                       .payload = std::string(event.event.payload),
                       .event_time = {},
                       .tags = {}}}});
      return absl::OkStatus();
    };
    ASSERT_EQ(app_.engine().store().ReadStream(stream, {}, repeat), absl::OkStatus());
    absl::Status appended = absl::UnknownError("not answered");
    app_.engine().store().Append(
        std::move(request), [&](const absl::StatusOr<everfold::AppendResult>& result) { appended = result.status(); });
    app_.Settle();
    ASSERT_EQ(appended, absl::OkStatus());
  }
};

TEST_F(ProcessOperatorsTest, AnEventThatFitsNoInstanceParksAndOthersGoOn) {
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

TEST_F(ProcessOperatorsTest, AParkedEventSurvivesACrash) {
  app_.Accepted(MakeStockItem({.item_id = "pen", .quantity = 9}));
  app_.Accepted(MakeReserveItem({.item_id = "pen", .order_id = "nobody", .quantity = 1}));
  app_.Settle();
  app_.Advance(absl::Seconds(2));
  app_.Crash();
  Reopen();
  app_.Settle();
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/nobody: item/pen@2"));
}

TEST_F(ProcessOperatorsTest, AnOutcomeThatIsNoneParksUntilItIsDropped) {
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

TEST_F(ProcessOperatorsTest, WhatIsParkedComesInAgainAfterACrash) {
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

TEST_F(ProcessOperatorsTest, AnswersComeFromOutsideOnce) {
  Stock(9);
  Place("o1");
  ASSERT_EQ(provider_.calls.size(), 1u);
  const std::string key = provider_.calls[0].key;
  const std::string result = Authorized().SerializeAsString();
  EXPECT_TRUE(absl::IsNotFound(Answer("no such key", "webhook-1", result)));
  EXPECT_TRUE(absl::IsInvalidArgument(Answer(key, "", result)));
  EXPECT_TRUE(absl::IsInvalidArgument(Answer(key, "webhook-1", std::string("\xff\xff"))));
  EXPECT_EQ(Answer(key, "webhook-1", result), absl::OkStatus());
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(Answer(key, "webhook-1", result), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(Answer(key, "webhook-2", result)));
  app_.Crash();
  Reopen();
  app_.Settle();
  EXPECT_EQ(Answer(key, "webhook-1", result), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(Answer(key, "webhook-2", result)));
}

TEST_F(ProcessOperatorsTest, AFailureComesFromOutside) {
  Stock(9);
  Place("o1");
  EXPECT_EQ(Answer(provider_.calls.at(0).key, "webhook-1", absl::FailedPreconditionError("declined")),
            absl::OkStatus());
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
}

TEST_F(ProcessOperatorsTest, APausedProcessTakesNothingAfterARestartEither) {
  AnswerPayments();
  Stock(9);
  EXPECT_EQ(Pause(), absl::OkStatus());
  Place("o1");
  app_.Advance(absl::Minutes(5));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced");
  EXPECT_TRUE(absl::IsUnavailable(Answer("key", "webhook-1", std::string())));
  app_.Stop();
  Reopen();
  app_.Settle();
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced");
  EXPECT_EQ(Status().state, everfold::ReactorState::kPaused);
  EXPECT_EQ(Resume(), absl::OkStatus());
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
}

TEST_F(ProcessOperatorsTest, TimersOfAPausedProcessFireWhenItIsResumed) {
  Stock(9);
  Place("o1");
  EXPECT_EQ(Pause(), absl::OkStatus());
  app_.Advance(absl::Hours(1));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced");
  EXPECT_EQ(Resume(), absl::OkStatus());
  app_.Advance(absl::Seconds(10));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
}

TEST_F(ProcessOperatorsTest, IsResetToTheHeadAlsoWhileItIsPaused) {
  AnswerPayments();
  Stock(9);
  EXPECT_EQ(Pause(), absl::OkStatus());
  Place("o1");
  EXPECT_TRUE(absl::IsInvalidArgument(Reset(everfold::v1::REACTOR_RESET_TO_HEAD, "")));
  EXPECT_EQ(Reset(everfold::v1::REACTOR_RESET_TO_HEAD, "a test"), absl::OkStatus());
  EXPECT_EQ(Resume(), absl::OkStatus());
  Place("o2");
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced");
  EXPECT_EQ(EventsOf("order/o2"), "OrderPlaced OrderCompleted");
  EXPECT_TRUE(absl::IsFailedPrecondition(Reset(everfold::v1::REACTOR_RESET_TO_AS_IT_WAS, "a test")));
}

TEST_F(ProcessOperatorsTest, ACommandThatIsTooOldIsNotSentAgainByItself) {
  Stock(9);
  PlaceAndCrashAfterTheFirstStep();
  app_.executor().Advance(absl::Hours(24 * 8));
  Reopen();
  app_.Settle();
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: command 1/0"));
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked");
  EXPECT_EQ(Retry("$process_fulfilment/o1"), absl::OkStatus());
  EXPECT_THAT(Parked(), IsEmpty());
  EXPECT_THAT(EventsOf("item/pen"), HasSubstr("ItemStocked ItemReserved"));
}

TEST_F(ProcessOperatorsTest, ACommandThatIsTooOldMayBeDropped) {
  Stock(9);
  PlaceAndCrashAfterTheFirstStep();
  app_.executor().Advance(absl::Hours(24 * 8));
  Reopen();
  app_.Settle();
  ASSERT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: command 1/0"));
  EXPECT_EQ(Drop("$process_fulfilment/o1", "command 1/0"), absl::OkStatus());
  EXPECT_THAT(Parked(), IsEmpty());
  app_.Crash();
  Reopen();
  app_.Settle();
  EXPECT_THAT(Parked(), IsEmpty());
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked");
}

TEST_F(ProcessOperatorsTest, ShowsHowOftenWhatIsOpenWasTried) {
  provider_.answer = [](const Provider::Call&) { return absl::UnavailableError("the line is down"); };
  Stock(9);
  Place("o1");
  const auto attempts = [this] {
    std::optional<everfold::Attempts> attempts;
    process().Get("", "o1", [&](absl::StatusOr<everfold::ProcessInstance> got) {
      attempts = got.value().activities.begin()->second.attempts;
    });
    app_.Settle();
    return attempts.value();
  };
  EXPECT_EQ(attempts().begun, 1u);
  EXPECT_EQ(attempts().error, absl::UnavailableError("the line is down"));
  app_.Advance(absl::Seconds(10));
  EXPECT_EQ(attempts().begun, 2u);
  app_.Crash();
  provider_.answer = nullptr;
  Reopen();
  app_.Settle();
  EXPECT_EQ(attempts().begun, 1u) << "since it runs";
  EXPECT_EQ(attempts().error, absl::OkStatus());
}

TEST_F(ProcessOperatorsTest, ShowsOpenInstances) {
  Stock(9);
  Place("o1");
  Place("o2");
  std::vector<std::string> keys;
  const auto list = [&](const std::string& after, std::size_t limit) {
    keys.clear();
    process().ListInstances(after, limit, [&](const absl::StatusOr<std::vector<everfold::OpenInstance>>& page) {
      ASSERT_TRUE(page.ok()) << page.status();
      for (const everfold::OpenInstance& one : *page) {
        keys.push_back(one.key);
        EXPECT_EQ(one.timers, 1u);
        EXPECT_EQ(one.in_flight, 1u);
      }
    });
    app_.Settle();
  };
  list("", 10);
  EXPECT_THAT(keys, ElementsAre("$process_fulfilment/o1", "$process_fulfilment/o2"));
  list("", 1);
  EXPECT_THAT(keys, ElementsAre("$process_fulfilment/o1"));
  list("$process_fulfilment/o1", 1);
  EXPECT_THAT(keys, ElementsAre("$process_fulfilment/o2"));

  std::optional<absl::StatusOr<everfold::ProcessInstance>> instance;
  process().Get("", "o1", [&](absl::StatusOr<everfold::ProcessInstance> got) { instance = std::move(got); });
  app_.Settle();
  ASSERT_TRUE(instance.has_value() && instance->ok());
  EXPECT_EQ((*instance)->activities.size(), 1u);
  EXPECT_EQ((*instance)->commands.size(), 0u);
  EXPECT_EQ((*instance)->timers.count("payment"), 1u);
  process().Get("", "o9", [&](absl::StatusOr<everfold::ProcessInstance> got) { instance = std::move(got); });
  app_.Settle();
  EXPECT_TRUE(absl::IsNotFound(instance->status()));
}

TEST_F(ProcessOperatorsTest, OfTwoThatRunAProcessOneStopsAndNothingIsDoneTwice) {
  AnswerPayments();
  Stock(9);
  everfold::ProcessRunnerOptions options;
  options.directory = app_.directory() + "/other";
  options.clock = &app_.executor().clock();
  everfold::SeededRandom random(7);
  options.random = &random;
  auto other =
      everfold::Process::Open(options, everfold::MakeProcessType<FulfilmentProcess>(AuthorizePayment{&provider_}),
                              app_.engine().store(), app_.engine().commands(), app_.executor());
  ASSERT_TRUE(other.ok()) << other.status();
  (*other)->Start();
  for (int i = 0; i < 5; ++i) Place(absl::StrFormat("o%d", i));
  app_.Advance(absl::Minutes(1));
  EXPECT_FALSE(Status().error.ok() && (*other)->Describe().error.ok());
  app_.executor().DropAll();
  other->reset();
  app_.Crash();
  Reopen();
  app_.Advance(absl::Minutes(1));
  std::string expected = "ItemStocked";
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(EventsOf(absl::StrFormat("order/o%d", i)), "OrderPlaced OrderCompleted");
    expected += " ItemReserved";
  }
  EXPECT_EQ(EventsOf("item/pen"), expected);
}

TEST_F(ProcessOperatorsTest, AStopOfAStoppedProcessParksNoEvent) {
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

TEST_F(ProcessOperatorsTest, AStopWhileItIsPausedParksNoEventWhereverItIs) {
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

// A process that never closes is a failed check of TestApp::Stop.
TEST_F(ProcessOperatorsTest, ClosesWhereverTheLogRefusesTheStepOfAnEvent) {
  Stock(100);
  for (int steps = 0; steps < 40; ++steps) {
    const std::string order = absl::StrFormat("o%d", steps);
    Place(order);
    ASSERT_NO_FATAL_FAILURE(SomebodyElseMakesAStep(order));
    app_.Accepted(MakeCancelOrder({.order_id = order, .reason = "customer"}));
    for (int i = 0; i < steps; ++i) app_.executor().RunOne();
    app_.Stop();
    Reopen();
    app_.Settle();
    ASSERT_THAT(Parked(), IsEmpty()) << steps;
  }
  std::string expected = "ItemStocked";
  for (int steps = 0; steps < 40; ++steps) expected += " ItemReserved ItemReleased";
  EXPECT_EQ(EventsOf("item/pen"), expected);
}

TEST_F(ProcessOperatorsTest, AnIdThatWasDecidedWithAnotherContentIsAccepted) {
  Stock(9);
  PlaceAndCrashAfterTheFirstStep();
  Reopen();
  const absl::StatusOr<everfold::ProcessInstance> instance =
      everfold::LoadInstance(app_.engine().store(), process().type(), {"", "$process_fulfilment", "o1"});
  ASSERT_TRUE(instance.ok()) << instance.status();
  ASSERT_EQ(instance->commands.size(), 1u);
  // As an earlier release wrote it. Its event is for no instance.
  const auto decided = app_.Start(MakeReserveItem({.item_id = "pen", .quantity = 1}),
                                  {.request_id = instance->commands.begin()->second.id});
  app_.Settle();
  ASSERT_TRUE(decided->has_value() && (*decided)->ok());
  EXPECT_EQ(EventsOf("item/pen"), "ItemStocked ItemReserved");
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced");
}

TEST_F(ProcessOperatorsTest, AnAnswerForAnInstanceWithAParkedEventIsRefused) {
  Stock(1000);
  Place("o1");
  ASSERT_NO_FATAL_FAILURE(ParkAnEventOf("o1"));
  const std::string result = Authorized().SerializeAsString();
  const absl::Status refused = Answer(provider_.calls.at(0).key, "webhook-1", result);
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_EQ(ReasonOf(refused), everfold::reason::kEventParked);
}

TEST_F(ProcessOperatorsTest, AParkedEventIsNotOvertakenAfterItHasBegunAgain) {
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

TEST_F(ProcessOperatorsTest, ADroppedEventDoesNotLetGoWhatWaitsForTheNextOne) {
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

TEST_F(ProcessOperatorsTest, WhatWaitedForAParkedEventGoesOnFromTheHead) {
  Stock(1000);
  Place("o1");
  ASSERT_NO_FATAL_FAILURE(ParkAnEventOf("o1"));
  ASSERT_EQ(Reset(everfold::v1::REACTOR_RESET_TO_HEAD, "a test"), absl::OkStatus());
  EXPECT_THAT(Parked(), IsEmpty());
  app_.Advance(absl::Hours(1));  // its timer, and the time of its activity, is over
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
}

TEST_F(ProcessOperatorsTest, ADamagedDirectoryIsMadeAnew) {
  Stock(9);
  Place("o1");
  app_.Stop();
  std::ofstream(app_.directory() + "/process/fulfilment.db", std::ios::trunc) << "this is no database";
  Reopen();
  app_.Settle();
  EXPECT_EQ(Status().instances, 1u);
  EXPECT_EQ(Status().timers, 1u);
  app_.Advance(absl::Minutes(4));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
}

// In a page that nothing reads before the first timer is looked for.
TEST_F(ProcessOperatorsTest, ADirectoryWhoseDamageIsMetLaterIsMadeAnew) {
  Stock(9);
  Place("o1");
  app_.Stop();
  const std::string path = app_.directory() + "/process/fulfilment.db";
  std::int64_t begin = 0, size = 0;
  {
    const auto database = everfold::sqlite::Database::Open(path, everfold::sqlite::Access::kReadWrite);
    ASSERT_TRUE(database.ok()) << database.status();
    ASSERT_EQ((*database)->Execute("PRAGMA wal_checkpoint(TRUNCATE)"), absl::OkStatus());
    const auto page = *(*database)->Prepare(
        "SELECT (rootpage - 1) * page_size, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'timer_due'");
    ASSERT_TRUE(*page->Step());
    begin = page->Integer(0);
    size = page->Integer(1);
  }
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(begin) << std::string(static_cast<std::size_t>(size), '\xff');
  file.close();
  Reopen();
  app_.Settle();
  EXPECT_EQ(Status().error, absl::OkStatus());
  EXPECT_EQ(Status().timers, 1u);
  app_.Advance(absl::Minutes(4));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
}

TEST_F(ProcessOperatorsTest, AClockThatStandsStillDoesNotKeepTheDirectoryBehind) {
  Stock(1000);
  ASSERT_EQ(Pause(), absl::OkStatus());  // that of the application
  for (int i = 0; i < 200; ++i) {
    app_.Accepted(MakePlaceOrder({.order_id = absl::StrFormat("o%d", i), .item_id = "pen", .quantity = 1}));
  }
  everfold::ProcessRunnerOptions options;
  options.directory = app_.directory() + "/other";
  everfold::ManualClock clock(absl::FromUnixSeconds(1'800'000'000));
  options.clock = &clock;
  everfold::SeededRandom random(7);
  options.random = &random;
  everfold::ProcessType type = everfold::MakeProcessType<FulfilmentProcess>(AuthorizePayment{&provider_});
  type.name = "other";
  auto other = everfold::Process::Open(options, std::move(type), app_.engine().store(), app_.engine().commands(),
                                       app_.executor());
  ASSERT_TRUE(other.ok()) << other.status();
  (*other)->Start();
  app_.Settle();
  for (int i = 0; i < 200; ++i) {
    app_.Accepted(MakePlaceOrder({.order_id = absl::StrFormat("later%d", i), .item_id = "pen", .quantity = 1}));
  }
  app_.Advance(absl::Seconds(10));
  EXPECT_EQ((*other)->Describe().instances, 400u);
  app_.executor().DropAll();
  other->reset();
  app_.Crash();
  Reopen();
}

// The event that was turned away is forgotten by a reset, so nothing waits for it when the input before it is dropped.
TEST_F(ProcessOperatorsTest, WhatWasTurnedAwayHoldsNothingAfterAReset) {
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

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "everfold/projection/sqlite.h"
#include "tests/unit/process/fulfilment_test.h"

namespace fulfil::v1 {
namespace {

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
};

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

TEST_F(ProcessOperatorsTest, TimesThatCannotBeAreRefused) {
  const auto open = [&](absl::Duration sleep, absl::Duration ahead) {
    everfold::ProcessRunnerOptions options;
    options.directory = app_.directory() + "/other";
    options.longest_sleep = sleep;
    options.timers_read_ahead = ahead;
    return everfold::Process::Open(options, everfold::MakeProcessType<FulfilmentProcess>(AuthorizePayment{&provider_}),
                                   app_.engine().store(), app_.engine().commands(), app_.executor())
        .status();
  };
  for (const absl::Duration wrong : {absl::ZeroDuration(), absl::Seconds(-1), absl::InfiniteDuration()}) {
    EXPECT_TRUE(absl::IsInvalidArgument(open(wrong, absl::Minutes(1)))) << wrong;
    EXPECT_TRUE(absl::IsInvalidArgument(open(absl::Seconds(5), wrong))) << wrong;
  }
  EXPECT_EQ(std::string(open(absl::ZeroDuration(), absl::Minutes(1)).message()),
            "longest_sleep of a process is longer than 0 and at most 8784h, not 0");
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

}  // namespace
}  // namespace fulfil::v1

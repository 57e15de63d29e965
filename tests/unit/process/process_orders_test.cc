// What a React may order beside commands that go out at once: scheduled commands, timers that are put off, too much of
// something; and instances of tenants.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <tuple>

#include "everfold/event/fingerprint.h"
#include "everfold/testing/process.h"
#include "tests/unit/process/fulfilment_test.h"

namespace fulfil::v1 {
namespace {

using ::testing::ElementsAre;

// Cancels an order that is not completed within an hour. "postpone" puts it off.
struct PatienceProcess {
  static constexpr everfold::ProcessOptions kOptions{.start = everfold::ReactorStart::kBeginning};
  using Process = Fulfilment;
  using Events = everfold::EventsOf<Order>;
  using Commands = everfold::Types<CancelOrder>;
  using Steps = everfold::Steps<PatienceProcess>;

  static everfold::Route Route(const OrderPlaced&, const everfold::EventContext& c) {
    return everfold::Route::Start(c.id);
  }
  static everfold::Route Route(const OrderCompleted&, const everfold::EventContext& c) {
    return everfold::Route::Continue(c.id);
  }
  static everfold::Route Route(const OrderCancelled&, const everfold::EventContext& c) {
    return everfold::Route::Continue(c.id);
  }
  static void React(Fulfilment& state, const OrderPlaced& e, Steps& steps) {
    constexpr char kNoUtf8[] = "caf\xe9";
    if (e.item_id() == "state") state.set_item_id(kNoUtf8);
    if (e.item_id() == "command") steps.Send(MakeCancelOrder({.order_id = steps.id(), .reason = kNoUtf8}));
    if (e.item_id() == "scheduled") {
      steps.SendAfter("bad", absl::Hours(1), MakeCancelOrder({.order_id = steps.id(), .reason = kNoUtf8}));
    }
    for (int i = 0; i < e.quantity(); ++i) steps.SetTimer("timer " + std::to_string(i), absl::Minutes(10));
    steps.SendAfter("cancel", absl::Hours(1), MakeCancelOrder({.order_id = steps.id(), .reason = "too late"}));
  }
  static void React(Fulfilment&, const everfold::TimerFired& timer, Steps& steps) {
    if (timer.name == "timer 0") {
      steps.SendAt("cancel", steps.now() + absl::Hours(1),
                   MakeCancelOrder({.order_id = steps.id(), .reason = "later"}));
    }
  }
  static void React(Fulfilment&, const OrderCompleted&, Steps& steps) { steps.CancelTimer("cancel"); }
  static void React(Fulfilment&, const OrderCancelled&, Steps& steps) { steps.Done(); }
  static void React(Fulfilment&, const everfold::Refused<CancelOrder>&, Steps&) {}
};

everfold::Parts PatienceParts(Provider&) {
  return everfold::Parts().Aggregate<OrderDecider>().Aggregate<ItemDecider>().Process<PatienceProcess>();
}

class ProcessOrdersTest : public FulfilmentTest {
 protected:
  ProcessOrdersTest() : FulfilmentTest(PatienceParts) {}
};

TEST_F(ProcessOrdersTest, AScheduledCommandIsSentWhenItIsDue) {
  app_.Accepted(MakePlaceOrder({.order_id = "o1", .item_id = "pen", .quantity = 2}));
  app_.Advance(absl::Minutes(69));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced");
  app_.Crash();
  Reopen();
  app_.Advance(absl::Minutes(1));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCancelled");
  EXPECT_EQ(Status().instances, 0u);
}

TEST_F(ProcessOrdersTest, AScheduledCommandThatIsCancelledIsNeverSent) {
  app_.Accepted(MakePlaceOrder({.order_id = "o1", .item_id = "pen", .quantity = 1}));
  app_.Accepted(MakeCompleteOrder({.order_id = "o1"}));
  app_.Settle();
  EXPECT_EQ(Status().timers, 1u);
  app_.Advance(absl::Minutes(11));  // "timer 0" sets it again
  EXPECT_EQ(Status().timers, 1u);
  app_.Advance(absl::Hours(2));
  EXPECT_EQ(EventsOf("order/o1"), "OrderPlaced OrderCompleted");
  EXPECT_EQ(Status().timers, 0u);
}

TEST_F(ProcessOrdersTest, WhatComesAfterTheEndIsLeftOutAndCounted) {
  app_.Accepted(MakePlaceOrder({.order_id = "o1", .item_id = "pen", .quantity = 1}));
  app_.Accepted(MakeCancelOrder({.order_id = "o1", .reason = "customer"}));
  app_.Settle();
  EXPECT_EQ(Status().instances, 0u);
  EXPECT_EQ(Status().timers, 0u);
  app_.Advance(absl::Hours(2));
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep ProcessStep");
}

TEST_F(ProcessOrdersTest, MoreThanMayBeOpenParksTheInstance) {
  app_.Accepted(MakePlaceOrder({.order_id = "o1", .item_id = "pen", .quantity = 100}));
  app_.Accepted(MakePlaceOrder({.order_id = "o2", .item_id = "pen", .quantity = 99}));
  app_.Settle();
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/o1: order/o1@1"));
  EXPECT_EQ(Status().timers, 100u);
}

TEST_F(ProcessOrdersTest, WhatWouldNotParseAgainParksItsInstanceAndNoOther) {
  for (const char* bad : {"state", "command", "scheduled"}) {
    app_.Accepted(MakePlaceOrder({.order_id = bad, .item_id = bad, .quantity = 1}));
  }
  app_.Accepted(MakePlaceOrder({.order_id = "o1", .item_id = "pen", .quantity = 1}));
  app_.Settle();
  EXPECT_THAT(Parked(), ElementsAre("$process_fulfilment/command: order/command@1",
                                    "$process_fulfilment/scheduled: order/scheduled@1",
                                    "$process_fulfilment/state: order/state@1"));
  app_.Advance(absl::Seconds(2));
  app_.Crash();
  Reopen();
  app_.Settle();
  EXPECT_EQ(Status().error, absl::OkStatus());
  EXPECT_EQ(EventsOf("$process_fulfilment/state"), "");
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep");
  EXPECT_EQ(Drop("$process_fulfilment/state", "order/state@1"), absl::OkStatus());
  EXPECT_EQ(Drop("$process_fulfilment/command", "order/command@1"), absl::OkStatus());
  EXPECT_EQ(Drop("$process_fulfilment/scheduled", "order/scheduled@1"), absl::OkStatus());
  EXPECT_EQ(Parked().size(), 0u);
}

TEST_F(ProcessOrdersTest, InstancesOfATenantAreItsOwn) {
  const PlaceOrder command = MakePlaceOrder({.order_id = "o1", .item_id = "pen", .quantity = 1});
  everfold::CommandRequest request;
  request.command = &command;
  request.tenant = "acme";
  request.metadata.correlation_id = "conversation 7";
  bool accepted = false;
  app_.engine().commands().Handle(
      std::move(request), [&](const absl::StatusOr<everfold::CommandOutcome>& answer) { accepted = answer.ok(); });
  app_.Settle();
  ASSERT_TRUE(accepted);
  EXPECT_EQ(EventsOf("acme:$process_fulfilment/o1"), "ProcessStep");
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "");
  app_.Advance(absl::Minutes(71));
  EXPECT_EQ(EventsOf("acme:order/o1"), "OrderPlaced OrderCancelled");
  // What caused it, step by step.
  std::vector<std::string> causes;
  const auto note = [&](const everfold::RecordedEvent& event) {
    EXPECT_EQ(event.commit.metadata.correlation_id, "conversation 7");
    causes.push_back(event.commit.metadata.causation_id);
    return absl::OkStatus();
  };
  const everfold::EventStore& store = app_.engine().store();
  EXPECT_EQ(store.ReadStream({"acme", "$process_fulfilment", "o1"}, {}, note), absl::OkStatus());
  EXPECT_EQ(store.ReadStream({"acme", "order", "o1"}, {}, note), absl::OkStatus());
  EXPECT_THAT(causes, ElementsAre("order/o1@1", "$process_fulfilment/o1@1", "$process_fulfilment/o1@2", "order/o1@2",
                                  "", "$process_fulfilment/o1@3"));
}

// Routes that fail, and are mended.

struct MendedProcess : PatienceProcess {
  static constexpr everfold::ProcessOptions kOptions{.start = everfold::ReactorStart::kBeginning};
  using PatienceProcess::Route;
  using Steps = everfold::Steps<MendedProcess>;
  template <class E>
  static everfold::Route Mended(const E& event, const everfold::EventContext& c) {
    if (broken) throw std::runtime_error("no way");
    if (nameless) return everfold::Route::Start("");
    return PatienceProcess::Route(event, c);
  }
  static everfold::Route Route(const OrderPlaced& e, const everfold::EventContext& c) {
    const everfold::Route route = Mended(e, c);
    return e.item_id() == "more" ? everfold::Route::Continue(c.id) : route;
  }
  static everfold::Route Route(const OrderCancelled& e, const everfold::EventContext& c) { return Mended(e, c); }
  static void React(Fulfilment&, const OrderPlaced&, Steps& steps) { steps.SetTimer("timer 1", absl::Minutes(10)); }
  static void React(Fulfilment&, const everfold::TimerFired&, Steps&) {}
  static void React(Fulfilment&, const OrderCompleted&, Steps&) {
    if (jammed) throw std::runtime_error("jammed");
  }
  static void React(Fulfilment&, const OrderCancelled&, Steps& steps) { steps.Done(); }
  static void React(Fulfilment&, const everfold::Refused<CancelOrder>&, Steps&) {}
  inline static bool jammed = false;
  inline static bool broken = false;
  inline static bool nameless = false;
};

class MendedProcessTest : public FulfilmentTest {
 protected:
  MendedProcessTest()
      : FulfilmentTest([](Provider&) {
          return everfold::Parts().Aggregate<OrderDecider>().Aggregate<ItemDecider>().Process<MendedProcess>();
        }) {
    MendedProcess::broken = true;
  }
  // An event that no command leads to.
  void AppendTo(const std::string& order, const google::protobuf::Message& event) {
    everfold::AppendRequest request;
    request.streams.push_back({.stream = {"", "order", order},
                               .expectation = everfold::StreamExpectation::Any(),
                               .events = {{.type = event.GetDescriptor()->full_name(),
                                           .fingerprint = everfold::FingerprintOf(*event.GetDescriptor()),
                                           .payload = event.SerializeAsString(),
                                           .event_time = {},
                                           .tags = {}}}});
    absl::Status appended = absl::UnknownError("not answered");
    app_.engine().store().Append(
        std::move(request), [&](const absl::StatusOr<everfold::AppendResult>& result) { appended = result.status(); });
    app_.Settle();
    EXPECT_EQ(appended, absl::OkStatus());
  }
  ~MendedProcessTest() override { MendedProcess::broken = MendedProcess::nameless = MendedProcess::jammed = false; }
};

TEST_F(MendedProcessTest, WhatWasParkedByARouteThatFailedIsTakenWhenItIsMended) {
  for (const auto& [order, crashes, nameless] : std::vector<std::tuple<std::string, bool, bool>>{
           {"o1", false, false}, {"o2", true, false}, {"o3", false, true}, {"o4", true, true}}) {
    SCOPED_TRACE(order);
    MendedProcess::broken = !nameless;
    MendedProcess::nameless = nameless;
    app_.Accepted(MakePlaceOrder({.order_id = order, .item_id = "pen", .quantity = 1}));
    app_.Accepted(MakeCancelOrder({.order_id = order, .reason = "customer"}));
    app_.Settle();
    const std::string key = "order/" + order + " (no key)";
    EXPECT_THAT(Parked(), ElementsAre(key + ": order/" + order + "@1"));
    app_.Advance(absl::Seconds(2));
    if (crashes) {
      app_.Crash();
      Reopen();
      app_.Settle();
    }
    MendedProcess::broken = MendedProcess::nameless = false;
    EXPECT_EQ(Retry(key), absl::OkStatus());
    EXPECT_THAT(Parked(), ElementsAre());
    EXPECT_EQ(Status().error, absl::OkStatus());
    EXPECT_EQ(EventsOf("$process_fulfilment/" + order), "ProcessStep ProcessStep");
  }
}

TEST_F(MendedProcessTest, AllThatAreParkedAreTriedAgainTogether) {
  MendedProcess::broken = true;
  for (const char* order : {"o1", "o2"}) Place(order);
  ASSERT_THAT(Parked(), ElementsAre("order/o1 (no key): order/o1@1", "order/o2 (no key): order/o2@1"));
  MendedProcess::broken = false;
  EXPECT_EQ(RetryAll(), absl::OkStatus());
  EXPECT_THAT(Parked(), ElementsAre());
  for (const char* order : {"o1", "o2"}) {
    EXPECT_EQ(EventsOf(absl::StrFormat("$process_fulfilment/%s", order)), "ProcessStep");
  }
}

TEST_F(MendedProcessTest, WhatCameAfterALateEventIsTakenOnce) {
  MendedProcess::broken = false;
  Place("o1");
  MendedProcess::broken = true;
  AppendTo("o1", MakeOrderPlaced({.item_id = "more", .quantity = 1}));
  AppendTo("o1", MakeOrderCompleted());
  ASSERT_THAT(Parked(), ElementsAre("order/o1 (no key): order/o1@2"));
  ASSERT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep ProcessStep") << "the third event goes on ahead";
  MendedProcess::broken = false;
  EXPECT_EQ(Retry("order/o1 (no key)"), absl::OkStatus());
  EXPECT_THAT(Parked(), ElementsAre());
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep ProcessStep ProcessStep");
}

TEST_F(MendedProcessTest, WhatHadNoKeyIsNotTakenBeforeTheEventThatItsInstanceWaitsFor) {
  MendedProcess::broken = false;
  Place("o1");
  MendedProcess::broken = MendedProcess::jammed = true;
  AppendTo("o1", MakeOrderPlaced({.item_id = "more", .quantity = 1}));
  AppendTo("o1", MakeOrderCompleted());
  const auto both = ElementsAre("$process_fulfilment/o1: order/o1@3", "order/o1 (no key): order/o1@2");
  ASSERT_THAT(Parked(), both);
  MendedProcess::broken = false;
  EXPECT_EQ(Retry("order/o1 (no key)"), absl::OkStatus());
  EXPECT_THAT(Parked(), both);
  app_.Advance(absl::Minutes(10));
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep") << "its timer waits behind the event";
  MendedProcess::jammed = false;
  EXPECT_EQ(Retry("o1"), absl::OkStatus());
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep ProcessStep ProcessStep") << "the event and the timer";
  EXPECT_EQ(Retry("order/o1 (no key)"), absl::OkStatus());
  EXPECT_THAT(Parked(), ElementsAre());
  EXPECT_EQ(EventsOf("$process_fulfilment/o1"), "ProcessStep ProcessStep ProcessStep ProcessStep");
}

// Two activities of one name: what is on record could be of either.

struct SameName {
  static constexpr everfold::ActivityOptions kOptions = AuthorizePayment::kOptions;
  using Request = PaymentRequest;
  using Result = PaymentAuthorization;
  void Start(const PaymentRequest&, const everfold::ActivityCall&, everfold::ActivityDone<SameName>) {}
};

struct TwiceNamedProcess {
  using Process = Fulfilment;
  using Events = everfold::EventsOf<Order>;
  using Activities = everfold::Types<AuthorizePayment, SameName>;
  using Steps = everfold::Steps<TwiceNamedProcess>;
  static everfold::Route Route(const OrderPlaced&, const everfold::EventContext& c) {
    return everfold::Route::Start(c.id);
  }
  static void React(Fulfilment&, const OrderPlaced&, Steps&) {}
  static void React(Fulfilment&, const everfold::Outcome<AuthorizePayment>&, Steps&) {}
  static void React(Fulfilment&, const everfold::Outcome<SameName>&, Steps&) {}
};

TEST(ProcessType, HasEachActivityUnderItsOwnName) {
  const absl::Status valid = everfold::MakeProcessType<TwiceNamedProcess>(AuthorizePayment{nullptr}).Validate();
  EXPECT_TRUE(absl::IsInvalidArgument(valid)) << valid;
  EXPECT_EQ(valid.message(), "process fulfilment: two of its activities are named authorize_payment");
}

TEST(ProcessVocabularyTest, SendsScheduledCommands) {
  everfold::testing::Process<PatienceProcess>(
      everfold::testing::InStream("o1", MakeOrderPlaced({.item_id = "pen", .quantity = 1})))
      .ThenTimer("o1", "cancel", absl::Hours(1))
      .Advance(absl::Minutes(10))
      .ThenTimer("o1", "cancel", absl::Hours(1))
      .Advance(absl::Minutes(59))
      .ThenSentNothing()
      .Advance(absl::Minutes(1))
      .ThenSent(MakeCancelOrder({.order_id = "o1", .reason = "later"}));
}

}  // namespace
}  // namespace fulfil::v1

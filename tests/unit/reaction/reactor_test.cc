// What a reactor reacts to, in which order, how often, and when again.
#include "everfold/reaction/reactor.h"

#include <algorithm>
#include <functional>
#include <set>
#include <stdexcept>

#include "everfold/base/error.h"
#include "everfold/reaction/key_queue.h"
#include "gmock/gmock.h"
#include "tests/unit/reaction/mailbox.h"

namespace everfold {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;

class ReactorTest : public ::testing::Test {
 protected:
  std::vector<std::string> Sent() { return mailbox_.outbox().Sent(); }
  // Mails about these fail with this.
  void Fail(std::set<std::string> about, absl::Status with = absl::UnavailableError("the server is down")) {
    mailbox_.outbox().answer = [about = std::move(about), with = std::move(with)](const Mail& mail) {
      return about.contains(mail.about) ? with : absl::OkStatus();
    };
  }
  void Mend() { mailbox_.outbox().answer = nullptr; }
  void Advance(absl::Duration by) { mailbox_.executor().Advance(by); }

  Mailbox mailbox_;
};

TEST_F(ReactorTest, ReactsToEveryEventInOrder) {
  mailbox_.Credit("a", 5);
  mailbox_.Note("a");
  mailbox_.Debit("b", 7);
  mailbox_.Run();
  mailbox_.Credit("a", 3);
  mailbox_.executor().RunUntilIdle();
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/b@1", "account/a@3"));
  EXPECT_EQ(mailbox_.outbox().sent[1].minor, -7);
  EXPECT_EQ(mailbox_.outbox().sent[2].attempt, 1u);
  const ReactorStatus status = mailbox_.reactor().Describe();
  EXPECT_EQ(status.state, ReactorState::kRunning);
  EXPECT_EQ(status.done, 3u);
  EXPECT_EQ(status.taken_keys, 0u);
  EXPECT_EQ(status.lag_events, 0u);
}

TEST_F(ReactorTest, ANewOneBeginsAtTheHeadUnlessItSaysOtherwise) {
  mailbox_.Credit("a");
  ReactorType type = mailbox_.Type();
  type.start = ReactorStart::kHead;
  mailbox_.Run(type);
  EXPECT_THAT(Sent(), IsEmpty());
  mailbox_.Credit("a");
  mailbox_.executor().RunUntilIdle();
  EXPECT_THAT(Sent(), ElementsAre("account/a@2"));
}

// It is killed before anything but the append itself was made durable.
TEST_F(ReactorTest, WhatIsAppendedAfterTheFirstStartIsReactedToWhateverHappens) {
  mailbox_.Credit("a");
  ReactorType type = mailbox_.Type();
  type.start = ReactorStart::kHead;
  mailbox_.Start(type);
  mailbox_.outbox().answer = [](const Mail&) { return absl::UnavailableError("not yet"); };
  mailbox_.Credit("a");
  mailbox_.CrashAndReopen();
  Mend();
  mailbox_.Run(type);
  EXPECT_THAT(Sent(), ElementsAre("account/a@2"));
}

TEST_F(ReactorTest, IdsAreOfReactorAndEventAlone) {
  mailbox_.Credit("a");
  mailbox_.Credit("b");
  mailbox_.Run();
  ReactorType other = mailbox_.Type();
  other.name = "other";
  mailbox_.CrashAndReopen();
  mailbox_.Run();
  mailbox_.Run(other);
  const std::vector<Mail>& sent = mailbox_.outbox().sent;
  ASSERT_THAT(sent, SizeIs(6));
  EXPECT_EQ(sent[0].id, sent[2].id);
  EXPECT_EQ(sent[1].id, sent[3].id);
  EXPECT_EQ((std::set<std::string>{sent[0].id, sent[1].id, sent[4].id, sent[5].id}).size(), 4u);
  // Receivers have kept it: it must never change.
  EXPECT_EQ(ReactionId("mailer", {"", "account", "a"}, Version(1), absl::FromUnixMicros(1767225600000000)),
            "d6d2765e-9e17-52b1-bb28-818557bd0e4a");
}

TEST_F(ReactorTest, AnIdIsOfTenantVersionAndTimeToo) {
  const absl::Time time = absl::FromUnixMicros(1767225600000000);
  const std::set<std::string> ids = {
      ReactionId("r", {"", "account", "a"}, Version(1), time),
      ReactionId("r", {"t", "account", "a"}, Version(1), time),
      ReactionId("r", {"", "account", "a"}, Version(2), time),
      ReactionId("r", {"", "account", "a"}, Version(1), time + absl::Microseconds(1)),
  };
  EXPECT_THAT(ids, SizeIs(4));
}

TEST_F(ReactorTest, TriesAgainWithLongerAndLongerWaits) {
  mailbox_.Credit("a");
  Fail({"account/a@1"});
  const absl::Time began = mailbox_.executor().clock().Now();
  mailbox_.Run();
  std::vector<ReactorKey> keys = mailbox_.Keys();
  ASSERT_THAT(keys, SizeIs(1));
  EXPECT_EQ(keys[0].key, "account/a");
  EXPECT_EQ(keys[0].attempts, 1u);
  EXPECT_FALSE(keys[0].parked);
  EXPECT_EQ(keys[0].error, "UNAVAILABLE: the server is down");
  EXPECT_THAT(keys[0].next_attempt - began, AllOf(Ge(absl::Seconds(5)), Le(absl::Seconds(10))));
  Advance(keys[0].next_attempt - began - absl::Microseconds(1));
  EXPECT_THAT(mailbox_.outbox().tried, SizeIs(1));
  Advance(absl::Microseconds(1));
  EXPECT_THAT(mailbox_.outbox().tried, SizeIs(2));
  keys = mailbox_.Keys();
  const absl::Duration wait = keys[0].next_attempt - mailbox_.executor().clock().Now();
  EXPECT_THAT(wait, AllOf(Ge(absl::Seconds(7.5)), Le(absl::Seconds(15))));
  Mend();
  Advance(wait);
  ASSERT_THAT(mailbox_.outbox().sent, SizeIs(1));
  EXPECT_EQ(mailbox_.outbox().sent[0].attempt, 3u);
  EXPECT_THAT(mailbox_.Keys(), IsEmpty());
}

TEST_F(ReactorTest, ParksAfterTheLastAttempt) {
  mailbox_.Credit("a");
  Fail({"account/a@1"});
  mailbox_.Run();
  Advance(absl::Minutes(1));
  EXPECT_THAT(mailbox_.outbox().tried, SizeIs(3));
  const std::vector<ReactorKey> keys = mailbox_.Keys();
  ASSERT_THAT(keys, SizeIs(1));
  EXPECT_TRUE(keys[0].parked);
  EXPECT_EQ(keys[0].attempts, 3u);
  EXPECT_EQ(mailbox_.reactor().Describe().parked_keys, 1u);
  ASSERT_FALSE(mailbox_.logger().lines().empty());
  EXPECT_EQ(mailbox_.logger().lines().back(),
            (RecordingLogger::Line{LogLevel::kWarning,
                                   "reactor has parked an event that it cannot react to",
                                   {{"reactor", "mailer"},
                                    {"key", "account/a"},
                                    {"event", "account/a@1"},
                                    {"cause", keys[0].error},
                                    {"parked_keys", "1"}}}));
}

TEST_F(ReactorTest, WhatNoOtherTryHelpsIsParkedAtOnce) {
  const std::vector<absl::Status> hopeless = {absl::InvalidArgumentError("x"),    absl::NotFoundError("x"),
                                              absl::FailedPreconditionError("x"), absl::PermissionDeniedError("x"),
                                              absl::AlreadyExistsError("x"),      absl::UnauthenticatedError("x"),
                                              absl::OutOfRangeError("x"),         absl::DataLossError("x"),
                                              absl::UnimplementedError("x"),      absl::CancelledError("x")};
  for (std::size_t i = 0; i < hopeless.size(); ++i) mailbox_.Credit(absl::StrFormat("a%d", i));
  mailbox_.outbox().answer = [&](const Mail& mail) { return hopeless[static_cast<std::size_t>(mail.about[9] - '0')]; };
  mailbox_.Run();
  EXPECT_EQ(mailbox_.reactor().Describe().parked_keys, hopeless.size());
  EXPECT_THAT(mailbox_.outbox().tried, SizeIs(hopeless.size()));
}

TEST_F(ReactorTest, WhatMayPassIsTriedAgain) {
  const std::vector<absl::Status> passing = {absl::UnavailableError("x"),       absl::DeadlineExceededError("x"),
                                             absl::ResourceExhaustedError("x"), absl::AbortedError("x"),
                                             absl::UnknownError("x"),           absl::InternalError("x")};
  for (std::size_t i = 0; i < passing.size(); ++i) mailbox_.Credit(absl::StrFormat("a%d", i));
  mailbox_.outbox().answer = [&](const Mail& mail) { return passing[static_cast<std::size_t>(mail.about[9] - '0')]; };
  mailbox_.Run();
  EXPECT_EQ(mailbox_.reactor().Describe().waiting_keys, passing.size());
}

TEST_F(ReactorTest, WhatAHandlerThrowsIsTriedAgain) {
  mailbox_.Credit("a");
  mailbox_.outbox().answer = [](const Mail&) -> absl::Status { throw std::runtime_error("no paper"); };
  mailbox_.Run();
  ASSERT_THAT(mailbox_.Keys(), SizeIs(1));
  EXPECT_EQ(mailbox_.Keys()[0].error, "INTERNAL: the handler threw: no paper");
  mailbox_.outbox().answer = [](const Mail&) -> absl::Status { throw 7; };
  Advance(absl::Seconds(10));
  EXPECT_EQ(mailbox_.Keys()[0].error, "INTERNAL: the handler threw");
  Mend();
  Advance(absl::Seconds(15));
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
}

TEST_F(ReactorTest, APayloadThatIsNoMessageIsParked) {
  mailbox_.Append(
      "a",
      {{.type = EventTraits<Credited>::kName, .fingerprint = "", .payload = "\xff", .event_time = {}, .tags = {}}});
  mailbox_.Credit("b");
  mailbox_.Run();
  ASSERT_THAT(mailbox_.Keys(), SizeIs(1));
  EXPECT_EQ(mailbox_.Keys()[0].error, "DATA_LOSS: the payload is not a message of this type");
  EXPECT_THAT(Sent(), ElementsAre("account/b@1"));
}

TEST_F(ReactorTest, OneKeyWaitsAndOthersFlow) {
  Fail({"account/a@2"});
  mailbox_.Run();
  for (int i = 0; i < 3; ++i) {
    mailbox_.Credit("a");
    mailbox_.Credit("b");
  }
  mailbox_.executor().RunUntilIdle();
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/b@1", "account/b@2", "account/b@3"));
  Mend();
  Advance(absl::Seconds(10));
  EXPECT_THAT(mailbox_.outbox().SentOf("account/a"), ElementsAre("account/a@1", "account/a@2", "account/a@3"));
  mailbox_.Credit("a");
  mailbox_.executor().RunUntilIdle();
  EXPECT_EQ(Sent().back(), "account/a@4");
  EXPECT_EQ(mailbox_.reactor().Describe().taken_keys, 0u);
}

// All of it passes through the key's waiting place, not through memory.
TEST_F(ReactorTest, ThousandsOfEventsWaitBehindOne) {
  Fail({"account/a@1"});
  std::vector<NewEvent> events(1000, Mailbox::EventWith<Credited>(1));
  for (int i = 0; i < 3; ++i) mailbox_.Append("a", events);
  mailbox_.Credit("b");
  mailbox_.Run();
  EXPECT_THAT(Sent(), ElementsAre("account/b@1"));
  EXPECT_EQ(mailbox_.reactor().Describe().lag_events, 0u);
  Mend();
  Advance(absl::Seconds(10));
  const std::vector<std::string> sent = mailbox_.outbox().SentOf("account/a");
  ASSERT_THAT(sent, SizeIs(3000));
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(sent[i], absl::StrFormat("account/a@%d", i + 1));
}

TEST_F(ReactorTest, ABusyKeyIsNotInTheWayOfOthers) {
  const auto held = std::make_shared<std::deque<Task>>();
  mailbox_.options().make_thread = [held](const std::string&) { return std::make_unique<HeldThread>(held); };
  mailbox_.options().max_events_in_hand = 100;
  ReactorType type = mailbox_.Type();
  type.concurrency = 2;
  mailbox_.Append("a", std::vector<NewEvent>(1000, Mailbox::EventWith<Credited>(1)));
  mailbox_.Credit("b");
  mailbox_.Run(type);
  ASSERT_THAT(*held, SizeIs(2));  // one of each, though 1000 of `a` came first
  while (!held->empty()) {
    Task task = std::move(held->front());
    held->pop_front();
    task();
    mailbox_.executor().RunUntilIdle();
  }
  EXPECT_THAT(mailbox_.outbox().SentOf("account/b"), SizeIs(1));
  EXPECT_THAT(mailbox_.outbox().SentOf("account/a"), SizeIs(1000));
}

TEST_F(ReactorTest, AsManyKeysAtATimeAsItSaysAndOfEachOneEvent) {
  const auto held = std::make_shared<std::deque<Task>>();
  mailbox_.options().make_thread = [held](const std::string&) { return std::make_unique<HeldThread>(held); };
  ReactorType type = mailbox_.Type();
  type.concurrency = 3;
  for (const char* account : {"a", "a", "b", "b", "c", "d"}) mailbox_.Credit(account);
  mailbox_.Run(type);
  ASSERT_THAT(*held, SizeIs(3));
  const auto run = [&](std::size_t i) {
    Task task = std::move((*held)[i]);
    held->erase(held->begin() + static_cast<std::ptrdiff_t>(i));
    task();
    mailbox_.executor().RunUntilIdle();
  };
  run(2);  // c, whose thread takes d
  EXPECT_THAT(Sent(), ElementsAre("account/c@1"));
  run(2);
  run(1);
  run(0);
  EXPECT_THAT(Sent(), ElementsAre("account/c@1", "account/d@1", "account/b@1", "account/a@1"));
  while (!held->empty()) run(0);
  EXPECT_THAT(Sent(), SizeIs(6));
}

// Keys of events of several streams, in several partitions.
struct BySign : Mailer {
  static std::string Key(const Credited&, const Reaction&) { return "plus"; }
  static std::string Key(const Debited&, const Reaction&) { return "minus"; }
};

TEST_F(ReactorTest, ADeclaredKeyHoldsEventsOfSeveralStreamsTogether) {
  const ReactorType type = MakeReactorType<BySign>(Mailer{&mailbox_.outbox()});
  mailbox_.outbox().answer = [](const Mail& mail) {
    return mail.about == "account/b@1" ? absl::UnavailableError("x") : absl::OkStatus();
  };
  for (const char* account : {"a", "b", "c", "d", "e"}) mailbox_.Credit(account);  // b fails
  mailbox_.Debit("a");
  mailbox_.Credit("a");
  mailbox_.Run(type);
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/a@2"));
  mailbox_.Credit("f");
  mailbox_.Debit("f");
  mailbox_.executor().RunUntilIdle();
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/a@2", "account/f@2"));
  Mend();
  Advance(absl::Seconds(10));
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/a@2", "account/f@2", "account/b@1", "account/c@1",
                                  "account/d@1", "account/e@1", "account/a@3", "account/f@1"));
}

// Of each account, by a key of its own; counts how often it is asked.
struct Counted : Mailer {
  inline static std::size_t asked = 0;
  static std::string Key(const Credited&, const Reaction& r) { return Of(r); }
  static std::string Key(const Debited&, const Reaction& r) { return Of(r); }
  static std::string Of(const Reaction& reaction) {
    ++asked;
    return "of " + reaction.stream.id;
  }
};

class ReactorInHandTest : public ReactorTest {
 protected:
  static constexpr std::size_t kAccounts = 200;
  static constexpr std::size_t kEvents = 5 * kAccounts;

  ReactorInHandTest() : make_thread_(mailbox_.options().make_thread) {
    mailbox_.options().max_events_in_hand = 2 * kEvents;
  }

  static std::string Account(std::size_t number) { return absl::StrFormat("a%d", number); }
  ReactorType Type() { return MakeReactorType<Counted>(Mailer{&mailbox_.outbox()}); }
  void CreditAll(std::size_t events) {
    for (std::size_t i = 0; i < events; ++i) {
      for (std::size_t account = 0; account < kAccounts; ++account) mailbox_.Credit(Account(account));
    }
  }
  // Takes what there is, and is killed before anything is done, but for so many of the first ones.
  void TakeAll(std::size_t done = 0) {
    const auto held = std::make_shared<std::deque<Task>>();
    mailbox_.options().make_thread = [held](const std::string&) { return std::make_unique<HeldThread>(held); };
    mailbox_.Run(Type());
    for (std::size_t i = 0; i < done; ++i) {
      Task task = std::move(held->front());
      held->pop_front();
      task();
      mailbox_.executor().RunUntilIdle();
    }
    Advance(absl::Seconds(2));  // its place is in the log
    mailbox_.CrashAndReopen();
    mailbox_.options().make_thread = make_thread_;
    Counted::asked = 0;
  }
  void ExpectEachSentInOrder(std::size_t events) {
    for (std::size_t account = 0; account < kAccounts; ++account) {
      std::vector<std::string> expected;
      for (std::size_t i = 1; i <= events; ++i)
        expected.push_back(absl::StrFormat("account/%s@%d", Account(account), i));
      EXPECT_EQ(mailbox_.outbox().SentOf("account/" + Account(account)), expected);
    }
  }

  const std::function<std::unique_ptr<Strand>(const std::string&)> make_thread_;
};

TEST_F(ReactorInHandTest, OnePassOverTheLogFindsTheEventsOfAllKeysAgain) {
  CreditAll(5);
  TakeAll();
  mailbox_.Run(Type());
  ExpectEachSentInOrder(5);
  EXPECT_LE(Counted::asked, 2 * kEvents);
  EXPECT_EQ(mailbox_.reactor().Describe().taken_keys, 0u);
}

TEST_F(ReactorInHandTest, OnePassOverTheLogFindsTheEventsOfAllKeysThatAreTriedAgain) {
  mailbox_.options().max_waiting_keys = 2 * kAccounts;
  mailbox_.outbox().answer = [](const Mail&) { return absl::UnavailableError("x"); };
  CreditAll(5);
  mailbox_.Run(Type());
  ASSERT_EQ(mailbox_.reactor().Describe().waiting_keys, kAccounts);
  Mend();
  Counted::asked = 0;
  EXPECT_EQ(mailbox_.Ask([&](Reactor::Done done) { mailbox_.reactor().RetryAll(std::move(done)); }), absl::OkStatus());
  ExpectEachSentInOrder(5);
  EXPECT_LE(Counted::asked, 2 * kEvents);
  EXPECT_EQ(mailbox_.reactor().Describe().taken_keys, 0u);
}

TEST_F(ReactorInHandTest, WhatWasDoneIsNotDoneAgainAndWhatCameSinceComesBehind) {
  CreditAll(3);
  TakeAll(2 * kAccounts + 7);
  CreditAll(2);
  const std::size_t sent = Sent().size();
  EXPECT_EQ(sent, 2 * kAccounts + 7);
  mailbox_.Run(Type());
  ExpectEachSentInOrder(5);
  EXPECT_THAT(Sent(), SizeIs(kEvents));
}

TEST_F(ReactorInHandTest, OfABusyKeyNoMoreIsHeldThanMayBe) {
  CreditAll(1);
  for (std::size_t i = 0; i < 3 * KeyQueue::kMaxEventsOfKey; ++i) mailbox_.Credit(Account(0));
  TakeAll();
  mailbox_.Run(Type());
  EXPECT_THAT(mailbox_.outbox().SentOf("account/a0"), SizeIs(1 + 3 * KeyQueue::kMaxEventsOfKey));
  EXPECT_THAT(Sent(), SizeIs(kAccounts + 3 * KeyQueue::kMaxEventsOfKey));
}

TEST_F(ReactorInHandTest, HasRoomForFewOfThem) {
  CreditAll(5);
  TakeAll();
  mailbox_.options().max_events_in_hand = 8;
  mailbox_.Run(Type());
  ExpectEachSentInOrder(5);
}

TEST_F(ReactorInHandTest, ADiskThatDoesNotAnswerIsAskedAgain) {
  CreditAll(5);
  TakeAll();
  mailbox_.Start(Type());
  mailbox_.disk().unreadable = true;
  mailbox_.executor().RunUntilIdle();
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kStopped);
  EXPECT_THAT(Sent(), IsEmpty());
  mailbox_.disk().unreadable = false;
  Advance(absl::Minutes(1));
  ExpectEachSentInOrder(5);
}

TEST_F(ReactorTest, TakesNoMoreWhileManyKeysWait) {
  mailbox_.options().max_waiting_keys = 10;
  mailbox_.options().max_events_in_hand = 4;
  mailbox_.outbox().answer = [](const Mail&) { return absl::UnavailableError("x"); };
  for (int i = 0; i < 100; ++i) mailbox_.Credit(absl::StrFormat("a%d", i));
  mailbox_.Run();
  ReactorStatus status = mailbox_.reactor().Describe();
  EXPECT_THAT(status.waiting_keys, AllOf(Ge(10u), Le(14u)));
  EXPECT_THAT(status.lag_events, Ge(80u));
  EXPECT_EQ(status.state, ReactorState::kRunning);
  Mend();
  Advance(absl::Seconds(10));
  EXPECT_THAT(Sent(), SizeIs(100));
}

TEST_F(ReactorTest, HoldsNoMoreBytesThanItMay) {
  const auto held = std::make_shared<std::deque<Task>>();
  mailbox_.options().make_thread = [held](const std::string&) { return std::make_unique<HeldThread>(held); };
  mailbox_.options().max_bytes_in_hand = 10;  // each event has 2
  for (int i = 0; i < 50; ++i) mailbox_.Append(absl::StrFormat("a%d", i), {Mailbox::EventWith<Credited>(1)});
  mailbox_.Append("a0", std::vector<NewEvent>(50, Mailbox::EventWith<Credited>(1)));
  mailbox_.Run();
  EXPECT_THAT(mailbox_.reactor().Describe().lag_events, Ge(50u + 44u));
  while (!held->empty()) {
    Task task = std::move(held->front());
    held->pop_front();
    task();
    mailbox_.executor().RunUntilIdle();
  }
  EXPECT_THAT(Sent(), SizeIs(100));
  EXPECT_EQ(mailbox_.reactor().Describe().taken_keys, 0u);
}

// After what all of them called is there again.
TEST_F(ReactorTest, HoldsNoMoreEventsThanItMayWhileManyKeysCatchUp) {
  constexpr std::size_t kInHand = 40;
  mailbox_.options().max_events_in_hand = kInHand;
  mailbox_.outbox().answer = [](const Mail&) { return absl::NotFoundError("x"); };
  for (int i = 0; i < 90; ++i) {
    mailbox_.Append(absl::StrFormat("a%d", i), std::vector<NewEvent>(20, Mailbox::EventWith<Credited>(1)));
  }
  mailbox_.Run();
  ASSERT_THAT(mailbox_.Keys(), SizeIs(90));
  std::uint64_t most = 0;
  mailbox_.outbox().answer = [this, &most](const Mail&) {
    most = std::max(most, mailbox_.reactor().Describe().held_events);
    return absl::OkStatus();
  };
  mailbox_.reactor().RetryAll([](const absl::Status& status) { EXPECT_EQ(status, absl::OkStatus()); });
  mailbox_.executor().RunUntilIdle();
  EXPECT_THAT(Sent(), SizeIs(90 * 20));
  EXPECT_THAT(most, AllOf(Ge(kInHand / 2), Le(kInHand + 1)));  // one of whoever finds no room
  EXPECT_EQ(mailbox_.reactor().Describe().held_events, 0u);
}

struct KeyThatThrows : Mailer {
  static std::string Key(const Credited&, const Reaction&) { throw 1; }
};

TEST_F(ReactorTest, AKeyThatThrowsIsShownAsNone) {
  mailbox_.outbox().answer = [](const Mail&) { return absl::NotFoundError("no address"); };
  mailbox_.Credit("a");
  mailbox_.Run(MakeReactorType<KeyThatThrows>(Mailer{&mailbox_.outbox()}));
  ASSERT_THAT(mailbox_.Keys(), SizeIs(1));
  EXPECT_EQ(mailbox_.Keys()[0].key, "account/a (no key)");
}

TEST_F(ReactorTest, OneThatCannotBeMadeIsNotOpened) {
  for (const auto& [make, message] : std::vector<std::pair<std::function<void()>, std::string>>{
           {[] { throw std::runtime_error("no paper"); }, "reactor mailer cannot be made: no paper"},
           {[] { throw 1; }, "reactor mailer cannot be made"}}) {
    ReactorType type = mailbox_.Type();
    type.make = [make = make](const ReactorSetup&) -> std::shared_ptr<void> {
      make();
      return nullptr;
    };
    const auto opened = Reactor::Open(mailbox_.options(), std::move(type), mailbox_.store(), mailbox_.executor());
    EXPECT_EQ(opened.status(), absl::InternalError(message));
  }
}

TEST_F(ReactorTest, RestsWhileNothingComes) {
  mailbox_.Credit("a");
  mailbox_.Run();
  Advance(absl::Seconds(2));
  const std::uint64_t saves = mailbox_.Saves();
  EXPECT_GE(saves, 1u);
  Advance(absl::Hours(1));
  EXPECT_EQ(mailbox_.Saves(), saves);  // its own event leads to no other one
}

TEST_F(ReactorTest, PassesOverWhatItDoesNotWantAndSaysSoNowAndThen) {
  mailbox_.Run();
  for (int i = 0; i < 5; ++i) {
    mailbox_.Append("a", std::vector<NewEvent>(
                             500, {.type = kNoted, .fingerprint = "", .payload = "", .event_time = {}, .tags = {}}));
    Advance(absl::Seconds(2));
  }
  EXPECT_EQ(mailbox_.reactor().Describe().lag_events, 0u);
  EXPECT_THAT(mailbox_.Saves(), AllOf(Ge(2u), Le(4u)));
}

TEST_F(ReactorTest, EventsOfEarlierNamesAndFormsComeAsThoseOfToday) {
  ReactorType type = mailbox_.Type();
  type.stored_forms["ledger.v1.PaidIn"].becomes = EventTraits<Credited>::kName;
  StoredForm& taken = type.stored_forms["ledger.v1.Taken"];
  taken.becomes = EventTraits<Debited>::kName;
  taken.upcast = [](std::string_view) -> std::optional<std::string> {
    Debited event;
    event.set_value(42);
    return event.SerializeAsString();
  };
  NewEvent old = Mailbox::EventWith<Credited>(9);
  old.type = "ledger.v1.PaidIn";
  mailbox_.Append(
      "a", {old, {.type = "ledger.v1.Taken", .fingerprint = "", .payload = "old", .event_time = {}, .tags = {}}});
  mailbox_.Run(type);
  ASSERT_THAT(mailbox_.outbox().sent, SizeIs(2));
  EXPECT_EQ(mailbox_.outbox().sent[0].minor, 9);
  EXPECT_EQ(mailbox_.outbox().sent[1].minor, -42);
}

}  // namespace
}  // namespace everfold

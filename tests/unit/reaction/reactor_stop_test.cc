// Stops, crashes and restarts: what is done again, and what is not; and places that a reactor cannot go on from.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/subscription/subscription.h"
#include "tests/unit/reaction/mailbox.h"

namespace everfold {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Ge;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Le;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class ReactorStopTest : public ::testing::Test {
 protected:
  std::vector<std::string> Sent() { return mailbox_.outbox().Sent(); }
  void Advance(absl::Duration by) { mailbox_.executor().Advance(by); }
  void RunHeld(std::size_t i) {
    Task task = std::move((*held_)[i]);
    held_->erase(held_->begin() + static_cast<std::ptrdiff_t>(i));
    task();
    mailbox_.executor().RunUntilIdle();
  }
  // Also those that follow; false if there is no end to it.
  bool RunsAllHeld() {
    while (!held_->empty()) {
      Task task = std::move(held_->front());
      held_->pop_front();
      task();
      if (!mailbox_.ComesToRest()) return false;
    }
    return true;
  }
  void HoldHandlers() {
    mailbox_.options().make_thread = [held = held_](const std::string&) { return std::make_unique<HeldThread>(held); };
  }
  void LetHandlersRun() {
    mailbox_.options().make_thread = [this](const std::string&) { return mailbox_.executor().MakeStrand(); };
  }
  ReactorType Concurrent(int concurrency) {
    ReactorType type = mailbox_.Type();
    type.concurrency = concurrency;
    return type;
  }

  const std::shared_ptr<std::deque<Task>> held_ = std::make_shared<std::deque<Task>>();
  Mailbox mailbox_;
};

TEST_F(ReactorStopTest, AfterACleanStopNothingIsDoneAgain) {
  mailbox_.Credit("a");
  mailbox_.Credit("b");
  mailbox_.Run();
  mailbox_.Stop();
  EXPECT_EQ(mailbox_.Saves(), 2u);  // where it began, and where it stopped
  mailbox_.CrashAndReopen();
  mailbox_.Credit("a");
  mailbox_.Run();
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/b@1", "account/a@2"));
  mailbox_.Stop();
}

// What is done beyond something that is not done, is done nevertheless.
TEST_F(ReactorStopTest, ACleanStopKnowsWhatWasNotBegun) {
  HoldHandlers();
  for (int i = 0; i < 3; ++i) {
    mailbox_.Credit("a");
    mailbox_.Credit("b");
  }
  mailbox_.Run(Concurrent(2));
  RunHeld(1);
  RunHeld(1);
  RunHeld(1);  // all of b
  bool closed = false;
  mailbox_.reactor().Close([&closed] { closed = true; });
  mailbox_.executor().RunUntilIdle();
  EXPECT_FALSE(closed);  // it waits for the handler of a@1
  RunHeld(0);
  EXPECT_TRUE(closed);
  EXPECT_THAT(*held_, IsEmpty());  // a@2 was not begun
  EXPECT_THAT(Sent(), ElementsAre("account/b@1", "account/b@2", "account/b@3", "account/a@1"));
  mailbox_.CrashAndReopen();
  mailbox_.outbox().sent.clear();
  LetHandlersRun();
  mailbox_.Run();
  EXPECT_THAT(Sent(), ElementsAre("account/a@2", "account/a@3"));
}

TEST_F(ReactorStopTest, AfterACrashWhatWasNotSavedIsDoneAgainWithTheSameIds) {
  mailbox_.Credit("a");
  mailbox_.Run();
  Advance(absl::Seconds(1));  // saved
  mailbox_.Credit("a");
  mailbox_.executor().RunUntilIdle();
  mailbox_.CrashAndReopen();
  mailbox_.Run();
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/a@2", "account/a@2"));
  EXPECT_EQ(mailbox_.outbox().sent[1].id, mailbox_.outbox().sent[2].id);
}

TEST_F(ReactorStopTest, SavesAfterThousandEventsWithoutWaitingForTheSecond) {
  mailbox_.Append("a", std::vector<NewEvent>(999, Mailbox::EventWith<Credited>(1)));
  mailbox_.Run();
  EXPECT_THAT(Sent(), SizeIs(999));
  const std::uint64_t before = mailbox_.Saves();
  mailbox_.Append("a", std::vector<NewEvent>(10, Mailbox::EventWith<Credited>(1)));
  mailbox_.executor().RunUntilIdle();
  EXPECT_GT(mailbox_.Saves(), before);
}

TEST_F(ReactorStopTest, WhatWaitsAndWhatIsParkedIsThereAgainAfterACrash) {
  mailbox_.outbox().answer = [](const Mail& mail) -> absl::Status {
    if (mail.about == "account/a@1") return absl::NotFoundError("no address");
    if (mail.about == "account/b@1") return absl::UnavailableError("down");
    return absl::OkStatus();
  };
  for (const char* account : {"a", "b", "c", "a", "b"}) mailbox_.Credit(account);
  mailbox_.Run();
  Advance(absl::Seconds(1));
  const std::vector<ReactorKey> keys = mailbox_.Keys();
  ASSERT_THAT(keys, SizeIs(2));
  mailbox_.CrashAndReopen();
  mailbox_.Run();
  EXPECT_EQ(mailbox_.Keys(), keys);
  EXPECT_THAT(Sent(), ElementsAre("account/c@1"));
  mailbox_.outbox().answer = nullptr;
  Advance(absl::Seconds(10));
  EXPECT_THAT(Sent(), ElementsAre("account/c@1", "account/b@1", "account/b@2"));
  EXPECT_EQ(mailbox_.outbox().sent[1].attempt, 2u);
  mailbox_.CrashAndReopen();
  mailbox_.Run();
  ASSERT_EQ(mailbox_.Retry("account/a"), absl::OkStatus());
  EXPECT_THAT(mailbox_.outbox().SentOf("account/a"), ElementsAre("account/a@1", "account/a@2"));
}

// A clock that was an hour ahead when it failed.
TEST_F(ReactorStopTest, AWrongClockHoldsNothingUpForLongerThanTheLongestWait) {
  mailbox_.outbox().answer = [](const Mail&) { return absl::UnavailableError("down"); };
  mailbox_.Credit("a");
  mailbox_.executor().clock().Advance(absl::Hours(1));
  mailbox_.Run();
  mailbox_.Stop();
  mailbox_.CrashAndReopen();
  mailbox_.executor().clock().Advance(-absl::Hours(1));
  mailbox_.outbox().answer = nullptr;
  mailbox_.Run();
  EXPECT_THAT(Sent(), IsEmpty());
  Advance(absl::Seconds(15));
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
}

TEST_F(ReactorStopTest, OfTwoThatReactUnderOneNameOneIsTold) {
  mailbox_.Credit("a");
  mailbox_.Run();
  Advance(absl::Seconds(1));
  Outbox other_outbox;
  auto other =
      Reactor::Open(mailbox_.options(), MakeReactorType<Mailer>(&other_outbox), mailbox_.store(), mailbox_.executor())
          .value();
  other->Start();
  mailbox_.Credit("a");
  Advance(absl::Seconds(2));
  ASSERT_EQ(mailbox_.reactor().Describe().error.ok(), !other->Describe().error.ok());
  const bool first_stopped = !mailbox_.reactor().Describe().error.ok();
  Reactor& stopped = first_stopped ? mailbox_.reactor() : *other;
  const Outbox& outbox_of_stopped = first_stopped ? mailbox_.outbox() : other_outbox;
  const absl::Status error = stopped.Describe().error;
  EXPECT_EQ(error.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(error), reason::kVersionConflict);
  EXPECT_THAT(std::string(error.message()), HasSubstr("another process reacts as mailer"));
  EXPECT_EQ(stopped.Describe().state, ReactorState::kStopped);
  const std::size_t tried = outbox_of_stopped.tried.size();
  mailbox_.Credit("a");
  Advance(absl::Minutes(1));
  EXPECT_EQ(outbox_of_stopped.tried.size(), tried);

  // It takes over when an operator says so, from where the other one is.
  absl::Status resumed = absl::UnknownError("");
  stopped.Resume([&resumed](const absl::Status& status) { resumed = status; });
  mailbox_.executor().RunUntilIdle();
  EXPECT_EQ(resumed, absl::OkStatus());
  EXPECT_EQ(outbox_of_stopped.tried.size(), tried);
  mailbox_.Credit("a");
  mailbox_.executor().RunUntilIdle();
  EXPECT_EQ(outbox_of_stopped.tried.size(), tried + 1);
  mailbox_.executor().DropAll();
}

TEST_F(ReactorStopTest, StopsWhereThereIsAnotherHistory) {
  mailbox_.Credit("a");
  mailbox_.Credit("a");
  mailbox_.Append("$reactor/mailer",
                  {EventOf(ReactorPlace{.checkpoint = {.epoch = {"another epoch..."},
                                                       .offsets = BeginningOf(mailbox_.store()).offsets}})});
  mailbox_.Run();
  const ReactorStatus status = mailbox_.reactor().Describe();
  EXPECT_EQ(status.state, ReactorState::kStopped);
  EXPECT_EQ(status.error.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status.error), reason::kOtherHistory);
  EXPECT_THAT(std::string(status.error.message()), HasSubstr("`reactors reset`"));
  EXPECT_EQ(ReasonOf(mailbox_.Pause()), reason::kOtherHistory);
  EXPECT_EQ(ReasonOf(mailbox_.Resume()), reason::kOtherHistory);
  Advance(absl::Hours(1));
  EXPECT_THAT(Sent(), IsEmpty());
  EXPECT_EQ(mailbox_.Saves(), 1u);

  ASSERT_EQ(mailbox_.Reset(v1::REACTOR_RESET_TO_AS_IT_WAS), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/a@2"));
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kRunning);
  mailbox_.Stop();
  mailbox_.CrashAndReopen();
  mailbox_.Run();
  EXPECT_THAT(Sent(), SizeIs(2));
}

TEST_F(ReactorStopTest, AsItWasTakesItsKeysAlong) {
  mailbox_.Credit("a");
  mailbox_.Credit("b");
  ReactorPlace was{.checkpoint = mailbox_.store().DurableHead(), .keys = {}};
  was.checkpoint.epoch = {"another epoch..."};
  EventPlace first;
  ASSERT_TRUE(mailbox_.store()
                  .ReadStream({"", "account", "a"}, {},
                              [&first](const RecordedEvent& event) {
                                first = PlaceOf(event);
                                return absl::OkStatus();
                              })
                  .ok());
  was.keys.push_back({.key = "account/a", .at = first, .attempts = 2, .error = "x", .parked = true});
  mailbox_.Append("$reactor/mailer", {EventOf(was)});
  mailbox_.Run();
  ASSERT_EQ(mailbox_.Reset(v1::REACTOR_RESET_TO_AS_IT_WAS), absl::OkStatus());
  EXPECT_EQ(mailbox_.Keys(), was.keys);
  ASSERT_EQ(mailbox_.Retry("account/a"), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
}

TEST_F(ReactorStopTest, AsItWasNeedsAHistoryThatIsAsLong) {
  ReactorPlace was{
      .checkpoint = {.epoch = {"another epoch..."}, .offsets = {Offset(99), Offset(), Offset(), Offset()}}};
  mailbox_.Append("$reactor/mailer", {EventOf(was)});
  mailbox_.Run();
  absl::Status refused = mailbox_.Reset(v1::REACTOR_RESET_TO_AS_IT_WAS);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("stood where this history has not come to"));
  EXPECT_EQ(ReasonOf(mailbox_.reactor().Describe().error), reason::kOtherHistory);
  EXPECT_EQ(mailbox_.Reset(v1::REACTOR_RESET_TO_HEAD), absl::OkStatus());
  refused = mailbox_.Reset(v1::REACTOR_RESET_TO_AS_IT_WAS);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("does not stand in another history"));
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kRunning);
}

TEST_F(ReactorStopTest, StopsWhereTheLogHasLostWhatItHasDone) {
  mailbox_.Append("$reactor/mailer",
                  {EventOf(ReactorPlace{.checkpoint = {.epoch = mailbox_.store().log().identity().epoch,
                                                       .offsets = {Offset(1000), Offset(), Offset(), Offset()}}})});
  mailbox_.Run();
  const absl::Status error = mailbox_.reactor().Describe().error;
  EXPECT_EQ(error.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(mailbox_.Reset(v1::REACTOR_RESET_TO_HEAD), absl::OkStatus());
  mailbox_.Credit("a");
  mailbox_.executor().RunUntilIdle();
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
}

TEST_F(ReactorStopTest, StopsAtAPlaceThatIsNone) {
  mailbox_.Append("$reactor/mailer", {Mailbox::EventWith<Credited>(1)});
  mailbox_.Run();
  const absl::Status error = mailbox_.reactor().Describe().error;
  EXPECT_EQ(error.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(error.message(), "version 1 of $reactor/mailer is no checkpoint of a reactor");
  EXPECT_EQ(mailbox_.Reset(v1::REACTOR_RESET_TO_HEAD), absl::OkStatus());
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kRunning);
}

TEST_F(ReactorStopTest, StopsWhenMoreKeysAreParkedThanItMay) {
  mailbox_.options().max_parked_keys = 3;
  mailbox_.outbox().answer = [](const Mail&) { return absl::NotFoundError("no address"); };
  for (int i = 0; i < 10; ++i) mailbox_.Credit(absl::StrFormat("a%d", i));
  mailbox_.Run();
  ReactorStatus status = mailbox_.reactor().Describe();
  EXPECT_EQ(status.state, ReactorState::kStopped);
  EXPECT_EQ(ReasonOf(status.error), reason::kEventParked);
  EXPECT_EQ(status.error.message(),
            "4 keys of reactor mailer are parked; with more than 3 it stops: retry or drop them, then resume it");
  EXPECT_THAT(mailbox_.outbox().tried, SizeIs(4));
  mailbox_.Stop();
  mailbox_.CrashAndReopen();
  mailbox_.Run();  // and is stopped after a restart
  EXPECT_EQ(ReasonOf(mailbox_.reactor().Describe().error), reason::kEventParked);
  EXPECT_THAT(mailbox_.outbox().tried, SizeIs(4));

  mailbox_.outbox().answer = nullptr;
  EXPECT_EQ(mailbox_.Ask([&](Reactor::Done done) { mailbox_.reactor().RetryAll(std::move(done)); }), absl::OkStatus());
  EXPECT_EQ(mailbox_.Resume(), absl::OkStatus());
  EXPECT_THAT(Sent(), SizeIs(10));
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kRunning);
}

TEST_F(ReactorStopTest, CallsAfterCloseAreToldSo) {
  mailbox_.Run();
  bool closed = false;
  mailbox_.reactor().Close([&closed] { closed = true; });
  const absl::Status paused = mailbox_.Pause();
  EXPECT_TRUE(closed);
  EXPECT_EQ(ReasonOf(paused), reason::kShuttingDown);
  EXPECT_EQ(ReasonOf(mailbox_.Resume()), reason::kShuttingDown);
}

// With a full disk.

TEST_F(ReactorStopTest, AFullDiskIsAskedAgainAfterLongerAndLongerPauses) {
  mailbox_.options().max_unsaved_events = 10;
  HoldHandlers();
  for (int i = 0; i < 40; ++i) mailbox_.Credit("a");
  mailbox_.Run();
  const std::uint64_t saves = mailbox_.Saves();
  mailbox_.disk().full = true;
  ASSERT_TRUE(RunsAllHeld());
  EXPECT_EQ(mailbox_.disk().refused, 1u);
  ReactorStatus status = mailbox_.reactor().Describe();
  EXPECT_EQ(status.state, ReactorState::kStopped);
  EXPECT_EQ(ReasonOf(status.error), reason::kDiskFull);
  EXPECT_THAT(std::string(status.error.message()), HasSubstr("the place of reactor mailer was not saved"));
  const std::size_t sent = Sent().size();
  EXPECT_THAT(sent, AllOf(Ge(10u), Le(11u)));
  Advance(absl::Milliseconds(99));
  EXPECT_EQ(mailbox_.disk().refused, 1u);
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(mailbox_.disk().refused, 2u);
  Advance(absl::Milliseconds(199));
  EXPECT_EQ(mailbox_.disk().refused, 2u);
  Advance(absl::Milliseconds(1));
  EXPECT_EQ(mailbox_.disk().refused, 3u);
  Advance(absl::Minutes(10));
  EXPECT_THAT(mailbox_.disk().refused, AllOf(Ge(20u), Le(35u)));  // every 30 s in the end
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kStopped);
  ASSERT_TRUE(RunsAllHeld());
  EXPECT_THAT(Sent(), SizeIs(sent));  // a crash would have it done again
  mailbox_.disk().full = false;
  Advance(absl::Seconds(31));
  ASSERT_TRUE(RunsAllHeld());
  status = mailbox_.reactor().Describe();
  EXPECT_EQ(status.state, ReactorState::kRunning) << status.error;
  EXPECT_GT(mailbox_.Saves(), saves);
  EXPECT_THAT(Sent(), SizeIs(40));
}

TEST_F(ReactorStopTest, ACleanStopEndsThoughTheDiskIsFull) {
  mailbox_.options().max_unsaved_events = 10;
  HoldHandlers();
  for (int i = 0; i < 20; ++i) mailbox_.Credit("a");
  mailbox_.Run();
  for (int i = 0; i < 9; ++i) RunHeld(0);
  mailbox_.disk().full = true;
  bool closed = false;
  mailbox_.reactor().Close([&closed] { closed = true; });
  ASSERT_TRUE(mailbox_.ComesToRest());
  EXPECT_FALSE(closed);
  ASSERT_TRUE(RunsAllHeld());
  EXPECT_TRUE(closed);
  EXPECT_EQ(mailbox_.disk().refused, 1u);
  mailbox_.disk().full = false;
  mailbox_.CrashAndReopen();
  LetHandlersRun();
  mailbox_.Run();
  EXPECT_THAT(Sent(), SizeIs(10 + 20));  // what was not saved is done again
}

// The log is tried again, too, when an operator has something to save.
TEST_F(ReactorStopTest, AnOperatorDoesNotWaitForThePause) {
  mailbox_.Run();
  mailbox_.disk().full = true;
  EXPECT_EQ(ReasonOf(mailbox_.Pause()), reason::kDiskFull);
  Advance(absl::Hours(1));
  mailbox_.disk().full = false;
  EXPECT_EQ(mailbox_.Pause(), absl::OkStatus());
}

TEST_F(ReactorStopTest, AKeyThatCannotBeReadIsTriedAgainAfterLongerAndLongerPauses) {
  mailbox_.outbox().answer = [](const Mail&) { return absl::UnavailableError("down"); };
  mailbox_.Credit("a");
  mailbox_.Run();
  mailbox_.outbox().answer = nullptr;
  mailbox_.disk().unreadable = true;
  Advance(absl::Minutes(10));
  EXPECT_EQ(mailbox_.reactor().Describe().error.code(), absl::StatusCode::kInternal);
  std::size_t stopped = 0;
  for (const RecordingLogger::Line& line : mailbox_.logger().lines()) stopped += line.message == "reactor stopped";
  EXPECT_THAT(stopped, AllOf(Ge(20u), Le(40u)));
  mailbox_.disk().unreadable = false;
  Advance(absl::Seconds(31));
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
}

// Where a new reactor begins, and what it has begun with.

TEST_F(ReactorStopTest, APlaceThatCannotBeReadIsReadAgain) {
  mailbox_.Credit("a");
  mailbox_.Run();
  mailbox_.Stop();
  mailbox_.Credit("a");
  mailbox_.CrashAndReopen();
  mailbox_.disk().unreadable = true;
  mailbox_.Run();
  EXPECT_EQ(mailbox_.reactor().Describe().error.code(), absl::StatusCode::kInternal);
  mailbox_.disk().unreadable = false;
  Advance(absl::Milliseconds(100));
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kRunning);
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/a@2"));
}

TEST_F(ReactorStopTest, APausedOneWhosePlaceIsReadAgainStaysPaused) {
  mailbox_.Run();
  ASSERT_EQ(mailbox_.Pause(), absl::OkStatus());
  mailbox_.CrashAndReopen();
  mailbox_.disk().unreadable = true;
  mailbox_.Run();
  mailbox_.disk().unreadable = false;
  Advance(absl::Seconds(1));
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kPaused);
}

// Though the log did not take its first place, and something was appended until it did.
TEST_F(ReactorStopTest, ANewOneBeginsWhereTheHeadWasWhenItWasOpened) {
  ReactorType type = mailbox_.Type();
  type.start = ReactorStart::kHead;
  mailbox_.Credit("a");
  mailbox_.disk().full = true;
  mailbox_.Run(type);
  EXPECT_EQ(ReasonOf(mailbox_.reactor().Describe().error), reason::kDiskFull);
  mailbox_.disk().full = false;
  mailbox_.Credit("a");
  EXPECT_EQ(mailbox_.Resume(), absl::OkStatus());
  mailbox_.Credit("a");
  mailbox_.executor().RunUntilIdle();
  EXPECT_THAT(Sent(), ElementsAre("account/a@2", "account/a@3"));
}

// Keys whose first event is not what it was.

struct AllAsOne : Mailer {
  static std::string Key(const Credited&, const Reaction&) { return "all"; }
};
struct OnlyDebits {
  static constexpr ReactorOptions kOptions = Mailer::kOptions;
  using Events = Mailer::Events;
  absl::Status On(const Debited&, const Reaction& reaction) { return mailer.Send(0, reaction); }
  Mailer mailer;
};

class ReactorKeyStopTest : public ReactorStopTest {
 protected:
  void Park(const std::string& about) {
    mailbox_.outbox().answer = [about](const Mail& mail) {
      return mail.about == about ? absl::NotFoundError("no address") : absl::OkStatus();
    };
  }
  void RestartWith(ReactorType type) {
    mailbox_.Stop();
    mailbox_.CrashAndReopen();
    mailbox_.outbox().answer = nullptr;
    mailbox_.Run(std::move(type));
  }
  ReactorType AsOne() { return MakeReactorType<AllAsOne>(Mailer{&mailbox_.outbox()}); }
  void ExpectStoppedFor(const std::string& key, const std::string& event, const std::string& why) {
    const ReactorStatus status = mailbox_.reactor().Describe();
    EXPECT_EQ(status.state, ReactorState::kStopped);
    EXPECT_EQ(status.error.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(ReasonOf(status.error), reason::kEventParked);
    EXPECT_THAT(std::string(status.error.message()),
                AllOf(HasSubstr("key \"" + key + "\" begins with"), HasSubstr(event), HasSubstr(why),
                      HasSubstr("`reactors drop`")));
    const std::vector<ReactorKey> keys = mailbox_.Keys();
    ASSERT_THAT(keys, SizeIs(1));
    EXPECT_EQ(keys[0].key, key);
    EXPECT_TRUE(keys[0].parked);
  }
};

TEST_F(ReactorKeyStopTest, StopsWhereTheStreamWasTheKeyOfWhatWaits) {
  Park("account/a@1");
  mailbox_.Credit("a");
  mailbox_.Credit("a");
  mailbox_.Run();
  RestartWith(AsOne());
  ASSERT_EQ(mailbox_.Retry("account/a"), absl::OkStatus());
  ExpectStoppedFor("account/a", "account/a version 1", "has the key \"all\" now");
  EXPECT_THAT(Sent(), IsEmpty());
  RestartWith(mailbox_.Type());  // the code that has the key
  ASSERT_EQ(mailbox_.Retry("account/a"), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/a@2"));
  EXPECT_EQ(mailbox_.reactor().Describe().taken_keys, 0u);
}

struct KeyThatThrows : Mailer {
  static std::string Key(const Credited&, const Reaction&) { throw 1; }
};

TEST_F(ReactorKeyStopTest, WhatWaitsForAKeyThatCouldNotBeToldIsTakenWhenItCan) {
  Park("account/a@1");
  mailbox_.Credit("a");
  mailbox_.Credit("a");
  mailbox_.Run(MakeReactorType<KeyThatThrows>(Mailer{&mailbox_.outbox()}));
  RestartWith(AsOne());
  mailbox_.Credit("a");
  ASSERT_EQ(mailbox_.Retry("account/a (no key)"), absl::OkStatus());
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kRunning);
  // The third one was reacted to under its own key before, and comes again with the others of the stream.
  EXPECT_THAT(Sent(), UnorderedElementsAre("account/a@1", "account/a@2", "account/a@3", "account/a@3"));
  EXPECT_EQ(mailbox_.reactor().Describe().taken_keys, 0u);
}

TEST_F(ReactorKeyStopTest, StopsWhereAKeyIsNotDeclaredAnyMore) {
  Park("account/b@1");
  for (const char* account : {"a", "b", "c"}) mailbox_.Credit(account);
  mailbox_.Run(AsOne());
  RestartWith(mailbox_.Type());
  ASSERT_EQ(mailbox_.Retry("all"), absl::OkStatus());
  ExpectStoppedFor("all", "account/b version 1", "has the key \"account/b\" now");
}

TEST_F(ReactorKeyStopTest, StopsWhereNobodyReactsToWhatWaitsAnyMore) {
  for (const bool as_one : {false, true}) {
    SCOPED_TRACE(as_one);
    Mailbox mailbox;
    mailbox.outbox().answer = [](const Mail&) { return absl::NotFoundError("no address"); };
    mailbox.Credit("a");
    mailbox.Run(as_one ? MakeReactorType<AllAsOne>(Mailer{&mailbox.outbox()}) : mailbox.Type());
    mailbox.Stop();
    mailbox.CrashAndReopen();
    mailbox.Run(MakeReactorType<OnlyDebits>(Mailer{&mailbox.outbox()}));
    const std::string key = as_one ? "all" : "account/a";
    ASSERT_EQ(mailbox.Retry(key), absl::OkStatus());
    const absl::Status error = mailbox.reactor().Describe().error;
    EXPECT_EQ(error.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(error.message()), HasSubstr("no On for ledger.v1.Credited"));
    ASSERT_EQ(mailbox.DropOf(key, "account/a", 1), absl::OkStatus());
    EXPECT_EQ(mailbox.Resume(), absl::OkStatus());
    mailbox.executor().RunUntilIdle();
    EXPECT_EQ(mailbox.reactor().Describe().state, ReactorState::kRunning);
    EXPECT_EQ(mailbox.reactor().Describe().taken_keys, 0u);
  }
}

// Nothing failed: the stop came between the first event and the others.
TEST_F(ReactorKeyStopTest, StopsWhereTheKeyOfWhatWasNotBegunIsAnotherOne) {
  HoldHandlers();
  for (const char* account : {"a", "b", "c"}) mailbox_.Credit(account);
  mailbox_.Run(AsOne());
  bool closed = false;
  mailbox_.reactor().Close([&closed] { closed = true; });
  mailbox_.executor().RunUntilIdle();
  RunHeld(0);
  ASSERT_TRUE(closed);
  mailbox_.CrashAndReopen();
  LetHandlersRun();
  mailbox_.Run();
  ExpectStoppedFor("all", "account/b version 1", "has the key \"account/b\" now");
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
  RestartWith(AsOne());
  ASSERT_EQ(mailbox_.Retry("all"), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/b@1", "account/c@1"));
}

}  // namespace
}  // namespace everfold

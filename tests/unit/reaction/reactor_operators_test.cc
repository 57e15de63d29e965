// What operators may do: pause, resume, retry, drop, reset.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "tests/unit/reaction/mailbox.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ReactorOperatorsTest : public ::testing::Test {
 protected:
  std::vector<std::string> Sent() { return mailbox_.outbox().Sent(); }
  void Park(const std::string& about) {
    mailbox_.outbox().answer = [about](const Mail& mail) {
      return mail.about == about ? absl::NotFoundError("no address") : absl::OkStatus();
    };
  }
  // The records of the reactor's stream of one type.
  template <class Message>
  std::vector<Message> Records() {
    return RecordsOf<Message>(mailbox_);
  }
  template <class Message>
  static std::vector<Message> RecordsOf(Mailbox& mailbox) {
    std::vector<Message> records;
    EXPECT_TRUE(mailbox.store()
                    .ReadStream({"", "$reactor", "mailer"}, {},
                                [&records](const RecordedEvent& event) {
                                  if (event.event.type != Message::descriptor()->full_name()) return absl::OkStatus();
                                  records.emplace_back();
                                  EXPECT_TRUE(records.back().ParseFromString(std::string(event.event.payload)));
                                  return absl::OkStatus();
                                })
                    .ok());
    return records;
  }

  Mailbox mailbox_;
};

TEST_F(ReactorOperatorsTest, APausedOneStaysPausedAfterARestart) {
  mailbox_.Run();
  ASSERT_EQ(mailbox_.Pause(), absl::OkStatus());
  ASSERT_EQ(mailbox_.Pause(), absl::OkStatus());
  mailbox_.Credit("a");
  mailbox_.executor().Advance(absl::Minutes(1));
  mailbox_.CrashAndReopen();
  mailbox_.Run();
  ReactorStatus status = mailbox_.reactor().Describe();
  EXPECT_EQ(status.state, ReactorState::kPaused);
  EXPECT_GT(status.lag_events, 0u);
  EXPECT_THAT(Sent(), IsEmpty());
  ASSERT_EQ(mailbox_.Resume(), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
  mailbox_.CrashAndReopen();
  mailbox_.Run();
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kRunning);
}

TEST_F(ReactorOperatorsTest, ARetryThatSucceedsLeavesNothingBehind) {
  Park("account/a@1");
  mailbox_.Credit("a");
  mailbox_.Credit("a");
  mailbox_.Run();
  ASSERT_THAT(mailbox_.Keys(), SizeIs(1));
  mailbox_.outbox().answer = nullptr;
  ASSERT_EQ(mailbox_.Retry("account/a"), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/a@2"));
  EXPECT_EQ(mailbox_.outbox().sent[0].attempt, 1u);
  EXPECT_THAT(mailbox_.Keys(), IsEmpty());
  EXPECT_EQ(mailbox_.reactor().Describe().taken_keys, 0u);
  EXPECT_EQ(ReasonOf(mailbox_.Retry("account/a")), reason::kNotParked);
}

TEST_F(ReactorOperatorsTest, ARetryThatFailsParksAgain) {
  Park("account/a@1");
  mailbox_.Credit("a");
  mailbox_.Run();
  ASSERT_EQ(mailbox_.Retry("account/a"), absl::OkStatus());
  const std::vector<ReactorKey> keys = mailbox_.Keys();
  ASSERT_THAT(keys, SizeIs(1));
  EXPECT_TRUE(keys[0].parked);
  EXPECT_EQ(keys[0].attempts, 1u);
  EXPECT_THAT(mailbox_.outbox().tried, SizeIs(2));
}

TEST_F(ReactorOperatorsTest, ADropIsOnRecordAndHoldsAfterACrash) {
  Park("account/a@2");
  for (int i = 0; i < 3; ++i) mailbox_.Credit("a");
  mailbox_.Run();
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
  ASSERT_EQ(mailbox_.Drop("account/a", 2, "asked for by the customer"), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/a@3"));
  EXPECT_THAT(mailbox_.Keys(), IsEmpty());
  const auto drops = Records<v1::ReactionDropped>();
  ASSERT_THAT(drops, SizeIs(1));
  EXPECT_EQ(drops[0].stream(), "account/a");
  EXPECT_EQ(drops[0].version(), 2u);
  EXPECT_EQ(drops[0].key(), "account/a");
  EXPECT_EQ(drops[0].reason(), "asked for by the customer");
  EXPECT_EQ(drops[0].error(), "NOT_FOUND: no address");
  mailbox_.CrashAndReopen();
  mailbox_.outbox().tried.clear();
  mailbox_.Run();
  for (const Mail& mail : mailbox_.outbox().tried) EXPECT_EQ(mail.about, "account/a@3");
  EXPECT_THAT(mailbox_.Keys(), IsEmpty());
}

// Of several streams, of which the key's reader must leave out the dropped event alone.
struct AllTogether : Mailer {
  static std::string Key(const Credited&, const Reaction&) { return "all"; }
};

TEST_F(ReactorOperatorsTest, ADropOfADeclaredKeyLeavesOutOneEvent) {
  Park("account/b@1");
  for (const char* account : {"a", "b", "c", "d"}) mailbox_.Credit(account);
  mailbox_.Run(MakeReactorType<AllTogether>(Mailer{&mailbox_.outbox()}));
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
  for (const char* other : {"account/a", "account/c", "account/d"}) {  // each has a version 1, and nobody looked at it
    const absl::Status refused = mailbox_.DropOf("all", other, 1);
    EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_EQ(ReasonOf(refused), reason::kNotParked);
  }
  ASSERT_EQ(mailbox_.DropOf("all", "account/b", 1), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@1", "account/c@1", "account/d@1"));
}

TEST_F(ReactorOperatorsTest, ADropNamesTheEventThatItIsFor) {
  Park("account/a@1");
  mailbox_.Credit("a");
  mailbox_.Run();
  absl::Status refused = mailbox_.Drop("account/a", 2);
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), reason::kNotParked);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("is account/a version 1, not \"account/a\" version 2"));
  refused = mailbox_.Drop("account/b", 1);
  EXPECT_EQ(refused.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(ReasonOf(refused), reason::kNotParked);
  EXPECT_EQ(mailbox_.Drop("account/a", 1, "").code(), absl::StatusCode::kInvalidArgument);
  refused = mailbox_.Drop("account/a", 1, std::string(1001, 'x'));
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("1000"));
  EXPECT_THAT(mailbox_.Keys(), SizeIs(1));
}

TEST_F(ReactorOperatorsTest, WhatWaitsForAnotherTryCanBeTriedOrDroppedAtOnce) {
  mailbox_.outbox().answer = [](const Mail& mail) {
    return mail.about.ends_with("@1") ? absl::UnavailableError("down") : absl::OkStatus();
  };
  for (const char* account : {"a", "a", "b", "b"}) mailbox_.Credit(account);
  mailbox_.Run();
  ASSERT_THAT(mailbox_.Keys(), SizeIs(2));
  ASSERT_EQ(mailbox_.Drop("account/a", 1), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@2"));
  mailbox_.outbox().answer = nullptr;
  ASSERT_EQ(mailbox_.Retry("account/b"), absl::OkStatus());
  EXPECT_THAT(Sent(), ElementsAre("account/a@2", "account/b@1", "account/b@2"));
  const std::size_t tried = mailbox_.outbox().tried.size();
  mailbox_.executor().Advance(absl::Hours(1));
  EXPECT_EQ(mailbox_.outbox().tried.size(), tried);
}

TEST_F(ReactorOperatorsTest, AResetToTheHeadLeavesOutAllThatIsInTheLog) {
  Park("account/a@1");
  mailbox_.Credit("a");
  mailbox_.Run();
  ASSERT_EQ(mailbox_.Pause(), absl::OkStatus());
  mailbox_.Credit("b");
  ASSERT_EQ(mailbox_.Reset(v1::REACTOR_RESET_TO_HEAD, "too old"), absl::OkStatus());
  EXPECT_EQ(mailbox_.reactor().Describe().state, ReactorState::kPaused);
  ASSERT_EQ(mailbox_.Resume(), absl::OkStatus());
  mailbox_.Credit("a");
  mailbox_.executor().RunUntilIdle();
  EXPECT_THAT(Sent(), ElementsAre("account/a@2"));
  EXPECT_THAT(mailbox_.Keys(), IsEmpty());
  const auto resets = Records<v1::ReactorReset>();
  ASSERT_THAT(resets, SizeIs(1));
  EXPECT_EQ(resets[0].to(), v1::REACTOR_RESET_TO_HEAD);
  EXPECT_EQ(resets[0].reason(), "too old");
}

TEST_F(ReactorOperatorsTest, AResetWaitsForHandlersUnderWay) {
  const auto held = std::make_shared<std::deque<Task>>();
  mailbox_.options().make_thread = [held](const std::string&) { return std::make_unique<HeldThread>(held); };
  mailbox_.Credit("a");
  mailbox_.Credit("a");
  mailbox_.Run();
  ASSERT_THAT(*held, SizeIs(1));
  std::optional<absl::Status> reset;
  mailbox_.reactor().Reset(v1::REACTOR_RESET_TO_HEAD, "a test", [&reset](absl::Status status) { reset = status; });
  mailbox_.executor().RunUntilIdle();
  EXPECT_FALSE(reset.has_value());
  EXPECT_EQ(mailbox_.Reset(v1::REACTOR_RESET_TO_HEAD).code(), absl::StatusCode::kFailedPrecondition);
  Task task = std::move(held->front());
  held->clear();
  task();
  mailbox_.executor().RunUntilIdle();
  EXPECT_EQ(reset, absl::OkStatus());
  EXPECT_THAT(*held, IsEmpty());
  EXPECT_THAT(Sent(), ElementsAre("account/a@1"));
}

// The record of the drop waits for a save that is under way when the reset is asked for.
TEST_F(ReactorOperatorsTest, AResetLosesNoRecordOfADrop) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    Mailbox mailbox(seed);
    mailbox.outbox().answer = [](const Mail&) { return absl::NotFoundError("no address"); };
    mailbox.Credit("a");
    mailbox.Run();
    absl::Status dropped = absl::UnknownError("not answered");
    absl::Status reset = dropped;
    mailbox.reactor().Pause([](const absl::Status&) {});
    mailbox.StartDrop("account/a", 1, [&dropped](const absl::Status& status) { dropped = status; });
    mailbox.reactor().Reset(v1::REACTOR_RESET_TO_HEAD, "a test",
                            [&reset](const absl::Status& status) { reset = status; });
    mailbox.executor().RunUntilIdle();
    EXPECT_EQ(dropped, absl::OkStatus());
    EXPECT_EQ(reset, absl::OkStatus());
    EXPECT_THAT(RecordsOf<v1::ReactionDropped>(mailbox), SizeIs(1));
    EXPECT_THAT(RecordsOf<v1::ReactorReset>(mailbox), SizeIs(1));
    EXPECT_THAT(mailbox.Keys(), IsEmpty());
  }
}

TEST_F(ReactorOperatorsTest, AResetNeedsAReasonAndAPlace) {
  mailbox_.Run();
  EXPECT_EQ(mailbox_.Reset(v1::REACTOR_RESET_TO_HEAD, "").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(mailbox_.Reset(v1::REACTOR_RESET_TO_UNSPECIFIED).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace everfold

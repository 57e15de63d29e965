#include "everfold/command/command_handler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/event/partitioning.h"
#include "google/rpc/error_details.pb.h"
#include "tests/unit/command/wallet_commands.h"

namespace everfold {
namespace {

using wallet::v1::Deposited;
using wallet::v1::InsufficientFunds;
using wallet::v1::MakeDeposit;
using wallet::v1::MakeOpenWallet;
using wallet::v1::MakeWithdraw;

using CommandHandlerTest = WalletCommandsTest;

TEST_F(CommandHandlerTest, AnswersWithAReceipt) {
  const CommandReceipt opened = Receipt(Send(MakeOpenWallet({.wallet_id = "w1"})));
  EXPECT_EQ(opened.stream.ToString(), "wallet/w1");
  EXPECT_EQ(opened.version, Version(1));
  EXPECT_EQ(opened.sequence, Sequence(1));
  EXPECT_FALSE(opened.repeated);
  EXPECT_EQ(opened.token.epoch, storage_->identity().epoch);
  EXPECT_EQ(opened.token.positions.size(), 1u);
  EXPECT_EQ(Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 5}))).version, Version(2));
}

TEST_F(CommandHandlerTest, RejectionIsAValue) {
  OpenWithBalance("w1", 100);
  const Outcome outcome = Send(MakeWithdraw({.wallet_id = "w1", .amount_minor = 120}));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  ASSERT_TRUE(std::holds_alternative<Rejection>(*outcome));
  const Rejection& rejection = std::get<Rejection>(*outcome);
  EXPECT_EQ(rejection.code, absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(dynamic_cast<const InsufficientFunds&>(*rejection.message).missing_minor(), 20);
  EXPECT_EQ(VersionOf("w1"), Version(2));
}

TEST_F(CommandHandlerTest, DecidesWithinTheCallWhereItMayAndHasNotToWait) {
  OpenWithBalance("w1", 100);
  const auto too_much = MakeWithdraw({.wallet_id = "w1", .amount_minor = 120});
  const Pending here = Start(too_much, {.within_call = true});
  ASSERT_TRUE(here->has_value());
  EXPECT_EQ(MissingIn(**here), 20);

  const Pending deposit = Start(MakeDeposit({.wallet_id = "w1", .amount_minor = 30}), {.within_call = true});
  EXPECT_FALSE(deposit->has_value()) << "answered before it was durable";
  const Pending behind = Start(too_much, {.within_call = true});
  EXPECT_FALSE(behind->has_value()) << "answered before what it was decided on was durable";
  executor_.RunUntilIdle();
  EXPECT_EQ(Receipt(**deposit).version, Version(3));
  EXPECT_EQ(Receipt(**behind).version, Version(4));

  OpenHandler(FaultyWallet());
  const Pending loads = Start(too_much, {.within_call = true});
  EXPECT_FALSE(loads->has_value()) << "answered before the state was read";
  executor_.RunUntilIdle();
  EXPECT_EQ(MissingIn(**loads), 110);
}

TEST_F(CommandHandlerTest, WhatIsSentFromAnAnswerWithinTheCallIsDecidedBehindIt) {
  OpenWithBalance("w1", 100);
  const auto too_much = MakeWithdraw({.wallet_id = "w1", .amount_minor = 120});
  std::vector<std::string> told;
  const auto request = [&too_much] {
    CommandRequest request;
    request.command = &too_much;
    request.within_call = true;
    return request;
  };
  handler_->Handle(request(), [&](const Outcome& first) {
    handler_->Handle(request(),
                     [&](const Outcome& second) { told.push_back("second, " + second.status().ToString()); });
    told.push_back("first, " + first.status().ToString());
  });
  executor_.RunUntilIdle();
  EXPECT_THAT(told, ::testing::ElementsAre("first, OK", "second, OK"));
}

// A withdrawal takes its time.
struct LongDecider : FaultyDecider {
  using FaultyDecider::Decide;
  using FaultyDecider::Evolve;
  static Decision<wallet::v1::Wallet> Decide(const wallet::v1::Wallet& s, const wallet::v1::Withdraw& c,
                                             Context& context) {
    clock->Advance(takes);
    return FaultyDecider::Decide(s, c, context);
  }
  static inline ManualClock* clock = nullptr;
  static inline absl::Duration takes;
};

TEST_F(CommandHandlerTest, AStepThatTookLongSendsTheNextOnesToTheExecutor) {
  OpenWithBalance("w1", 100);
  OpenHandler(MakeAggregateType<LongDecider>());
  LongDecider::clock = &executor_.clock();
  LongDecider::takes = absl::ZeroDuration();
  const auto too_much = MakeWithdraw({.wallet_id = "w1", .amount_minor = 120});
  EXPECT_EQ(MissingIn(Send(too_much)), 20);  // loads the state
  const auto is_decided_here = [&] {
    const Pending answer = Start(too_much, {.within_call = true});
    const bool is_here = answer->has_value();
    executor_.RunUntilIdle();
    EXPECT_EQ(MissingIn(**answer), 20);
    return is_here;
  };
  LongDecider::takes = absl::Milliseconds(6);
  EXPECT_TRUE(is_decided_here());
  LongDecider::takes = absl::ZeroDuration();
  for (int i = 0; i < 256; ++i) EXPECT_FALSE(is_decided_here()) << i;
  EXPECT_TRUE(is_decided_here());
}

// Who is told that it is closed may destroy all that it works with.
class MortalClock final : public Clock {
 public:
  absl::Time Now() const override {
    EXPECT_FALSE(is_gone) << "asked after it had gone";
    return absl::UnixEpoch();
  }
  bool is_gone = false;
};

TEST_F(CommandHandlerTest, UsesNothingAfterItsLastCommandWithinACall) {
  OpenWithBalance("w1", 100);
  MortalClock clock;
  std::vector<AggregateType> aggregates;
  aggregates.push_back(FaultyWallet());
  auto handler = CommandHandler::Create({}, std::move(aggregates), *store_, executor_, clock, random_);
  const auto too_much = MakeWithdraw({.wallet_id = "w1", .amount_minor = 120});
  const auto send = [&](CommandHandler::Done done) {
    CommandRequest request;
    request.command = &too_much;
    request.within_call = true;
    handler->Handle(std::move(request), std::move(done));
  };
  send([](const Outcome&) {});
  executor_.RunUntilIdle();  // the state is loaded
  send([&](const Outcome&) {
    handler->Close([&] {
      handler = nullptr;
      clock.is_gone = true;
    });
  });
  EXPECT_TRUE(clock.is_gone);
  executor_.RunUntilIdle();
}

TEST_F(CommandHandlerTest, RefusesBrokenFieldRulesWithAllViolations) {
  const Outcome outcome = Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 0}));
  ExpectError(outcome, absl::StatusCode::kInvalidArgument, reason::kCommandInvalid, "amount_minor");
  google::rpc::BadRequest bad_request;
  ASSERT_TRUE(FindDetail(outcome.status(), bad_request));
  ASSERT_EQ(bad_request.field_violations_size(), 1);
  EXPECT_EQ(bad_request.field_violations(0).field(), "amount_minor");
  EXPECT_EQ(bad_request.field_violations(0).reason(), "INT64_GT");
}

TEST_F(CommandHandlerTest, AWrongIdIsOneOfTheViolations) {
  for (const char* const request_id : {"", "r1"}) {
    const Outcome outcome = Send(MakeDeposit({.wallet_id = "", .amount_minor = 0}), {.request_id = request_id});
    ExpectError(outcome, absl::StatusCode::kInvalidArgument, reason::kCommandInvalid, "wallet_id");
    google::rpc::BadRequest bad_request;
    ASSERT_TRUE(FindDetail(outcome.status(), bad_request));
    ASSERT_EQ(bad_request.field_violations_size(), 2);
    EXPECT_EQ(bad_request.field_violations(0).field(), "wallet_id");
    EXPECT_EQ(bad_request.field_violations(1).field(), "amount_minor");
  }
}

TEST_F(CommandHandlerTest, ChecksWhatTheCommandExpectsOfItsStream) {
  ExpectError(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 1})), absl::StatusCode::kNotFound,
              reason::kStreamNotFound, "wallet/w1 does not exist");
  Receipt(Send(MakeOpenWallet({.wallet_id = "w1"})));
  ExpectError(Send(MakeOpenWallet({.wallet_id = "w1"})), absl::StatusCode::kAlreadyExists, reason::kStreamExists,
              "wallet/w1 exists already, at version 1");
}

TEST_F(CommandHandlerTest, RefusesStaleVersion) {
  OpenWithBalance("w1", 100);
  const auto deposit = MakeDeposit({.wallet_id = "w1", .amount_minor = 1});
  ExpectError(Send(deposit, {.expected_version = Version(1)}), absl::StatusCode::kAborted, reason::kVersionConflict,
              "wallet/w1: expected version 1, it is at version 2");
  EXPECT_EQ(Receipt(Send(deposit, {.expected_version = Version(2)})).version, Version(3));
}

TEST_F(CommandHandlerTest, RefusesMalformedIds) {
  ExpectError(Send(MakeDeposit({.wallet_id = "", .amount_minor = 1})), absl::StatusCode::kInvalidArgument,
              reason::kCommandInvalid, "wallet_id must have 1 to 200 bytes, it has 0");
  ExpectError(Send(MakeOpenWallet({.wallet_id = "a\nb"})), absl::StatusCode::kInvalidArgument, reason::kCommandInvalid,
              "printable UTF-8");
  ExpectError(Send(MakeOpenWallet({.wallet_id = "w"}), {.request_id = std::string(201, 'x')}),
              absl::StatusCode::kInvalidArgument, reason::kLimitExceeded, "request_id must have 1 to 200 bytes");
}

TEST_F(CommandHandlerTest, RepeatsTheFirstReceiptForAKnownRequestId) {
  OpenWithBalance("w1", 100);
  const auto withdraw = MakeWithdraw({.wallet_id = "w1", .amount_minor = 80});
  const CommandReceipt first = Receipt(Send(withdraw, {.request_id = "r1"}));
  Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 1})));
  CrashAndReopen();
  // Decided afresh it would be rejected: there is not enough left.
  const CommandReceipt second = Receipt(Send(withdraw, {.request_id = "r1"}));
  EXPECT_TRUE(second.repeated);
  EXPECT_EQ(second.version, first.version);
  EXPECT_EQ(second.sequence, first.sequence);
  EXPECT_EQ(second.token, first.token);
  EXPECT_EQ(VersionOf("w1"), Version(4));
}

TEST_F(CommandHandlerTest, ARequestIdBelongsToOneRequest) {
  OpenWithBalance("w1", 100);
  Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 1}), {.request_id = "r1"}));
  ExpectError(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 2}), {.request_id = "r1"}),
              absl::StatusCode::kInvalidArgument, reason::kIdempotencyKeyReused, "r1");
  // Another type of command is another scope.
  Receipt(Send(MakeWithdraw({.wallet_id = "w1", .amount_minor = 1}), {.request_id = "r1"}));
}

TEST_F(CommandHandlerTest, ConcurrentRepeatsLeaveOneSetOfEvents) {
  OpenWithBalance("w1", 100);
  std::vector<Pending> outcomes;
  const auto deposit = MakeDeposit({.wallet_id = "w1", .amount_minor = 7});
  for (int i = 0; i < 100; ++i) outcomes.push_back(Start(deposit, {.request_id = "r1"}));
  executor_.RunUntilIdle();
  for (const auto& outcome : outcomes) EXPECT_EQ(Receipt(outcome->value()).version, Version(3));
  EXPECT_EQ(VersionOf("w1"), Version(3));
}

TEST_F(CommandHandlerTest, CommandsOfOneStreamAreDecidedOneAfterTheOther) {
  OpenWithBalance("w1", 100);
  std::vector<Pending> outcomes;
  for (int i = 0; i < 10; ++i) outcomes.push_back(Start(MakeWithdraw({.wallet_id = "w1", .amount_minor = 30})));
  executor_.RunUntilIdle();
  int accepted = 0;
  for (const auto& outcome : outcomes) accepted += std::holds_alternative<CommandReceipt>(*outcome->value()) ? 1 : 0;
  EXPECT_EQ(accepted, 3);
}

TEST_F(CommandHandlerTest, ALongQueueOfQuickAnswersDoesNotGrowTheStack) {
  OpenWithBalance("w1", 1);
  std::vector<Pending> outcomes;
  for (int i = 0; i < 9000; ++i) outcomes.push_back(Start(MakeWithdraw({.wallet_id = "w1", .amount_minor = 30})));
  executor_.RunUntilIdle();
  for (const auto& outcome : outcomes) ASSERT_TRUE(outcome->has_value());
}

TEST_F(CommandHandlerTest, RefusesTooManyWaitingOnOneStream) {
  OpenHandler(FaultyWallet(), {.max_waiting_per_stream = 2});
  std::vector<Pending> outcomes;
  for (int i = 0; i < 10; ++i) outcomes.push_back(Start(MakeDeposit({.wallet_id = "w1", .amount_minor = 1})));
  executor_.RunUntilIdle();
  int refused = 0;
  for (const auto& outcome : outcomes) {
    if (outcome->value().status().code() != absl::StatusCode::kResourceExhausted) continue;
    google::rpc::RetryInfo retry;
    EXPECT_TRUE(FindDetail(outcome->value().status(), retry));
    ++refused;
  }
  EXPECT_GT(refused, 0);
}

TEST_F(CommandHandlerTest, AcceptsACommandThatChangesNothing) {
  OpenWithBalance("w1", 100);
  const CommandReceipt receipt = Receipt(Send(MakeWithdraw({.wallet_id = "w1", .amount_minor = 14})));
  EXPECT_EQ(receipt.version, Version(2));
  EXPECT_EQ(receipt.sequence, Sequence(0));
}

TEST_F(CommandHandlerTest, ADeciderThatThrowsHarmsOnlyItsCommand) {
  OpenWithBalance("w1", 100);
  ExpectError(Send(MakeWithdraw({.wallet_id = "w1", .amount_minor = 13})), absl::StatusCode::kInternal,
              reason::kDeciderFailed, "threw: thirteen");
  ExpectError(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 13})), absl::StatusCode::kInternal,
              reason::kDeciderFailed, "threw: no evolution");
  EXPECT_EQ(Receipt(Send(MakeWithdraw({.wallet_id = "w1", .amount_minor = 100}))).version, Version(3));
}

TEST_F(CommandHandlerTest, SeesWhatSomebodyElseAppended) {
  OpenWithBalance("w1", 100);
  AppendRequest raw;
  StreamAppend& stream = raw.streams.emplace_back();
  stream.stream = {"", "wallet", "w1"};
  Deposited deposited;
  deposited.set_amount_minor(50);
  stream.events.push_back({.type = "wallet.v1.Deposited",
                           .fingerprint = {},
                           .payload = deposited.SerializeAsString(),
                           .event_time = {},
                           .tags = {}});
  // It may come before, between, or after the command's decision.
  const auto outcome = Start(MakeWithdraw({.wallet_id = "w1", .amount_minor = 90}));
  store_->Append(std::move(raw), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
  executor_.RunUntilIdle();
  Receipt(outcome->value());
  EXPECT_EQ(Receipt(Send(MakeWithdraw({.wallet_id = "w1", .amount_minor = 60}))).version, Version(5));
}

TEST_F(CommandHandlerTest, FoldsTheStateFromTheStoreAfterAReopen) {
  OpenWithBalance("w1", 100);
  CrashAndReopen();
  const Outcome outcome = Send(MakeWithdraw({.wallet_id = "w1", .amount_minor = 101}));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_TRUE(std::holds_alternative<Rejection>(*outcome));
}

TEST_F(CommandHandlerTest, DecidesNothingOnceTheStoreHasFailed) {
  OpenWithBalance("w1", 100);
  const PartitionId partition = PartitionOf({"", "wallet", "w1"}, 16);
  // Another writer takes the partition over, so the next append is fenced.
  const PartitionHead head = storage_->Head(partition);
  const PartitionHead next{head.offset.Next(), head.chunk_number + 1};
  ASSERT_TRUE(storage_->Append({{partition, head, next, std::make_shared<const std::string>("foreign")}}).ok());
  ExpectError(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 1})), absl::StatusCode::kUnavailable,
              reason::kStoreClosed, "another writer");
  // Decided, it would be rejected: as far as this process knows there is not enough.
  ExpectError(Send(MakeWithdraw({.wallet_id = "w1", .amount_minor = 200})), absl::StatusCode::kUnavailable,
              reason::kStoreClosed, "the store is closed");
}

TEST_F(CommandHandlerTest, DoesNotDecideAfterTheDeadline) {
  OpenWithBalance("w1", 100);
  const auto late = MakeDeposit({.wallet_id = "w1", .amount_minor = 1});
  ExpectError(Send(late, {.deadline = executor_.clock().Now()}), absl::StatusCode::kDeadlineExceeded,
              reason::kDeadlineExceeded, "deadline");
  EXPECT_EQ(VersionOf("w1"), Version(2));
}

TEST_F(CommandHandlerTest, CloseLetsWorkEndAndRefusesNewWork) {
  const auto under_way = Start(MakeOpenWallet({.wallet_id = "w1"}));
  bool closed = false;
  handler_->Close([&closed] { closed = true; });
  const Outcome late = Send(MakeOpenWallet({.wallet_id = "w2"}));
  EXPECT_TRUE(closed);
  EXPECT_EQ(Receipt(under_way->value()).version, Version(1));
  ExpectError(late, absl::StatusCode::kUnavailable, reason::kShuttingDown, "shutting down");
}

TEST_F(CommandHandlerTest, RefusesACommandThatNobodyTakes) {
  ExpectError(Send(google::rpc::ErrorInfo()), absl::StatusCode::kUnimplemented, reason::kRequestInvalid,
              "no aggregate of this application takes google.rpc.ErrorInfo");
}

}  // namespace
}  // namespace everfold

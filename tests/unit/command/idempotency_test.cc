// Request ids: what they are needed for, what is derived from them, and what a repeat is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "tests/unit/command/wallet_commands.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;
using wallet::v1::MakeDeposit;
using wallet::v1::MakeOpenWallet;
using wallet::v1::MakeWithdraw;

class IdempotencyTest : public WalletCommandsTest {
 protected:
  IdempotencyTest() { Open(); }

  // As after a restart. Withdrawals need an id, and all their outcomes are recorded.
  void Open() {
    AggregateType wallet = FaultyWallet();
    CommandType& withdraw = wallet.commands.at("wallet.v1.Withdraw");
    withdraw.needs_request_id = true;
    withdraw.records_outcomes = true;
    OpenHandler(std::move(wallet));
  }
  Outcome Send(const google::protobuf::Message& command, const std::string& request_id = "") {
    return WalletCommandsTest::Send(command, {.request_id = request_id});
  }
  Outcome Withdraw(std::int64_t amount, const std::string& request_id) {
    return Send(MakeWithdraw({.wallet_id = "w1", .amount_minor = amount}), request_id);
  }
};

TEST_F(IdempotencyTest, ACommandThatNeedsAnIdIsRefusedWithoutOne) {
  OpenWithBalance("w1", 100);
  const Outcome refused = Withdraw(1, "");
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("wallet.v1.Withdraw needs a request_id"));
  EXPECT_EQ(Receipt(Withdraw(1, "r1")).version, Version(3));
}

TEST_F(IdempotencyTest, ARecordedRejectionIsToldAgain) {
  OpenWithBalance("w1", 100);
  EXPECT_EQ(MissingIn(Withdraw(120, "r1")), 20);
  EXPECT_EQ(VersionOf("w1"), Version(2)) << "it adds no event";
  Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 500})));
  EXPECT_EQ(MissingIn(Withdraw(120, "r1")), 20) << "decided afresh it would be accepted";
  Open();
  EXPECT_EQ(MissingIn(Withdraw(120, "r1")), 20);
  EXPECT_EQ(VersionOf("w1"), Version(3));
  EXPECT_EQ(ReasonOf(Withdraw(121, "r1").status()), reason::kIdempotencyKeyReused);
  EXPECT_EQ(Receipt(Withdraw(120, "r2")).version, Version(4));
}

TEST_F(IdempotencyTest, ThatNothingChangedIsToldAgain) {
  OpenWithBalance("w1", 100);
  const CommandReceipt first = Receipt(Withdraw(14, "r1"));
  EXPECT_EQ(first.version, Version(2));
  EXPECT_FALSE(first.repeated);
  Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 1})));
  const CommandReceipt again = Receipt(Withdraw(14, "r1"));
  EXPECT_EQ(again.version, Version(2));
  EXPECT_TRUE(again.repeated);
  Open();
  EXPECT_EQ(Receipt(Withdraw(14, "r1")).version, Version(2));
}

TEST_F(IdempotencyTest, ARejectionThatIsNotRecordedIsDecidedAfresh) {
  OpenWithBalance("w1", 100);
  const auto open = MakeOpenWallet({.wallet_id = "w2"});
  Receipt(Send(open, "r1"));
  EXPECT_EQ(Send(open, "r2").status().code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(Receipt(Send(open, "r1")).repeated);
}

TEST_F(IdempotencyTest, ACreatingCommandWithoutAnIdGetsOneThatARetryMeets) {
  const auto open = MakeOpenWallet({});
  const CommandReceipt first = Receipt(Send(open, "r1"));
  EXPECT_EQ(first.stream.id.size(), 36u);
  EXPECT_EQ(first.stream.id[14], '5') << "a UUID of version 5";
  Open();
  const CommandReceipt again = Receipt(Send(open, "r1"));
  EXPECT_EQ(again.stream, first.stream);
  EXPECT_TRUE(again.repeated);
  EXPECT_NE(Receipt(Send(open, "r2")).stream, first.stream);
  const CommandReceipt without = Receipt(Send(open));
  EXPECT_EQ(without.stream.id[14], '7') << "a UUID of version 7";
  EXPECT_NE(Receipt(Send(open)).stream, without.stream);
}

// A rule may depend on the time: a retry that comes late still gets the first answer.
TEST_F(IdempotencyTest, ARecordedCommandIsToldTheSameThoughItBreaksARuleNow) {
  OpenWithBalance("w1", 100);
  EXPECT_EQ(Receipt(Withdraw(30, "r1")).version, Version(3));
  AggregateType wallet = FaultyWallet();
  wallet.commands.at("wallet.v1.Withdraw").validate = [](const google::protobuf::Message&, absl::Time,
                                                         Violations& violations) {
    violations.Add("amount_minor", "int64.gt", "too late");
  };
  OpenHandler(std::move(wallet));
  EXPECT_EQ(Receipt(Withdraw(30, "r1")).version, Version(3));
  EXPECT_EQ(ReasonOf(Withdraw(30, "r2").status()), reason::kCommandInvalid);
  EXPECT_EQ(ReasonOf(Withdraw(30, "").status()), reason::kCommandInvalid);
  EXPECT_EQ(VersionOf("w1"), Version(3));
}

// Nobody can fold the stream any more, but what was done is known.
TEST_F(IdempotencyTest, ARecordedCommandIsToldTheSameThoughItsStateCannotBeLoaded) {
  OpenWithBalance("w1", 100);
  EXPECT_EQ(Receipt(Withdraw(30, "r1")).version, Version(3));
  AggregateType wallet = FaultyWallet();
  wallet.events.erase("wallet.v1.Withdrawn");
  OpenHandler(std::move(wallet));
  EXPECT_EQ(ReasonOf(Withdraw(1, "r2").status()), reason::kUnknownType);
  EXPECT_EQ(Receipt(Withdraw(30, "r1")).version, Version(3));
}

TEST_F(IdempotencyTest, OnlyCreatingCommandsGetAnId) {
  EXPECT_EQ(Send(MakeDeposit({.amount_minor = 1}), "r1").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(IdempotencyTest, HeadersOfTheFrameworkAreRefused) {
  Extra forged;
  forged.metadata.headers["$outcome"] = "forged";
  const Outcome refused = WalletCommandsTest::Send(MakeOpenWallet({.wallet_id = "w1"}), forged);
  EXPECT_EQ(ReasonOf(refused.status()), reason::kReservedName);
  EXPECT_EQ(VersionOf("w1"), Version());
}

}  // namespace
}  // namespace everfold

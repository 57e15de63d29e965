// Request ids: what they are needed for, what is derived from them, and what a repeat is told.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "tests/unit/command/wallet_commands.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;
using wallet::v1::MakeDeposit;
using wallet::v1::MakeOpenWallet;
using wallet::v1::MakeWithdraw;
using wallet::v1::OpenWallet;
using wallet::v1::Wallet;
using wallet::v1::Withdraw;

bool reject_opening = false;

struct CarefulDecider : FaultyDecider {
  static constexpr std::int64_t kWordy = 1'000'000;  // its rejections beyond are long, by as many bytes
  using FaultyDecider::Decide;
  static Decision<Wallet> Decide(const Wallet& s, const OpenWallet& c, Context& context) {
    if (reject_opening) return Reject(wallet::v1::MakeLimitExceeded({}));
    return FaultyDecider::Decide(s, c, context);
  }
  static Decision<Wallet> Decide(const Wallet& s, const Withdraw& c, Context& context) {
    if (c.amount_minor() > kWordy && s.balance_minor() < c.amount_minor()) {
      wallet::v1::InsufficientFunds wordy;
      wordy.GetReflection()->MutableUnknownFields(&wordy)->AddLengthDelimited(
          100, std::string(static_cast<std::size_t>(c.amount_minor() - kWordy), 'x'));
      return Reject(std::move(wordy));
    }
    return FaultyDecider::Decide(s, c, context);
  }
};

class IdempotencyTest : public WalletCommandsTest {
 protected:
  IdempotencyTest() { Open(); }

  // As after a restart. Withdrawals need an id, and all their outcomes are recorded.
  void Open() {
    AggregateType wallet = MakeAggregateType<CarefulDecider>();
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

// All clients come again after a restart, when nothing is remembered in memory: each repeat that is found only when it
// is appended takes back all that was decided behind it.
TEST_F(IdempotencyTest, ManyRepeatsAfterARestartAreNotDecidedOneByOne) {
  constexpr int kCommands = 300;
  OpenWithBalance("w1", 100);
  const auto send_all = [this] {
    std::vector<Pending> pending;
    for (int i = 0; i < kCommands; ++i) {
      pending.push_back(
          Start(MakeDeposit({.wallet_id = "w1", .amount_minor = 100 + i}), {.request_id = absl::StrFormat("r%d", i)}));
    }
    executor_.RunUntilIdle();
    std::vector<CommandReceipt> receipts;
    for (const Pending& each : pending) receipts.push_back(Receipt(each->value()));
    return receipts;
  };
  const std::vector<CommandReceipt> first = send_all();
  Open();
  Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 1}), "another"));  // the state is in memory
  const std::vector<CommandReceipt> again = send_all();
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(again[i].version, first[i].version);
    EXPECT_TRUE(again[i].repeated);
  }
  EXPECT_LE(handler_->stats().decided_again, kCommands);
  EXPECT_LE(handler_->stats().loaded, 2u);
  EXPECT_EQ(VersionOf("w1"), Version(3 + kCommands));
  // What is new among them is done.
  EXPECT_FALSE(Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = 1}), "new")).repeated);
}

// A rule may depend on the time: a retry that comes late still gets the first answer.
TEST_F(IdempotencyTest, ARecordedCommandIsToldTheSameThoughItBreaksARuleNow) {
  OpenWithBalance("w1", 100);
  EXPECT_EQ(Receipt(Withdraw(30, "r1")).version, Version(3));
  AggregateType wallet = MakeAggregateType<CarefulDecider>();
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
  AggregateType wallet = MakeAggregateType<CarefulDecider>();
  wallet.events.erase("wallet.v1.Withdrawn");
  OpenHandler(std::move(wallet));
  EXPECT_EQ(ReasonOf(Withdraw(1, "r2").status()), reason::kUnknownType);
  EXPECT_EQ(Receipt(Withdraw(30, "r1")).version, Version(3));
}

// Found by a review: it failed beyond 12 KB, for want of room in the metadata.
TEST_F(IdempotencyTest, ALargeRejectionIsRecordedAndToldAgain) {
  OpenWithBalance("w1", 100);
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = Withdraw(CarefulDecider::kWordy + 200'000, "r1");
    ASSERT_TRUE(outcome.ok()) << outcome.status();
    EXPECT_GT(std::get<Rejection>(*outcome).message->ByteSizeLong(), 200'000u);
    Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = CarefulDecider::kWordy * 2})));
    Open();
  }
}

TEST_F(IdempotencyTest, ARejectionThatIsTooLargeToBeRecordedNamesTheLimitAndLosesNothing) {
  OpenWithBalance("w1", 100);
  const Outcome outcome = Withdraw(CarefulDecider::kWordy + 300'000, "r1");
  EXPECT_EQ(outcome.status().code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(outcome.status()), reason::kDeciderFailed);
  EXPECT_THAT(
      std::string(outcome.status().message()),
      HasSubstr("wallet.v1.Withdraw was rejected, which is to be recorded: bytes of a recorded outcome: at most "
                "262144, there are 3000"));
  EXPECT_EQ(VersionOf("w1"), Version(2));
  // Nothing was recorded: with enough money it is accepted.
  Receipt(Send(MakeDeposit({.wallet_id = "w1", .amount_minor = CarefulDecider::kWordy * 2})));
  EXPECT_EQ(Receipt(Withdraw(CarefulDecider::kWordy + 300'000, "r1")).version, Version(4));
}

// Found by a review: it named "wallet/".
TEST_F(IdempotencyTest, TheRejectionOfACreatingCommandNamesTheStreamThatWasDerived) {
  reject_opening = true;
  const Outcome outcome = Send(MakeOpenWallet({}), "r1");
  reject_opening = false;
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  const std::string rejected = std::get<Rejection>(*outcome).subject;
  EXPECT_EQ(Receipt(Send(MakeOpenWallet({}), "r1")).stream.ToString(), rejected);
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

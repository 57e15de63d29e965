#include "everfold/command/decorated_commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "everfold/base/error.h"
#include "everfold/command/command_errors.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "sample-apps/wallet/wallet.h"

namespace everfold {
namespace {

using wallet::v1::MakeDeposit;
using wallet::v1::MakeOpenWallet;

using Outcome = absl::StatusOr<CommandOutcome>;

class DecoratedCommandsTest : public ::testing::Test {
 protected:
  static std::vector<AggregateType> Aggregates() {
    std::vector<AggregateType> aggregates;
    aggregates.push_back(MakeAggregateType<wallet::v1::WalletDecider>());
    return aggregates;
  }
  Outcome Send(CommandHandler& handler, const google::protobuf::Message& command, CommandRequest request = {}) {
    request.command = &command;
    std::optional<Outcome> answer;
    handler.Handle(std::move(request), [&answer](Outcome outcome) { answer = std::move(outcome); });
    EXPECT_FALSE(answer.has_value()) << "answered before Handle returned";
    executor_.RunUntilIdle();
    return *std::move(answer);
  }

  ManualExecutor executor_{11};
  SeededRandom random_{11};
  std::shared_ptr<MemoryLogStorage> storage_ =
      std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 16, std::string(32, 'k')});
  MemoryLog log_{storage_, executor_};
  std::unique_ptr<EventStore> store_ = EventStore::Open({}, log_, executor_, executor_.clock(), random_).value();
  std::unique_ptr<CommandHandler> handler_ =
      CommandHandler::Create({}, Aggregates(), *store_, executor_, executor_.clock(), random_);
};

TEST_F(DecoratedCommandsTest, WhatIsNotAllowedIsNotDone) {
  const auto authorized = WithAuthorization(*handler_, [](const CommandRequest& request, const CommandTarget& target) {
    if (request.metadata.actor == "ann" || target.type->name == "wallet.v1.OpenWallet") return absl::OkStatus();
    return absl::PermissionDeniedError(target.type->name + " is not for " + request.metadata.actor);
  });
  EXPECT_TRUE(Send(*authorized, MakeOpenWallet({.wallet_id = "w1"})).ok());
  const auto deposit = MakeDeposit({.wallet_id = "w1", .amount_minor = 5});
  CommandRequest bobs;
  bobs.metadata.actor = "bob";
  const Outcome refused = Send(*authorized, deposit, std::move(bobs));
  EXPECT_EQ(refused.status(), absl::PermissionDeniedError("wallet.v1.Deposit is not for bob"));
  EXPECT_EQ(store_->VersionOf({"", "wallet", "w1"}).value(), Version(1));
  CommandRequest anns;
  anns.metadata.actor = "ann";
  EXPECT_TRUE(Send(*authorized, deposit, std::move(anns)).ok());
  EXPECT_EQ(store_->VersionOf({"", "wallet", "w1"}).value(), Version(2));
}

TEST_F(DecoratedCommandsTest, AllWhoAreAskedMustAllowIt) {
  const auto allow = [](const CommandRequest&, const CommandTarget&) { return absl::OkStatus(); };
  const auto deny = [](const CommandRequest&, const CommandTarget&) { return absl::PermissionDeniedError("never"); };
  const auto inner = WithAuthorization(*handler_, allow);
  const auto outer = WithAuthorization(*inner, deny);
  EXPECT_EQ(Send(*outer, MakeOpenWallet({.wallet_id = "w1"})).status(), absl::PermissionDeniedError("never"));
  EXPECT_EQ(store_->VersionOf({"", "wallet", "w1"}).value(), Version());
}

TEST_F(DecoratedCommandsTest, ObserversAreToldOfEveryAnswer) {
  std::vector<std::string> told;
  const auto observed = WithObserver(*handler_, executor_.clock(), [&told](const AnsweredCommand& answered) {
    const std::string type = answered.target.type == nullptr ? "nobody's" : answered.target.type->name;
    told.push_back(type + " " + answered.metadata.actor + " " +
                   std::string(absl::StatusCodeToString(answered.outcome.status().code())));
    EXPECT_EQ(answered.took, absl::ZeroDuration());
  });
  CommandRequest anns;
  anns.metadata.actor = "ann";
  EXPECT_TRUE(Send(*observed, MakeOpenWallet({.wallet_id = "w1"}), std::move(anns)).ok());
  EXPECT_FALSE(Send(*observed, MakeOpenWallet({.wallet_id = "w1"})).ok());
  EXPECT_FALSE(Send(*observed, wallet::v1::Wallet()).ok());
  EXPECT_THAT(told, ::testing::ElementsAre("wallet.v1.OpenWallet ann OK", "wallet.v1.OpenWallet  ALREADY_EXISTS",
                                           "nobody's  UNIMPLEMENTED"));
}

TEST_F(DecoratedCommandsTest, ACommandWhoseCallerHasGoneIsNotDecided) {
  EXPECT_TRUE(Send(*handler_, MakeOpenWallet({.wallet_id = "w1"})).ok());
  std::atomic<bool> gone = true;
  CommandRequest request;
  request.abandoned = &gone;
  const auto deposit = MakeDeposit({.wallet_id = "w1", .amount_minor = 5});
  const Outcome dropped = Send(*handler_, deposit, std::move(request));
  EXPECT_EQ(dropped.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(ReasonOf(dropped.status()), reason::kCallerGone);
  EXPECT_EQ(store_->VersionOf({"", "wallet", "w1"}).value(), Version(1));
}

}  // namespace
}  // namespace everfold

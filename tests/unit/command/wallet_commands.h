// What the tests of the command side share: wallets on a store in memory, whose appends can be held up, in steps on one
// thread.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "everfold/command/command_handler.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "sample-apps/wallet/wallet.h"
#include "tests/unit/command/held_log.h"

namespace everfold {

// The wallet, with faults that user code can have: a withdrawal of 13 throws, one of 14 comes to nothing, and a deposit
// of 13 cannot be folded.
struct FaultyDecider : wallet::v1::WalletDecider {
  using WalletDecider = wallet::v1::WalletDecider;
  using WalletDecider::Decide;
  using WalletDecider::Evolve;
  static Decision<wallet::v1::Wallet> Decide(const wallet::v1::Wallet& s, const wallet::v1::Withdraw& c,
                                             Context& context) {
    if (c.amount_minor() == 13) throw std::runtime_error("thirteen");
    if (c.amount_minor() == 14) return Nothing();
    return WalletDecider::Decide(s, c, context);
  }
  static void Evolve(wallet::v1::Wallet& s, const wallet::v1::Deposited& e) {
    if (e.amount_minor() == 13) throw std::runtime_error("no evolution");
    WalletDecider::Evolve(s, e);
  }
};

// What a command may carry beside itself.
struct Extra {
  std::string request_id = {};
  std::optional<Version> expected_version = {};
  absl::Time deadline = absl::InfiniteFuture();
  Metadata metadata = {};
  bool within_call = false;
};

class WalletCommandsTest : public ::testing::Test {
 protected:
  using Outcome = absl::StatusOr<CommandOutcome>;
  // Empty until the answer is there.
  using Pending = std::shared_ptr<std::optional<Outcome>>;

  // On an empty store, with the FaultyDecider.
  WalletCommandsTest();

  static AggregateType FaultyWallet() { return MakeAggregateType<FaultyDecider>(); }
  // Another handler on the same store, as after a restart: nothing is cached.
  void OpenHandler(AggregateType wallet, CommandHandlerOptions options = {});
  // Everything but what is durable goes, as in a crash.
  void CrashAndReopen();

  // Runs nothing.
  Pending Start(const google::protobuf::Message& command, const Extra& extra = {});
  // Runs steps until nothing is left to do.
  Outcome Send(const google::protobuf::Message& command, const Extra& extra = {});
  void OpenWithBalance(const std::string& id, std::int64_t balance);
  // Of somebody else, whatever the stream's version.
  void DepositFromOutside(std::int64_t amount);

  Version VersionOf(const std::string& wallet) const;
  // Fails where there is none.
  static CommandReceipt Receipt(const Outcome& outcome);
  // What is missing, as a rejection says; 0 if it is none.
  static std::int64_t MissingIn(const Outcome& outcome);
  static void ExpectError(const Outcome& outcome, absl::StatusCode code, const char* reason, const std::string& text);

  ManualExecutor executor_{11};
  SeededRandom random_{11};
  std::shared_ptr<MemoryLogStorage> storage_ =
      std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 16, std::string(32, 'k')});
  std::unique_ptr<MemoryLog> memory_log_;
  std::unique_ptr<HeldLog> log_;
  std::unique_ptr<EventStore> store_;
  std::unique_ptr<CommandHandler> handler_;

 private:
  void OpenStore();
};

}  // namespace everfold

// Commands from many threads, on an executor with many: what one thread proves of one step after the other must hold
// when they overlap, and nothing may be touched that has gone.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "everfold/base/mutex.h"
#include "everfold/command/command_handler.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/asio_executor.h"
#include "sample-apps/wallet/wallet.h"

namespace everfold {
namespace {

using wallet::v1::Deposited;
using wallet::v1::MakeDeposit;
using wallet::v1::MakeOpenWallet;
using wallet::v1::Wallet;
using wallet::v1::WalletDecider;

constexpr int kThreads = 4;
constexpr int kWallets = 5;
constexpr int kCommandsAThread = 400;

class CommandConcurrencyTest : public ::testing::Test {
 protected:
  void Open() {
    std::vector<AggregateType> aggregates;
    aggregates.push_back(MakeAggregateType<WalletDecider>());
    handler_ = CommandHandler::Create({.max_cached_bytes = 4096,
                                       .max_decided_ahead_per_stream = 8,
                                       .max_conflict_retries = 1000,  // however slow the machine is
                                       .snapshots = snapshots_.get(),
                                       .snapshot = {.every_events = 7, .check_every_loads = 1}},
                                      std::move(aggregates), *store_, executor_, clock_, random_);
  }
  // Everything of it goes as soon as it says so.
  void CloseAndDestroy() {
    Notification closed;
    handler_->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
    handler_ = nullptr;
  }
  // Calls back on some thread; the command lives until then.
  void Send(const google::protobuf::Message& command, std::string request_id = "") {
    auto kept = std::shared_ptr<google::protobuf::Message>(command.New());
    kept->CopyFrom(command);
    CommandRequest request;
    request.command = kept.get();
    request.request_id = std::move(request_id);
    request.within_call = sent_.fetch_add(1) % 2 == 0;
    handler_->Handle(std::move(request), [this, kept](const absl::StatusOr<CommandOutcome>& outcome) {
      EXPECT_TRUE(outcome.ok()) << outcome.status();
      if (outcome.ok() && std::holds_alternative<CommandReceipt>(*outcome)) {
        repeated_ += std::get<CommandReceipt>(*outcome).repeated ? 1 : 0;
      }
    });
  }
  void DepositFromOutside(const std::string& wallet) {
    AppendRequest raw;
    StreamAppend& stream = raw.streams.emplace_back();
    stream.stream = {"", "wallet", wallet};
    Deposited deposited;
    deposited.set_amount_minor(1);
    NewEvent& event = stream.events.emplace_back();
    event.type = "wallet.v1.Deposited";
    event.payload = deposited.SerializeAsString();
    store_->Append(std::move(raw), [](const absl::StatusOr<AppendResult>& result) { EXPECT_TRUE(result.ok()); });
  }
  // One deposit in ten comes twice under one id, one in twenty from outside.
  void SendAll(int thread) {
    for (int i = 0; i < kCommandsAThread; ++i) {
      const std::string wallet = "w" + std::to_string(i % kWallets);
      if (i % 20 == 0) {
        DepositFromOutside(wallet);
        continue;
      }
      const auto deposit = MakeDeposit({.wallet_id = wallet, .amount_minor = 1});
      const std::string id = i % 10 == 1 ? std::to_string(thread) + "-" + std::to_string(i) : "";
      Send(deposit, id);
      if (!id.empty()) Send(deposit, id);
      if (i % 7 == 0) {
        handler_->GetState({.stream = {"", "wallet", wallet}},
                           [](const absl::StatusOr<StateAnswer>& answer) { EXPECT_TRUE(answer.ok()); });
      }
    }
  }

  SystemClock clock_;
  SystemRandom random_;
  AsioExecutor executor_{4};
  std::shared_ptr<MemoryLogStorage> storage_ =
      std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 2, std::string(32, 'k')});
  MemoryLog log_{storage_, executor_};
  std::unique_ptr<EventStore> store_ = EventStore::Open({}, log_, executor_, clock_, random_).value();
  std::unique_ptr<SnapshotStore> snapshots_ = MakeMemorySnapshots();
  std::unique_ptr<CommandHandler> handler_;
  std::atomic<int> repeated_ = 0;
  std::atomic<int> sent_ = 0;
};

TEST_F(CommandConcurrencyTest, EveryDepositCountsOnce) {
  Open();
  for (int i = 0; i < kWallets; ++i) Send(MakeOpenWallet({.wallet_id = "w" + std::to_string(i)}));
  CloseAndDestroy();  // waits for them
  Open();
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) threads.emplace_back([this, thread] { SendAll(thread); });
  }
  CloseAndDestroy();
  Open();
  std::int64_t sum = 0;
  for (int i = 0; i < kWallets; ++i) {
    Notification answered;
    handler_->GetState({.stream = {"", "wallet", "w" + std::to_string(i)}},
                       [&](const absl::StatusOr<StateAnswer>& answer) {
                         sum += dynamic_cast<const Wallet&>(*answer->state).balance_minor();
                         answered.Notify();
                       });
    answered.WaitForNotification();
  }
  EXPECT_EQ(sum, kThreads * kCommandsAThread);
  EXPECT_EQ(repeated_, kThreads * kCommandsAThread / 10);
  EXPECT_EQ(handler_->stats().snapshots_wrong, 0u);
  CloseAndDestroy();
  Notification closed;
  store_->Close([&closed] { closed.Notify(); });
  closed.WaitForNotification();
  executor_.Join();
}

}  // namespace
}  // namespace everfold

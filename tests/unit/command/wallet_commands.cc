#include "tests/unit/command/wallet_commands.h"

#include "everfold/base/error.h"

namespace everfold {

using wallet::v1::Deposited;
using wallet::v1::InsufficientFunds;
using wallet::v1::MakeDeposit;
using wallet::v1::MakeOpenWallet;

WalletCommandsTest::WalletCommandsTest() {
  OpenStore();
  OpenHandler(FaultyWallet());
}

void WalletCommandsTest::OpenStore() {
  memory_log_ = std::make_unique<MemoryLog>(storage_, executor_);
  log_ = std::make_unique<HeldLog>(*memory_log_);
  store_ = EventStore::Open({}, *log_, executor_, executor_.clock(), random_).value();
}

void WalletCommandsTest::OpenHandler(AggregateType wallet, CommandHandlerOptions options) {
  handler_ = nullptr;
  std::vector<AggregateType> aggregates;
  aggregates.push_back(std::move(wallet));
  handler_ =
      CommandHandler::Create(std::move(options), std::move(aggregates), *store_, executor_, executor_.clock(), random_);
}

void WalletCommandsTest::CrashAndReopen() {
  executor_.DropAll();
  handler_ = nullptr;
  store_ = nullptr;
  log_ = nullptr;
  memory_log_ = nullptr;
  OpenStore();
  OpenHandler(FaultyWallet());
}

WalletCommandsTest::Pending WalletCommandsTest::Start(const google::protobuf::Message& command, const Extra& extra) {
  auto kept = std::shared_ptr<google::protobuf::Message>(command.New());
  kept->CopyFrom(command);
  CommandRequest request;
  request.command = kept.get();
  request.request_id = extra.request_id;
  request.expected_version = extra.expected_version;
  request.deadline = extra.deadline;
  request.metadata = extra.metadata;
  request.within_call = extra.within_call;
  auto outcome = std::make_shared<std::optional<Outcome>>();
  handler_->Handle(std::move(request), [outcome, kept](Outcome result) { *outcome = std::move(result); });
  EXPECT_TRUE(extra.within_call || !outcome->has_value()) << "answered before Handle returned";
  return outcome;
}

WalletCommandsTest::Outcome WalletCommandsTest::Send(const google::protobuf::Message& command, const Extra& extra) {
  const Pending outcome = Start(command, extra);
  executor_.RunUntilIdle();
  return std::move(*outcome).value();
}

void WalletCommandsTest::OpenWithBalance(const std::string& id, std::int64_t balance) {
  Receipt(Send(MakeOpenWallet({.wallet_id = id})));
  Receipt(Send(MakeDeposit({.wallet_id = id, .amount_minor = balance})));
}

void WalletCommandsTest::DepositFromOutside(std::int64_t amount) {
  AppendRequest raw;
  StreamAppend& stream = raw.streams.emplace_back();
  stream.stream = {"", "wallet", "w1"};
  Deposited deposited;
  deposited.set_amount_minor(amount);
  NewEvent& event = stream.events.emplace_back();
  event.type = "wallet.v1.Deposited";
  event.payload = deposited.SerializeAsString();
  store_->Append(std::move(raw), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
  executor_.RunUntilIdle();
}

Version WalletCommandsTest::VersionOf(const std::string& wallet) const {
  return store_->VersionOf({"", "wallet", wallet}).value();
}

CommandReceipt WalletCommandsTest::Receipt(const Outcome& outcome) {
  if (outcome.ok() && std::holds_alternative<CommandReceipt>(*outcome)) return std::get<CommandReceipt>(*outcome);
  ADD_FAILURE() << "no receipt: " << outcome.status();
  return {};
}

std::int64_t WalletCommandsTest::MissingIn(const Outcome& outcome) {
  if (!outcome.ok() || !std::holds_alternative<Rejection>(*outcome)) return 0;
  return dynamic_cast<const InsufficientFunds&>(*std::get<Rejection>(*outcome).message).missing_minor();
}

void WalletCommandsTest::ExpectError(const Outcome& outcome, absl::StatusCode code, const char* reason,
                                     const std::string& text) {
  EXPECT_EQ(outcome.status().code(), code) << outcome.status();
  EXPECT_EQ(ReasonOf(outcome.status()), reason);
  EXPECT_THAT(std::string(outcome.status().message()), ::testing::HasSubstr(text));
}

}  // namespace everfold

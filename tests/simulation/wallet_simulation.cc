#include "tests/simulation/wallet_simulation.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "everfold/subscription/subscription.h"
#include "sample-apps/wallet/wallet.h"
#include "tests/simulation/random_faults.h"

namespace everfold {
namespace {

using testing::TestApp;
using testing::TestAppOptions;
using wallet::v1::WalletBalance;

constexpr int kWallets = 4;
constexpr int kActions = 120;

std::string RandomWallet(RandomSource& random) { return "w" + std::to_string(random.Below(kWallets)); }

const std::string& WalletOf(const google::protobuf::Message& command) {
  if (const auto* open = dynamic_cast<const wallet::v1::OpenWallet*>(&command)) return open->wallet_id();
  if (const auto* deposit = dynamic_cast<const wallet::v1::Deposit*>(&command)) return deposit->wallet_id();
  return dynamic_cast<const wallet::v1::Withdraw&>(command).wallet_id();
}

std::shared_ptr<const google::protobuf::Message> RandomCommand(RandomSource& random) {
  const std::string wallet = RandomWallet(random);
  const auto amount = static_cast<std::int64_t>(1 + random.Below(100));
  switch (random.Below(8)) {
    case 0:
      return std::make_shared<wallet::v1::OpenWallet>(wallet::v1::MakeOpenWallet({.wallet_id = wallet}));
    case 1:
    case 2:
    case 3:
      return std::make_shared<wallet::v1::Withdraw>(
          wallet::v1::MakeWithdraw({.wallet_id = wallet, .amount_minor = amount}));
    default:
      return std::make_shared<wallet::v1::Deposit>(
          wallet::v1::MakeDeposit({.wallet_id = wallet, .amount_minor = amount}));
  }
}

constexpr LogFaults kMostFaults = {.refused_per_mille = 200,
                                   .unknown_but_appended_per_mille = 60,
                                   .unknown_and_lost_per_mille = 60,
                                   .end_delayed_per_mille = 500,
                                   .hint_delayed_per_mille = 500,
                                   .hint_spurious_per_mille = 500};

}  // namespace

WalletSimulation::WalletSimulation(std::uint64_t seed) : random_(seed), faults_(RandomFaults(random_, kMostFaults)) {
  // GCC 12 takes a part of one on the stack for uninitialized where the constructor throws.
  const auto made = std::make_unique<TestAppOptions>();
  TestAppOptions& options = *made;
  options.seed = seed;
  options.partitions = static_cast<std::uint32_t>(1 + random_.Below(16));
  options.wrap_log = [this](PartitionLog& log, Executor& executor) -> std::unique_ptr<PartitionLog> {
    return std::make_unique<FaultyLog>(log, faults_, random_, executor);
  };
  options.engine.projections.max_batch_events = 1 + random_.Below(10);
  options.engine.commands.max_cached_bytes = random_.Below(3) == 0 ? 0 : 64 << 20;
  options.engine.commands.max_decided_ahead_per_stream = 1 + random_.Below(20);
  options.engine.commands.snapshot = {.every_events = 1 + random_.Below(20), .check_every_loads = 1};
  options.engine.commands.snapshot.on_wrong = [](const StreamId& stream, Version version) {
    ADD_FAILURE() << "a snapshot of " << stream.ToString() << " at version " << version.value() << " was wrong";
  };
  app_ = std::make_unique<TestApp>(Parts().Aggregate<wallet::v1::WalletDecider>().Projection<wallet::v1::Balances>(),
                                   std::move(options));
}

void WalletSimulation::Run() {
  for (int i = 0; i < kActions && !::testing::Test::HasFailure(); ++i) Act();
  EndFaults();
  ledger_.CheckCommits(ReadCommits());
  ResolveUnknown();
  ledger_.CheckCommits(ReadCommits());
  CheckTold();
  CheckReadModels();
}

void WalletSimulation::Act() {
  const std::uint64_t choice = random_.Below(100);
  if (choice < 42) {
    SendNew();
  } else if (choice < 46) {
    AppendFromOutside();
  } else if (choice < 50) {
    AskForState();
  } else if (choice < 60) {
    SendAgain();
  } else if (choice < 88) {
    RunSteps(random_.Below(30));
  } else if (choice < 92) {
    app_->Advance(absl::Milliseconds(random_.Below(200)));
  } else if (choice < 96) {
    ReadOwnWrite();
  } else {
    CrashAndReopen();
  }
  CollectAnswers();
  // The log failed in the middle: the application ends, and is started again.
  if (!app_->engine().store().health().ok()) CrashAndReopen();
}

void WalletSimulation::SendNew() { StartAttempt(ledger_.Add(RandomCommand(random_))); }

void WalletSimulation::SendAgain() {
  if (ledger_.size() > 0) StartAttempt(ledger_.at(random_.Below(ledger_.size())));
}

void WalletSimulation::StartAttempt(SentCommand& sent) {
  const Version version = VersionOf(WalletOf(*sent.command));
  attempts_.push_back({&sent, app_->Start(*sent.command, {.request_id = sent.request_id}), version});
}

// By somebody who knows nothing of versions: decisions that are under way meet it.
void WalletSimulation::AppendFromOutside() {
  AppendRequest request;
  StreamAppend& stream = request.streams.emplace_back();
  stream.stream = {"", "wallet", RandomWallet(random_)};
  wallet::v1::Deposited deposited;
  deposited.set_amount_minor(static_cast<std::int64_t>(1 + random_.Below(20)));
  NewEvent& event = stream.events.emplace_back();
  event.type = "wallet.v1.Deposited";
  event.payload = deposited.SerializeAsString();
  app_->engine().store().Append(std::move(request), [](const absl::StatusOr<AppendResult>&) {});
}

void WalletSimulation::AskForState() {
  const std::string wallet = RandomWallet(random_);
  const Version asked_at = VersionOf(wallet);
  app_->engine().commands().GetState(
      {.stream = {"", "wallet", wallet}}, [this, wallet, asked_at](const absl::StatusOr<StateAnswer>& answer) {
        if (!answer.ok()) return;
        EXPECT_GE(answer->version, asked_at) << wallet << ": older than what was durable";
        const auto& state = dynamic_cast<const wallet::v1::Wallet&>(*answer->state);
        told_.push_back({wallet, answer->version, answer->version, state.balance_minor()});
      });
}

// A rejection tells what was missing, and so what was there.
void WalletSimulation::KeepRejection(const Attempt& attempt) {
  const TestApp::Answer& answer = **attempt.answer;
  if (!answer.ok() || !std::holds_alternative<Rejection>(*answer)) return;
  const auto* short_of = dynamic_cast<const wallet::v1::InsufficientFunds*>(std::get<Rejection>(*answer).message.get());
  if (short_of == nullptr) return;
  const auto& withdraw = dynamic_cast<const wallet::v1::Withdraw&>(*attempt.sent->command);
  told_.push_back({withdraw.wallet_id(), attempt.sent_at, VersionOf(withdraw.wallet_id()),
                   withdraw.amount_minor() - short_of->missing_minor()});
}

Version WalletSimulation::VersionOf(const std::string& wallet) {
  const absl::StatusOr<Version> version = app_->engine().store().VersionOf({"", "wallet", wallet});
  EXPECT_TRUE(version.ok()) << version.status();
  return version.value_or(Version());
}

void WalletSimulation::CheckTold() {
  const WalletHistory history(ReadCommits());
  for (const ToldBalance& told : told_) history.Check(told);
}

void WalletSimulation::RunSteps(std::uint64_t count) {
  while (count-- > 0 && app_->executor().RunOne()) continue;
}

void WalletSimulation::CollectAnswers() {
  std::erase_if(attempts_, [this](const Attempt& attempt) {
    if (!attempt.answer->has_value()) return false;
    KeepRejection(attempt);
    ledger_.OnAnswer(*attempt.sent, **attempt.answer);
    return true;
  });
}

void WalletSimulation::CrashAndReopen() {
  CollectAnswers();
  for (const Attempt& attempt : attempts_) ledger_.OnNoAnswer(*attempt.sent);
  attempts_.clear();
  app_->Crash();
  if (random_.Below(3) == 0) DeleteReadModels();
  ASSERT_EQ(app_->Open(), absl::OkStatus());
}

void WalletSimulation::DeleteReadModels() { std::filesystem::remove_all(app_->directory() + "/read"); }

// A query with the token of an acknowledged write waits until the write is in the read model.
void WalletSimulation::ReadOwnWrite() {
  if (ledger_.size() == 0) return;
  const SentCommand& sent = ledger_.at(random_.Below(ledger_.size()));
  if (!sent.receipt.has_value()) return;
  const auto row = app_->Get<WalletBalance>(sent.receipt->stream.id, sent.receipt->token);
  EXPECT_TRUE(row.ok()) << sent.request_id << ": " << row.status();
}

void WalletSimulation::EndFaults() {
  faults_ = {};
  CrashAndReopen();
  app_->Settle();
}

namespace {

void AddEvent(const RecordedEvent& event, Commit& commit) {
  if (commit.streams.empty() || commit.streams.back().stream != event.stream.stream) {
    commit.streams.push_back({.stream = event.stream.stream, .first_version = event.version, .events = {}});
  }
  commit.streams.back().events.push_back({.type = event.event.type,
                                          .fingerprint = event.event.fingerprint,
                                          .event_time = event.event.event_time,
                                          .tags = {event.event.tags.begin(), event.event.tags.end()},
                                          .codec = event.event.codec,
                                          .payload = std::string(event.event.payload)});
}

}  // namespace

std::vector<Commit> WalletSimulation::ReadCommits() {
  std::vector<Commit> commits;
  Sequence last;
  auto subscription = Subscription::Start(app_->engine().store(), {});
  EXPECT_TRUE(subscription.ok()) << subscription.status();
  const auto pulled = (*subscription)->Pull(1'000'000, [&](const RecordedEvent& event) {
    EXPECT_GE(event.commit.sequence, last);
    if (event.commit.sequence != last) {
      commits.push_back({.sequence = event.commit.sequence,
                         .recorded_at = event.commit.recorded_at,
                         .tenant = event.stream.stream.tenant,
                         .command = event.commit.command,
                         .metadata = event.commit.metadata,
                         .streams = {}});
    }
    last = event.commit.sequence;
    AddEvent(event, commits.back());
    return absl::OkStatus();
  });
  EXPECT_TRUE(pulled.ok()) << pulled.status();
  EXPECT_TRUE(pulled->caught_up);
  events_at_end_ = pulled->events;
  return commits;
}

// Sent once more under its request_id, every command gets a final answer.
void WalletSimulation::ResolveUnknown() {
  for (std::size_t i = 0; i < ledger_.size(); ++i) {
    SentCommand& sent = ledger_.at(i);
    const TestApp::Answer answer = app_->Send(*sent.command, {.request_id = sent.request_id});
    ledger_.OnAnswer(sent, answer);
    EXPECT_NE(answer.status().code(), absl::StatusCode::kUnknown) << answer.status();
    sent.outcome_unknown = false;
  }
}

void WalletSimulation::CheckReadModels() {
  const std::map<std::string, std::int64_t> balances = WalletHistory(ReadCommits()).Balances();
  const auto check = [&](const char* when) {
    app_->Settle();
    std::map<std::string, std::int64_t> rows;
    const auto listed = app_->List<WalletBalance>();
    ASSERT_TRUE(listed.ok()) << listed.status();
    for (const WalletBalance& row : *listed) rows[row.wallet_id()] = row.balance_minor();
    EXPECT_EQ(rows, balances) << when;
  };
  check("live");
  app_->Stop();
  DeleteReadModels();
  ASSERT_EQ(app_->Open(), absl::OkStatus());
  check("rebuilt");
}

}  // namespace everfold

#include "tests/simulation/wallet_simulation.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "everfold/subscription/subscription.h"
#include "sample-apps/wallet/wallet.h"

namespace everfold {
namespace {

using testing::TestApp;
using testing::TestAppOptions;
using wallet::v1::WalletBalance;

constexpr int kWallets = 4;
constexpr int kActions = 120;

std::shared_ptr<const google::protobuf::Message> RandomCommand(RandomSource& random) {
  const std::string wallet = "w" + std::to_string(random.Below(kWallets));
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

// Every seed has its own mixture of faults; some have none.
LogFaults RandomFaults(RandomSource& random) {
  const auto chance = [&random](unsigned most) {
    return random.Below(2) == 0 ? 0u : static_cast<unsigned>(random.Below(most));
  };
  return {.refused_per_mille = chance(200),
          .unknown_but_appended_per_mille = chance(60),
          .unknown_and_lost_per_mille = chance(60),
          .end_delayed_per_mille = chance(500),
          .hint_delayed_per_mille = chance(500),
          .hint_spurious_per_mille = chance(500)};
}

}  // namespace

WalletSimulation::WalletSimulation(std::uint64_t seed) : random_(seed), faults_(RandomFaults(random_)) {
  TestAppOptions options{.seed = seed,
                         .partitions = static_cast<std::uint32_t>(1 + random_.Below(16)),
                         .wrap_log = [this](PartitionLog& log, Executor& executor) -> std::unique_ptr<PartitionLog> {
                           return std::make_unique<FaultyLog>(log, faults_, random_, executor);
                         }};
  options.engine.projections.max_batch_events = 1 + random_.Below(10);
  app_ = std::make_unique<TestApp>(Parts().Aggregate<wallet::v1::WalletDecider>().Projection<wallet::v1::Balances>(),
                                   std::move(options));
}

void WalletSimulation::Run() {
  for (int i = 0; i < kActions && !::testing::Test::HasFailure(); ++i) Act();
  EndFaults();
  ledger_.CheckCommits(ReadCommits());
  ResolveUnknown();
  ledger_.CheckCommits(ReadCommits());
  CheckReadModels();
}

void WalletSimulation::Act() {
  const std::uint64_t choice = random_.Below(100);
  if (choice < 50) {
    SendNew();
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
  attempts_.push_back({&sent, app_->Start(*sent.command, {.request_id = sent.request_id})});
}

void WalletSimulation::RunSteps(std::uint64_t count) {
  while (count-- > 0 && app_->executor().RunOne()) continue;
}

void WalletSimulation::CollectAnswers() {
  std::erase_if(attempts_, [this](const Attempt& attempt) {
    if (!attempt.answer->has_value()) return false;
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
  std::map<std::string, std::int64_t> balances;
  for (const Commit& commit : ReadCommits()) {
    for (const StreamEvents& stream : commit.streams) {
      std::int64_t& balance = balances[stream.stream.id];
      for (const Event& event : stream.events) {
        wallet::v1::Deposited deposited;
        wallet::v1::Withdrawn withdrawn;
        if (event.type == "wallet.v1.Deposited" && deposited.ParseFromString(event.payload)) {
          balance += deposited.amount_minor();
        }
        if (event.type == "wallet.v1.Withdrawn" && withdrawn.ParseFromString(event.payload)) {
          balance -= withdrawn.amount_minor();
        }
        EXPECT_GE(balance, 0) << stream.stream.ToString();
      }
    }
  }
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

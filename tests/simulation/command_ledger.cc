#include "tests/simulation/command_ledger.h"

#include <gtest/gtest.h>

namespace everfold {

SentCommand& CommandLedger::Add(std::shared_ptr<const google::protobuf::Message> command) {
  sent_.push_back({"r" + std::to_string(sent_.size()), std::move(command), std::nullopt, false, false});
  return sent_.back();
}

void CommandLedger::OnAnswer(SentCommand& sent, const absl::StatusOr<CommandOutcome>& answer) {
  if (!answer.ok()) {
    if (answer.status().code() == absl::StatusCode::kUnknown) sent.outcome_unknown = true;
    EXPECT_FALSE(sent.receipt.has_value() && absl::IsInvalidArgument(answer.status())) << answer.status();
    return;
  }
  if (std::holds_alternative<Rejection>(*answer)) {
    EXPECT_FALSE(sent.receipt.has_value()) << sent.request_id << " was acknowledged, and is rejected now";
    return;
  }
  const auto& receipt = std::get<CommandReceipt>(*answer);
  // Answers are collected in the order in which attempts were sent, which is not the order in which they were given:
  // the one that is no repeat need not be the first.
  EXPECT_FALSE(!receipt.repeated && sent.made_its_events) << sent.request_id << " made its events twice";
  sent.made_its_events = sent.made_its_events || !receipt.repeated;
  if (sent.receipt.has_value()) {
    EXPECT_EQ(receipt.version, sent.receipt->version) << sent.request_id;
    EXPECT_EQ(receipt.sequence, sent.receipt->sequence) << sent.request_id;
  }
  sent.receipt = receipt;
}

void CommandLedger::CheckCommits(const std::vector<Commit>& commits) const {
  std::map<std::string, const Commit*> by_id;
  for (const Commit& commit : commits) {
    if (commit.command.empty()) continue;  // somebody else's
    EXPECT_TRUE(by_id.emplace(commit.command.id, &commit).second) << commit.command.id << " was committed twice";
  }
  for (const SentCommand& sent : sent_) {
    const auto found = by_id.find(sent.request_id);
    if (found == by_id.end()) {
      EXPECT_FALSE(sent.receipt.has_value()) << sent.request_id << " was acknowledged, and is lost";
      continue;
    }
    const Commit& commit = *found->second;
    EXPECT_TRUE(sent.receipt.has_value() || sent.outcome_unknown) << sent.request_id << " was refused, and is there";
    if (sent.receipt.has_value()) {
      EXPECT_EQ(commit.sequence, sent.receipt->sequence) << sent.request_id;
      EXPECT_EQ(commit.streams.at(0).last_version(), sent.receipt->version) << sent.request_id;
    }
    by_id.erase(found);
  }
  EXPECT_TRUE(by_id.empty()) << by_id.begin()->first << " was never sent";
}

}  // namespace everfold

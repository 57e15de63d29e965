// What a client knows about the commands that it sent: the oracle of a simulation, outside of what is simulated.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "everfold/command/command_handler.h"
#include "everfold/event/commit.h"
#include "google/protobuf/message.h"

namespace everfold {

// A command under one request_id, however often it was sent.
struct SentCommand {
  std::string request_id;
  std::shared_ptr<const google::protobuf::Message> command;
  std::optional<CommandReceipt> receipt;  // of the first acknowledgement
  bool outcome_unknown = false;           // some attempt got no answer, or was told so
  bool made_its_events = false;           // some attempt was acknowledged, and told that it was no repeat
};

class CommandLedger {
 public:
  SentCommand& Add(std::shared_ptr<const google::protobuf::Message> command);
  SentCommand& at(std::size_t index) { return sent_[index]; }
  std::size_t size() const { return sent_.size(); }

  // Keeps what an attempt was told, and fails the test where it contradicts what was told before.
  void OnAnswer(SentCommand& sent, const absl::StatusOr<CommandOutcome>& answer);
  void OnNoAnswer(SentCommand& sent) { sent.outcome_unknown = true; }

  // Fails the test unless the commits with a request_id are what the ledger knows: each acknowledged command once, with
  // its receipt's version and sequence; each refused one never; each unknown one at most once; and no other.
  void CheckCommits(const std::vector<Commit>& commits) const;

 private:
  std::deque<SentCommand> sent_;
};

}  // namespace everfold

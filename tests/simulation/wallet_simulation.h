// The wallet end to end under one seed: clients that send, repeat and get no answer; a log that fails; crashes at any
// step; read models that are deleted; and at the end the question whether what was promised was kept.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "everfold/base/random.h"
#include "everfold/testing/faulty_log.h"
#include "everfold/testing/test_app.h"
#include "tests/simulation/command_ledger.h"
#include "tests/simulation/wallet_history.h"

namespace everfold {

class WalletSimulation {
 public:
  explicit WalletSimulation(std::uint64_t seed);

  // Fails the test where a promise is broken.
  void Run();
  // Tells whether two runs were the same.
  std::uint64_t trace_hash() { return app_->executor().trace_hash() ^ events_at_end_; }

 private:
  struct Attempt {
    SentCommand* sent;
    testing::TestApp::Pending answer;
    Version sent_at;  // of the wallet, durable by then
  };

  void Act();
  void SendNew();
  void SendAgain();
  void StartAttempt(SentCommand& sent);
  void AppendFromOutside();
  void AskForState();
  void KeepRejection(const Attempt& attempt);
  Version VersionOf(const std::string& wallet);
  void RunSteps(std::uint64_t count);
  void CollectAnswers();
  void CrashAndReopen();
  void DeleteReadModels();
  void ReadOwnWrite();

  void EndFaults();
  std::vector<Commit> ReadCommits();
  void ResolveUnknown();
  void CheckTold();
  void CheckReadModels();

  SeededRandom random_;
  LogFaults faults_;
  CommandLedger ledger_;
  std::deque<Attempt> attempts_;
  std::vector<ToldBalance> told_;
  std::unique_ptr<testing::TestApp> app_;
  std::uint64_t events_at_end_ = 0;
};

}  // namespace everfold

// A process under one seed: a provider that loses, delays and doubles its answers, customers who cancel, timers, a log
// that fails, operators, clean stops, crashes at any step. In the end every order has ended, and nothing was done
// twice.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "everfold/base/random.h"
#include "everfold/process/process.h"
#include "everfold/testing/faulty_log.h"
#include "everfold/testing/test_app.h"
#include "tests/unit/process/fulfilment.h"

namespace everfold {

// Mistakes that the simulation must find.
enum class Planted {
  kNone,
  kNewIdForEachSend,  // a command that is sent again is decided again
  kTimersForgotten,   // by the directory, with each crash
};

class ProcessSimulation {
 public:
  explicit ProcessSimulation(std::uint64_t seed, Planted planted = Planted::kNone);
  ~ProcessSimulation();

  // Fails the test where a promise is broken.
  void Run();
  // Tells whether two runs were the same.
  std::uint64_t trace_hash() { return app_->executor().trace_hash(); }

 private:
  void Act();
  void Place();
  void Cancel();
  void AnswerOne();
  void Operate();
  void RunSteps(std::uint64_t count);
  void StopAndOpen();
  void CrashAndOpen();
  void Crash();
  void Open();
  void OpenOwn();
  std::string DirectoryFolder() const { return app_->directory() + "/process"; }
  void ForgetTimers();
  void CheckEnd();
  void CheckOrders();
  void CheckSteps();
  Process& process() { return own_ != nullptr ? *own_ : *app_->engine().processes().front(); }

  const Planted planted_;
  SeededRandom random_;
  LogFaults faults_;
  fulfil::v1::Provider provider_;
  std::map<std::string, std::string> authorizations_;  // by the activity's key: the first answer counts
  std::uint64_t placed_ = 0;
  absl::Time undisturbed_since_ = absl::InfiniteFuture();
  ProcessRunnerOptions options_;
  std::unique_ptr<testing::TestApp> app_;
  // With a mistake between the process and the commands; else the application's own is used.
  std::unique_ptr<CommandHandler> forgetful_;
  std::unique_ptr<Process> own_;
};

}  // namespace everfold

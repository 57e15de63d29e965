// A reactor under one seed, in an application that takes commands: handlers that fail, a log that fails, operators,
// clean stops, crashes at any step; and at every call the question whether it is one that may be made.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "everfold/base/random.h"
#include "everfold/reaction/reactor_place.h"
#include "everfold/testing/faulty_log.h"
#include "everfold/testing/test_app.h"

namespace everfold {

// An event of the log, in its order.
struct LoggedEvent {
  std::string key;
  EventPlace place;
};

// The outside: it sees every reaction, and never forgets one.
class Outside {
 public:
  Outside(RandomSource& random, std::function<std::vector<LoggedEvent>()> log)
      : random_(random), log_(std::move(log)) {}

  absl::Status React(const Reaction& reaction);
  // Everything is accepted from now on.
  void Mend() { failing_per_mille_ = hopeless_per_mille_ = 0; }
  // The application begins to run. These are known to be done, and must not come again.
  void BeginRun(std::set<Position> settled) {
    settled_ = std::move(settled);
    done_in_run_.clear();
  }
  // It need not come any more.
  void MayBeDropped(const Position& event) { dropped_.insert(event); }

  bool IsDone(const Position& event) const { return done_.contains(event); }
  const std::set<Position>& done_in_run() const { return done_in_run_; }
  bool IsDropped(const Position& event) const { return dropped_.contains(event); }
  bool IsOver(const Position& event) const { return IsDone(event) || IsDropped(event); }

 private:
  RandomSource& random_;
  const std::function<std::vector<LoggedEvent>()> log_;
  unsigned failing_per_mille_ = 150;
  unsigned hopeless_per_mille_ = 20;
  std::map<Position, std::string> ids_;
  std::map<std::string, Position> events_by_id_;
  std::set<Position> done_;
  std::set<Position> done_in_run_;
  std::set<Position> settled_;
  std::set<Position> dropped_;
};

class ReactorSimulation {
 public:
  explicit ReactorSimulation(std::uint64_t seed);

  // Fails the test where a promise is broken.
  void Run();
  // Tells whether two runs were the same.
  std::uint64_t trace_hash() { return app_->executor().trace_hash(); }

 private:
  void Act();
  void Send();
  void Operate();
  void DropOne();
  void RunSteps(std::uint64_t count);
  void StopAndOpen();
  void CrashAndOpen();
  void Open();
  std::set<Position> Saved();
  std::vector<LoggedEvent> Log();
  void CheckEnd();
  Reactor& reactor() { return *app_->engine().reactors().front(); }

  SeededRandom random_;
  LogFaults faults_;
  const bool grouped_;  // several streams have one key
  Outside outside_;
  std::unique_ptr<testing::TestApp> app_;
};

}  // namespace everfold

// Courses and students under one seed: two command handlers that do not know of each other, as two processes would not,
// aggregates and boundaries that append to the same streams, a log that fails, crashes at any step. At the end the log
// is read: did a course ever have more students than seats, a student too many courses, an e-mail address two owners;
// and was what callers were told ever the case.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "everfold/base/random.h"
#include "everfold/command/command_handler.h"
#include "everfold/testing/faulty_log.h"
#include "everfold/testing/test_app.h"
#include "tests/simulation/courses_history.h"

namespace everfold {

class CoursesSimulation {
 public:
  explicit CoursesSimulation(std::uint64_t seed);
  ~CoursesSimulation();

  // Fails the test where a promise is broken.
  void Run();
  // Tells whether two runs were the same.
  std::uint64_t trace_hash() { return app_->executor().trace_hash(); }
  // Conflicts that were decided again, while nothing crashed.
  std::uint64_t decided_again() const { return decided_again_; }

 private:
  struct Sent {
    std::string request_id;
    std::shared_ptr<const google::protobuf::Message> command;
    std::optional<Sequence> sequence = {};      // of the first receipt that was recorded
    std::optional<std::string> rejection = {};  // of the first one that is recorded
  };
  struct Attempt {
    Sent* sent;
    testing::TestApp::Pending answer;
    Sequence sent_at;  // durable by then
  };

  void Act();
  void SendNew();
  void Send(std::shared_ptr<const google::protobuf::Message> command);
  void StartAttempt(Sent& sent);
  void CollectAnswers();
  void Keep(const Attempt& attempt);
  void Open();
  void Crash();
  void EndFaults();
  void SendAllAgain();
  CoursesHistory ReadHistory();

  SeededRandom random_;
  LogFaults faults_;
  std::deque<Sent> sent_;
  std::deque<Attempt> attempts_;
  std::vector<ToldRejection> told_;
  std::unique_ptr<testing::TestApp> app_;
  std::unique_ptr<CommandHandler> other_;
  std::uint64_t decided_again_ = 0;
};

}  // namespace everfold

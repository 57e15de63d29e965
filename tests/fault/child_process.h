// Another program, of which a test reads what it prints, and which it kills.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace everfold {

// Threading: one thread. The destructor kills the program, if it is not gone.
class ChildProcess {
 public:
  using Clock = std::chrono::steady_clock;

  // REQUIRES: the program can be started.
  ChildProcess(const std::string& program, std::vector<std::string> arguments);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The next line of its standard output, without its end; nullopt at the deadline, and when there are no more.
  std::optional<std::string> ReadLine(Clock::time_point deadline = Clock::time_point::max());

  // SIGKILL, and waits until it is gone. What it printed before can still be read. False if it was gone by itself.
  bool Kill();

 private:
  // False at the deadline or at the end.
  bool ReadMore(Clock::time_point deadline);

  pid_t process_ = 0;
  int output_ = -1;
  std::string read_;
};

}  // namespace everfold

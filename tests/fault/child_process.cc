#include "tests/fault/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "everfold/base/check.h"

namespace everfold {
namespace {

// For poll: -1 is forever.
int MillisecondsUntil(ChildProcess::Clock::time_point deadline) {
  if (deadline == ChildProcess::Clock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - ChildProcess::Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

}  // namespace

ChildProcess::ChildProcess(const std::string& program, std::vector<std::string> arguments) {
  std::array<int, 2> ends;
  EVERFOLD_CHECK(pipe2(ends.data(), O_CLOEXEC) == 0);
  arguments.insert(arguments.begin(), program);
  std::vector<char*> pointers;
  for (std::string& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  EVERFOLD_CHECK(posix_spawn(&process_, program.c_str(), &actions, nullptr, pointers.data(), environ) == 0);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  output_ = ends[0];
}

ChildProcess::~ChildProcess() {
  Kill();
  close(output_);
}

std::optional<std::string> ChildProcess::ReadLine(Clock::time_point deadline) {
  std::size_t end = read_.find('\n');
  while (end == std::string::npos) {
    if (!ReadMore(deadline)) return std::nullopt;
    end = read_.find('\n');
  }
  std::string line = read_.substr(0, end);
  read_.erase(0, end + 1);
  return line;
}

bool ChildProcess::ReadMore(Clock::time_point deadline) {
  pollfd readable{.fd = output_, .events = POLLIN, .revents = 0};
  if (poll(&readable, 1, MillisecondsUntil(deadline)) <= 0) return false;
  std::array<char, 4096> bytes;
  const ssize_t count = read(output_, bytes.data(), bytes.size());
  if (count <= 0) return false;
  read_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

bool ChildProcess::Kill() {
  if (process_ == 0) return true;
  kill(process_, SIGKILL);
  int status = 0;
  while (waitpid(process_, &status, 0) < 0) EVERFOLD_CHECK(errno == EINTR);
  process_ = 0;
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

}  // namespace everfold

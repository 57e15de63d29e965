#include "tests/bench/child.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

extern char** environ;

namespace everfold::bench {
namespace {

// Starts this program, its stdout in the pipe's writing end.
absl::StatusOr<pid_t> Spawn(const std::string& verb, const std::string& directory, const int (&pipe)[2]) {
  std::string program = "store_bench";
  std::string first = verb;
  std::string second = directory;
  char* arguments[] = {program.data(), first.data(), second.data(), nullptr};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, "/proc/self/exe", &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  return failed == 0 ? absl::StatusOr<pid_t>(pid) : absl::ErrnoToStatus(failed, "cannot start " + verb);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Child>> Child::Start(const std::string& verb, const std::string& directory) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return absl::ErrnoToStatus(errno, "cannot make a pipe");
  const absl::StatusOr<pid_t> pid = Spawn(verb, directory, ends);
  close(ends[1]);
  FILE* const output = fdopen(ends[0], "r");
  if (!pid.ok()) {
    fclose(output);
    return pid.status();
  }
  return std::unique_ptr<Child>(new Child(*pid, output));
}

Child::~Child() {
  Kill();
  fclose(output_);
}

absl::StatusOr<std::string> Child::ReadLine() {
  char line[256];
  if (fgets(line, sizeof(line), output_) == nullptr) return absl::UnknownError("another process of the run has failed");
  return std::string(line);
}

void Child::Kill() {
  if (pid_ <= 0) return;
  kill(pid_, SIGKILL);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
}

}  // namespace everfold::bench

// What was acknowledged before a kill -9 is there after it.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

#include "everfold/base/check.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/log/log_driver.h"

namespace everfold {
namespace {

// A running append_until_killed.
class Appender {
 public:
  explicit Appender(const std::string& directory) {
    std::array<int, 2> ends;
    EVERFOLD_CHECK(pipe(ends.data()) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    posix_spawn_file_actions_addclose(&actions, ends[1]);
    std::string program = APPEND_UNTIL_KILLED, argument = directory;
    char* const arguments[] = {program.data(), argument.data(), nullptr};
    EVERFOLD_CHECK(posix_spawn(&process_, program.c_str(), &actions, nullptr, arguments, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    acknowledged_ = ends[0];
  }
  ~Appender() { close(acknowledged_); }

  // The next acknowledged chunk number; 0 when there are no more.
  std::uint64_t Next() {
    std::uint64_t number = 0;
    return read(acknowledged_, &number, sizeof(number)) == sizeof(number) ? number : 0;
  }
  void Kill() {
    EXPECT_EQ(kill(process_, SIGKILL), 0);
    int status = 0;
    EXPECT_EQ(waitpid(process_, &status, 0), process_);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }

 private:
  pid_t process_ = 0;
  int acknowledged_ = -1;
};

// The chunks that the partition must hold, in order.
void ExpectDenseChunks(const PartitionLog& log, std::uint32_t partition, std::uint64_t at_least) {
  const Reading reading = ReadPartition(log, partition);
  EXPECT_EQ(reading.status, absl::OkStatus());
  EXPECT_GE(reading.chunks.size(), at_least);
  PartitionHead head;
  for (const std::string& chunk : reading.chunks) {
    const ChunkAppend expected = MakeChunk(PartitionId(partition), head);
    ASSERT_EQ(chunk, *expected.bytes) << "chunk " << expected.new_head.chunk_number;
    head = expected.new_head;
  }
  EXPECT_EQ(log.Head(PartitionId(partition)), head);
}

TEST(EmbeddedLogKill, EveryAcknowledgedChunkSurvives) {
  ScratchDirectory scratch;
  std::uint64_t acknowledged = 0;
  for (const int appends_before_kill : {1, 7, 60, 300, 1000}) {
    Appender appender(scratch.path());
    for (int i = 0; i < appends_before_kill; ++i) {
      const std::uint64_t number = appender.Next();
      ASSERT_GT(number, acknowledged);
      acknowledged = number;
    }
    appender.Kill();
    while (const std::uint64_t number = appender.Next()) acknowledged = number;

    const auto log = OpenOrDie(scratch.path());
    ExpectDenseChunks(*log, 0, acknowledged);
    ExpectDenseChunks(*log, 1, acknowledged);
    EXPECT_EQ(log->Head(PartitionId(0)).chunk_number, log->Head(PartitionId(1)).chunk_number);
  }
}

TEST(EmbeddedLogKill, TheLockGoesWithTheProcess) {
  ScratchDirectory scratch;
  Appender appender(scratch.path());
  ASSERT_GT(appender.Next(), 0u);
  SystemRandom random;
  const auto refused = EmbeddedLog::Open(SmallLog(scratch.path()), LogExecutor(), random);
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(refused.status().message().find("(append_until_killed) holds it"), std::string::npos) << refused.status();
  appender.Kill();
  OpenOrDie(scratch.path());
}

}  // namespace
}  // namespace everfold

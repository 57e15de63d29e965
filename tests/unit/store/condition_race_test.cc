// Many at once who rely on the same condition: exactly one of them wins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "everfold/base/clock.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/random.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/asio_executor.h"
#include "everfold/store/event_store.h"
#include "tests/contract/scratch_directory.h"

namespace everfold {
namespace {

constexpr int kRacers = 16;
constexpr int kRoundsAtOnce = 32;

// Rounds follow on each other, several at a time, so that conditions meet commits in files, in memory, on their way,
// and in their own group.
class Race {
 public:
  Race(EventStore& store, Executor& executor, int rounds) : store_(store), executor_(executor), rounds_(rounds) {}

  void Run() {
    for (int i = 0; i < kRoundsAtOnce; ++i) StartNext();
    all_done_.WaitForNotification();
  }
  int wrong_rounds() const { return wrong_rounds_; }
  int rounds() const { return ended_; }

 private:
  struct Round {
    int number = 0;
    std::atomic<int> left = kRacers;
    std::atomic<int> winners = 0;
    std::atomic<int> beaten = 0;
  };

  void StartNext() {
    const int number = started_.fetch_add(1);
    if (number >= rounds_) return;
    auto round = std::make_shared<Round>();
    round->number = number;
    const Sequence after = store_.DurableSequence();
    for (int racer = 0; racer < kRacers; ++racer) {
      executor_.Post([this, round, racer, after] { Enter(round, racer, after); });
    }
  }

  void Enter(const std::shared_ptr<Round>& round, int racer, Sequence after) {
    const std::string seat = "seat:" + std::to_string(round->number);
    AppendRequest request;
    StreamAppend& stream = request.streams.emplace_back();
    stream.stream = {"", "guest", std::to_string(racer)};  // in many partitions
    stream.events.push_back(
        {.type = "race.v1.Taken", .fingerprint = {}, .payload = "x", .event_time = {}, .tags = {seat}});
    request.condition = AppendCondition{{{{.types = {}, .tags = {seat}}}}, after};
    if (round->number % 3 == 1) request.condition->fail_if_events_match.items[0].types = {"race.v1.Taken"};
    store_.Append(std::move(request),
                  [this, round](const absl::StatusOr<AppendResult>& result) { End(round, result); });
  }

  void End(const std::shared_ptr<Round>& round, const absl::StatusOr<AppendResult>& result) {
    round->winners += result.ok() ? 1 : 0;
    round->beaten += ReasonOf(result.status()) == reason::kConditionFailed ? 1 : 0;
    if (--round->left > 0) return;
    wrong_rounds_ += round->winners == 1 && round->beaten == kRacers - 1 ? 0 : 1;
    StartNext();
    if (++ended_ == rounds_) all_done_.Notify();
  }

  EventStore& store_;
  Executor& executor_;
  const int rounds_;
  std::atomic<int> started_ = 0;
  std::atomic<int> ended_ = 0;
  std::atomic<int> wrong_rounds_ = 0;
  Notification all_done_;
};

void RunRace(PartitionLog& log, AsioExecutor& executor, EventStoreOptions options, int rounds) {
  SystemClock clock;
  SystemRandom random;
  auto store = EventStore::Open(std::move(options), log, executor, clock, random);
  ASSERT_EQ(store.status(), absl::OkStatus());
  Race race(**store, executor, rounds);
  race.Run();
  EXPECT_EQ(race.wrong_rounds(), 0);
  EXPECT_EQ(race.rounds(), rounds);
  EXPECT_EQ((*store)->DurableSequence(), Sequence(static_cast<std::uint64_t>(rounds)));
  Notification closed;
  (*store)->Close([&closed] { closed.Notify(); });
  closed.WaitForNotification();
}

TEST(ConditionRace, OneOf16WinsEachOfTenThousandRounds) {
  AsioExecutor executor(4);
  MemoryLog log(std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 8, std::string(32, 'k')}),
                executor);
  EventStoreOptions options;
  options.max_group_commits = 64;
  options.min_group_commits = 1;
  RunRace(log, executor, std::move(options), 10'000);
}

TEST(ConditionRace, OneOf16WinsOnDiskWithPipelinedGroupsAndAnIndexInFiles) {
  ScratchDirectory scratch;
  AsioExecutor executor(4);
  SystemRandom random;
  EmbeddedLogOptions log_options;
  log_options.directory = (scratch.path() / "log").string();
  log_options.partitions = 8;
  log_options.journal_file_bytes = 1 << 20;
  auto log = EmbeddedLog::Open(std::move(log_options), executor, random);
  ASSERT_EQ(log.status(), absl::OkStatus());
  EventStoreOptions options;
  options.min_group_commits = 1;
  options.index.files = &PosixFiles();
  options.index.directory = (scratch.path() / "index").string();
  options.index.max_memory_bytes = 100'000;
  options.index.tag_head_bytes = 4096;
  RunRace(**log, executor, std::move(options), 3'000);
  Notification closed;
  (*log)->Close([&closed](absl::Status) { closed.Notify(); });
  closed.WaitForNotification();
}

}  // namespace
}  // namespace everfold

// Many clients contend for a few streams of a real store, and subscribers follow it, while its process is killed
// (SIGKILL) at any moment, over and over. All that they were told and handed out, over all of its lives, must be
// linearizable, and complete.
//
// EVERFOLD_LIN_OPERATIONS=n: so many appends and reads. EVERFOLD_SEED=n decides what is asked for, but not at which
// instruction a thread waits or the kill comes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "everfold/base/random.h"
#include "tests/contract/scratch_directory.h"
#include "tests/fault/child_process.h"
#include "tests/linearizability/history_check.h"
#include "tests/linearizability/told_calls.h"

namespace everfold {
namespace {

using std::chrono::microseconds;

constexpr std::uint32_t kSubscribers = 4;
constexpr std::uint64_t kCallsOfALife = 3000;

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

std::int64_t Now() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// A store over many processes.
class ContendedLives {
 public:
  explicit ContendedLives(std::uint64_t seed) : seed_(seed), random_(seed), told_(kSubscribers + 1) {}

  // Until it is killed.
  void Live(std::uint64_t calls) {
    ChildProcess child(CONTEND_FOR_STREAMS, Arguments(told_.next_append(), kSubscribers));
    is_open_ = false;
    Read(child);
    const ChildProcess::Clock::time_point begun = ChildProcess::Clock::now();
    if (random_.Below(4) == 0) {
      const ChildProcess::Clock::time_point end = begun + microseconds(random_.Below(opening_.count() + 1));
      while (!is_open_ && Read(child, end)) continue;
    } else {
      while (!is_open_ && Read(child)) continue;
      opening_ = std::chrono::duration_cast<microseconds>(ChildProcess::Clock::now() - begun);
      for (const std::uint64_t end = told_.calls() + random_.Below(2 * calls); told_.calls() < end && Read(child);) {
      }
    }
    const bool killed = child.Kill();
    const std::int64_t death = Now();
    while (Read(child)) continue;
    told_.OnDeath(death);
    if (!killed) wrong_.push_back("the process ended by itself");
    ++crashes_;
    crashes_opening_ += is_open_ ? 0 : 1;
  }

  // To the end of what there is. One more subscriber follows, from the beginning.
  void Finish() {
    ChildProcess child(CONTEND_FOR_STREAMS, Arguments(0, kSubscribers + 1));
    while (!finished_ && Read(child)) continue;
    if (!finished_) wrong_.push_back("the process ended before it had read everything");
  }

  const ToldHistory& told() const { return told_; }
  const std::vector<std::string>& wrong() const { return wrong_; }
  int crashes() const { return crashes_; }
  int crashes_opening() const { return crashes_opening_; }

 private:
  std::vector<std::string> Arguments(AppendNumber first, std::uint32_t subscribers) const {
    std::vector<std::string> arguments = {scratch_.path().string() + "/store", absl::StrCat(seed_),
                                          absl::StrCat(first)};
    for (std::uint32_t i = 0; i < subscribers; ++i) {
      const std::vector<std::uint64_t>& checkpoint = told_.CheckpointOf(i);
      arguments.push_back(checkpoint.empty() ? "-" : absl::StrJoin(checkpoint, ","));
    }
    return arguments;
  }

  // False at the deadline, and when there is no more.
  bool Read(ChildProcess& child, ChildProcess::Clock::time_point deadline = ChildProcess::Clock::time_point::max()) {
    const std::optional<std::string> line = child.ReadLine(deadline);
    if (!line.has_value()) return false;
    if (*line == "open") {
      is_open_ = true;
    } else if (*line == "finished") {
      finished_ = true;
    } else if (*line != "opening" && !told_.Note(*line)) {
      wrong_.push_back(*line);
    }
    return true;
  }

  const std::uint64_t seed_;
  SeededRandom random_;
  ScratchDirectory scratch_;
  ToldHistory told_;
  std::vector<std::string> wrong_;
  bool is_open_ = false;
  bool finished_ = false;
  microseconds opening_ = std::chrono::milliseconds(20);  // the last one's duration
  int crashes_ = 0;
  int crashes_opening_ = 0;
};

std::uint64_t CountOf(const History& history, AppendOutcome outcome) {
  return static_cast<std::uint64_t>(
      std::count_if(history.appends.begin(), history.appends.end(),
                    [outcome](const AppendCall& append) { return append.outcome == outcome; }));
}

TEST(Linearizability, HoldsUnderContentionOverAllKills) {
  const std::uint64_t calls = FromEnvironment("EVERFOLD_LIN_OPERATIONS", 30'000);
  const std::uint64_t seed = FromEnvironment("EVERFOLD_SEED", 1);
  ContendedLives lives(seed);
  while (lives.told().calls() < calls && lives.wrong().empty()) lives.Live(std::min(kCallsOfALife, calls / 10 + 1));
  ASSERT_THAT(lives.wrong(), ::testing::IsEmpty()) << "EVERFOLD_SEED=" << seed;
  lives.Finish();
  ASSERT_THAT(lives.wrong(), ::testing::IsEmpty()) << "EVERFOLD_SEED=" << seed;

  const History& history = lives.told().history();
  const std::uint64_t done = CountOf(history, AppendOutcome::kDone);
  const std::uint64_t conflicts = CountOf(history, AppendOutcome::kConflict);
  std::printf("%d kills, %d while opening; %d appends: %d done, %d conflicts, %d unknown; %d reads, %d pulls\n",
              lives.crashes(), lives.crashes_opening(), static_cast<int>(history.appends.size()),
              static_cast<int>(done), static_cast<int>(conflicts),
              static_cast<int>(CountOf(history, AppendOutcome::kUnknown)), static_cast<int>(history.reads.size()),
              static_cast<int>(history.pulls.size()));
  const std::vector<std::string> violations = ViolationsOf(history, kSubscribers + 1);
  EXPECT_TRUE(violations.empty()) << "EVERFOLD_SEED=" << seed << "\n" << absl::StrJoin(violations, "\n");
  EXPECT_GT(done, calls / 10);
  EXPECT_GT(conflicts, calls / 10);
  EXPECT_GE(lives.crashes(), 5);
}

}  // namespace
}  // namespace everfold

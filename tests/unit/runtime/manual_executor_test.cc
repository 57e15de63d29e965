#include "everfold/runtime/manual_executor.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Three strands of four steps each, and two steps of no strand; who ran, in order.
std::vector<std::string> RunInterleaved(ManualExecutor& executor) {
  std::vector<std::string> order;
  std::vector<std::unique_ptr<Strand>> strands;
  for (const char name : {'a', 'b', 'c'}) {
    strands.push_back(executor.MakeStrand());
    for (int i = 0; i < 4; ++i) {
      strands.back()->Post([&order, name, i] { order.push_back(name + std::to_string(i)); });
    }
  }
  for (const char* name : {"x", "y"}) executor.Post([&order, name] { order.push_back(name); });
  executor.RunUntilIdle();
  return order;
}

TEST(ManualExecutor, RunsAStrandInOrder) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    ManualExecutor executor(seed);
    std::map<char, std::vector<std::string>> by_strand;
    for (const std::string& step : RunInterleaved(executor)) by_strand[step[0]].push_back(step);
    EXPECT_THAT(by_strand['a'], ElementsAre("a0", "a1", "a2", "a3"));
    EXPECT_THAT(by_strand['b'], ElementsAre("b0", "b1", "b2", "b3"));
    EXPECT_THAT(by_strand['c'], ElementsAre("c0", "c1", "c2", "c3"));
  }
}

TEST(ManualExecutor, OneSeedIsOneOrder) {
  ManualExecutor a(5), b(5);
  EXPECT_EQ(RunInterleaved(a), RunInterleaved(b));
  EXPECT_EQ(a.trace_hash(), b.trace_hash());
  EXPECT_NE(a.trace_hash(), 0u);
}

TEST(ManualExecutor, SeedsGiveManyOrders) {
  std::set<std::vector<std::string>> orders;
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    ManualExecutor executor(seed);
    orders.insert(RunInterleaved(executor));
    hashes.insert(executor.trace_hash());
  }
  EXPECT_GT(orders.size(), 45u);
  EXPECT_EQ(hashes.size(), orders.size());
}

TEST(ManualExecutor, NeverRunsATaskInsideOfPost) {
  ManualExecutor executor;
  bool ran = false;
  const auto strand = executor.MakeStrand();
  executor.Post([&] {
    strand->Post([&] { ran = true; });
    EXPECT_FALSE(ran);
  });
  EXPECT_FALSE(ran);
  EXPECT_EQ(executor.RunUntilIdle(), 2u);
  EXPECT_TRUE(ran);
}

TEST(ManualExecutor, RunOneRunsOne) {
  ManualExecutor executor;
  int ran = 0;
  executor.Post([&] { ++ran; });
  executor.Post([&] { ++ran; });
  EXPECT_TRUE(executor.RunOne());
  EXPECT_EQ(ran, 1);
  EXPECT_TRUE(executor.RunOne());
  EXPECT_FALSE(executor.RunOne());
  EXPECT_EQ(ran, 2);
}

TEST(ManualExecutor, TasksOutliveTheirStrand) {
  ManualExecutor executor;
  bool ran = false;
  executor.MakeStrand()->Post([&] { ran = true; });
  executor.RunUntilIdle();
  EXPECT_TRUE(ran);
}

TEST(ManualExecutor, TimersRunWhenTheyAreDue) {
  ManualExecutor executor;
  const absl::Time start = executor.clock().Now();
  std::vector<absl::Duration> fired;
  const auto record = [&] { fired.push_back(executor.clock().Now() - start); };
  const auto late = executor.PostAfter(absl::Seconds(2), record);
  const auto soon = executor.PostAfter(absl::Seconds(1), record);
  executor.RunUntilIdle();
  EXPECT_THAT(fired, IsEmpty());
  executor.Advance(absl::Milliseconds(1500));
  EXPECT_THAT(fired, ElementsAre(absl::Seconds(1)));
  EXPECT_EQ(executor.clock().Now() - start, absl::Milliseconds(1500));
  executor.Advance(absl::Seconds(1));
  EXPECT_THAT(fired, ElementsAre(absl::Seconds(1), absl::Seconds(2)));
}

TEST(ManualExecutor, AdvanceRunsWhatFollowsFromATimer) {
  ManualExecutor executor;
  int ran = 0;
  std::unique_ptr<Timer> second;
  const auto first = executor.PostAfter(
      absl::Seconds(1), [&] { second = executor.PostAfter(absl::Seconds(1), [&] { executor.Post([&] { ++ran; }); }); });
  executor.Advance(absl::Seconds(2));
  EXPECT_EQ(ran, 1);
}

TEST(ManualExecutor, ADestroyedTimerDoesNotFire) {
  ManualExecutor executor;
  bool fired = false;
  auto timer = executor.PostAfter(absl::Seconds(1), [&] { fired = true; });
  timer = nullptr;
  executor.Advance(absl::Seconds(2));
  EXPECT_FALSE(fired);
}

TEST(ManualExecutor, ATimerDestroyedBetweenDueAndStartDoesNotFire) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    ManualExecutor executor(seed);
    std::unique_ptr<Timer> a, b;
    int fired = 0;
    // Both are due at once; whoever comes first takes the other one back.
    a = executor.PostAfter(absl::Seconds(1), [&] { ++fired, b = nullptr; });
    b = executor.PostAfter(absl::Seconds(1), [&] { ++fired, a = nullptr; });
    executor.Advance(absl::Seconds(1));
    EXPECT_EQ(fired, 1);
  }
}

TEST(ManualExecutor, ATimerMayDestroyItself) {
  ManualExecutor executor;
  std::unique_ptr<Timer> timer;
  bool fired = false;
  timer = executor.PostAfter(absl::Seconds(1), [&] {
    timer = nullptr;
    fired = true;
  });
  executor.Advance(absl::Seconds(1));
  EXPECT_TRUE(fired);
}

TEST(ManualExecutor, RunUntilMovesTimeWhenNothingIsReady) {
  ManualExecutor executor;
  const absl::Time start = executor.clock().Now();
  bool fired = false;
  const auto timer = executor.PostAfter(absl::Hours(3), [&] { fired = true; });
  EXPECT_TRUE(executor.RunUntil([&] { return fired; }));
  EXPECT_EQ(executor.clock().Now() - start, absl::Hours(3));
}

TEST(ManualExecutor, RunUntilStopsAsSoonAsItHolds) {
  ManualExecutor executor;
  int ran = 0;
  const auto strand = executor.MakeStrand();
  for (int i = 0; i < 10; ++i) strand->Post([&] { ++ran; });
  EXPECT_TRUE(executor.RunUntil([&] { return ran == 4; }));
  EXPECT_EQ(ran, 4);
}

TEST(ManualExecutor, RunUntilGivesUpWhenNothingIsLeft) {
  ManualExecutor executor;
  executor.Post([] {});
  EXPECT_FALSE(executor.RunUntil([] { return false; }));
}

TEST(ManualExecutor, ATimerInfinitelyFarAwayNeverFires) {
  ManualExecutor executor;
  const absl::Time start = executor.clock().Now();
  const auto timer = executor.PostAfter(absl::InfiniteDuration(), [] { FAIL(); });
  EXPECT_FALSE(executor.RunUntil([] { return false; }));
  EXPECT_EQ(executor.clock().Now(), start);
}

TEST(ManualExecutor, DropAllDropsStepsAndTimers) {
  ManualExecutor executor;
  const auto strand = executor.MakeStrand();
  executor.Post([] { FAIL(); });
  strand->Post([] { FAIL(); });
  const auto timer = executor.PostAfter(absl::Seconds(1), [] { FAIL(); });
  executor.DropAll();
  EXPECT_EQ(executor.RunUntilIdle(), 0u);
  executor.Advance(absl::Hours(1));
  bool ran = false;
  strand->Post([&] { ran = true; });
  executor.RunUntilIdle();
  EXPECT_TRUE(ran);
}

// Posts to the strand when it is destroyed.
struct PostsAtItsEnd {
  explicit PostsAtItsEnd(Strand& strand, std::shared_ptr<int> alive) : strand(strand), alive(std::move(alive)) {}
  ~PostsAtItsEnd() {
    strand.Post([alive = alive] { FAIL(); });
  }
  Strand& strand;
  std::shared_ptr<int> alive;
};

TEST(ManualExecutor, DropAllDropsWhatDroppedStepsPost) {
  const auto alive = std::make_shared<int>();
  ManualExecutor executor;
  const auto strand = executor.MakeStrand();
  for (int i = 0; i < 3; ++i) {
    strand->Post([end = std::make_unique<PostsAtItsEnd>(*strand, alive)] { FAIL(); });
  }
  executor.DropAll();
  EXPECT_EQ(alive.use_count(), 1);
  EXPECT_EQ(executor.RunUntilIdle(), 0u);
}

}  // namespace
}  // namespace everfold

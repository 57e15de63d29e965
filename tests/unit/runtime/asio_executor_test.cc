#include "everfold/runtime/asio_executor.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/blocking_counter.h"
#include "everfold/base/mutex.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

TEST(AsioExecutor, RunsWhatIsPosted) {
  AsioExecutor executor(2);
  absl::BlockingCounter left(100);
  for (int i = 0; i < 100; ++i) executor.Post([&] { left.DecrementCount(); });
  left.Wait();
}

TEST(AsioExecutor, RunsTasksOnSeveralThreads) {
  AsioExecutor executor(2);
  Notification first_started, second_started, ended;
  // Each waits for the other: one thread would never come through.
  executor.Post([&] {
    first_started.Notify();
    second_started.WaitForNotification();
    ended.Notify();
  });
  executor.Post([&] {
    second_started.Notify();
    first_started.WaitForNotification();
  });
  ended.WaitForNotification();
}

TEST(AsioExecutor, AStrandRunsOneTaskAtATimeInOrder) {
  constexpr int kTasks = 5000;
  AsioExecutor executor(4);
  const auto strand = executor.MakeStrand();
  std::atomic<int> inside = 0;
  std::atomic<bool> overlapped = false;
  std::vector<int> order;  // no lock: the strand is one
  Notification last;
  for (int i = 0; i < kTasks; ++i) {
    strand->Post([&, i] {
      if (inside.fetch_add(1) != 0) overlapped = true;
      order.push_back(i);
      inside.fetch_sub(1);
      if (i == kTasks - 1) last.Notify();
    });
  }
  last.WaitForNotification();
  EXPECT_FALSE(overlapped);
  ASSERT_EQ(order.size(), std::size_t{kTasks});
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(AsioExecutor, AStrandTakesTasksFromManyThreads) {
  AsioExecutor executor(3);
  const auto strand = executor.MakeStrand();
  int sum = 0;
  {
    std::vector<std::jthread> posters;
    for (int t = 0; t < 4; ++t) {
      posters.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) strand->Post([&] { ++sum; });
      });
    }
  }
  executor.Join();
  EXPECT_EQ(sum, 4000);
}

TEST(AsioExecutor, NeverRunsATaskInsideOfPost) {
  AsioExecutor executor(1);
  const auto strand = executor.MakeStrand();
  Notification ended;
  bool nested_ran = false;
  strand->Post([&] {
    strand->Post([&] { nested_ran = true; });
    EXPECT_FALSE(nested_ran);
    strand->Post([&] { ended.Notify(); });
  });
  ended.WaitForNotification();
  EXPECT_TRUE(nested_ran);
}

TEST(AsioExecutor, TasksOutliveTheirStrand) {
  AsioExecutor executor(1);
  Notification ran;
  executor.MakeStrand()->Post([&] { ran.Notify(); });
  ran.WaitForNotification();
}

TEST(AsioExecutor, JoinRunsWhatTasksPost) {
  AsioExecutor executor(2);
  std::atomic<int> ran = 0;
  executor.Post([&] {
    ++ran;
    executor.Post([&] {
      ++ran;
      executor.Post([&] { ++ran; });
    });
  });
  executor.Join();
  EXPECT_EQ(ran, 3);
}

TEST(AsioExecutor, ATimerRunsItsTask) {
  AsioExecutor executor(1);
  Notification fired;
  const auto timer = executor.PostAfter(absl::Milliseconds(1), [&] { fired.Notify(); });
  fired.WaitForNotification();
}

TEST(AsioExecutor, TimersRunInTheOrderInWhichTheyAreDue) {
  AsioExecutor executor(1);
  std::vector<int> order;
  Notification last;
  const auto late = executor.PostAfter(absl::Milliseconds(30), [&] {
    order.push_back(2);
    last.Notify();
  });
  const auto soon = executor.PostAfter(absl::Milliseconds(1), [&] { order.push_back(1); });
  last.WaitForNotification();
  EXPECT_EQ(order, (std::vector<int>{1, 2}));
}

TEST(AsioExecutor, ADestroyedTimerDoesNotFire) {
  AsioExecutor executor(2);
  std::atomic<bool> fired = false;
  Notification later;
  auto timer = executor.PostAfter(absl::Milliseconds(20), [&] { fired = true; });
  timer = nullptr;
  const auto witness = executor.PostAfter(absl::Milliseconds(40), [&] { later.Notify(); });
  later.WaitForNotification();
  EXPECT_FALSE(fired);
}

TEST(AsioExecutor, ATimerMayDestroyItself) {
  AsioExecutor executor(1);
  std::unique_ptr<Timer> timer;
  Notification made, fired;
  timer = executor.PostAfter(absl::ZeroDuration(), [&] {
    made.WaitForNotification();
    timer = nullptr;
    fired.Notify();
  });
  made.Notify();
  fired.WaitForNotification();
}

TEST(AsioExecutor, TimersAreSetAndCancelledFromManyThreads) {
  constexpr int kThreads = 8;
  constexpr int kTimers = 2000;
  AsioExecutor executor(2);
  std::atomic<int> fired = 0;
  absl::BlockingCounter all(kThreads * kTimers / 2);
  std::vector<std::vector<std::unique_ptr<Timer>>> timers(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < kTimers; ++i) {
          // One is kept, the next one is cancelled before it is due.
          if (i % 2 == 0) {
            timers[static_cast<std::size_t>(thread)].push_back(
                executor.PostAfter(absl::Microseconds(i % 700), [&] { ++fired, all.DecrementCount(); }));
          } else {
            executor.PostAfter(absl::Hours(1), [&] { ++fired; });
          }
        }
      });
    }
  }
  all.Wait();
  executor.Join();
  EXPECT_EQ(fired, kThreads * kTimers / 2);
}

TEST(AsioExecutor, JoinDropsTimersThatAreNotDue) {
  AsioExecutor executor(2);
  const auto timer = executor.PostAfter(absl::Hours(1), [] { FAIL(); });
  const auto never = executor.PostAfter(absl::InfiniteDuration(), [] { FAIL(); });
  std::unique_ptr<Timer> made_while_joining;
  executor.Post([&] { made_while_joining = executor.PostAfter(absl::Hours(1), [] { FAIL(); }); });
  executor.Join();  // comes back within the hour
}

TEST(AsioExecutor, JoinMayBeCalledTwice) {
  AsioExecutor executor(1);
  bool ran = false;
  executor.Post([&] { ran = true; });
  executor.Join();
  executor.Join();
  EXPECT_TRUE(ran);
}

}  // namespace
}  // namespace everfold

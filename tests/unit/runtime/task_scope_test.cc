#include "everfold/runtime/task_scope.h"

#include <atomic>
#include <thread>
#include <vector>

#include "everfold/base/mutex.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

TEST(TaskScope, ClosesAtOnceWhenNothingIsUnderWay) {
  TaskScope scope;
  bool closed = false;
  { const auto guard = scope.Enter(); }
  scope.Close([&] { closed = true; });
  EXPECT_TRUE(closed);
}

TEST(TaskScope, ClosesWhenTheLastGuardIsGone) {
  TaskScope scope;
  bool closed = false;
  auto a = scope.Enter(), b = scope.Enter();
  ASSERT_TRUE(a.has_value() && b.has_value());
  scope.Close([&] { closed = true; });
  a.reset();
  EXPECT_FALSE(closed);
  b.reset();
  EXPECT_TRUE(closed);
}

TEST(TaskScope, NobodyEntersAClosedScope) {
  TaskScope scope;
  auto inside = scope.Enter();
  EXPECT_FALSE(scope.closed());
  scope.Close([] {});
  EXPECT_TRUE(scope.closed());
  EXPECT_FALSE(scope.Enter().has_value());
}

TEST(TaskScope, AGuardMovesIntoTheCallbackThatEndsTheWork) {
  TaskScope scope;
  bool closed = false;
  auto guard = scope.Enter();
  Task work = [guard = *std::move(guard)] {};
  guard.reset();
  scope.Close([&] { closed = true; });
  EXPECT_FALSE(closed);
  work = nullptr;
  EXPECT_TRUE(closed);
}

TEST(TaskScope, MayGoBeforeItsGuards) {
  auto scope = std::make_unique<TaskScope>();
  bool closed = false;
  auto guard = scope->Enter();
  scope->Close([&] { closed = true; });
  scope = nullptr;
  guard.reset();
  EXPECT_TRUE(closed);
}

TEST(TaskScopeDeathTest, ClosesOnce) {
  TaskScope scope;
  scope.Close([] {});
  EXPECT_DEATH(scope.Close([] {}), "check failed: !state_->closed");
}

TEST(TaskScope, TellsOnceUnderManyThreads) {
  for (int round = 0; round < 200; ++round) {
    TaskScope scope;
    std::atomic<int> inside = 0, told = 0;
    Notification closed;
    std::vector<std::jthread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        while (auto guard = scope.Enter()) {
          ++inside;
          --inside;
        }
      });
    }
    scope.Close([&] {
      EXPECT_EQ(inside, 0);
      ++told;
      closed.Notify();
    });
    closed.WaitForNotification();
    threads.clear();
    EXPECT_EQ(told, 1);
  }
}

}  // namespace
}  // namespace everfold

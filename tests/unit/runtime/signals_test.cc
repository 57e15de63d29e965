#include "everfold/runtime/signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace everfold {
namespace {

constexpr int kImpatient = 130;

TEST(SignalWaiter, TellsTheFirstSignal) {
  SignalWaiter signals(kImpatient);
  ASSERT_EQ(::kill(::getpid(), SIGTERM), 0);
  EXPECT_EQ(signals.WaitFor(absl::InfiniteDuration()), SIGTERM);
}

TEST(SignalWaiter, TellsASignalThatCameBeforeAnybodyWaited) {
  SignalWaiter signals(kImpatient);
  ASSERT_EQ(::kill(::getpid(), SIGINT), 0);
  EXPECT_EQ(signals.WaitFor(absl::InfiniteDuration()), SIGINT);
  EXPECT_EQ(signals.WaitFor(absl::ZeroDuration()), SIGINT);
}

TEST(SignalWaiter, TellsNothingWithoutASignal) {
  SignalWaiter signals(kImpatient);
  EXPECT_EQ(signals.WaitFor(absl::Milliseconds(1)), std::nullopt);
}

TEST(SignalWaiter, GivesSignalsBackWhenItEnds) {
  { SignalWaiter signals(kImpatient); }
  EXPECT_EXIT(::raise(SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

TEST(SignalWaiterDeathTest, TheSecondSignalEndsTheProcess) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto be_told_twice = [] {
    SignalWaiter signals(kImpatient);
    ::kill(::getpid(), SIGINT);
    signals.WaitFor(absl::InfiniteDuration());
    ::kill(::getpid(), SIGINT);
    ::pause();
  };
  EXPECT_EXIT(be_told_twice(), testing::ExitedWithCode(kImpatient), "");
}

}  // namespace
}  // namespace everfold

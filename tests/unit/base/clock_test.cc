#include "everfold/base/clock.h"

#include "gtest/gtest.h"

namespace everfold {
namespace {

TEST(ManualClock, StandsStill) {
  const ManualClock clock;
  EXPECT_EQ(absl::FormatTime(clock.Now(), absl::UTCTimeZone()), "2026-01-01T00:00:00+00:00");
  EXPECT_EQ(clock.Now(), clock.Now());
}

TEST(ManualClock, MovesBothWays) {
  ManualClock clock(absl::FromUnixSeconds(1000));
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(1005));
  clock.Advance(-absl::Seconds(10));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(995));
  clock.Set(absl::FromUnixSeconds(7));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(7));
}

TEST(SystemClock, IsLaterThanThisTest) { EXPECT_GT(SystemClock().Now(), absl::FromUnixSeconds(1'700'000'000)); }

}  // namespace
}  // namespace everfold

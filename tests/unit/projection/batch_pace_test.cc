#include "everfold/projection/batch_pace.h"

#include "gtest/gtest.h"

namespace everfold {
namespace {

const absl::Time kBegan = absl::FromUnixSeconds(1'700'000'000);

TEST(BatchPaceTest, RestsTheLongerTheMoreEventsTheLastBatchHad) {
  BatchPace pace;
  EXPECT_EQ(pace.RestAt(kBegan), absl::ZeroDuration());
  pace.Ran(kBegan, 63);
  EXPECT_EQ(pace.RestAt(kBegan), absl::ZeroDuration());
  pace.Ran(kBegan, 100);
  EXPECT_EQ(pace.RestAt(kBegan + absl::Milliseconds(1)), absl::Milliseconds(4));
  EXPECT_EQ(pace.RestAt(kBegan + absl::Milliseconds(5)), absl::ZeroDuration());
  pace.Ran(kBegan, 100'000);
  EXPECT_EQ(pace.RestAt(kBegan), absl::Milliseconds(20));
}

TEST(BatchPaceTest, ClockThatStepsBackDoesNotStopIt) {
  BatchPace pace;
  pace.Ran(kBegan, 1000);
  EXPECT_EQ(pace.RestAt(kBegan - absl::Hours(1)), absl::Milliseconds(20));
}

}  // namespace
}  // namespace everfold

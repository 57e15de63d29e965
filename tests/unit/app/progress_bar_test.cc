#include "everfold/app/progress_bar.h"

#include <gtest/gtest.h>

namespace everfold {
namespace {

TEST(ProgressLine, TellsShareRateAndTimeLeft) {
  EXPECT_EQ(ProgressLine(0, 500, 2000, "events", absl::Seconds(10)),
            "[=======>                      ]  25%  500 of 2,000 events  50/s  30 s left");
  EXPECT_EQ(ProgressLine(1000, 1500, 2000, "events", absl::Seconds(10)),
            "[======================>       ]  75%  1,500 of 2,000 events  50/s  10 s left");
}

TEST(ProgressLine, SaysNothingOfARateThatItDoesNotKnow) {
  EXPECT_EQ(ProgressLine(0, 0, 10, "events", absl::Seconds(1)),
            "[>                             ]   0%  0 of 10 events");
}

TEST(ProgressLine, IsFullAtTheEndAndForNothing) {
  EXPECT_EQ(ProgressLine(0, 10, 10, "bytes", absl::Seconds(1)),
            "[==============================] 100%  10 of 10 bytes  10/s");
  EXPECT_EQ(ProgressLine(0, 0, 0, "bytes", absl::Seconds(1)), "[==============================] 100%  0 of 0 bytes");
}

}  // namespace
}  // namespace everfold

#include "tools/import/progress_bar.h"

#include <sstream>

#include "gtest/gtest.h"

namespace everfold {
namespace {

constexpr char kErase[] = "\r\x1b[2K";
const absl::Time kStart = absl::FromUnixSeconds(1'000'000);

TEST(RenderProgress, TellsShareRateAndTimeLeft) {
  EXPECT_EQ(RenderProgress(2580, 5160, "rows", absl::Seconds(2)),
            "[===============>              ]  50%  2,580 of 5,160 rows  1,290/s  2 s left");
}

TEST(RenderProgress, BeginsWithoutARate) {
  EXPECT_EQ(RenderProgress(0, 10, "rows", absl::ZeroDuration()), "[>                             ]   0%  0 of 10 rows");
}

TEST(RenderProgress, EndsWithoutTimeLeft) {
  EXPECT_EQ(RenderProgress(10, 10, "rows", absl::Seconds(1)),
            "[==============================] 100%  10 of 10 rows  10/s");
}

TEST(RenderProgress, IsDoneWhenThereIsNothingToDo) {
  EXPECT_EQ(RenderProgress(0, 0, "rows", absl::Seconds(1)), "[==============================] 100%  0 of 0 rows");
}

TEST(RenderProgress, TellsLongTimesInMinutesAndHours) {
  EXPECT_TRUE(RenderProgress(1, 601, "rows", absl::Seconds(1)).ends_with("10 min left"));
  EXPECT_TRUE(RenderProgress(1, 9001, "rows", absl::Seconds(1)).ends_with("2.5 h left"));
}

TEST(WithThousands, Groups) {
  EXPECT_EQ(WithThousands(0), "0");
  EXPECT_EQ(WithThousands(999), "999");
  EXPECT_EQ(WithThousands(-1000), "-1,000");
  EXPECT_EQ(WithThousands(-100), "-100");
  EXPECT_EQ(WithThousands(1234567), "1,234,567");
}

TEST(WithThousands, GroupsTheWholePartOfADecimal) {
  EXPECT_EQ(WithThousands("1234567.05"), "1,234,567.05");
  EXPECT_EQ(WithThousands("-1234.50"), "-1,234.50");
  EXPECT_EQ(WithThousands("-0.50"), "-0.50");
  EXPECT_EQ(WithThousands("999.999"), "999.999");
}

TEST(ProgressBar, CarriesANote) {
  std::ostringstream out;
  ProgressBar bar({.total = 10, .unit = "rows", .on_terminal = false, .start = kStart}, out);
  bar.Update(0, kStart + absl::Seconds(5), "no answer for 5 s");
  EXPECT_EQ(out.str(), RenderProgress(0, 10, "rows", absl::Seconds(5)) + "  no answer for 5 s\n");
}

TEST(ProgressBar, RedrawsATerminalTenTimesASecond) {
  std::ostringstream out;
  ProgressBar bar({.total = 10, .unit = "rows", .on_terminal = true, .start = kStart}, out);
  bar.Update(1, kStart + absl::Milliseconds(99));
  EXPECT_EQ(out.str(), "");
  bar.Update(1, kStart + absl::Milliseconds(100));
  const std::string drawn = kErase + RenderProgress(1, 10, "rows", absl::Milliseconds(100));
  EXPECT_EQ(out.str(), drawn);
  bar.Update(2, kStart + absl::Milliseconds(150));
  EXPECT_EQ(out.str(), drawn);
  bar.Clear();
  EXPECT_EQ(out.str(), drawn + kErase);
}

TEST(ProgressBar, WritesLinesWhereThereIsNoTerminal) {
  std::ostringstream out;
  ProgressBar bar({.total = 10, .unit = "rows", .on_terminal = false, .start = kStart}, out);
  bar.Update(1, kStart + absl::Seconds(4));
  bar.Clear();
  EXPECT_EQ(out.str(), "");
  bar.Finish(10, kStart + absl::Seconds(5));
  EXPECT_EQ(out.str(), RenderProgress(10, 10, "rows", absl::Seconds(5)) + "\n");
}

}  // namespace
}  // namespace everfold

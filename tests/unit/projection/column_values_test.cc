#include "everfold/projection/column_values.h"

#include <cstdint>
#include <limits>
#include <string>

#include "absl/time/time.h"
#include "everfold/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using google::protobuf::Timestamp;

constexpr std::int64_t kFirstSecond = -62'135'596'800;
constexpr std::int64_t kLastSecond = 253'402'300'799;

Timestamp Of(std::int64_t seconds, int nanos) {
  Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(nanos);
  return timestamp;
}

// As Abseil writes it, by a calendar of its own.
std::string Expected(const Timestamp& timestamp) {
  const absl::Time time = absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E9SZ", time, absl::UTCTimeZone());
}

void ExpectText(const Timestamp& timestamp, const std::string& text) {
  EXPECT_EQ(TimestampText(timestamp), text);
  const auto parsed = ParseTimestampText(text);
  ASSERT_TRUE(parsed.has_value()) << text;
  EXPECT_EQ(parsed->seconds(), timestamp.seconds()) << text;
  EXPECT_EQ(parsed->nanos(), timestamp.nanos()) << text;
}

TEST(TimestampTextTest, SaysTheTimeExactly) {
  ExpectText(Of(0, 0), "1970-01-01T00:00:00.000000000Z");
  ExpectText(Of(-1, 999'999'999), "1969-12-31T23:59:59.999999999Z");
  ExpectText(Of(951'782'400, 1), "2000-02-29T00:00:00.000000001Z");
  ExpectText(Of(kFirstSecond, 0), "0001-01-01T00:00:00.000000000Z");
  ExpectText(Of(kLastSecond, 999'999'999), "9999-12-31T23:59:59.999999999Z");
}

TEST(TimestampTextTest, AgreesWithAnotherCalendar) {
  SeededRandom random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto seconds = static_cast<std::int64_t>(random.Below(kLastSecond - kFirstSecond + 1)) + kFirstSecond;
    const Timestamp timestamp = Of(seconds, static_cast<int>(random.Below(1'000'000'000)));
    ExpectText(timestamp, Expected(timestamp));
    if (HasFailure()) return;
  }
}

TEST(TimestampTextTest, HasNoneOutsideOfWhatTheTypeAllows) {
  EXPECT_EQ(TimestampText(Of(kFirstSecond - 1, 0)), std::nullopt);
  EXPECT_EQ(TimestampText(Of(kLastSecond + 1, 0)), std::nullopt);
  EXPECT_EQ(TimestampText(Of(std::numeric_limits<std::int64_t>::min(), 0)), std::nullopt);
  EXPECT_EQ(TimestampText(Of(std::numeric_limits<std::int64_t>::max(), 0)), std::nullopt);
  EXPECT_EQ(TimestampText(Of(0, -1)), std::nullopt);
  EXPECT_EQ(TimestampText(Of(0, 1'000'000'000)), std::nullopt);
}

TEST(TimestampTextTest, NoOtherTextIsATime) {
  for (const std::string text :
       {"", "2026-01-31", "2026-01-31T08:00:00Z", "2026-01-31T08:00:00.000000000", "2026-01-31T08:00:00.000000000z",
        "2026-01-31 08:00:00.000000000Z", "2026-01-31T08:00:00.00000000-Z", "+026-01-31T08:00:00.000000000Z",
        "0000-12-31T08:00:00.000000000Z", "2026-00-31T08:00:00.000000000Z", "2026-13-31T08:00:00.000000000Z",
        "2026-01-00T08:00:00.000000000Z", "2026-01-32T08:00:00.000000000Z", "2026-02-29T08:00:00.000000000Z",
        "2026-02-30T08:00:00.000000000Z", "2026-01-31T24:00:00.000000000Z", "2026-01-31T08:60:00.000000000Z",
        "2026-01-31T08:00:60.000000000Z", "9999-12-31T24:00:00.000000000Z"}) {
    EXPECT_FALSE(ParseTimestampText(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace everfold

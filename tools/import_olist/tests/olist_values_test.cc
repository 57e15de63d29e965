#include "tools/import_olist/olist_values.h"

#include <gtest/gtest.h>

namespace everfold {
namespace {

absl::Time Utc(int year, int month, int day, int hour, int minute, int second) {
  return absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, second), absl::UTCTimeZone());
}

TEST(ParseOlistTime, TakesBothSpellings) {
  EXPECT_EQ(ParseOlistTime("10/2/2017 10:56").value(), Utc(2017, 10, 2, 10, 56, 0));
  EXPECT_EQ(ParseOlistTime("1/9/2018 0:05").value(), Utc(2018, 1, 9, 0, 5, 0));
  EXPECT_EQ(ParseOlistTime("10/2/2017 10:56:33").value(), Utc(2017, 10, 2, 10, 56, 33));
  EXPECT_EQ(ParseOlistTime("2017-10-02 10:56:33").value(), Utc(2017, 10, 2, 10, 56, 33));
  EXPECT_EQ(ParseOlistTime("2017-10-02 10:56").value(), Utc(2017, 10, 2, 10, 56, 0));
}

TEST(ParseOlistTime, RefusesEverythingElse) {
  for (const char* text : {"", "yesterday", "13/1/2018 10:00", "2/30/2018 10:00", "2018-02-29 10:00:00", "1/1/2018",
                           "2018-01-01T10:00:00", "1/1/2018 25:00", "1/1/2018 10:00 x", "1/1/1969 10:00",
                           "2100-01-01 00:00:00", "infinite-future", "-2017-10-02 10:56:33"}) {
    EXPECT_EQ(ParseOlistTime(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(OlistValues, AreSpelledAsTheyAreRead) {
  for (const char* word :
       {"created", "approved", "invoiced", "processing", "shipped", "delivered", "canceled", "unavailable"}) {
    const auto status = ParseOlistStatus(word);
    ASSERT_TRUE(status.has_value()) << word;
    EXPECT_EQ(FormatOlistStatus(*status), word);
  }
  for (const char* word : {"credit_card", "boleto", "voucher", "debit_card", "not_defined"}) {
    const auto method = ParseOlistMethod(word);
    ASSERT_TRUE(method.has_value()) << word;
    EXPECT_EQ(FormatOlistMethod(*method), word);
  }
  EXPECT_EQ(FormatOlistTime(Utc(2017, 10, 2, 10, 56, 3)), "2017-10-02 10:56:03");
}

TEST(OlistValues, AreNothingForOtherWords) {
  EXPECT_FALSE(ParseOlistStatus("Delivered").has_value());
  EXPECT_FALSE(ParseOlistStatus("").has_value());
  EXPECT_FALSE(ParseOlistMethod("cash").has_value());
}

}  // namespace
}  // namespace everfold

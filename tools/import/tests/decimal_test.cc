#include "tools/import/decimal.h"

#include <limits>
#include <string>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMin = std::numeric_limits<std::int64_t>::min();

TEST(ParseMinorUnits, IsExact) {
  EXPECT_EQ(*ParseMinorUnits("135.41", 2), 13541);
  EXPECT_EQ(*ParseMinorUnits("109.9", 2), 10990);
  EXPECT_EQ(*ParseMinorUnits("99", 2), 9900);
  EXPECT_EQ(*ParseMinorUnits("0", 2), 0);
  EXPECT_EQ(*ParseMinorUnits("0.01", 2), 1);
  EXPECT_EQ(*ParseMinorUnits("-0.5", 2), -50);
  EXPECT_EQ(*ParseMinorUnits("0.29", 2), 29);  // 28 by way of a double
  EXPECT_EQ(*ParseMinorUnits("7", 0), 7);
}

TEST(ParseMinorUnits, TakesTheWholeRange) {
  EXPECT_EQ(*ParseMinorUnits("92233720368547758.07", 2), kMax);
  EXPECT_EQ(*ParseMinorUnits("-92233720368547758.08", 2), kMin);
}

struct Refusal {
  const char* text;
  const char* why;
};
class ParseMinorUnitsRefuses : public ::testing::TestWithParam<Refusal> {};

TEST_P(ParseMinorUnitsRefuses, WhatIsNoAmount) {
  const absl::Status status = ParseMinorUnits(GetParam().text, 2).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()),
            absl::StrFormat("'%s' is not an amount: %s", GetParam().text, GetParam().why));
}

INSTANTIATE_TEST_SUITE_P(
    , ParseMinorUnitsRefuses,
    testing::Values(Refusal{"", "digits are missing"}, Refusal{"-", "digits are missing"},
                    Refusal{".5", "digits are missing"}, Refusal{"5.", "digits are missing"},
                    Refusal{"1.234", "too many decimal places"}, Refusal{"1.2.3", "too many decimal places"},
                    Refusal{"1..", "it holds more than digits"}, Refusal{"1,5", "it holds more than digits"},
                    Refusal{" 1", "it holds more than digits"}, Refusal{"+1", "it holds more than digits"},
                    Refusal{"--1", "it holds more than digits"}, Refusal{"1e3", "it holds more than digits"},
                    Refusal{"92233720368547758.08", "it is too large"},
                    Refusal{"-92233720368547758.09", "it is too large"},
                    Refusal{"99999999999999999999", "it is too large"}));

TEST(FormatMinorUnits, PutsThePoint) {
  EXPECT_EQ(FormatMinorUnits(61372991, 2), "613729.91");
  EXPECT_EQ(FormatMinorUnits(5, 2), "0.05");
  EXPECT_EQ(FormatMinorUnits(-50, 2), "-0.50");
  EXPECT_EQ(FormatMinorUnits(7, 0), "7");
  EXPECT_EQ(FormatMinorUnits(kMin, 2), "-92233720368547758.08");
}

}  // namespace
}  // namespace everfold

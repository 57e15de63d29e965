#include "everfold/decide/field_rules.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace everfold {
namespace {

TEST(ShownTest, WritesNumbersAsTheyAreRead) {
  EXPECT_EQ(Shown(std::numeric_limits<std::int64_t>::min()), "-9223372036854775808");
  EXPECT_EQ(Shown(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(Shown(0.1), "0.1");
  EXPECT_EQ(Shown(0.1f), "0.1");
  EXPECT_EQ(Shown(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(ShownTest, QuotesAndEscapesTexts) {
  EXPECT_EQ(Shown("plain"), "\"plain\"");
  EXPECT_EQ(Shown("a\"b\n"), "\"a\\\"b\\n\"");
  EXPECT_EQ(Shown(std::string_view("\0", 1)), "\"\\000\"");
  EXPECT_EQ(Shown("\xc3\xa4"), "\"\xc3\xa4\"");
}

TEST(ShownTest, CutsLongTextsBetweenCharacters) {
  EXPECT_EQ(Shown(std::string(64, 'a')), "\"" + std::string(64, 'a') + "\"");
  EXPECT_EQ(Shown(std::string(65, 'a')), "\"" + std::string(64, 'a') + "\"... (65 bytes)");
  const std::string euro = "\xe2\x82\xac";
  EXPECT_EQ(Shown(std::string(62, 'a') + euro), "\"" + std::string(62, 'a') + "\"... (65 bytes)");
  EXPECT_EQ(Shown(std::string(61, 'a') + euro + "b"), "\"" + std::string(61, 'a') + euro + "\"... (65 bytes)");
}

// Bytes that are no UTF-8 are cut somewhere, and soon.
TEST(ShownTest, CutsBytesThatAreNoText) {
  EXPECT_EQ(Shown(std::string(100, '\x80')).substr(0, 5), "\"\x80\x80\x80\x80");
  EXPECT_LE(Shown(std::string(100, '\x80')).size(), 100u);
}

TEST(PathTest, NamesItemsAndEntries) {
  EXPECT_EQ(ItemOf("lines", 2), "lines[2]");
  EXPECT_EQ(EntryOf("prices", 5), "prices[5]");
  EXPECT_EQ(EntryOf("prices", true), "prices[true]");
  EXPECT_EQ(EntryOf("prices", std::string("EUR")), "prices[\"EUR\"]");
}

}  // namespace
}  // namespace everfold

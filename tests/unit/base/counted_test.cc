#include "everfold/base/counted.h"

#include <gtest/gtest.h>

namespace everfold {
namespace {

TEST(Grouped, SetsThousandsApart) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
}

TEST(Counted, OneIsNotSeveral) {
  EXPECT_EQ(Counted(0, "event"), "0 events");
  EXPECT_EQ(Counted(1, "event"), "1 event");
  EXPECT_EQ(Counted(2000, "event"), "2,000 events");
  EXPECT_EQ(Counted(1, "query is", "queries are"), "1 query is");
  EXPECT_EQ(Counted(8, "query is", "queries are"), "8 queries are");
}

}  // namespace
}  // namespace everfold

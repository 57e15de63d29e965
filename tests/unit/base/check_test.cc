#include "everfold/base/check.h"

#include "gtest/gtest.h"

namespace everfold {
namespace {

TEST(Check, LetsWhatHoldsPass) {
  int evaluations = 0;
  EVERFOLD_CHECK(++evaluations == 1);
  EXPECT_EQ(evaluations, 1);
}

TEST(CheckDeathTest, SaysWhereAndWhat) {
  EXPECT_DEATH(EVERFOLD_CHECK(1 + 1 == 3), "check_test.cc:[0-9]+: check failed: 1 \\+ 1 == 3");
}

}  // namespace
}  // namespace everfold

#include "everfold/command/recent_ids.h"

#include <gtest/gtest.h>

namespace everfold {
namespace {

TEST(RecentIds, KeepsTheLastOnes) {
  RecentIds ids(100);
  for (std::uint64_t id = 1; id <= 1000; ++id) ids.Add(id);
  for (std::uint64_t id = 901; id <= 1000; ++id) EXPECT_TRUE(ids.Has(id)) << id;
  EXPECT_FALSE(ids.Has(1));
  EXPECT_FALSE(ids.Has(800));
  EXPECT_FALSE(ids.Has(1001));
}

}  // namespace
}  // namespace everfold

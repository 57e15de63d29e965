#include "everfold/event/position.h"

#include <type_traits>

#include "gtest/gtest.h"

namespace everfold {
namespace {

static_assert(!std::is_convertible_v<Version, Offset> && !std::is_convertible_v<Offset, Sequence>);
static_assert(!std::is_convertible_v<PartitionId, Offset> && !std::is_convertible_v<std::uint32_t, PartitionId>);

TEST(Position, StandsByPartitionThenOffset) {
  EXPECT_LT((Position{PartitionId(1), Offset(9)}), (Position{PartitionId(2), Offset(1)}));
  EXPECT_LT((Position{PartitionId(1), Offset(1)}), (Position{PartitionId(1), Offset(2)}));
  EXPECT_EQ((Position{PartitionId(1), Offset(1)}), (Position{PartitionId(1), Offset(1)}));
}

TEST(Epoch, ReadsAsHex) { EXPECT_EQ(Epoch{std::string("\x00\xab\x10", 3)}.ToString(), "00ab10"); }

}  // namespace
}  // namespace everfold

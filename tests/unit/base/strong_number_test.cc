#include "everfold/base/strong_number.h"

#include <type_traits>

#include "absl/hash/hash.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

using Apples = StrongNumber<struct ApplesTag>;
using Pears = StrongNumber<struct PearsTag>;

static_assert(!std::is_convertible_v<Apples, Pears> && !std::is_constructible_v<Apples, Pears>);
static_assert(!std::is_convertible_v<std::uint64_t, Apples> && !std::is_convertible_v<Apples, std::uint64_t>);
static_assert(sizeof(Apples) == sizeof(std::uint64_t));

TEST(StrongNumber, StartsAtZeroAndCountsUp) {
  EXPECT_EQ(Apples().value(), 0u);
  EXPECT_EQ(Apples(3).Next(), Apples(4));
  EXPECT_EQ(Apples(3).Plus(4), Apples(7));
  EXPECT_EQ(Apples::Max().value(), UINT64_MAX);
}

TEST(StrongNumber, HasAnOrder) {
  EXPECT_LT(Apples(1), Apples(2));
  EXPECT_GE(Apples(2), Apples(2));
  EXPECT_NE(Apples(1), Apples(2));
}

TEST(StrongNumber, HashesByValue) {
  const absl::Hash<Apples> hash;
  EXPECT_EQ(hash(Apples(5)), hash(Apples(5)));
  EXPECT_NE(hash(Apples(5)), hash(Apples(6)));
}

}  // namespace
}  // namespace everfold

#include "everfold/base/uuid.h"

#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

class Constant final : public RandomSource {
 public:
  explicit Constant(std::uint64_t value) : value_(value) {}
  std::uint64_t Next() override { return value_; }

 private:
  std::uint64_t value_;
};

TEST(NewUuid, MatchesTheExampleOfRfc9562) {  // appendix A.6, but for its random part
  Constant zeros(0), ones(UINT64_MAX);
  const absl::Time time = absl::FromUnixMillis(0x017F22E279B0);
  EXPECT_EQ(NewUuid(time, zeros), "017f22e2-79b0-7000-8000-000000000000");
  EXPECT_EQ(NewUuid(time, ones), "017f22e2-79b0-7fff-bfff-ffffffffffff");
}

TEST(NewUuid, StandsInTheOrderOfTime) {
  SeededRandom random(1);
  const absl::Time time = absl::FromUnixSeconds(1'700'000'000);
  EXPECT_LT(NewUuid(time, random), NewUuid(time + absl::Milliseconds(1), random));
  EXPECT_LT(NewUuid(time, random), NewUuid(time + absl::Hours(24 * 365), random));
}

TEST(NewUuid, DoesNotRepeatWithinAMillisecond) {
  SeededRandom random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(NewUuid(absl::UnixEpoch(), random));
  EXPECT_EQ(seen.size(), 1000u);
}

}  // namespace
}  // namespace everfold

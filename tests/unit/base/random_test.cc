#include "everfold/base/random.h"

#include <set>

#include "gtest/gtest.h"

namespace everfold {
namespace {

// Answers with what it was given.
class Scripted final : public RandomSource {
 public:
  explicit Scripted(std::vector<std::uint64_t> values) : values_(std::move(values)) {}
  std::uint64_t Next() override { return values_.at(at_++); }
  std::size_t taken() const { return at_; }

 private:
  std::vector<std::uint64_t> values_;
  std::size_t at_ = 0;
};

TEST(SeededRandom, IsSplitMix64) {  // the sequence of the reference implementation for seed 1234567
  SeededRandom random(1234567);
  EXPECT_EQ(random.Next(), 6457827717110365317u);
  EXPECT_EQ(random.Next(), 3203168211198807973u);
  EXPECT_EQ(random.Next(), 9817491932198370423u);
  EXPECT_EQ(random.Next(), 4593380528125082431u);
}

TEST(SeededRandom, OneSeedIsOneSequence) {
  SeededRandom a(42), b(42), c(43);
  EXPECT_EQ(a.Bytes(100), b.Bytes(100));
  EXPECT_NE(a.Next(), c.Next());
}

TEST(Below, StaysBelowAndReachesEveryValue) {
  SeededRandom random(7);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(random.Below(10));
  EXPECT_EQ(seen.size(), 10u);
  EXPECT_EQ(*seen.rbegin(), 9u);
  EXPECT_EQ(random.Below(1), 0u);
}

TEST(Below, DrawsAgainWhereARemainderWouldBeFavoured) {
  Scripted random({UINT64_MAX, UINT64_MAX - 1, 12});
  EXPECT_EQ(random.Below(10), 2u);
  EXPECT_EQ(random.taken(), 3u);
}

TEST(BelowDeathTest, NeedsABound) {
  SeededRandom random(1);
  EXPECT_DEATH(random.Below(0), "check failed: bound > 0");
}

TEST(Bytes, AreAsManyAsAsked) {
  Scripted random({0x0807060504030201, 0x0a09});
  EXPECT_EQ(random.Bytes(10), "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a");
  EXPECT_EQ(random.Bytes(0), "");
}

TEST(SystemRandom, DoesNotRepeatItself) {
  SystemRandom a, b;
  EXPECT_NE(a.Bytes(32), b.Bytes(32));
}

}  // namespace
}  // namespace everfold

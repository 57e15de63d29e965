#include "everfold/command/state_cache.h"

#include <gtest/gtest.h>

#include "wallet/v1/wallet.pb.h"

namespace everfold {
namespace {

StreamId Wallet(const std::string& id) { return {"", "wallet", id}; }

AggregateState StateAt(std::uint64_t version) { return {Version(version), std::make_unique<wallet::v1::Wallet>()}; }

TEST(StateCache, GivesBackWhatWasPut) {
  StateCache cache(1 << 20);
  cache.Put(Wallet("w1"), StateAt(3));
  EXPECT_FALSE(cache.Take(Wallet("w2")).has_value());
  const auto state = cache.Take(Wallet("w1"));
  ASSERT_TRUE(state.has_value());
  EXPECT_EQ(state->version, Version(3));
  EXPECT_FALSE(cache.Take(Wallet("w1")).has_value());
  EXPECT_EQ(cache.bytes(), 0u);
}

TEST(StateCache, ReplacesAnOlderState) {
  StateCache cache(1 << 20);
  cache.Put(Wallet("w1"), StateAt(3));
  const std::size_t bytes = cache.bytes();
  cache.Put(Wallet("w1"), StateAt(4));
  EXPECT_EQ(cache.bytes(), bytes);
  EXPECT_EQ(cache.Take(Wallet("w1"))->version, Version(4));
}

TEST(StateCache, DropsTheLeastRecentlyUsedBeyondItsBytes) {
  StateCache measure(1 << 20);
  measure.Put(Wallet("w1"), StateAt(1));
  StateCache cache(measure.bytes() * 2);
  cache.Put(Wallet("w1"), StateAt(1));
  cache.Put(Wallet("w2"), StateAt(1));
  cache.Put(Wallet("w1"), *cache.Take(Wallet("w1")));
  cache.Put(Wallet("w3"), StateAt(1));
  EXPECT_FALSE(cache.Take(Wallet("w2")).has_value());
  EXPECT_TRUE(cache.Take(Wallet("w1")).has_value());
  EXPECT_TRUE(cache.Take(Wallet("w3")).has_value());
}

TEST(StateCache, KeepsNothingLargerThanItself) {
  StateCache cache(1);
  cache.Put(Wallet("w1"), StateAt(1));
  EXPECT_FALSE(cache.Take(Wallet("w1")).has_value());
  EXPECT_EQ(cache.bytes(), 0u);
}

}  // namespace
}  // namespace everfold

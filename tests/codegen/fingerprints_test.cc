#include <gtest/gtest.h>

#include "everfold/base/timestamp.h"
#include "everfold/event/fingerprint.h"
#include "shop/v1/shop.everfold.h"
#include "wallet/v1/wallet.everfold.h"

namespace everfold {
namespace {

// The generator's descriptors come from a request, those here from compiled code: both are to mean the same.
TEST(FingerprintTest, IsThatOfTheCompiledDescriptor) {
  EXPECT_EQ(EventTraits<wallet::v1::Deposited>::Fingerprint(), FingerprintOf(*wallet::v1::Deposited::descriptor()));
  EXPECT_EQ(EventTraits<shop::v1::OrderPlaced>::Fingerprint(), FingerprintOf(*shop::v1::OrderPlaced::descriptor()));
  EXPECT_EQ(EventTraits<shop::v1::PaymentMade>::Fingerprint(), FingerprintOf(*shop::v1::PaymentMade::descriptor()));
}

TEST(FingerprintTest, DiffersBetweenEvents) {
  EXPECT_EQ(EventTraits<wallet::v1::Deposited>::Fingerprint().size(), 32u);
  EXPECT_NE(EventTraits<wallet::v1::Deposited>::Fingerprint(), EventTraits<wallet::v1::Withdrawn>::Fingerprint());
}

TEST(EventTimeTest, IsThatOfTheMarkedField) {
  shop::v1::OrderPlaced placed;
  EXPECT_EQ(EventTraits<shop::v1::OrderPlaced>::EventTime(placed), std::nullopt);
  const absl::Time before_1970 = absl::FromUnixMicros(-1);
  *placed.mutable_placed_at() = TimestampOf(before_1970);
  EXPECT_EQ(placed.placed_at().seconds(), -1);
  EXPECT_EQ(placed.placed_at().nanos(), 999999000);
  EXPECT_EQ(EventTraits<shop::v1::OrderPlaced>::EventTime(placed), before_1970);
}

TEST(EventTimeTest, IsUnknownWithoutMark) {
  EXPECT_EQ(EventTraits<wallet::v1::Deposited>::EventTime(wallet::v1::MakeDeposited({.amount_minor = 1})),
            std::nullopt);
}

}  // namespace
}  // namespace everfold

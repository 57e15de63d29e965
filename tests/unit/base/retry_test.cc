#include "everfold/base/retry.h"

#include <gtest/gtest.h>

#include <limits>

namespace everfold {
namespace {

TEST(Retry, PausesAreDoubledUpToTheLongest) {
  const auto pause = [](std::uint64_t failures) {
    return BackOff(absl::Milliseconds(100), absl::Seconds(1), failures);
  };
  EXPECT_EQ(pause(1), absl::Milliseconds(100));
  EXPECT_EQ(pause(2), absl::Milliseconds(200));
  EXPECT_EQ(pause(4), absl::Milliseconds(800));
  EXPECT_EQ(pause(5), absl::Seconds(1));
  EXPECT_EQ(pause(std::numeric_limits<std::uint64_t>::max()), absl::Seconds(1));
  EXPECT_EQ(BackOff(absl::Seconds(2), absl::Seconds(1), 1), absl::Seconds(1));
}

TEST(Retry, StorageMayRecoverFromWhatIsNoDamage) {
  EXPECT_TRUE(StorageMayRecover(absl::ResourceExhaustedError("the disk is full")));
  EXPECT_TRUE(StorageMayRecover(absl::InternalError("an I/O error")));
  EXPECT_FALSE(StorageMayRecover(absl::DataLossError("damaged")));
  EXPECT_FALSE(StorageMayRecover(absl::FailedPreconditionError("of another history")));
  EXPECT_FALSE(StorageMayRecover(absl::OkStatus()));
}

}  // namespace
}  // namespace everfold

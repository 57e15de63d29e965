#include "everfold/store/stream_expectation.h"

#include <gtest/gtest.h>

namespace everfold {
namespace {

TEST(StreamExpectation, AnyHoldsAlways) {
  EXPECT_TRUE(StreamExpectation::Any().Holds(Version(0)));
  EXPECT_TRUE(StreamExpectation::Any().Holds(Version(7)));
}

TEST(StreamExpectation, NoStreamHoldsOnlyForVersionZero) {
  EXPECT_TRUE(StreamExpectation::NoStream().Holds(Version(0)));
  EXPECT_FALSE(StreamExpectation::NoStream().Holds(Version(1)));
}

TEST(StreamExpectation, ExistsHoldsFromVersionOne) {
  EXPECT_FALSE(StreamExpectation::Exists().Holds(Version(0)));
  EXPECT_TRUE(StreamExpectation::Exists().Holds(Version(1)));
}

TEST(StreamExpectation, ExactHoldsForThatVersionOnly) {
  EXPECT_FALSE(StreamExpectation::Exact(Version(5)).Holds(Version(4)));
  EXPECT_TRUE(StreamExpectation::Exact(Version(5)).Holds(Version(5)));
  EXPECT_FALSE(StreamExpectation::Exact(Version(5)).Holds(Version(6)));
  EXPECT_TRUE(StreamExpectation::Exact(Version(0)).Holds(Version(0)));
}

TEST(StreamExpectation, SaysWhatItExpects) {
  EXPECT_EQ(StreamExpectation::Any().ToString(), "any version");
  EXPECT_EQ(StreamExpectation::NoStream().ToString(), "no stream");
  EXPECT_EQ(StreamExpectation::Exists().ToString(), "an existing stream");
  EXPECT_EQ(StreamExpectation::Exact(Version(5)).ToString(), "version 5");
}

}  // namespace
}  // namespace everfold

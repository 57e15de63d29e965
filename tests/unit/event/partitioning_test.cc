#include "everfold/event/partitioning.h"

#include <set>

#include "gtest/gtest.h"

namespace everfold {
namespace {

std::string Placement(const std::string& id) {
  std::string placement;
  AppendPlacement({"", "wallet", id}, placement);
  return placement;
}

TEST(Placement, IsTheWholeStreamWithoutBraces) {
  EXPECT_EQ(Placement("w1"), "wallet/w1");
  EXPECT_EQ(Placement("w}1{"), "wallet/w}1{");
  EXPECT_EQ(Placement("{w1"), "wallet/{w1");
  EXPECT_EQ(Placement("w1}"), "wallet/w1}");
}

TEST(Placement, IsThePartBetweenTheFirstBraces) {
  EXPECT_EQ(Placement("{ann}"), "ann");
  EXPECT_EQ(Placement("{ann}/savings"), "ann");
  EXPECT_EQ(Placement("a{b}c{d}"), "b");
  EXPECT_EQ(Placement("{a{b}"), "a{b");
  EXPECT_EQ(Placement("}{x}"), "x");
}

TEST(Placement, EmptyBracesPlaceNothing) {
  EXPECT_EQ(Placement("{}"), "wallet/{}");
  EXPECT_EQ(Placement("{}{x}"), "wallet/{}{x}");
}

TEST(PartitionOf, StreamsOfOnePlacementShareAPartition) {
  for (std::uint32_t partitions : {1u, 7u, 16u, 1024u}) {
    const PartitionId place = PartitionOf({"t", "wallet", "{ann}/1"}, partitions);
    EXPECT_EQ(PartitionOf({"t", "wallet", "{ann}/2"}, partitions), place);
    EXPECT_EQ(PartitionOf({"t", "order", "x{ann}"}, partitions), place);
    EXPECT_LT(place.value(), partitions);
  }
}

// These decide where stored streams are looked for: they never change.
TEST(PartitionOf, IsStable) {
  EXPECT_EQ(PartitionOf({"", "wallet", "w1"}, 1024), PartitionId(385));
  EXPECT_EQ(PartitionOf({"", "wallet", "w1"}, 16), PartitionId(1));
  EXPECT_EQ(PartitionOf({"acme", "wallet", "w1"}, 1024), PartitionId(379));
  EXPECT_EQ(PartitionOf({"", "wallet", "{ann}"}, 1024), PartitionId(590));
}

TEST(PartitionOf, TheTenantCounts) {
  int apart = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string id = std::to_string(i);
    apart += PartitionOf({"a", "wallet", id}, 1024) != PartitionOf({"b", "wallet", id}, 1024) ? 1 : 0;
  }
  EXPECT_GT(apart, 95);
  // The tenant ends somewhere: "ab" + "c/1" is not "a" + "bc/1".
  EXPECT_NE(PartitionOf({"ab", "c", "1"}, 1024), PartitionOf({"a", "bc", "1"}, 1024));
}

TEST(PartitionOf, SpreadsStreamsOverEveryPartition) {
  std::vector<int> streams(16);
  for (int i = 0; i < 16'000; ++i) ++streams[PartitionOf({"", "wallet", std::to_string(i)}, 16).value()];
  for (const int count : streams) {
    EXPECT_GT(count, 850);
    EXPECT_LT(count, 1150);
  }
}

TEST(PartitionOfDeathTest, NeedsAPartition) {
  EXPECT_DEATH(PartitionOf({"", "wallet", "w1"}, 0), "check failed: partitions >= 1");
  EXPECT_DEATH(PartitionOf({"", "wallet", "w1"}, 1025), "partitions <= kMaxPartitions");
}

}  // namespace
}  // namespace everfold

#include "everfold/projection/snapshot_gate.h"

#include <memory>
#include <optional>

#include "gtest/gtest.h"

namespace everfold {
namespace {

TEST(SnapshotGateTest, TellsThatACommitIsUnderWayAndThatOneWas) {
  SnapshotGate gate;
  const std::optional<std::uint64_t> before = gate.Quiet();
  EXPECT_TRUE(before.has_value());
  EXPECT_EQ(gate.Quiet(), before);
  {
    const SnapshotGate::Commit one(gate);
    EXPECT_EQ(gate.Quiet(), std::nullopt);
    { const SnapshotGate::Commit another(gate); }
    EXPECT_EQ(gate.Quiet(), std::nullopt);
  }
  EXPECT_TRUE(gate.Quiet().has_value());
  EXPECT_NE(gate.Quiet(), before);
}

TEST(SnapshotGateTest, KeepersGiveUpBeforeTheCommit) {
  const auto gate = std::make_shared<SnapshotGate>();
  int one = 0;
  int another = 0;
  const SnapshotGate::Keeper keeper(gate, [&] {
    EXPECT_EQ(gate->Quiet(), std::nullopt);
    ++one;
  });
  {
    const SnapshotGate::Keeper of_a_while(gate, [&another] { ++another; });
    {
      const SnapshotGate::Commit commit(*gate);
      EXPECT_EQ(one, 1);
      EXPECT_EQ(another, 1);
    }
    EXPECT_EQ(one, 1);
  }
  { const SnapshotGate::Commit commit(*gate); }
  EXPECT_EQ(one, 2);
  EXPECT_EQ(another, 1);
}

}  // namespace
}  // namespace everfold

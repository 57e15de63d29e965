// Power is lost at a random operation, over and over. EVERFOLD_POWER_CYCLES=n: so many in all, EVERFOLD_SEED=n: from
// that seed on.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

#include "tests/fault/power_cycles.h"

namespace everfold {
namespace {

constexpr int kCyclesOfAStore = 100;

int FromEnvironment(const char* name, int otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoi(value);
}

TEST(PowerLoss, NothingAcknowledgedIsLost) {
  const int cycles = FromEnvironment("EVERFOLD_POWER_CYCLES", 300);
  std::size_t acknowledged = 0;
  for (int cycle = 0, seed = FromEnvironment("EVERFOLD_SEED", 1); cycle < cycles; ++seed) {
    FaultyDisk disk;
    PowerCycles store(static_cast<std::uint64_t>(seed), disk, disk, seed % 4 == 0);
    for (int i = 0; i < kCyclesOfAStore && cycle < cycles; ++i, ++cycle) {
      store.Cycle();
      ASSERT_THAT(store.ledger().violations(), testing::IsEmpty()) << "seed " << seed << ", cycle " << i;
    }
    acknowledged += store.ledger().acknowledged();
  }
  std::printf("%d losses of power, %d acknowledged appends\n", cycles, static_cast<int>(acknowledged));
  EXPECT_GT(acknowledged, static_cast<std::size_t>(cycles));
}

// What is read at an opening, and not marked, is written to its place again: no moment of that may be its last.
TEST(PowerLoss, AnOpeningThatLosesPowerLosesNothing) {
  int losses = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    FaultyDisk disk;
    StoreOnDisk store(seed, disk);
    store.store_options().index.directory = "";
    ASSERT_EQ(store.Open(), absl::OkStatus());
    for (std::uint64_t i = 0; i < 12; ++i) store.Send(RandomAppend(store.random(), i));
    ASSERT_TRUE(store.Settle());
    for (std::uint64_t n = 1, failures = 0; n == 1 || disk.failures() > failures; ++n, ++losses) {
      failures = disk.failures();
      store.Die();
      disk.FailFrom(n, DiskFault::kIoError, FaultTimes::kForever);
      store.Open().IgnoreError();
      disk.LosePower(store.random());
      store.Die();
      disk.Restore();
      ASSERT_EQ(store.Open(), absl::OkStatus()) << "operation " << n;
      ASSERT_EQ(store.Check(), absl::OkStatus()) << "operation " << n;
      ASSERT_THAT(store.ledger().violations(), testing::IsEmpty()) << "operation " << n;
    }
  }
  EXPECT_GT(losses, 1000);
}

// What was acknowledged a moment ago, with no time for any mark but the one that paranoid waits for.
TEST(PowerLoss, AParanoidStoreRefusesADamagedLastGroup) {
  int refused = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(seed);
    FaultyDisk disk;
    PowerCycles cycles(seed, disk, disk, true);
    StoreOnDisk& store = cycles.store();
    for (std::uint64_t i = 0; i < 1 + seed % 9; ++i) store.Send(RandomAppend(store.random(), i));
    ASSERT_TRUE(store.Settle());
    store.Die();
    const std::unique_ptr<FaultyDisk> damaged = DamageLastGroup(disk, store.random());
    if (damaged == nullptr) continue;  // all of it was refused
    store.log_options().files = store.store_options().index.files = damaged.get();
    const absl::Status opened = store.Open();
    if (opened.ok()) {  // the last group is sealed, and the journal's copy of it of no use
      EXPECT_EQ(store.Check(), absl::OkStatus());
      EXPECT_THAT(store.ledger().violations(), testing::IsEmpty());
      continue;
    }
    EXPECT_EQ(opened.code(), absl::StatusCode::kDataLoss) << opened;
    ++refused;
    store.Die();
  }
  EXPECT_GT(refused, 40);
}

}  // namespace
}  // namespace everfold

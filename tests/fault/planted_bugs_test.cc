// The checks of durability are not blind: a store with a planted bug fails them, soon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fault/careless_files.h"
#include "tests/fault/power_cycles.h"

namespace everfold {
namespace {

constexpr int kSeeds = 6;
constexpr int kCycles = 30;

// What the first store said that was found out; empty if none was.
std::string FirstViolation(Carelessness carelessness, bool paranoid) {
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    FaultyDisk disk;
    CarelessFiles files(disk, carelessness);
    PowerCycles store(seed, disk, files, paranoid);
    for (int i = 0; i < kCycles && store.ledger().violations().empty(); ++i) store.Cycle();
    if (!store.ledger().violations().empty()) return store.ledger().violations().front();
  }
  return "";
}

TEST(PlantedBugs, CarefulFilesPass) {
  EXPECT_EQ(FirstViolation(Carelessness::kNone, false), "");
  EXPECT_EQ(FirstViolation(Carelessness::kNone, true), "");
}

TEST(PlantedBugs, AJournalThatIsNotSyncedIsFound) {
  EXPECT_THAT(FirstViolation(Carelessness::kJournalNotSynced, false), testing::Not(testing::IsEmpty()));
}

TEST(PlantedBugs, AnAcknowledgementBeforeTheSyncIsFound) {
  EXPECT_THAT(FirstViolation(Carelessness::kAcknowledgedBeforeSync, false), testing::HasSubstr("is lost"));
}

TEST(PlantedBugs, AMarkBeforeTheSyncIsFound) {
  EXPECT_THAT(FirstViolation(Carelessness::kMarkedBeforeJournalSynced, true), testing::HasSubstr("DATA_LOSS"));
}

TEST(PlantedBugs, AnIdentityThatIsNotSyncedIsFound) {
  EXPECT_THAT(FirstViolation(Carelessness::kIdentityNotSynced, false), testing::HasSubstr("identity"));
}

TEST(PlantedBugs, DirectoriesThatAreNotSyncedAreFound) {
  EXPECT_THAT(FirstViolation(Carelessness::kDirectoriesNotSynced, false), testing::Not(testing::IsEmpty()));
}

// No loss by itself: but a paranoid store does not notice then that its last group is damaged.
TEST(PlantedBugs, AMarkThatIsNotSyncedIsFoundByDamage) {
  int silent = 0;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    FaultyDisk disk;
    CarelessFiles files(disk, Carelessness::kMarkNotSynced);
    PowerCycles cycles(seed, disk, files, true);
    StoreOnDisk& store = cycles.store();
    store.Send(RandomAppend(store.random(), 0));
    store.Settle();
    disk.LosePower(store.random());
    store.Die();
    disk.Restore();
    const std::unique_ptr<FaultyDisk> damaged = DamageLastGroup(disk, store.random());
    if (damaged == nullptr) continue;
    store.log_options().files = store.store_options().index.files = damaged.get();
    if (!store.Open().ok()) continue;
    EXPECT_EQ(store.Check(), absl::OkStatus());
    silent += store.ledger().violations().empty() ? 0 : 1;
  }
  EXPECT_GT(silent, 0);
}

}  // namespace
}  // namespace everfold

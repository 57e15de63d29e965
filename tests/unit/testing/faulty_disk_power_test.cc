#include <algorithm>
#include <map>
#include <set>

#include "everfold/base/error.h"
#include "everfold/testing/faulty_disk.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

void LoseAndRestorePower(FaultyDisk& disk, RandomSource& random) {
  disk.LosePower(random);
  disk.Restore();
}

void ExpectDead(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), reason::kStorageFailed);
}

TEST(FaultyDiskPower, AllCallsFailOnceItIsLost) {
  FaultyDisk disk;
  const std::unique_ptr<File> file = disk.Create("/f").value();
  SeededRandom random(1);
  disk.LosePower(random);
  ExpectDead(file->WriteAt(0, "x"));
  ExpectDead(file->ReadAt(0, 1).status());
  ExpectDead(file->Sync());
  ExpectDead(file->Size().status());
  ExpectDead(disk.Open("/f").status());
  ExpectDead(disk.Create("/g").status());
  ExpectDead(disk.List("/").status());
  ExpectDead(disk.MakeDirectory("/d"));
  ExpectDead(disk.Rename("/f", "/g"));
  ExpectDead(disk.Remove("/f"));
  ExpectDead(disk.RemoveAll("/f"));
  ExpectDead(disk.SyncDirectory("/"));
  EXPECT_FALSE(disk.Exists("/"));
  EXPECT_EQ(disk.FreeBytes("/"), 0u);
}

TEST(FaultyDiskPower, AFileThatWasOpenBeforeStaysDead) {
  FaultyDisk disk;
  const std::unique_ptr<File> before = disk.Create("/f").value();
  ASSERT_EQ(before->WriteAt(0, "durable"), absl::OkStatus());
  ASSERT_EQ(before->Sync(), absl::OkStatus());
  ASSERT_EQ(disk.SyncDirectory("/"), absl::OkStatus());
  SeededRandom random(1);
  LoseAndRestorePower(disk, random);
  ExpectDead(before->WriteAt(0, "x"));
  EXPECT_EQ(ReadFile(disk, "/f").value(), "durable");
  EXPECT_EQ(disk.Open("/f").value()->WriteAt(0, "DUR"), absl::OkStatus());
  EXPECT_EQ(ReadFile(disk, "/f").value(), "DURable");
}

TEST(FaultyDiskPower, PlannedFaultsEndWithIt) {
  FaultyDisk disk;
  disk.FailFrom(1, DiskFault::kIoError, FaultTimes::kForever);
  SeededRandom random(1);
  LoseAndRestorePower(disk, random);
  EXPECT_EQ(ReplaceFile(disk, "/f", "x"), absl::OkStatus());
}

TEST(FaultyDiskPower, OneSeedIsOneOutcome) {
  const auto left_by = [](std::uint64_t seed) {
    FaultyDisk disk;
    for (const char* path : {"/a", "/b", "/c"}) {
      EXPECT_EQ(disk.Create(path).value()->WriteAt(0, std::string(5'000, 'x')), absl::OkStatus());
    }
    SeededRandom random(seed);
    LoseAndRestorePower(disk, random);
    std::map<std::string, std::string> left;
    for (const std::string& path : disk.AllFiles()) left[path] = ReadFile(disk, path).value();
    return left;
  };
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_TRUE(left_by(seed) == left_by(seed));
  EXPECT_FALSE(left_by(1) == left_by(2));
}

TEST(FaultyDiskPower, AReplacedFileIsTheOldOneOrTheNewOne) {
  SeededRandom random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 300; ++i) {
    FaultyDisk disk;
    ASSERT_EQ(ReplaceFile(disk, "/identity", "old"), absl::OkStatus());
    // The power goes somewhere in the middle.
    disk.FailFrom(1 + random.Below(5), DiskFault::kIoError, FaultTimes::kForever);
    const absl::Status replaced = ReplaceFile(disk, "/identity", std::string(2'000, 'n'));
    LoseAndRestorePower(disk, random);
    const std::string left = ReadFile(disk, "/identity").value();
    EXPECT_TRUE(left == "old" || left == std::string(2'000, 'n')) << left;
    EXPECT_FALSE(replaced.ok());
    seen.insert(left);
  }
  EXPECT_EQ(seen.size(), 2u);
}

// Writes at random to a file, whole sectors of one letter each, and knows of every sector which letters it may show
// after a loss of power: the last that was synced, and those since.
class PowerCycles {
 public:
  PowerCycles() { EXPECT_EQ(ReplaceFile(disk_, kPath, std::string(kSectors * kSector, 'A')), absl::OkStatus()); }

  void Run() {
    for (std::uint64_t steps = random_.Below(20); steps > 0; --steps) Step();
    LoseAndRestorePower(disk_, random_);
    Compare(ReadFile(disk_, kPath).value());
  }

  int kept = 0;
  int lost = 0;
  int reordered = 0;  // kept, though an earlier write was lost
  int torn = 0;
  int flipped = 0;

 private:
  static constexpr char kPath[] = "/f";
  static constexpr std::size_t kSector = 512;
  static constexpr std::size_t kSectors = 16;
  struct Sector {
    std::string letters = "A";  // the first is durable
    int last_write = 0;
  };

  void Step() {
    const std::unique_ptr<File> file = disk_.Open(kPath).value();
    if (random_.Below(8) == 0) {
      ASSERT_EQ(file->Sync(), absl::OkStatus());
      for (Sector& sector : sectors_) sector.letters = sector.letters.back();
      return;
    }
    const char letter = static_cast<char>('A' + random_.Below(26));
    const std::size_t first = random_.Below(kSectors);
    const std::size_t count = 1 + random_.Below(kSectors - first);
    ASSERT_EQ(file->WriteAt(first * kSector, std::string(count * kSector, letter)), absl::OkStatus());
    ++writes_;
    for (std::size_t i = first; i < first + count; ++i) sectors_[i] = {sectors_[i].letters + letter, writes_};
  }

  // What is left is durable from now on.
  void Compare(const std::string& left) {
    ASSERT_EQ(left.size(), kSectors * kSector);
    int first_lost = writes_ + 1;
    for (std::size_t i = 0; i < kSectors; ++i) {
      if (IsLost(left.substr(i * kSector, kSector), sectors_[i]))
        first_lost = std::min(first_lost, sectors_[i].last_write);
    }
    for (std::size_t i = 0; i < kSectors; ++i) {
      const std::string bytes = left.substr(i * kSector, kSector);
      Count(bytes, sectors_[i], first_lost);
      // A torn or damaged sector is written again, for the next cycle to tell letters by.
      if (bytes != std::string(kSector, bytes[0])) {
        Rewrite(i);
      } else {
        sectors_[i].letters = bytes.substr(0, 1);
      }
    }
  }

  static bool IsLost(const std::string& bytes, const Sector& sector) {
    return bytes == std::string(kSector, sector.letters.front()) && sector.letters.front() != sector.letters.back();
  }

  void Count(const std::string& bytes, const Sector& sector, int first_lost) {
    if (sector.letters.size() == 1) {
      EXPECT_EQ(bytes, std::string(kSector, sector.letters[0])) << "a durable sector has changed";
      return;
    }
    const bool whole = bytes == std::string(kSector, bytes[0]);
    const bool is_kept = whole && bytes[0] == sector.letters.back();
    kept += is_kept ? 1 : 0;
    lost += IsLost(bytes, sector) ? 1 : 0;
    reordered += is_kept && sector.last_write > first_lost ? 1 : 0;
    const bool letters_only = bytes.find_first_not_of(sector.letters) == std::string::npos;
    torn += !whole && letters_only ? 1 : 0;
    flipped += letters_only ? 0 : 1;
  }

  void Rewrite(std::size_t i) {
    const std::unique_ptr<File> file = disk_.Open(kPath).value();
    ASSERT_EQ(file->WriteAt(i * kSector, std::string(kSector, 'A')), absl::OkStatus());
    ASSERT_EQ(file->Sync(), absl::OkStatus());
    sectors_[i].letters = "A";
  }

  SeededRandom random_{1};
  FaultyDisk disk_;
  std::vector<Sector> sectors_{kSectors};
  int writes_ = 0;
};

TEST(FaultyDiskPower, WhatWasSyncedSurvivesAThousandLossesAndTheRestMeetsEveryFate) {
  PowerCycles cycles;
  for (int i = 0; i < 1'000; ++i) cycles.Run();
  EXPECT_GT(cycles.kept, 100);
  EXPECT_GT(cycles.lost, 100);
  EXPECT_GT(cycles.reordered, 100);
  EXPECT_GT(cycles.torn, 100);
  EXPECT_GT(cycles.flipped, 20);
}

TEST(FaultyDiskPower, NamesThatWereSyncedSurviveAThousandLossesAndOfTheRestTheFirst) {
  SeededRandom random(1);
  FaultyDisk disk;
  ASSERT_EQ(disk.MakeDirectory("/d"), absl::OkStatus());
  std::size_t names = 0;
  int all_kept = 0;
  int all_lost = 0;
  int some_lost = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::size_t synced = names + random.Below(3);
    const std::size_t made = synced + 2 + random.Below(3);
    for (; names < made; ++names) {
      if (names == synced) {
        ASSERT_EQ(disk.SyncDirectory("/d"), absl::OkStatus());
      }
      ASSERT_TRUE(disk.Create("/d/" + std::to_string(100'000 + names)).ok());
    }
    LoseAndRestorePower(disk, random);
    const std::vector<std::string> left = disk.AllFiles();
    ASSERT_GE(left.size(), synced);
    ASSERT_LE(left.size(), made);
    all_kept += left.size() == made ? 1 : 0;
    all_lost += left.size() == synced ? 1 : 0;
    some_lost += left.size() > synced && left.size() < made ? 1 : 0;
    names = left.size();
    EXPECT_TRUE(left.empty() || left.back() == "/d/" + std::to_string(100'000 + names - 1));
  }
  EXPECT_GT(all_kept, 50);
  EXPECT_GT(all_lost, 50);
  EXPECT_GT(some_lost, 50);
}

}  // namespace
}  // namespace everfold

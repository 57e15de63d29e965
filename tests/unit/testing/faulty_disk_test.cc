#include "everfold/testing/faulty_disk.h"

#include <set>

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "tests/unit/log/files_contract.h"

namespace everfold {
namespace {

using testing::ElementsAre;

class InMemory final : public FilesUnderTest {
 public:
  Files& files() override { return disk_; }
  std::string root() const override { return ""; }

 private:
  FaultyDisk disk_;
};

INSTANTIATE_TEST_SUITE_P(FaultyDisk, FilesContract, testing::Values([] { return std::make_unique<InMemory>(); }));

// A file with these bytes, durable.
void Put(FaultyDisk& disk, const std::string& path, const std::string& bytes) {
  ASSERT_EQ(ReplaceFile(disk, path, bytes), absl::OkStatus());
}

std::string Get(FaultyDisk& disk, const std::string& path) { return ReadFile(disk, path).value(); }

void ExpectIoError(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(ReasonOf(status), reason::kStorageFailed);
  EXPECT_THAT(std::string(status.message()), testing::EndsWith(": Input/output error"));
}

void ExpectDiskFull(const absl::Status& status) {
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(status), reason::kDiskFull);
  EXPECT_THAT(std::string(status.message()), testing::EndsWith(": No space left on device"));
}

TEST(FaultyDisk, TheNthOperationFailsAndHasDoneNothing) {
  FaultyDisk disk;
  const std::unique_ptr<File> file = disk.Create("/f").value();
  disk.FailFrom(3, DiskFault::kIoError, FaultTimes::kOnce);
  EXPECT_EQ(file->WriteAt(0, "one"), absl::OkStatus());
  EXPECT_EQ(file->Sync(), absl::OkStatus());
  EXPECT_EQ(disk.failures(), 0u);
  ExpectIoError(file->WriteAt(0, "three"));
  EXPECT_EQ(disk.failures(), 1u);
  EXPECT_EQ(Get(disk, "/f"), "one");
  EXPECT_EQ(file->WriteAt(0, "four"), absl::OkStatus());
}

TEST(FaultyDisk, FailsForeverUntilItIsToldToStop) {
  FaultyDisk disk;
  Put(disk, "/f", "durable");
  disk.FailFrom(1, DiskFault::kIoError, FaultTimes::kForever);
  for (int i = 0; i < 3; ++i) {
    ExpectIoError(disk.Create("/g").status());
    ExpectIoError(disk.Rename("/f", "/g"));
    ExpectIoError(disk.Remove("/f"));
    ExpectIoError(disk.MakeDirectory("/d"));
    ExpectIoError(disk.SyncDirectory("/"));
  }
  EXPECT_EQ(disk.failures(), 15u);
  EXPECT_THAT(disk.AllFiles(), ElementsAre("/f"));
  EXPECT_EQ(Get(disk, "/f"), "durable");
  disk.StopFailing();
  EXPECT_EQ(disk.Remove("/f"), absl::OkStatus());
}

TEST(FaultyDisk, CountsAndFailsOnlyWhatIsInTheMask) {
  FaultyDisk disk;
  const std::unique_ptr<File> file = disk.Create("/f").value();
  disk.FailFrom(2, DiskFault::kIoError, FaultTimes::kOnce, DiskOperation::kRead);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(file->WriteAt(0, "bytes"), absl::OkStatus());
  EXPECT_EQ(file->ReadAt(0, 5).value(), "bytes");
  ExpectIoError(file->ReadAt(0, 5).status());
  EXPECT_EQ(file->ReadAt(0, 5).value(), "bytes");
  EXPECT_EQ(disk.operations(), 6u);
  EXPECT_EQ(disk.operations(DiskOperation::kWrite), 5u);
  EXPECT_EQ(disk.operations(DiskOperation::kRead | DiskOperation::kCreate), 4u);
}

TEST(FaultyDisk, OnAFullDiskNothingNewFindsRoomAndWhatIsThereCanGo) {
  FaultyDisk disk;
  const std::unique_ptr<File> file = disk.Create("/f").value();
  disk.FailFrom(1, DiskFault::kNoSpace, FaultTimes::kForever);
  ExpectDiskFull(file->WriteAt(0, "bytes"));
  ExpectDiskFull(disk.Create("/g").status());
  ExpectDiskFull(disk.Rename("/f", "/g"));
  EXPECT_EQ(file->Sync(), absl::OkStatus());
  EXPECT_EQ(disk.Remove("/f"), absl::OkStatus());
}

TEST(FaultyDisk, AShortWriteLeavesHalfOfItsBytes) {
  FaultyDisk disk;
  const std::unique_ptr<File> file = disk.Create("/f").value();
  disk.FailFrom(1, DiskFault::kShortWrite, FaultTimes::kOnce);
  EXPECT_EQ(file->Sync(), absl::OkStatus());
  ExpectIoError(file->WriteAt(0, "12345678"));
  EXPECT_EQ(Get(disk, "/f"), "1234");
}

TEST(FaultyDisk, AFailedSyncMayHaveLostWhatItWasToSyncThoughALaterOneSucceeds) {
  FaultyDisk disk;
  SeededRandom random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    Put(disk, "/f", "before");
    const std::unique_ptr<File> file = disk.Open("/f").value();
    ASSERT_EQ(file->WriteAt(0, "second"), absl::OkStatus());
    disk.FailFrom(1, DiskFault::kSyncError, FaultTimes::kOnce);
    ExpectIoError(file->Sync());
    EXPECT_EQ(file->Sync(), absl::OkStatus());
    EXPECT_EQ(Get(disk, "/f"), "second");
    disk.LosePower(random);
    disk.Restore();
    seen.insert(Get(disk, "/f"));
  }
  EXPECT_THAT(seen, testing::IsSupersetOf({"before", "second"}));
}

TEST(FaultyDisk, DamagesWhatItIsToldTo) {
  FaultyDisk disk;
  for (const char* path : {"/a", "/b", "/c"}) Put(disk, path, std::string("12345678") + path);
  disk.FlipBit("/a", 1, 2);
  EXPECT_EQ(Get(disk, "/a"), "16345678/a");
  disk.Truncate("/a", 4);
  EXPECT_EQ(Get(disk, "/a"), "1634");
  disk.Zero("/b", 2, 5);
  EXPECT_EQ(Get(disk, "/b"), std::string("12\0\0\0", 5) + "678/b");
  disk.Swap("/a", "/c");
  EXPECT_EQ(Get(disk, "/a"), "12345678/c");
  EXPECT_EQ(Get(disk, "/c"), "1634");
  disk.Lose("/b");
  EXPECT_EQ(disk.Open("/b").status().code(), absl::StatusCode::kNotFound);
}

TEST(FaultyDisk, DamageIsDurableAndNoOperation) {
  FaultyDisk disk;
  for (const char* path : {"/a", "/b"}) Put(disk, path, "12345678");
  const std::uint64_t operations = disk.operations();
  disk.FailFrom(1, DiskFault::kIoError, FaultTimes::kForever);
  disk.Zero("/a", 0, 8);
  disk.Lose("/b");
  EXPECT_EQ(disk.operations(), operations);
  SeededRandom random(1);
  disk.LosePower(random);
  disk.Restore();
  EXPECT_EQ(Get(disk, "/a"), std::string(8, '\0'));
  EXPECT_FALSE(disk.Exists("/b"));
}

TEST(FaultyDisk, ListsAllFiles) {
  FaultyDisk disk;
  ASSERT_EQ(disk.MakeDirectory("/store/journal"), absl::OkStatus());
  for (const char* path : {"/store/journal/2", "/store/journal/1", "/identity"}) Put(disk, path, "");
  EXPECT_THAT(disk.AllFiles(), ElementsAre("/identity", "/store/journal/1", "/store/journal/2"));
}

TEST(FaultyDisk, ACopyIsADiskOfItsOwn) {
  FaultyDisk disk;
  ASSERT_EQ(disk.MakeDirectory("/a/b"), absl::OkStatus());
  for (const char* path : {"/a/b/1", "/a/b/2", "/a/3"}) Put(disk, path, path);
  const std::unique_ptr<FaultyDisk> copy = disk.Copy();
  copy->Truncate("/a/b/1", 0);
  SeededRandom random(1);
  copy->LosePower(random);
  copy->Restore();
  EXPECT_EQ(copy->AllFiles(), disk.AllFiles());
  EXPECT_EQ(Get(*copy, "/a/b/1"), "");
  EXPECT_EQ(Get(*copy, "/a/3"), "/a/3");
  EXPECT_EQ(Get(disk, "/a/b/1"), "/a/b/1");
}

TEST(FaultyDisk, TellsTheFreeSpaceThatItWasTold) {
  FaultyDisk disk;
  disk.set_free_bytes(12'345);
  EXPECT_EQ(disk.FreeBytes("/"), 12'345u);
  EXPECT_EQ(disk.FreeBytes("/missing"), 0u);
  SeededRandom random(1);
  disk.LosePower(random);
  disk.Restore();
  EXPECT_EQ(disk.FreeBytes("/"), 12'345u);
}

}  // namespace
}  // namespace everfold

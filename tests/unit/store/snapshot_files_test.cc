#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "absl/synchronization/notification.h"
#include "everfold/base/error.h"
#include "everfold/log/files/files.h"
#include "everfold/store/snapshots/snapshot_bytes.h"
#include "everfold/store/snapshots/snapshot_store.h"
#include "everfold/testing/faulty_disk.h"
#include "everfold/testing/scratch_directory.h"
#include "tests/unit/projection/file_size_limit.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;

const std::string kKey(kSnapshotKeyBytes, 'k');
const std::string kOtherKey(kSnapshotKeyBytes, 'o');

class SnapshotFilesTest : public ::testing::Test {
 protected:
  std::unique_ptr<SnapshotStore> Open() {
    auto opened = OpenSnapshotFiles({.files = &PosixFiles(), .directory = Directory()}, began_anew_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return *std::move(opened);
  }
  std::string Directory() const { return directory_.path() + "/snapshots"; }
  static void Close(std::unique_ptr<SnapshotStore> snapshots) {
    absl::Notification closed;
    snapshots->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
  }
  // What is saved so far is there to be found.
  void Reopen(std::unique_ptr<SnapshotStore>& snapshots) {
    Close(std::move(snapshots));
    snapshots = Open();
  }

  testing::ScratchDirectory directory_;
  std::string began_anew_;
};

TEST_F(SnapshotFilesTest, FindsWhatWasSavedUnderItsKey) {
  const StreamId stream = {"", "wallet", "w1"};
  std::unique_ptr<SnapshotStore> snapshots = Open();
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), std::nullopt);
  snapshots->Save(stream, kKey, {Version(7), "seven"});
  snapshots->Save({"other", "wallet", "w1"}, kKey, {Version(3), "three"});
  Reopen(snapshots);
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), (Snapshot{Version(7), "seven"}));
  EXPECT_EQ(snapshots->Find(stream, kOtherKey).value(), std::nullopt);
  EXPECT_EQ(snapshots->Find({"other", "wallet", "w1"}, kKey).value(), (Snapshot{Version(3), "three"}));
  EXPECT_EQ(began_anew_, "");
  Close(std::move(snapshots));
}

TEST_F(SnapshotFilesTest, KeepsTheLastOneOfAStream) {
  const StreamId stream = {"", "wallet", "w1"};
  std::unique_ptr<SnapshotStore> snapshots = Open();
  snapshots->Save(stream, kKey, {Version(7), "seven"});
  snapshots->Save(stream, kOtherKey, {Version(8), "eight"});
  Reopen(snapshots);
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), std::nullopt);
  EXPECT_EQ(snapshots->Find(stream, kOtherKey).value(), (Snapshot{Version(8), "eight"}));
  snapshots->Drop(stream);
  Reopen(snapshots);
  EXPECT_EQ(snapshots->Find(stream, kOtherKey).value(), std::nullopt);
  Close(std::move(snapshots));
}

// Found by a review: it came back.
TEST_F(SnapshotFilesTest, WhatWasDroppedDoesNotComeBackAfterACrash) {
  const StreamId stream = {"", "wallet", "w1"};
  std::unique_ptr<SnapshotStore> snapshots = Open();
  snapshots->Save(stream, kKey, {Version(7), "wrong"});
  Reopen(snapshots);
  snapshots->Drop(stream);
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), std::nullopt);
  // What a process finds that comes after one that was killed now.
  const std::string left = directory_.path() + "/left";
  std::filesystem::copy(Directory(), left, std::filesystem::copy_options::recursive);
  Close(std::move(snapshots));
  auto opened = OpenSnapshotFiles({.files = &PosixFiles(), .directory = left}, began_anew_);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(began_anew_, "");
  EXPECT_EQ((*opened)->Find(stream, kKey).value(), std::nullopt);
  Close(*std::move(opened));
}

TEST_F(SnapshotFilesTest, WhatIsDroppedIsNotWrittenLater) {
  const StreamId stream = {"", "wallet", "w1"};
  std::unique_ptr<SnapshotStore> snapshots = Open();
  snapshots->Save(stream, kKey, {Version(7), "wrong"});  // it may be written just now, or wait
  snapshots->Drop(stream);
  Reopen(snapshots);
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), std::nullopt);
  snapshots->Save(stream, kKey, {Version(8), "right"});
  Reopen(snapshots);
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), (Snapshot{Version(8), "right"}));
  Close(std::move(snapshots));
}

TEST_F(SnapshotFilesTest, BeginsAnewWhenItIsDamaged) {
  const StreamId stream = {"", "wallet", "w1"};
  std::unique_ptr<SnapshotStore> snapshots = Open();
  snapshots->Save(stream, kKey, {Version(7), "seven"});
  Close(std::move(snapshots));
  snapshots = nullptr;
  for (const auto& file : std::filesystem::directory_iterator(Directory())) {
    if (file.path().filename().string().starts_with("MANIFEST")) std::ofstream(file.path()) << "damaged";
  }
  snapshots = Open();
  EXPECT_THAT(began_anew_, HasSubstr("snapshots could not be opened"));
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), std::nullopt);
  snapshots->Save(stream, kKey, {Version(8), "eight"});
  Reopen(snapshots);
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), (Snapshot{Version(8), "eight"}));
  Close(std::move(snapshots));
}

TEST_F(SnapshotFilesTest, IsOpenOnce) {
  const std::unique_ptr<SnapshotStore> snapshots = Open();
  std::string why;
  const auto second = OpenSnapshotFiles({.files = &PosixFiles(), .directory = Directory()}, why);
  EXPECT_EQ(ReasonOf(second.status()), reason::kStoreLocked);
}

TEST_F(SnapshotFilesTest, WhatDoesNotFitIsNotSaved) {
  const StreamId stream = {"", "wallet", "w1"};
  std::string why;
  auto snapshots =
      OpenSnapshotFiles({.files = &PosixFiles(), .directory = Directory(), .max_waiting_bytes = 100}, why).value();
  snapshots->Save(stream, kKey, {Version(7), std::string(200, 's')});
  EXPECT_EQ(snapshots->counts().dropped, 1u);
  Close(std::move(snapshots));
}

TEST_F(SnapshotFilesTest, ADiskThatFailsTakesSnapshotsAndNothingElse) {
  const StreamId stream = {"", "wallet", "w1"};
  std::unique_ptr<SnapshotStore> snapshots = Open();
  snapshots->Save(stream, kKey, {Version(7), "seven"});
  {
    const FileSizeLimit failing(1);
    Close(std::move(snapshots));
  }
  snapshots = Open();
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), std::nullopt);
  Close(std::move(snapshots));
}

// RocksDB's first flush after an error says OK at times and leaves out what was written last: that is one snapshot that
// is not there, which nobody minds; those that follow are.
TEST(SnapshotFilesOnAFullDiskTest, AreSavedAgainWhenThereIsRoom) {
  const StreamId stream = {"", "wallet", "w1"};
  FaultyDisk disk;
  std::string why;
  auto snapshots = OpenSnapshotFiles({.files = &disk, .directory = "/snapshots"}, why).value();
  const auto flush = [&snapshots] {
    absl::Notification flushed;
    snapshots->Close([&flushed] { flushed.Notify(); });
    flushed.WaitForNotification();
  };
  snapshots->Save(stream, kKey, {Version(7), "seven"});
  disk.FailFrom(1, DiskFault::kNoSpace, FaultTimes::kForever, DiskOperation::kWrite | DiskOperation::kCreate);
  flush();
  EXPECT_GT(snapshots->counts().failed, 0u);
  disk.StopFailing();
  for (int i = 0; i < 3; ++i) {
    snapshots->Save(stream, kKey, {Version(8), "eight"});
    flush();
  }
  snapshots = nullptr;
  snapshots = OpenSnapshotFiles({.files = &disk, .directory = "/snapshots"}, why).value();
  EXPECT_EQ(why, "");
  EXPECT_EQ(snapshots->Find(stream, kKey).value(), (Snapshot{Version(8), "eight"}));
}

TEST(SnapshotBytes, OfAnotherFormatAreNobodys) {
  const std::string bytes = EncodeSnapshot({Version(300), "state"}, kKey);
  EXPECT_EQ(DecodeSnapshot(bytes, kKey).value(), (Snapshot{Version(300), "state"}));
  EXPECT_EQ(DecodeSnapshot('\2' + bytes.substr(1), kKey).value(), std::nullopt);
  EXPECT_EQ(DecodeSnapshot(bytes.substr(0, 20), kKey).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeSnapshot("", kKey).status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace everfold

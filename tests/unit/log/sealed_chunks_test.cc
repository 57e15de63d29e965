#include "everfold/log/embedded/sealed_chunks.h"

#include "everfold/event/chunk_header.h"
#include "everfold/testing/faulty_disk.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"

namespace everfold {
namespace {

constexpr std::uint32_t kPartitions = 2;
constexpr PartitionId kPartition{1};
constexpr SealedChunks::MergeLimits kLimits{.room_bytes = std::uint64_t{1} << 40};

class SealedChunksTest : public testing::Test {
 protected:
  SealedChunksTest() { Open(/*create=*/true); }

  void Open(bool create) { ASSERT_EQ(TryOpen(create), absl::OkStatus()); }
  absl::Status TryOpen(bool create) {
    sealed_ = nullptr;
    auto sealed = SealedChunks::Open(disk_, "/sealed", identity_, create);
    if (sealed.ok()) sealed_ = *std::move(sealed);
    return sealed.status();
  }

  // Adds a file with so many chunks of some 10 KB, which resemble each other.
  void Seal(int chunks) {
    std::vector<std::vector<TailChunkPtr>> all(kPartitions);
    for (int i = 0; i < chunks; ++i) {
      const ChunkAppend chunk = MakeChunk(kPartition, head_, {.events = 50, .payload_bytes = 200});
      all[kPartition.value()].push_back(std::make_shared<const TailChunk>(
          TailChunk{.first_offset = head_.offset.Next(), .head = chunk.new_head, .bytes = chunk.bytes}));
      head_ = chunk.new_head;
      written_.push_back(*chunk.bytes);
    }
    SealedCheckpoint checkpoint{.group = {}, .heads = std::vector<PartitionHead>(kPartitions)};
    checkpoint.heads[kPartition.value()] = head_;
    ASSERT_EQ(sealed_->Seal(all, checkpoint), absl::OkStatus());
  }

  // The chunks behind `after`, and that each has the header that the cursor says.
  std::vector<std::string> ReadBehind(Offset after) const {
    std::vector<std::string> chunks;
    EXPECT_EQ(TryReadBehind(after, chunks), absl::OkStatus());
    return chunks;
  }
  absl::Status TryReadBehind(Offset after, std::vector<std::string>& chunks) const {
    const std::unique_ptr<SealedCursor> cursor = sealed_->Read(kPartition, after, 0);
    absl::StatusOr<bool> found = cursor->Next();
    for (; found.ok() && *found; found = cursor->Next()) {
      chunks.emplace_back(cursor->chunk());
      EXPECT_EQ(cursor->header(), DecodeChunkHeader(cursor->chunk()).value());
    }
    return found.status();
  }

  FaultyDisk disk_;
  const LogIdentity identity_{.epoch = {std::string(16, 'e')}, .partitions = kPartitions, .key = std::string(32, 'k')};
  std::unique_ptr<SealedChunks> sealed_;
  PartitionHead head_;
  std::vector<std::string> written_;
};

TEST_F(SealedChunksTest, LongReadsGoOnWhereTheyChangeTheirWay) {
  Seal(200);
  EXPECT_EQ(ReadBehind(Offset(0)), written_);
  EXPECT_EQ(ReadBehind(Offset(50 * 120)), std::vector(written_.begin() + 120, written_.end()));
  EXPECT_EQ(ReadBehind(Offset(50 * 199)), std::vector(written_.begin() + 199, written_.end()));
}

TEST_F(SealedChunksTest, FewSmallFilesStay) {
  for (int i = 0; i < 7; ++i) Seal(3);
  EXPECT_FALSE(sealed_->Merge(kLimits).value());
  EXPECT_EQ(sealed_->size().files, 7);
}

TEST_F(SealedChunksTest, SmallFilesAreMergedIntoOneThatIsSmallerThanAllOfThem) {
  for (int i = 0; i < 8; ++i) Seal(20);
  const SealedChunks::Size before = sealed_->size();
  EXPECT_EQ(before.files, 8);
  ASSERT_TRUE(sealed_->Merge(kLimits).value());
  EXPECT_FALSE(sealed_->Merge(kLimits).value());
  for (int opened = 0; opened < 2; ++opened) {
    EXPECT_EQ(sealed_->size().files, 1);
    EXPECT_LT(sealed_->size().bytes, before.bytes);
    EXPECT_EQ(sealed_->VerifyChecksums(), absl::OkStatus());
    EXPECT_EQ(ReadBehind(Offset(0)), written_);
    Open(/*create=*/false);
  }
}

TEST_F(SealedChunksTest, AMergedFileIsMergedAgainWhenAsMuchHasFollowed) {
  for (int i = 0; i < 8; ++i) Seal(100);
  ASSERT_TRUE(sealed_->Merge(kLimits).value());
  for (int i = 0; i < 8; ++i) Seal(1);
  EXPECT_FALSE(sealed_->Merge(kLimits).value());
  for (int i = 0; i < 3; ++i) Seal(300);
  EXPECT_TRUE(sealed_->Merge(kLimits).value());
  EXPECT_EQ(sealed_->size().files, 1);
  EXPECT_EQ(ReadBehind(Offset(0)), written_);
}

TEST_F(SealedChunksTest, NothingIsMergedWithoutRoomForIt) {
  for (int i = 0; i < 8; ++i) Seal(20);
  const std::uint64_t bytes = sealed_->size().bytes;
  EXPECT_FALSE(sealed_->Merge({.room_bytes = bytes - 1}).value());
  EXPECT_EQ(sealed_->size().files, 8);
  EXPECT_TRUE(sealed_->Merge({.room_bytes = bytes}).value());
  EXPECT_EQ(sealed_->size().files, 1);
}

TEST_F(SealedChunksTest, AMergeNamesADamagedFileAndSealingGoesOn) {
  for (int i = 0; i < 8; ++i) Seal(20);
  std::string damaged;
  for (const std::string& file : disk_.AllFiles()) {
    if (file.starts_with("/sealed/") && file.ends_with(".sst")) damaged = file;
  }
  disk_.FlipBit(damaged, 1000, 3);
  Open(/*create=*/false);
  const absl::Status met = sealed_->Merge(kLimits).status();
  EXPECT_EQ(met.code(), absl::StatusCode::kDataLoss);
  EXPECT_NE(met.message().find(damaged), std::string::npos) << met;
  Seal(20);
  EXPECT_EQ(sealed_->size().files, 9);
}

TEST_F(SealedChunksTest, FilesAreMergedInPortionsAboveANumberOfThem) {
  for (int i = 0; i < 20; ++i) Seal(20);
  const SealedChunks::Size size = sealed_->size();
  SealedChunks::MergeLimits limits = kLimits;
  limits.bytes = size.bytes / 4;
  limits.above_small_files = 20;
  EXPECT_FALSE(sealed_->Merge(limits).value());
  limits.above_small_files = 19;
  EXPECT_TRUE(sealed_->Merge(limits).value());
  EXPECT_LT(sealed_->size().files, 19);
  EXPECT_GT(sealed_->size().files, 10);
  EXPECT_FALSE(sealed_->Merge(limits).value());
  EXPECT_EQ(ReadBehind(Offset(0)), written_);
}

// Several files behind each other: a cursor goes from one to the next.
TEST_F(SealedChunksTest, NoReadErrorIsTakenForTheEnd) {
  for (int i = 0; i < 7; ++i) Seal(2);
  std::uint64_t whole = 0;
  for (std::uint64_t n = 1; whole < 2; ++n) {
    const std::uint64_t before = disk_.failures();
    disk_.FailFrom(n, DiskFault::kIoError, FaultTimes::kForever, DiskOperation::kRead);
    std::vector<std::string> chunks;
    absl::Status status = TryOpen(/*create=*/false);
    if (status.ok()) status = TryReadBehind(Offset(0), chunks);
    const bool failed = disk_.failures() > before;
    disk_.StopFailing();
    EXPECT_TRUE(status.ok() || failed) << status;
    if (!status.ok()) continue;
    EXPECT_EQ(chunks, written_) << "operation " << n;
    whole += !failed;
  }
}

TEST_F(SealedChunksTest, AReadErrorInAMergeLosesNothing) {
  for (int i = 0; i < 8; ++i) Seal(2);
  bool failed = true;
  for (std::uint64_t n = 1; failed; ++n) {
    const std::uint64_t before = disk_.failures();
    disk_.FailFrom(n, DiskFault::kIoError, FaultTimes::kForever, DiskOperation::kRead);
    if (TryOpen(/*create=*/false).ok()) sealed_->Merge(kLimits).IgnoreError();
    failed = disk_.failures() > before;
    disk_.StopFailing();
    Open(/*create=*/false);
    ASSERT_EQ(ReadBehind(Offset(0)), written_) << "operation " << n;
  }
  EXPECT_EQ(sealed_->size().files, 1);
}

}  // namespace
}  // namespace everfold

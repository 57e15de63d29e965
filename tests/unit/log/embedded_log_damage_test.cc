// Damaged and missing files: the log refuses and says so, it never ends early.
#include <fstream>
#include <iterator>

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/log/log_driver.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint32_t kChunks = 40;

class EmbeddedLogDamageTest : public testing::Test {
 protected:
  std::string Store() const { return scratch_.path() / "store"; }

  // Chunks of about 4 KB in partition 0.
  void Fill() {
    const auto log = OpenOrDie(Store(), 2);
    PartitionHead head;
    for (std::uint32_t i = 0; i < kChunks; ++i) {
      ChunkAppend chunk = MakeChunk(PartitionId(0), head, {.events = 4, .payload_bytes = 1000});
      head = chunk.new_head;
      chunks_.push_back(chunk.bytes);
      ASSERT_EQ(AppendAndWait(*log, {std::move(chunk)}), absl::OkStatus());
    }
    CloseAndWait(*log);
  }
  // Opening moves what is in the write-ahead log into a table file.
  void FillTables() {
    Fill();
    CloseAndWait(*OpenOrDie(Store()));
  }

  // The biggest file with that extension.
  fs::path Biggest(const std::string& extension) const {
    fs::path biggest;
    for (const fs::directory_entry& entry : fs::directory_iterator(Store())) {
      const bool fits = entry.path().extension() == extension;
      if (fits && (biggest.empty() || fs::file_size(entry) > fs::file_size(biggest))) biggest = entry.path();
    }
    return biggest;
  }
  absl::Status OpenStatus() {
    SystemRandom random;
    return EmbeddedLog::Open({.directory = Store(), .reserved_bytes = 0}, random).status();
  }
  void ExpectRefusal(const std::string& text) {
    const absl::Status refused = OpenStatus();
    EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(ReasonOf(refused), reason::kDataLoss);
    EXPECT_THAT(std::string(refused.message()), HasSubstr(text));
  }

  ScratchDirectory scratch_;
  std::vector<std::string> chunks_;
};

void FlipBit(const fs::path& file, std::uintmax_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(stream.get() ^ 0x10);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(byte);
}

TEST_F(EmbeddedLogDamageTest, AFlippedBitInATableIsDataLossAndNeverAnEarlyEnd) {
  FillTables();
  const fs::path table = Biggest(".sst");
  const std::uintmax_t size = fs::file_size(table);
  ASSERT_GT(size, 100'000u);
  int found_at_open = 0, found_by_reading = 0;
  for (std::uintmax_t at = 17; at < size; at += size / 60) {
    FlipBit(table, at);
    SystemRandom random;
    const auto log = EmbeddedLog::Open({.directory = Store(), .reserved_bytes = 0}, random);
    if (log.ok()) {
      const Reading reading = ReadPartition(**log, 0);
      EXPECT_EQ(reading.status.code(), absl::StatusCode::kDataLoss) << "byte " << at;
      EXPECT_EQ(ReasonOf(reading.status), reason::kDataLoss);
      ASSERT_LT(reading.chunks.size(), chunks_.size());
      EXPECT_TRUE(std::equal(reading.chunks.begin(), reading.chunks.end(), chunks_.begin())) << "byte " << at;
      ++found_by_reading;
    } else {
      EXPECT_EQ(log.status().code(), absl::StatusCode::kDataLoss) << "byte " << at;
      ++found_at_open;
    }
    FlipBit(table, at);
  }
  EXPECT_GT(found_by_reading, 40);
  EXPECT_GT(found_at_open, 0);
  EXPECT_EQ(ReadPartition(*OpenOrDie(Store()), 0).chunks, chunks_);
}

TEST_F(EmbeddedLogDamageTest, AReaderThatMetDamageMeetsItAgain) {
  FillTables();
  FlipBit(Biggest(".sst"), 50'000);
  const auto log = OpenOrDie(Store());
  auto cursor = *log->Read(PartitionId(0), Offset(0));
  absl::StatusOr<bool> more = cursor->Next();
  while (more.ok() && *more) more = cursor->Next();
  EXPECT_EQ(more.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(cursor->Next().status(), more.status());
}

TEST_F(EmbeddedLogDamageTest, AFlippedBitInTheMiddleOfTheWriteAheadLogIsRefused) {
  Fill();
  const fs::path wal = Biggest(".log");
  for (const std::uintmax_t at : {20'000u, 50'001u, 90'002u}) {
    FlipBit(wal, at);
    ExpectRefusal("does not open: Corruption");
    FlipBit(wal, at);
  }
  EXPECT_EQ(ReadPartition(*OpenOrDie(Store()), 0).chunks, chunks_);
}

TEST_F(EmbeddedLogDamageTest, ATornTailIsCutOff) {
  Fill();
  const fs::path wal = Biggest(".log");
  fs::resize_file(wal, fs::file_size(wal) - 100);
  chunks_.pop_back();
  const auto log = OpenOrDie(Store());
  const Reading reading = ReadPartition(*log, 0);
  EXPECT_EQ(reading.status, absl::OkStatus());
  EXPECT_EQ(reading.chunks, chunks_);
  EXPECT_EQ(log->Head(PartitionId(0)), (PartitionHead{Offset(4 * (kChunks - 1)), kChunks - 1}));
}

TEST_F(EmbeddedLogDamageTest, AMissingTableIsRefused) {
  FillTables();
  fs::remove(Biggest(".sst"));
  ExpectRefusal("does not open: Corruption");
}

TEST_F(EmbeddedLogDamageTest, AMissingCurrentFileIsRefusedAndNothingIsTouched) {
  FillTables();
  const fs::path table = Biggest(".sst");
  fs::remove(fs::path(Store()) / "CURRENT");
  ExpectRefusal("has data but no CURRENT file");
  EXPECT_TRUE(fs::exists(table));
}

TEST_F(EmbeddedLogDamageTest, AMissingManifestIsRefused) {
  FillTables();
  for (const fs::directory_entry& entry : fs::directory_iterator(Store())) {
    if (entry.path().filename().string().starts_with("MANIFEST")) fs::remove(entry.path());
  }
  ExpectRefusal("does not open");
}

TEST_F(EmbeddedLogDamageTest, AStoreThatLostItsWriteAheadLogIsStillTheSameStore) {
  Fill();
  const LogIdentity identity = OpenOrDie(Store())->identity();
  fs::remove(Biggest(".log"));
  EXPECT_EQ(OpenOrDie(Store())->identity(), identity);
}

}  // namespace
}  // namespace everfold

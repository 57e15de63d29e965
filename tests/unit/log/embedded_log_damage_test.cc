// Damaged and missing files: the log refuses and says so, it never ends early, and it changes nothing.
#include <fstream>
#include <functional>
#include <iterator>

#include "everfold/base/error.h"
#include "everfold/log/embedded/journal_record.h"
#include "everfold/log/embedded/new_store.h"
#include "everfold/log/embedded/store_identity.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/contract/chunk_making.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/log/log_driver.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr std::uint32_t kChunks = 40;

class EmbeddedLogDamageTest : public testing::Test {
 protected:
  std::string Store() const { return scratch_.path() / "store"; }

  // Chunks of about 4 KB in partition 0.
  void Fill(bool seal = false) {
    const auto log = OpenOrDie(Store(), 2);
    PartitionHead head;
    for (std::uint32_t i = 0; i < kChunks; ++i) {
      ChunkAppend chunk = MakeChunk(PartitionId(0), head, {.events = 4, .payload_bytes = 1000});
      head = chunk.new_head;
      chunks_.push_back(*chunk.bytes);
      ASSERT_EQ(AppendAndWait(*log, {std::move(chunk)}), absl::OkStatus());
    }
    if (seal) {
      ASSERT_EQ(SealAndWait(*log), absl::OkStatus());
    }
    CloseAndWait(*log);
  }

  // The biggest file of the directory that fits.
  fs::path Biggest(const fs::path& directory, const std::string& extension) const {
    fs::path biggest;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
      const bool fits = entry.path().extension() == extension;
      if (fits && (biggest.empty() || fs::file_size(entry) > fs::file_size(biggest))) biggest = entry.path();
    }
    return biggest;
  }
  fs::path Sealed() const { return fs::path(Store()) / "sealed"; }
  JournalKey Key() const { return JournalKeyOf(DecodeIdentity(Bytes(fs::path(Store()) / "identity"))->key); }
  // The file of the journal that has records, and where they begin.
  fs::path JournalFile() const {
    if (!fs::exists(fs::path(Store()) / "journal")) return {};
    for (const fs::directory_entry& entry : fs::directory_iterator(fs::path(Store()) / "journal")) {
      if (HasJournalRecords(Bytes(entry.path()))) return entry.path();
    }
    return {};
  }
  std::vector<std::size_t> Records(const fs::path& file) const {
    const std::string bytes = Bytes(file);
    std::vector<std::size_t> positions = {0};
    while (const auto record = DecodeJournalRecord(bytes, positions.back(), Key())) {
      positions.push_back(positions.back() + record->bytes);
    }
    return positions;
  }
  static std::string Bytes(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  absl::Status OpenStatus() {
    SystemRandom random;
    return EmbeddedLog::Open(SmallLog(Store()), LogExecutor(), random).status();
  }
  void ExpectRefusal(const std::string& text) {
    const std::string journal_before = Bytes(JournalFile());
    const absl::Status refused = OpenStatus();
    EXPECT_EQ(refused.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(ReasonOf(refused), reason::kDataLoss);
    EXPECT_THAT(std::string(refused.message()), HasSubstr(text));
    EXPECT_EQ(Bytes(JournalFile()), journal_before);
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

void Zero(const fs::path& file, std::size_t from, std::size_t to) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(from));
  stream << std::string(to - from, '\0');
}

TEST_F(EmbeddedLogDamageTest, AFlippedBitInASealedFileIsDataLossAndNeverAnEarlyEnd) {
  Fill(true);
  const fs::path table = Biggest(Sealed(), ".sst");
  const std::uintmax_t size = fs::file_size(table);
  ASSERT_GT(size, 100'000u);
  int found_at_open = 0, found_by_reading = 0;
  for (std::uintmax_t at = 17; at < size; at += size / 60) {
    FlipBit(table, at);
    SystemRandom random;
    const auto log = EmbeddedLog::Open(SmallLog(Store()), LogExecutor(), random);
    if (log.ok()) {
      EXPECT_EQ((*log)->VerifyFiles().code(), absl::StatusCode::kDataLoss) << "byte " << at;
      const Reading reading = ReadPartition(**log, 0);
      // Not every byte is read to find the chunks; but no chunk is missing without a word.
      if (!reading.status.ok()) {
        EXPECT_EQ(reading.status.code(), absl::StatusCode::kDataLoss) << "byte " << at;
        EXPECT_EQ(ReasonOf(reading.status), reason::kDataLoss);
      }
      EXPECT_EQ(reading.chunks.size() == chunks_.size(), reading.status.ok()) << "byte " << at;
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

// The journal's files are used over and over, and hold what callers have sent: a payload that is made to look like a
// record must not be taken for one.
TEST_F(EmbeddedLogDamageTest, ARecordThatWasMadeWithoutTheStoresKeyIsNone) {
  Fill();
  const fs::path file = JournalFile();
  const std::uint64_t behind = Records(file).back();
  for (const JournalKey key : {JournalKey{0}, Key() ^ 1, Key()}) {
    constexpr GroupNumber kFar = GroupNumber{1} << 40;
    std::string record;
    EncodeJournalRecord({.segment = 1, .position = behind, .writer = 1, .group = kFar, .durable_group = kFar}, {}, key,
                        record);
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekp(static_cast<std::streamoff>(behind));
    stream << record;
    stream.close();
    EXPECT_EQ(OpenStatus().code(), key == Key() ? absl::StatusCode::kDataLoss : absl::StatusCode::kOk);
  }
}

TEST_F(EmbeddedLogDamageTest, AReaderThatMetDamageMeetsItAgain) {
  Fill(true);
  FlipBit(Biggest(Sealed(), ".sst"), 50'000);
  const auto log = OpenOrDie(Store());
  auto cursor = *log->Read(PartitionId(0), Offset(0));
  absl::StatusOr<bool> more = cursor->Next();
  while (more.ok() && *more) more = cursor->Next();
  EXPECT_EQ(more.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(cursor->Next().status(), more.status());
}

TEST_F(EmbeddedLogDamageTest, AFlippedBitInARecordOfTheJournalIsRefusedWhereverItIs) {
  Fill();
  const fs::path journal = JournalFile();
  const std::vector<std::size_t> records = Records(journal);
  ASSERT_EQ(records.size(), kChunks + 1);
  for (std::size_t i = 0; i < kChunks; ++i) {
    const std::size_t at = records[i] + (i % 2 == 0 ? 5 : 2000);
    FlipBit(journal, at);
    ExpectRefusal("groups " + std::to_string(i + 1) + " to 40 are missing");
    FlipBit(journal, at);
  }
  EXPECT_EQ(ReadPartition(*OpenOrDie(Store()), 0).chunks, chunks_);
}

TEST_F(EmbeddedLogDamageTest, ATornGroupThatWasNeverDurableIsCutOff) {
  Fill();
  const fs::path journal = JournalFile();
  const std::string whole = Bytes(journal);
  const std::vector<std::size_t> records = Records(journal);
  // The record of a group 41 that was on its way when the power failed: another one, moved here, will do.
  std::fstream stream(journal, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(static_cast<std::streamoff>(records.back()));
  stream << whole.substr(records[0], records[1] - records[0]) << std::flush;
  auto log = OpenOrDie(Store());
  EXPECT_EQ(ReadPartition(*log, 0).chunks, chunks_);
  const ChunkAppend next = MakeChunk(PartitionId(0), log->Head(PartitionId(0)));
  ASSERT_EQ(AppendAndWait(*log, {next}), absl::OkStatus());
  CloseAndWait(*log);
  log = nullptr;
  chunks_.push_back(*next.bytes);
  EXPECT_EQ(ReadPartition(*OpenOrDie(Store()), 0).chunks, chunks_);
}

TEST_F(EmbeddedLogDamageTest, AJournalThatWasZeroedFromSomewhereOnIsRefused) {
  Fill();
  const fs::path journal = JournalFile();
  const std::vector<std::size_t> records = Records(journal);
  Zero(journal, records[30], records.back());
  ExpectRefusal(
      "groups 31 to 40 are missing: the journal ends with group 30, but the high-water file says that group "
      "40 was durable");
}

TEST_F(EmbeddedLogDamageTest, AMissingJournalIsRefused) {
  Fill();
  fs::remove_all(fs::path(Store()) / "journal");
  ExpectRefusal("groups 1 to 40 are missing");
}

TEST_F(EmbeddedLogDamageTest, AJournalWhoseGroupsAreSealedIsNotMissed) {
  Fill(true);
  fs::remove_all(fs::path(Store()) / "journal");
  EXPECT_EQ(ReadPartition(*OpenOrDie(Store()), 0).chunks, chunks_);
}

TEST_F(EmbeddedLogDamageTest, AMissingSealedFileIsRefused) {
  Fill(true);
  fs::remove(Biggest(Sealed(), ".sst"));
  ExpectRefusal("do not open: Corruption");
}

TEST_F(EmbeddedLogDamageTest, AMissingCurrentFileIsRefused) {
  Fill(true);
  fs::remove(Sealed() / "CURRENT");
  ExpectRefusal("have no CURRENT file");
}

TEST_F(EmbeddedLogDamageTest, MissingSealedChunksAreRefused) {
  Fill(true);
  fs::remove_all(Sealed());
  ExpectRefusal("have no CURRENT file");
}

TEST_F(EmbeddedLogDamageTest, AMissingHighWaterFileIsRefused) {
  Fill();
  fs::remove(fs::path(Store()) / "high-water");
  ExpectRefusal("has no high-water file");
}

TEST_F(EmbeddedLogDamageTest, ADamagedHighWaterFileIsRefusedUnlessOneMarkIsWhole) {
  Fill();
  const fs::path mark = fs::path(Store()) / "high-water";
  FlipBit(mark, 20);
  EXPECT_EQ(OpenStatus(), absl::OkStatus());
  FlipBit(mark, 4096 + 20);
  ExpectRefusal("the high-water file holds no whole mark");
}

TEST_F(EmbeddedLogDamageTest, AMissingIdentityBesideDataIsRefused) {
  Fill();
  fs::remove(fs::path(Store()) / "identity");
  ExpectRefusal("has data but no identity file");
}

// Also one that had not appended anything: it must not be taken for a directory in which nothing was made yet.
TEST_F(EmbeddedLogDamageTest, AStoreWhoseImportDidNotEndIsRefusedAndSaysWhatToDo) {
  for (const bool has_data : {false, true}) {
    fs::remove_all(Store());
    if (has_data) Fill();
    if (!has_data) CloseAndWait(*OpenOrDie(Store(), 2));
    ASSERT_EQ(SetIdentityAside(PosixFiles(), Store()), absl::OkStatus());
    const absl::Status status = OpenStatus();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
    EXPECT_EQ(ReasonOf(status), reason::kStoreIncomplete);
    EXPECT_THAT(std::string(status.message()), HasSubstr("an import into it failed"));
    EXPECT_THAT(std::string(status.message()), HasSubstr("delete its data directory, and import again"));
    ASSERT_EQ(PutIdentityBack(PosixFiles(), Store()), absl::OkStatus());
    EXPECT_EQ(OpenStatus(), absl::OkStatus());
  }
}

TEST_F(EmbeddedLogDamageTest, ADamagedIdentityIsRefused) {
  Fill();
  FlipBit(fs::path(Store()) / "identity", 30);
  ExpectRefusal("identity file is damaged");
}

TEST_F(EmbeddedLogDamageTest, AStoreOfANewerFormatIsRefusedAndNotTouched) {
  Fill();
  FlipBit(fs::path(Store()) / "identity", 4);
  const absl::Status refused = OpenStatus();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(refused), reason::kFormatUnknown);
  FlipBit(fs::path(Store()) / "identity", 4);
  EXPECT_EQ(ReadPartition(*OpenOrDie(Store()), 0).chunks, chunks_);
}

TEST_F(EmbeddedLogDamageTest, PartsOfAnotherStoreAreRefused) {
  Fill(true);
  const std::string other = scratch_.path() / "other";
  CloseAndWait(*OpenOrDie(other, 2));
  for (const char* part : {"identity", "high-water"}) {
    const fs::path mine = fs::path(Store()) / part, kept = scratch_.path() / "kept";
    fs::rename(mine, kept);
    fs::copy(fs::path(other) / part, mine);
    ExpectRefusal("epoch");
    fs::rename(kept, mine);
  }
  EXPECT_EQ(ReadPartition(*OpenOrDie(Store()), 0).chunks, chunks_);
}

}  // namespace
}  // namespace everfold

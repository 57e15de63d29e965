#include "everfold/log/embedded/salvage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "everfold/base/error.h"
#include "everfold/log/embedded/journal_record.h"
#include "everfold/log/embedded/store_identity.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/store/copied_store.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SalvageTest : public ::testing::Test {
 protected:
  // Sealed chunks of three seals, and a journal behind them.
  void SetUp() override {
    CopiedStore source(Source());
    ASSERT_EQ(source.status(), absl::OkStatus());
    for (int seal = 0; seal < 3; ++seal) {
      for (int i = 0; i < 20; ++i) source.Append(10);
      ASSERT_EQ(source.SealAll(), absl::OkStatus());
    }
    for (int i = 0; i < 20; ++i) source.Append(10);
    ledger_ = source.ledger();
    last_ = source.store().DurableSequence();
    epoch_ = source.log().identity().epoch;
    key_ = source.log().identity().key;
    source.Close();
    Remember();
  }

  fs::path Source() const { return scratch_.path() / "source"; }
  fs::path Saved() const { return scratch_.path() / "saved"; }
  std::vector<fs::path> SealedFiles() const {
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(Source() / "log" / "sealed")) {
      if (file.path().extension() == ".sst" && fs::file_size(file.path()) > 3000) files.push_back(file.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  static void FlipAt(const fs::path& file, std::uintmax_t offset) {
    std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
    stream.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(stream.get() ^ 0x55);
    stream.seekp(static_cast<std::streamoff>(offset));
    stream.put(byte);
  }

  static std::string BytesOf(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  // Where the record stands of the group that is so many before the last one.
  std::pair<fs::path, std::uint64_t> RecordBeforeTheLast(GroupNumber before) const {
    const JournalKey key = JournalKeyOf(DecodeIdentity(BytesOf(Source() / "log" / "identity"))->key);
    std::map<GroupNumber, std::pair<fs::path, std::uint64_t>> records;
    for (const auto& file : fs::directory_iterator(Source() / "log" / "journal")) {
      const std::string bytes = BytesOf(file.path());
      for (std::uint64_t position = 0; position < bytes.size(); position += kJournalAlignment) {
        const auto record = DecodeJournalRecord(bytes, position, key);
        if (record.has_value()) records[record->header.group] = {file.path(), position};
      }
    }
    return records.at(records.rbegin()->first - before);
  }

  // Every file's time and size, to see that nothing is touched.
  void Remember() {
    times_.clear();
    for (const auto& file : fs::recursive_directory_iterator(Source())) {
      if (file.is_regular_file()) times_[file.path()] = {file.last_write_time(), file.file_size()};
    }
  }
  absl::StatusOr<SalvageReport> Run() {
    Remember();
    const auto before = times_;
    auto report =
        SalvageStore({.damaged = (Source() / "log").string(), .directory = (Saved() / "log").string()}, random_);
    Remember();
    EXPECT_EQ(times_, before);
    return report;
  }
  // That the new store opens, verifies, has exactly the commits up to the report's, and takes appends.
  SalvageReport ExpectSaved() {
    auto report = Run();
    EXPECT_TRUE(report.ok()) << report.status();
    if (!report.ok()) return {};
    CopiedStore saved(Saved());
    EXPECT_EQ(saved.status(), absl::OkStatus());
    if (!saved.status().ok()) return {};
    EXPECT_EQ(saved.Verify(), absl::OkStatus());
    EXPECT_EQ(saved.store().DurableSequence(), report->last_kept);
    EXPECT_NE(saved.log().identity().epoch, epoch_);
    EXPECT_EQ(saved.log().identity().key, key_);
    for (const auto& [stream, payloads] : saved.Read(ledger_)) {
      const auto& expected = ledger_.at(stream);
      EXPECT_LE(payloads.size(), expected.size());
      EXPECT_TRUE(std::equal(payloads.begin(), payloads.end(), expected.begin()));
    }
    return *report;
  }

  ScratchDirectory scratch_;
  SystemRandom random_;
  CopiedStore::Ledger ledger_;
  Sequence last_;
  Epoch epoch_;
  std::string key_;
  std::map<fs::path, std::pair<fs::file_time_type, std::uintmax_t>> times_;
};

TEST_F(SalvageTest, RefusesADirectoryInsideTheDamagedStore) {
  SystemRandom random;
  const std::string inside = (Source() / "log" / "saved").string();
  const auto report = SalvageStore({.damaged = (Source() / "log").string(), .directory = inside}, random);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kInvalidArgument) << report.status();
  EXPECT_THAT(std::string(report.status().message()), HasSubstr(inside));
  EXPECT_FALSE(fs::exists(inside));
}

TEST_F(SalvageTest, KeepsAllOfAWholeStore) {
  const SalvageReport report = ExpectSaved();
  EXPECT_EQ(report.last_kept, last_);
  EXPECT_FALSE(report.lost_something());
  EXPECT_THAT(report.notes, IsEmpty());
}

TEST_F(SalvageTest, NeedsNoListOfFiles) {
  for (const auto& file : fs::directory_iterator(Source() / "log" / "sealed")) {
    const std::string name = file.path().filename().string();
    if (name == "CURRENT" || name.starts_with("MANIFEST")) fs::remove(file.path());
  }
  EXPECT_FALSE(CopiedStore(Source()).status().ok());
  EXPECT_EQ(ExpectSaved().last_kept, last_);
}

TEST_F(SalvageTest, KeepsWhatStandsBeforeADamagedRecordOfTheJournal) {
  const auto [file, position] = RecordBeforeTheLast(8);
  FlipAt(file, position + 100);
  EXPECT_FALSE(CopiedStore(Source()).status().ok());
  const SalvageReport report = ExpectSaved();
  EXPECT_LT(report.last_kept, last_);
  EXPECT_GE(report.last_kept, Sequence(600));  // what is sealed
  EXPECT_THAT(report.notes, Contains(HasSubstr("of the journal are lost")));
}

TEST_F(SalvageTest, KeepsThePrefixBeforeADamagedSealedFile) {
  const std::vector<fs::path> files = SealedFiles();
  ASSERT_GE(files.size(), 6u);
  FlipAt(files[files.size() / 2], fs::file_size(files[files.size() / 2]) / 4);
  const SalvageReport report = ExpectSaved();
  EXPECT_GE(report.last_kept, Sequence(200));
  EXPECT_LT(report.last_kept, Sequence(600));
  EXPECT_TRUE(report.lost_something());
}

TEST_F(SalvageTest, KeepsThePrefixBeforeAMissingSealedFile) {
  const std::vector<fs::path> files = SealedFiles();
  fs::remove(files[files.size() / 2]);
  EXPECT_FALSE(CopiedStore(Source()).status().ok());
  const SalvageReport report = ExpectSaved();
  EXPECT_GE(report.last_kept, Sequence(200));
  EXPECT_LT(report.last_kept, Sequence(600));
  EXPECT_TRUE(std::any_of(report.partitions.begin(), report.partitions.end(),
                          [](const SalvagedPartition& partition) { return partition.had_more; }));
}

TEST_F(SalvageTest, KeepsNothingWithoutTheBeginningOfAPartition) {
  const std::vector<fs::path> files = SealedFiles();
  fs::remove(files.front());
  EXPECT_LT(ExpectSaved().last_kept, Sequence(20));
}

TEST_F(SalvageTest, RefusesAStoreThatIsOpen) {
  CopiedStore open(Source());
  ASSERT_EQ(open.status(), absl::OkStatus());
  const auto report =
      SalvageStore({.damaged = (Source() / "log").string(), .directory = (Saved() / "log").string()}, random_);
  EXPECT_EQ(ReasonOf(report.status()), reason::kStoreLocked);
}

TEST_F(SalvageTest, WantsTheIdentity) {
  FlipAt(Source() / "log" / "identity", 30);
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(Run().status().message()), HasSubstr("A backup has a copy of the file"));
}

TEST_F(SalvageTest, WritesOnlyWhereNothingIs) {
  fs::create_directories(Saved() / "log" / "something");
  EXPECT_EQ(Run().status().code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace everfold

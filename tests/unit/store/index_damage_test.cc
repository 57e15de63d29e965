#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "absl/strings/str_cat.h"
#include "everfold/base/error.h"
#include "everfold/event/partitioning.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/store_index.h"
#include "everfold/testing/faulty_disk.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/store/index_checks.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

void FlipByteAt(const fs::path& file, std::uintmax_t offset) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekg(static_cast<std::streamoff>(offset));
  const char byte = static_cast<char>(stream.get() ^ 0x55);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream.put(byte);
}

// 1 if the index says that it is damaged; if it answers, the answer is right.
template <class Answer>
int Told(const absl::StatusOr<Answer>& answer, const Answer& expected) {
  if (answer.ok()) {
    EXPECT_EQ(*answer, expected);
    return 0;
  }
  EXPECT_EQ(answer.status().code(), absl::StatusCode::kDataLoss) << answer.status();
  return 1;
}

int CountTold(const StoreIndex& index, const IndexLog& log) {
  int told = 0;
  for (const StreamId& stream : log.Streams()) {
    told += Told(index.VersionOf(stream), log.VersionOf(stream));
    told += Told(index.PlacesAfter(stream, Version(), 1000), log.PlacesAfter(stream, Version(), 1000));
  }
  for (const CommandKey& command : log.Commands()) {
    if (log.Places(command).size() == 1) told += Told(index.FindCommand(command), log.Places(command));
  }
  for (const auto& [tenant, tag] : log.Tags()) {
    told += Told(index.TaggedAfter(tenant, tag, Sequence(), 1000), log.TaggedAfter(tenant, tag, Sequence(), 1000));
  }
  return told;
}

// Damages the files of an index that knows all of its log.
class IndexDamageTest : public ::testing::Test {
 protected:
  IndexDamageTest() {
    options_.files = &PosixFiles();
    options_.directory = (scratch_.path() / "index").string();
    options_.head_bytes = 0;
    Write();
  }

  void Write() {
    Open();
    for (int i = 0; i < 300; ++i) log_.Append(RandomCommit(random_));
    AddGroup(log_, *index_);
    Close();
  }
  void Open() {
    absl::StatusOr<std::unique_ptr<StoreIndex>> index =
        StoreIndex::Open(options_, log_.identity(), *strand_, began_anew_);
    ASSERT_EQ(index.status(), absl::OkStatus());
    index_ = *std::move(index);
  }
  void Close() {
    index_->Close([] {});
    executor_.RunUntilIdle();
    index_.reset();
  }

  // The database's files whose names begin or end so, by size, the largest first.
  std::vector<fs::path> FilesNamed(const std::string& part) const {
    std::vector<fs::path> files;
    for (const auto& file : fs::directory_iterator(fs::path(options_.directory) / "db")) {
      const std::string name = file.path().filename().string();
      if (name.starts_with(part) || name.ends_with(part)) files.push_back(file.path());
    }
    std::sort(files.begin(), files.end(),
              [](const fs::path& a, const fs::path& b) { return fs::file_size(a) > fs::file_size(b); });
    return files;
  }

  void ExpectBeginsAnew(const std::string& why) {
    Open();
    EXPECT_THAT(began_anew_, HasSubstr(why));
    EXPECT_EQ(index_->tail().last_sequence, Sequence());
    ASSERT_EQ(RecoverIndex(log_, *index_, nullptr), absl::OkStatus());
    ExpectSays(*index_, log_);
    Close();
    Open();
    EXPECT_EQ(began_anew_, "");
    ExpectSays(*index_, log_);
  }

  ScratchDirectory scratch_;
  ManualExecutor executor_;
  std::unique_ptr<Strand> strand_ = executor_.MakeStrand();
  SeededRandom random_{1};
  IndexLog log_{4};
  StoreIndexOptions options_;
  std::string began_anew_;
  std::unique_ptr<StoreIndex> index_;
};

StreamId StreamIn(PartitionId partition, std::uint32_t partitions) {
  StreamId stream{"", "jar", ""};
  for (int i = 0; stream.id.empty() || PartitionOf(stream, partitions) != partition; ++i) stream.id = absl::StrCat(i);
  return stream;
}

// What was read after the start needs no look into files: they may as well be damaged.
TEST_F(IndexDamageTest, StreamsAndTagsThatWereReadAfterTheStartAreKnown) {
  options_.head_bytes = 1 << 20;
  options_.tag_head_bytes = 1 << 20;
  const auto told = [this] {
    int told = 0;
    for (const StreamId& stream : log_.Streams()) told += Told(index_->VersionOf(stream), log_.VersionOf(stream));
    told += Told(index_->VersionOf(StreamId{"", "jar", "a new one"}), Version());
    for (const auto& [tenant, tag] : log_.Tags()) {
      const Sequence last = log_.TaggedAfter(tenant, tag, Sequence(), 1000).back().sequence;
      told += Told(index_->TaggedAfter(tenant, tag, last, 1000), std::vector<TaggedEvent>());
    }
    return told;
  };
  for (const bool reads : {false, true}) {
    Open();
    if (reads) executor_.RunUntilIdle();
    for (const fs::path& file : FilesNamed(".sst")) {
      for (std::uintmax_t i = 0; i < fs::file_size(file); i += 64) FlipByteAt(file, i);
    }
    const int count = told();
    EXPECT_TRUE(reads ? count == 0 : count > 100) << count;
    for (const fs::path& file : FilesNamed(".sst")) {
      for (std::uintmax_t i = 0; i < fs::file_size(file); i += 64) FlipByteAt(file, i);
    }
    Close();
  }
}

// What cannot be read after a start is not taken for what is not there.
TEST(IndexReadErrors, NoneMakesAHeadThatIsWrong) {
  FaultyDisk disk;
  ManualExecutor executor;
  const std::unique_ptr<Strand> strand = executor.MakeStrand();
  StoreIndexOptions options{.files = &disk, .directory = "/index"};
  options.head_bytes = options.tag_head_bytes = 1 << 20;
  IndexLog log(4);
  SeededRandom random(3);
  std::string began_anew;
  for (int run = 0; run < 3; ++run) {
    const auto index = *StoreIndex::Open(options, log.identity(), *strand, began_anew);
    for (int i = 0; i < 1500; ++i) log.Append(RandomCommit(random));
    AddGroup(log, *index);
    index->Close([] {});
    executor.RunUntilIdle();
  }
  int told = 0;
  bool failed = true;
  for (std::uint64_t n = 1; failed; ++n) {
    const auto index = *StoreIndex::Open(options, log.identity(), *strand, began_anew);
    const std::uint64_t before = disk.operations(DiskOperation::kRead);
    disk.FailFrom(n, DiskFault::kIoError, FaultTimes::kOnce, DiskOperation::kRead);
    executor.RunUntilIdle();
    failed = disk.operations(DiskOperation::kRead) >= before + n;
    disk.StopFailing();
    for (const StreamId& stream : log.Streams()) {
      const absl::StatusOr<Version> version = index->VersionOf(stream);
      if (!version.ok()) {
        EXPECT_THAT(std::string(version.status().message()), HasSubstr("after its first error: "));
        ++told;
        continue;
      }
      EXPECT_EQ(*version, log.VersionOf(stream)) << stream.ToString() << ", read " << n;
    }
    for (const auto& [tenant, tag] : log.Tags()) {
      const Sequence last = log.TaggedAfter(tenant, tag, Sequence(), 100'000).back().sequence;
      const auto events = index->TaggedAfter(tenant, tag, Sequence(last.value() - 1), 1000);
      EXPECT_TRUE(!events.ok() || events->size() >= 1) << tag << ", read " << n;
    }
  }
  EXPECT_GT(told, 0);
}

// Several files of one kind behind each other: an iterator goes from one to the next.
TEST(IndexReadErrors, NoneIsTakenForTheEndOfTheEntries) {
  constexpr std::uint32_t kPartitions = 16;
  FaultyDisk disk;
  ManualExecutor executor;
  const std::unique_ptr<Strand> strand = executor.MakeStrand();
  const StoreIndexOptions options{.files = &disk, .directory = "/index"};
  IndexLog log(kPartitions);
  std::string began_anew;
  for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
    const auto index = *StoreIndex::Open(options, log.identity(), *strand, began_anew);
    log.Append({.command = {}, .streams = {{StreamIn(PartitionId(partition), kPartitions), {{}}}}});
    AddGroup(log, *index);
    index->Close([] {});
    executor.RunUntilIdle();
  }
  std::uint64_t opened = 0;
  for (std::uint64_t n = 1; opened < 2; ++n) {
    disk.FailFrom(n, DiskFault::kIoError, FaultTimes::kForever, DiskOperation::kRead);
    const auto index = StoreIndex::Open(options, log.identity(), *strand, began_anew);
    disk.StopFailing();
    if (!index.ok()) {
      EXPECT_EQ(ReasonOf(index.status()), reason::kStorageFailed) << index.status();
      continue;
    }
    ++opened;
    EXPECT_EQ(began_anew, "");
    for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
      EXPECT_EQ((*index)->types().LastId(PartitionId(partition)), 1u) << "operation " << n << ", " << partition;
    }
  }
}

TEST_F(IndexDamageTest, WithoutItsCurrentFileItBeginsAnew) {
  fs::remove(FilesNamed("CURRENT").front());
  ExpectBeginsAnew("there is no CURRENT file");
}

TEST_F(IndexDamageTest, WithAnotherCurrentFileItBeginsAnew) {
  std::ofstream(FilesNamed("CURRENT").front()) << "nothing of use";
  ExpectBeginsAnew("is damaged: Corruption");
}

TEST_F(IndexDamageTest, WithACurrentFileOfAManifestThatIsNotThereItBeginsAnew) {
  std::ofstream(FilesNamed("CURRENT").front()) << "MANIFEST-999999\n";
  ExpectBeginsAnew("is damaged: ");
}

TEST_F(IndexDamageTest, WithoutItsManifestItBeginsAnew) {
  for (const fs::path& file : FilesNamed("MANIFEST")) fs::remove(file);
  ExpectBeginsAnew("is damaged: ");
}

TEST_F(IndexDamageTest, WithADamagedManifestItBeginsAnew) {
  for (const fs::path& file : FilesNamed("MANIFEST")) FlipByteAt(file, 20);
  ExpectBeginsAnew("is damaged: Corruption");
}

TEST_F(IndexDamageTest, WithoutASortedFileItBeginsAnew) {
  fs::remove(FilesNamed(".sst").front());
  ExpectBeginsAnew("is damaged: Corruption");
}

TEST_F(IndexDamageTest, WithAShorterSortedFileItBeginsAnew) {
  const fs::path file = FilesNamed(".sst").front();
  fs::resize_file(file, fs::file_size(file) - 10);
  ExpectBeginsAnew("is damaged: Corruption");
}

TEST_F(IndexDamageTest, WithADamagedCheckpointItBeginsAnew) {
  // The smallest files hold the checkpoint or the types.
  for (const fs::path& file : FilesNamed(".sst")) {
    if (fs::file_size(file) < 2500) FlipByteAt(file, 4);
  }
  ExpectBeginsAnew("is damaged: Corruption");
}

TEST_F(IndexDamageTest, ALookIntoADamagedFileSaysSo) {
  for (const fs::path& file : FilesNamed(".sst")) {
    if (fs::file_size(file) >= 2500) FlipByteAt(file, 4);
  }
  Open();
  ASSERT_EQ(began_anew_, "");
  std::vector<std::vector<absl::Status>> by_kind(4);
  for (const StreamId& stream : log_.Streams()) {
    by_kind[0].push_back(index_->VersionOf(stream).status());
    by_kind[1].push_back(index_->PlacesAfter(stream, Version(), 9).status());
  }
  for (const CommandKey& command : log_.Commands()) by_kind[2].push_back(index_->FindCommand(command).status());
  for (const auto& [tenant, tag] : log_.Tags()) {
    by_kind[3].push_back(index_->TaggedAfter(tenant, tag, Sequence(), 9).status());
  }
  for (const std::vector<absl::Status>& statuses : by_kind) {
    const auto told = std::find_if(statuses.begin(), statuses.end(), [](const absl::Status& s) { return !s.ok(); });
    ASSERT_NE(told, statuses.end());
    EXPECT_EQ(told->code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(ReasonOf(*told), reason::kDataLoss);
    EXPECT_THAT(std::string(told->message()), StartsWith("the index in " + options_.directory + " is damaged: "));
    EXPECT_THAT(std::string(told->message()), HasSubstr("rebuild-index"));
  }
}

// Wherever a byte is wrong: the index begins anew, or goes on from an earlier checkpoint, or says that it is damaged,
// or says what it would have said.
TEST_F(IndexDamageTest, NoDamageGoesUnnoticed) {
  const std::string kept = (scratch_.path() / "kept").string();
  fs::copy(options_.directory, kept, fs::copy_options::recursive);
  int anew = 0, told = 0;
  for (int round = 0; round < 150; ++round) {
    index_.reset();
    fs::remove_all(options_.directory);
    fs::copy(kept, options_.directory, fs::copy_options::recursive);
    const std::vector<fs::path> files = FilesNamed(round % 3 == 0 ? "MANIFEST" : ".sst");
    const fs::path file = files[random_.Below(files.size())];
    FlipByteAt(file, random_.Below(fs::file_size(file)));
    Open();
    if (!began_anew_.empty()) {
      ++anew;
      EXPECT_EQ(index_->tail().last_sequence, Sequence());
    }
    const absl::Status recovered = RecoverIndex(log_, *index_, nullptr);
    EXPECT_THAT(recovered.code(), AnyOf(absl::StatusCode::kOk, absl::StatusCode::kDataLoss));
    if (recovered.ok()) told += CountTold(*index_, log_);
  }
  EXPECT_GT(anew, 0);
  EXPECT_GT(told, 0);
}

}  // namespace
}  // namespace everfold

#include "everfold/store/verify_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "everfold/runtime/manual_executor.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/event/chunk_samples.h"
#include "tests/unit/store/index_checks.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::uint32_t kPartitions = 4;
const StreamId kJar{"", "jar", "j1"};

// An index that answers of another one, with something changed.
class LyingIndex final : public StoreIndex {
 public:
  explicit LyingIndex(const StoreIndex& honest) : honest_(honest) {}

  std::function<void(std::vector<StreamPlace>&)> change_places = [](auto&) {};
  std::function<void(std::vector<CommitPlace>&)> change_commands = [](auto&) {};
  std::function<void(std::vector<TaggedEvent>&)> change_tags = [](auto&) {};
  std::function<void(std::optional<TaggedEvent>&)> change_latest = [](auto&) {};
  std::function<void(EntryCounts&)> change_counts = [](auto&) {};
  absl::Status damage;

  const LogTail& tail() const override { return honest_.tail(); }
  const TypeDictionary& types() const override { return honest_.types(); }
  absl::StatusOr<Version> VersionOf(const EntryName& stream) const override { return honest_.VersionOf(stream); }
  void PrefetchVersions(absl::Span<const EntryName* const>) const override {}
  absl::StatusOr<std::vector<StreamPlace>> PlacesAfter(const StreamId& stream, Version after,
                                                       std::size_t limit) const override {
    if (!damage.ok()) return damage;
    return Changed(honest_.PlacesAfter(stream, after, limit), change_places);
  }
  absl::StatusOr<std::vector<CommitPlace>> FindCommand(const CommandKey& command) const override {
    return Changed(honest_.FindCommand(command), change_commands);
  }
  absl::StatusOr<std::vector<TaggedEvent>> TaggedAfter(std::string_view tenant, std::string_view tag, Sequence after,
                                                       std::size_t limit) const override {
    return Changed(honest_.TaggedAfter(tenant, tag, after, limit), change_tags);
  }
  absl::Time CommandsSince() const override { return honest_.CommandsSince(); }
  absl::StatusOr<std::optional<TaggedEvent>> LatestOf(std::string_view tenant, std::string_view type) const override {
    return Changed(honest_.LatestOf(tenant, type), change_latest);
  }
  absl::StatusOr<EntryCounts> CountEntries(const LogTail& upto) const override {
    return Changed(honest_.CountEntries(upto), change_counts);
  }
  absl::Status Add(std::string_view) override { return absl::UnimplementedError("nobody adds"); }
  void CompleteGroup(Sequence, absl::Time) override {}
  absl::Status AddGroup(absl::Span<const std::string_view>, Sequence, absl::Time) override {
    return absl::UnimplementedError("nobody adds");
  }
  void AddWritten(const WrittenGroup&) override {}
  void ExpectRecordedUntil(absl::Time) override {}
  bool full() const override { return false; }
  void WhenRoom(Task) override {}
  absl::Status health() const override { return absl::OkStatus(); }
  void Close(Task) override {}

 private:
  template <class Answer, class Change>
  static absl::StatusOr<Answer> Changed(absl::StatusOr<Answer> answer, const Change& change) {
    if (answer.ok()) change(*answer);
    return answer;
  }

  const StoreIndex& honest_;
};

class VerifyLogTest : public ::testing::Test {
 protected:
  ~VerifyLogTest() override { executor_.DropAll(); }

  std::unique_ptr<StoreIndex> Open(StoreIndexOptions options = {}) {
    std::string began_anew;
    auto index = StoreIndex::Open(options, log_.identity(), *strand_, began_anew);
    EXPECT_TRUE(index.ok()) << index.status();
    return *std::move(index);
  }

  void FillWith(int groups, int commits) {
    for (int i = 0; i < groups; ++i) {
      for (int k = 0; k < commits; ++k) log_.Append(RandomCommit(random_));
      AddGroup(log_, *index_);
    }
  }
  // So many chunks of one commit each, in the stream's partition.
  void FillJar(int chunks) {
    for (int i = 0; i < chunks; ++i) {
      const CommandId command{.type = "test.v1.Fill", .id = "c" + std::to_string(i), .fingerprint = "f"};
      log_.Append({.command = command, .streams = {{kJar, {{"red"}, {}}}}});
      AddGroup(log_, *index_);
    }
  }
  // Those of the jar's partition.
  std::vector<IndexLog::StoredChunk>& JarChunks() { return log_.chunks(jar()); }
  std::uint32_t jar() {
    for (std::uint32_t i = 0; i < kPartitions; ++i) {
      if (!log_.chunks(i).empty()) return i;
    }
    return 0;
  }

  VerifyReport Verify(const StoreIndex* index, const VerifyOptions& options = {}) {
    const auto report = VerifyLog({.log = log_, .index = index}, options);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.value_or(VerifyReport());
  }
  std::vector<std::string> FindingsOf(const VerifyReport& report) {
    std::vector<std::string> found;
    for (const Finding& finding : report.findings) found.push_back(finding.ToString());
    EXPECT_EQ(report.status().ok(), found.empty());
    return found;
  }
  std::vector<std::string> Findings() { return FindingsOf(Verify(index_.get())); }
  std::vector<std::string> QuickFindings() { return FindingsOf(Verify(nullptr, {.quick = true})); }

  ManualExecutor executor_;
  std::unique_ptr<Strand> strand_ = executor_.MakeStrand();
  SeededRandom random_{7};
  IndexLog log_{kPartitions};
  std::unique_ptr<StoreIndex> index_ = Open();
};

TEST_F(VerifyLogTest, FindsNothingInAnEmptyLog) { EXPECT_THAT(Findings(), IsEmpty()); }

TEST_F(VerifyLogTest, FindsNothingInAWholeLogAndCountsIt) {
  FillWith(30, 40);
  const VerifyReport report = Verify(index_.get());
  EXPECT_THAT(FindingsOf(report), IsEmpty());
  std::uint64_t streams = 0;
  for (const VerifiedPartition& partition : report.partitions) {
    EXPECT_EQ(partition.head, log_.Head(partition.partition));
    EXPECT_EQ(partition.events, partition.head.offset.value());
    EXPECT_EQ(partition.chunks, partition.head.chunk_number);
    streams += partition.streams;
  }
  std::uint64_t expected = 0;
  for (const StreamId& stream : log_.Streams()) expected += log_.VersionOf(stream) > Version();
  EXPECT_EQ(streams, expected);
  EXPECT_EQ(report.Digest(), Verify(nullptr, {.quick = true}).Digest());
  EXPECT_EQ(report.Digest().size(), 64u);
}

TEST_F(VerifyLogTest, FindsNothingInAnIndexOnDisk) {
  ScratchDirectory scratch;
  index_ =
      Open({.files = &PosixFiles(), .directory = (scratch.path() / "index").string(), .max_memory_bytes = 1 << 14});
  FillWith(20, 40);
  EXPECT_THAT(Findings(), IsEmpty());  // all in memory
  executor_.RunUntilIdle();
  FillWith(5, 40);
  EXPECT_THAT(Findings(), IsEmpty());  // some of it in files
  index_->Close([] {});
  executor_.RunUntilIdle();
  EXPECT_THAT(Findings(), IsEmpty());  // all of it in files
  index_.reset();
}

TEST_F(VerifyLogTest, LeavesOutWhatIsBehindTheGivenCommit) {
  FillJar(3);
  const LogTail before = index_->tail();
  FillJar(2);
  const auto report = VerifyLog({.log = log_, .index = index_.get(), .upto = before.last_sequence}, {});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(FindingsOf(*report), IsEmpty());
  EXPECT_EQ(report->partitions[jar()].head, before.heads[jar()]);
}

TEST_F(VerifyLogTest, FindsAFlippedByteAndGoesOn) {
  FillJar(4);
  JarChunks()[1].bytes.back() ^= 1;
  const std::vector<std::string> found = Findings();
  EXPECT_THAT(found, Contains(AllOf(HasSubstr("chunk 2 (offset 3)"), HasSubstr("checksum"))));
  EXPECT_THAT(found, Contains(HasSubstr("commits 2 to 2 are missing before commit 3")));
  EXPECT_THAT(found, Not(Contains(HasSubstr("chunk 4"))));
  EXPECT_THAT(QuickFindings(), ElementsAre(HasSubstr("checksum")));
}

TEST_F(VerifyLogTest, FindsTwoChangesInOneLog) {
  FillJar(6);
  JarChunks()[1].bytes.back() ^= 1;
  JarChunks()[4].bytes.back() ^= 1;
  EXPECT_THAT(QuickFindings(), ElementsAre(HasSubstr("chunk 2"), HasSubstr("chunk 5")));
}

TEST_F(VerifyLogTest, FindsAChangedCommitWhoseChecksumWasMadeRight) {
  FillJar(3);
  JarChunks()[1].bytes.back() ^= 1;
  Reseal(JarChunks()[1].bytes);
  EXPECT_THAT(QuickFindings(), ElementsAre(AllOf(HasSubstr("chunk 2"), HasSubstr("its chain does not continue"))));
}

TEST_F(VerifyLogTest, FindsAnotherChunkInTheLastOnesPlace) {
  FillJar(2);
  IndexLog other(kPartitions);
  const CommandId command{.type = "test.v1.Fill", .id = "c0", .fingerprint = "f"};
  other.AppendGroup({.command = command, .streams = {{kJar, {{"red"}, {}}}}});
  other.AppendGroup({.command = command, .streams = {{kJar, {{"blue"}, {}}}}});
  JarChunks()[1] = other.chunks(jar())[1];  // continues the chain, as another history would
  EXPECT_THAT(QuickFindings(), ElementsAre(HasSubstr("the chunks end here, but the log's head is chunk 2")));
  EXPECT_THAT(Findings(), Contains(HasSubstr("the index does not have tag blue of the event at offset 3")));
}

TEST_F(VerifyLogTest, FindsSwappedChunks) {
  FillJar(4);
  std::swap(JarChunks()[1], JarChunks()[2]);
  EXPECT_THAT(QuickFindings(), Contains(HasSubstr("chunk 3 (offset 5) follows chunk 1, which ends with offset 2")));
}

TEST_F(VerifyLogTest, FindsADroppedChunk) {
  FillJar(4);
  JarChunks().erase(JarChunks().begin() + 1);
  EXPECT_THAT(QuickFindings(), Contains(HasSubstr("chunk 3 (offset 5) follows chunk 1, which ends with offset 2")));
  EXPECT_THAT(Findings(), Contains(HasSubstr("commits 2 to 2 are missing before commit 3")));
}

TEST_F(VerifyLogTest, FindsADroppedEnd) {
  FillJar(4);
  JarChunks().pop_back();
  EXPECT_THAT(QuickFindings(), ElementsAre(HasSubstr("the chunks end here, but the log's head is chunk 4 (offset 8)")));
  EXPECT_THAT(Findings(), Contains("the index: it has 4 entries of streams, the log has 3"));
}

TEST_F(VerifyLogTest, FindsAChunkOfAnotherPartition) {
  FillJar(1);
  const std::uint32_t elsewhere = (jar() + 1) % kPartitions;
  log_.chunks(elsewhere) = JarChunks();
  log_.SetHead(elsewhere, log_.Head(PartitionId(jar())));
  EXPECT_THAT(QuickFindings(), Contains(HasSubstr("it is of partition " + std::to_string(jar()))));
}

TEST_F(VerifyLogTest, FindsMissingVersions) {
  FillJar(1);
  log_.LeaveOutVersions(kJar, 2);
  log_.AppendGroup({.command = {}, .streams = {{kJar, {{}}}}});
  const auto found = Findings();
  EXPECT_THAT(found, Contains(HasSubstr("jar/j1")));
}

TEST_F(VerifyLogTest, TakesTombstones) {
  FillJar(3);
  log_.Erase(Sequence(2));
  EXPECT_THAT(Findings(), IsEmpty());
  index_ = Open();
  ASSERT_EQ(RecoverIndex(log_, *index_, nullptr), absl::OkStatus());
  EXPECT_THAT(Findings(), IsEmpty());
}

TEST_F(VerifyLogTest, FindsTimeThatStepsBack) {
  FillJar(1);
  log_.MoveTime(-absl::Seconds(1));
  FillJar(1);
  EXPECT_THAT(Findings(), Contains(HasSubstr("commit 2 was recorded before the one before it")));
}

TEST_F(VerifyLogTest, FindsATypeThatIsNotDefined) {
  FillJar(1);
  IndexLog other(kPartitions);
  other.AppendGroup({.command = {}, .streams = {{kJar, {{}, {}}}}});
  other.AppendGroup({.command = {.type = "test.v1.Fill", .id = "c", .fingerprint = "f"}, .streams = {{kJar, {{}}}}});
  // Its second chunk defines type 2, as the log's first one did.
  JarChunks().push_back(other.chunks(jar())[1]);
  log_.SetHead(jar(), other.Head(PartitionId(jar())));
  EXPECT_THAT(Findings(), Contains(HasSubstr("type 2")));
}

TEST_F(VerifyLogTest, FindsWhatTheIndexLacks) {
  FillJar(3);
  LyingIndex index(*index_);
  index.change_places = [](auto& places) { std::erase(places, StreamPlace{Version(3), Offset(3)}); };
  index.change_commands = [](auto& places) {
    std::erase_if(places, [](const CommitPlace& place) { return place.sequence == Sequence(2); });
  };
  index.change_tags = [](auto& events) {
    std::erase_if(events, [](const TaggedEvent& event) { return event.sequence == Sequence(2); });
  };
  const std::string chunk = "partition " + std::to_string(jar()) + ", chunk 2 (offset 3): ";
  const auto found = FindingsOf(Verify(&index));
  EXPECT_THAT(found, Contains(chunk + "the index does not have version 3 of jar/j1 at offset 3"));
  EXPECT_THAT(found, Contains(chunk + "the index does not have command c1 of commit 2"));
  EXPECT_THAT(found, Contains(chunk + "the index does not have tag red of the event at offset 3"));
}

TEST_F(VerifyLogTest, FindsWhatTheIndexHasTooMuch) {
  FillJar(3);
  LyingIndex index(*index_);
  index.change_counts = [](EntryCounts& counts) {
    ++counts.streams;
    counts.events += 2;
    ++counts.tags;
    ++counts.commands;
  };
  EXPECT_THAT(FindingsOf(Verify(&index)),
              ElementsAre("the index: it has 4 entries of streams, the log has 3",
                          "the index: it has 8 events in its entries of streams, the log has 6",
                          "the index: it has 4 entries of tags, the log has 3",
                          "the index: it has 4 entries of commands, the log has 3"));
}

TEST_F(VerifyLogTest, FindsThatTheIndexHasAnotherLastEventOfAType) {
  FillJar(3);
  LyingIndex index(*index_);
  index.change_latest = [](auto& latest) { latest->sequence = Sequence(2); };
  EXPECT_THAT(
      FindingsOf(Verify(&index)),
      ElementsAre("the index: it has commit 2 as the last one with an event test.v1.Filled, the log has commit 3"));
  index.change_latest = [](auto& latest) { latest.reset(); };
  EXPECT_THAT(
      FindingsOf(Verify(&index)),
      ElementsAre("the index: it has commit 0 as the last one with an event test.v1.Filled, the log has commit 3"));
}

TEST_F(VerifyLogTest, FindsADamagedIndexOnce) {
  FillJar(3);
  LyingIndex index(*index_);
  index.damage = absl::DataLossError("rotten");
  EXPECT_THAT(FindingsOf(Verify(&index)), ElementsAre("the index: rotten"));
  index.damage = absl::InternalError("no disk");
  EXPECT_EQ(VerifyLog({.log = log_, .index = &index}, {}).status(), index.damage);
}

TEST_F(VerifyLogTest, CountsFindingsThatAreTooMany) {
  FillJar(6);
  for (IndexLog::StoredChunk& chunk : JarChunks()) chunk.bytes.back() ^= 1;
  const VerifyReport report = Verify(nullptr, {.quick = true, .max_findings = 2});
  EXPECT_EQ(report.findings.size(), 2u);
  EXPECT_EQ(report.findings_left_out, 4u);
  EXPECT_EQ(report.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(report.status().message()), StartsWith("6 things are not as they must be, first: partition"));
}

TEST_F(VerifyLogTest, TellsProgressAndEndsWithItsError) {
  FillJar(3);
  VerifyProgress last;
  const auto remember = [&last](const VerifyProgress& progress) {
    last = progress;
    return absl::OkStatus();
  };
  Verify(index_.get(), {.on_progress = remember});
  EXPECT_EQ(last.events, 6u);
  EXPECT_EQ(last.total, 6u);
  const auto cancel = [](const VerifyProgress&) { return absl::CancelledError("enough"); };
  EXPECT_EQ(VerifyLog({.log = log_}, {.on_progress = cancel}).status(), absl::CancelledError("enough"));
}

}  // namespace
}  // namespace everfold

#include "everfold/store/store_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/event/partitioning.h"
#include "everfold/runtime/manual_executor.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const StreamId kOne{"", "jar", "j1"};
const StreamId kTwo{"", "jar", "j2"};

// An index in memory alone.
class StoreIndexTest : public ::testing::Test {
 protected:
  void AddGroup(const std::vector<std::string>& chunks) {
    for (const std::string& chunk : chunks) ASSERT_EQ(index_->Add(chunk), absl::OkStatus());
    index_->CompleteGroup(log_.last_sequence(), log_.last_recorded_at());
  }

  ManualExecutor executor_;
  std::unique_ptr<Strand> strand_ = executor_.MakeStrand();
  IndexLog log_{4};
  std::string began_anew_;
  std::unique_ptr<StoreIndex> index_ = *StoreIndex::Open({}, log_.identity(), *strand_, began_anew_);
};

TEST_F(StoreIndexTest, BeginsEmpty) {
  EXPECT_EQ(began_anew_, "");
  EXPECT_EQ(index_->tail().heads, std::vector<PartitionHead>(4));
  EXPECT_EQ(index_->tail().last_sequence, Sequence());
  EXPECT_EQ(index_->tail().last_recorded_at, absl::InfinitePast());
  EXPECT_EQ(*index_->VersionOf(kOne), Version());
  EXPECT_THAT(*index_->PlacesAfter(kOne, Version(), 10), IsEmpty());
  EXPECT_THAT(*index_->FindCommand({"", "test.v1.Fill", "a"}), IsEmpty());
  EXPECT_THAT(*index_->TaggedAfter("", "red", Sequence(), 10), IsEmpty());
}

TEST_F(StoreIndexTest, TailFollowsTheChunks) {
  AddGroup(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}, {}}}, {kTwo, {{}}}}}));
  for (std::uint32_t i = 0; i < 4; ++i) EXPECT_EQ(index_->tail().heads[i], log_.Head(PartitionId(i)));
  EXPECT_EQ(index_->tail().last_sequence, Sequence(1));
  EXPECT_EQ(index_->tail().last_recorded_at, log_.last_recorded_at());
}

TEST_F(StoreIndexTest, TellsWhereAStreamsCommitsBegin) {
  for (int i = 0; i < 3; ++i) AddGroup(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}, {}}}}}));
  EXPECT_EQ(*index_->VersionOf(kOne), Version(6));
  const auto places = [this](Version after, std::size_t limit) { return *index_->PlacesAfter(kOne, after, limit); };
  const StreamPlace first{Version(1), Offset(1)}, second{Version(3), Offset(3)}, third{Version(5), Offset(5)};
  EXPECT_THAT(places(Version(0), 10), ElementsAre(first, second, third));
  EXPECT_THAT(places(Version(1), 10), ElementsAre(first, second, third));
  EXPECT_THAT(places(Version(2), 10), ElementsAre(second, third));
  EXPECT_THAT(places(Version(2), 1), ElementsAre(second));
  EXPECT_THAT(places(Version(5), 10), ElementsAre(third));
  EXPECT_THAT(places(Version(6), 10), IsEmpty());
  EXPECT_THAT(places(Version(100), 10), IsEmpty());
}

TEST_F(StoreIndexTest, StreamsOfOtherTenantsAggregatesAndIdsAreOthers) {
  AddGroup(log_.AppendGroup({.command = {}, .streams = {{{"t", "jar", "j1"}, {{}}}}}));
  EXPECT_EQ(*index_->VersionOf({"t", "jar", "j1"}), Version(1));
  EXPECT_EQ(*index_->VersionOf({"", "jar", "j1"}), Version());
  EXPECT_EQ(*index_->VersionOf({"t", "jar", "j"}), Version());
  EXPECT_EQ(*index_->VersionOf({"t", "ja", "rj1"}), Version());
}

TEST_F(StoreIndexTest, ANameWithAZeroByteIsNobodys) {
  AddGroup(log_.AppendGroup({.command = {}, .streams = {{{"t", "jar", "j1"}, {{"red"}}}}}));
  const std::string_view jar("jar\0j1", 6);
  EXPECT_EQ(*index_->VersionOf({"t", std::string(jar), ""}), Version());
  EXPECT_THAT(*index_->PlacesAfter({"t", std::string(jar), ""}, Version(), 10), IsEmpty());
  EXPECT_THAT(*index_->TaggedAfter(std::string_view("t\0red", 5), "", Sequence(), 10), IsEmpty());
}

TEST_F(StoreIndexTest, FindsACommandInEachPartitionItTouches) {
  ASSERT_NE(PartitionOf(kOne, 4), PartitionOf(kTwo, 4));
  AddGroup(log_.AppendGroup({.command = {"test.v1.Fill", "a", "f"}, .streams = {{kOne, {{}}}, {kTwo, {{}}}}}));
  const CommandKey key{"", "test.v1.Fill", "a"};
  EXPECT_EQ(*index_->FindCommand(key), log_.Places(key));
  EXPECT_THAT(*index_->FindCommand({"t", "test.v1.Fill", "a"}), IsEmpty());
  EXPECT_THAT(*index_->FindCommand({"", "test.v1.Empty", "a"}), IsEmpty());
  EXPECT_THAT(*index_->FindCommand({"", "test.v1.Fill", "b"}), IsEmpty());
}

TEST_F(StoreIndexTest, FindsACommandWithoutEvents) {
  AddGroup(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}));
  AddGroup(log_.AppendGroup({.command = {"test.v1.Fill", "a", "f"}, .streams = {}}));
  EXPECT_THAT(*index_->FindCommand({"", "test.v1.Fill", "a"}),
              ElementsAre(CommitPlace{PartitionId(2), log_.Head(PartitionId(2)).offset,
                                      log_.Head(PartitionId(2)).chunk_number, Sequence(2)}));
}

TEST_F(StoreIndexTest, ListsTaggedEventsBySequence) {
  // One group, whose chunks come one partition after the other.
  for (int i = 0; i < 20; ++i) {
    log_.Append(
        {.command = {}, .streams = {{{"", "jar", "j" + std::to_string(i % 5)}, {{"red", "red"}, {}, {"red"}}}}});
  }
  AddGroup(log_.EndGroup());
  const std::vector<TaggedEvent> all = *index_->TaggedAfter("", "red", Sequence(), 100);
  std::vector<Sequence> sequences;
  for (const TaggedEvent& event : all) sequences.push_back(event.sequence);
  EXPECT_EQ(all.size(), 40u);  // an event that names the tag twice is one
  EXPECT_TRUE(std::is_sorted(sequences.begin(), sequences.end()));
  EXPECT_EQ(index_->TaggedAfter("", "red", Sequence(7), 3)->front(), all[14]);
  EXPECT_EQ(index_->TaggedAfter("", "red", Sequence(7), 3)->size(), 3u);
  EXPECT_THAT(*index_->TaggedAfter("", "red", Sequence(20), 3), IsEmpty());
  EXPECT_THAT(*index_->TaggedAfter("t", "red", Sequence(), 3), IsEmpty());
}

TEST_F(StoreIndexTest, KnowsTheTypesThatTheLogDefines) {
  AddGroup(log_.AppendGroup({.command = {"test.v1.Fill", "a", "f"}, .streams = {{kOne, {{}}}}}));
  const Position at{index_->FindCommand({"", "test.v1.Fill", "a"})->front().partition, Offset(1)};
  EXPECT_EQ(index_->types().LastId(at.partition), 2u);
  EXPECT_EQ(index_->types().Find(at.partition, 1)->name, "test.v1.Fill");
  EXPECT_EQ(index_->types().Find(at.partition, 2)->name, "test.v1.Filled");
}

TEST_F(StoreIndexTest, RefusesAChunkThatDoesNotFollow) {
  AddGroup(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}));
  log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}});
  const absl::Status status = index_->Add(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}).front());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("behind chunk 1 (offset 1): chunk 3 (offset 3) follows"));
}

TEST_F(StoreIndexTest, RefusesAStreamWhoseVersionsDoNotFollow) {
  AddGroup(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}));
  log_.LeaveOutVersions(kOne, 2);
  const absl::Status status = index_->Add(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}).front());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("jar/j1 continues at version 4 after version 1"));
}

TEST_F(StoreIndexTest, RefusesAStreamThatDoesNotBeginAtOne) {
  log_.LeaveOutVersions(kOne, 1);
  const absl::Status status = index_->Add(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}).front());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("jar/j1 continues at version 2 after version 0"));
}

TEST_F(StoreIndexTest, RefusesASequenceThatIsThereAlready) {
  AddGroup(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}));
  index_->CompleteGroup(Sequence(5), log_.last_recorded_at());
  const absl::Status status = index_->Add(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}).front());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("commit 2 follows, but all up to 5 are there"));
}

TEST_F(StoreIndexTest, RefusesAChunkOfAPartitionThatTheLogDoesNotHave) {
  IndexLog larger(64);
  while (larger.Head(PartitionId(40)).chunk_number == 0)
    larger.AppendGroup({.command = {"t", "a", "f"}, .streams = {}});
  const absl::Status status = index_->Add(larger.chunks(40).front().bytes);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "a chunk of partition 40, there are 4");
}

TEST_F(StoreIndexTest, ATombstoneKeepsItsVersions) {
  log_.AppendGroup({.command = {"test.v1.Fill", "a", "f"}, .streams = {{kOne, {{}, {}}}}});
  log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}});
  log_.Erase(Sequence(1));
  const std::uint32_t partition = PartitionOf(kOne, 4).value();
  for (const IndexLog::StoredChunk& chunk : log_.chunks(partition))
    EXPECT_EQ(index_->Add(chunk.bytes), absl::OkStatus());
  EXPECT_EQ(*index_->VersionOf(kOne), Version(3));
  EXPECT_THAT(*index_->PlacesAfter(kOne, Version(), 10),
              ElementsAre(StreamPlace{Version(1), Offset(1)}, StreamPlace{Version(3), Offset(3)}));
  EXPECT_THAT(*index_->FindCommand({"", "test.v1.Fill", "a"}), IsEmpty());
}

TEST_F(StoreIndexTest, RefusesBytesThatAreNoChunk) {
  const absl::Status status = index_->Add("no chunk");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
}

TEST_F(StoreIndexTest, IsNeverFullWithoutADirectory) {
  StoreIndexOptions options;
  options.max_memory_bytes = 1;
  index_ = *StoreIndex::Open(options, log_.identity(), *strand_, began_anew_);
  for (int i = 0; i < 100; ++i) AddGroup(log_.AppendGroup({.command = {}, .streams = {{kOne, {{}}}}}));
  EXPECT_FALSE(index_->full());
  bool resumed = false, closed = false;
  index_->WhenRoom([&] { resumed = true; });
  index_->Close([&] { closed = true; });
  executor_.RunUntilIdle();
  EXPECT_TRUE(resumed);
  EXPECT_TRUE(closed);
  EXPECT_EQ(index_->health(), absl::OkStatus());
}

}  // namespace
}  // namespace everfold

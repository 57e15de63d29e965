#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/event/chunk.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/chunk_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Erased(const std::string& chunk, std::uint64_t sequence, std::string_view reason = "asked to") {
  const auto erased = WithTombstone(chunk, Sequence(sequence), reason);
  EXPECT_TRUE(erased.ok()) << erased.status();
  return *erased;
}

// Commits 300, 302 and 305 with events at 1000 to 1003, none, 1004 to 1007.
std::string ThreeCommits() {
  std::vector<Commit> commits = SampleCommits();
  commits.push_back(commits[0]);
  commits.back().sequence = Sequence(305);
  commits.back().recorded_at += absl::Seconds(1);
  return ChunkOf(commits);
}

TEST(Tombstone, KeepsTheHeaderAndTheChain) {
  const std::string chunk = ThreeCommits();
  for (const std::uint64_t sequence : {300, 302, 305}) {
    const std::string erased = Erased(chunk, sequence);
    EXPECT_EQ(CheckChunk(erased).value(), CheckChunk(chunk).value()) << sequence;
    EXPECT_EQ(ChainOf(erased, {}).value(), CheckChunk(chunk)->chain) << sequence;
  }
}

TEST(Tombstone, StandsWhereTheCommitStood) {
  const std::string erased = Erased(ThreeCommits(), 300);
  ChunkReader chunk = ChunkReader::Open(erased).value();
  ASSERT_TRUE(chunk.NextCommit());
  EXPECT_TRUE(chunk.commit().tombstone);
  EXPECT_EQ(chunk.commit().sequence, Sequence(300));
  EXPECT_EQ(chunk.commit().first_offset, Offset(1000));
  EXPECT_EQ(chunk.commit().event_count, 4u);
  EXPECT_EQ(chunk.commit().recorded_at, SampleCommits()[0].recorded_at);
  EXPECT_EQ(chunk.commit().tenant, SampleCommits()[0].tenant);
  EXPECT_EQ(chunk.commit().reason, "asked to");
  ASSERT_TRUE(chunk.NextCommit() && chunk.NextCommit());
  EXPECT_EQ(chunk.commit().first_offset, Offset(1004));
  EXPECT_EQ(chunk.commit().reason, "");
  EXPECT_FALSE(chunk.NextCommit());
  EXPECT_TRUE(chunk.status().ok()) << chunk.status();
}

TEST(Tombstone, TellsWhichVersionsOfWhichStreamsItStandsFor) {
  const std::string before = ThreeCommits();
  ChunkReader whole = ChunkReader::Open(before).value();
  const std::string erased = Erased(before, 300);
  ChunkReader chunk = ChunkReader::Open(erased).value();
  ASSERT_TRUE(whole.NextCommit() && chunk.NextCommit());
  EXPECT_EQ(chunk.commit().stream_count, whole.commit().stream_count);
  while (whole.NextStream()) {
    ASSERT_TRUE(chunk.NextStream()) << chunk.status();
    EXPECT_EQ(chunk.stream().aggregate, whole.stream().aggregate);
    EXPECT_EQ(chunk.stream().id, whole.stream().id);
    EXPECT_EQ(chunk.stream().first_version, whole.stream().first_version);
    EXPECT_EQ(chunk.stream().first_offset, whole.stream().first_offset);
    EXPECT_EQ(chunk.stream().event_count, whole.stream().event_count);
    EXPECT_FALSE(chunk.NextEvent());
  }
  EXPECT_FALSE(chunk.NextStream());
  EXPECT_TRUE(chunk.status().ok()) << chunk.status();
}

TEST(Tombstone, HasNothingElseOfTheCommitLeft) {
  const std::string erased = Erased(ChunkOf({SampleCommits()[0]}), 300);
  for (const char* const text : {"request-1", "conversation", "ann", "card:1"}) {
    EXPECT_THAT(erased, Not(HasSubstr(text)));
  }
  const auto chunk = DecodeChunk(erased, NoTypes());
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->commits, std::vector<Commit>({ErasedCommit(SampleCommits()[0])}));
}

TEST(Tombstone, OtherCommitsStayAsTheyAre) {
  const std::string before = ThreeCommits();
  const std::string erased = Erased(before, 302);
  const auto chunk = DecodeChunk(erased, NoTypes());
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->commits[0], DecodeChunk(before, NoTypes())->commits[0]);
  EXPECT_TRUE(chunk->commits[1].erased);
  EXPECT_EQ(chunk->commits[1].event_count(), 0u);
  EXPECT_EQ(chunk->commits[2], DecodeChunk(before, NoTypes())->commits[2]);
}

TEST(Tombstone, EveryCommitMayBeErasedInAnyOrder) {
  const std::string chunk = ThreeCommits();
  const std::string all = Erased(Erased(Erased(chunk, 305), 300), 302);
  EXPECT_EQ(all, Erased(Erased(Erased(chunk, 302), 305), 300));
  EXPECT_EQ(ChainOf(all, {}).value(), CheckChunk(chunk)->chain);
}

TEST(Tombstone, GetsAnotherReasonWithTheSameLeaf) {
  const std::string once = Erased(ThreeCommits(), 300, "first");
  const std::string twice = Erased(once, 300, "second reason");
  EXPECT_EQ(twice, Erased(ThreeCommits(), 300, "second reason"));
  EXPECT_EQ(Erased(twice, 300, "first"), once);
}

TEST(Tombstone, MayBeLongerThanWhatItReplaces) {
  const std::string chunk = ThreeCommits();
  const std::string reason(10'000, 'r');
  const std::string erased = Erased(chunk, 302, reason);
  EXPECT_GT(erased.size(), chunk.size());
  ChunkReader reader = ChunkReader::Open(erased).value();
  ASSERT_TRUE(reader.NextCommit() && reader.NextCommit());
  EXPECT_EQ(reader.commit().reason, reason);
}

TEST(Tombstone, IsNeverWanted) {
  const std::string erased = Erased(ThreeCommits(), 300);
  ChunkReader chunk = ChunkReader::Open(erased).value();
  ASSERT_TRUE(chunk.NextCommitOf(WantedTypes(10, true)));
  EXPECT_EQ(chunk.commit().sequence, Sequence(305));
  EXPECT_EQ(chunk.commit().first_offset, Offset(1004));
}

TEST(Tombstone, NeedsACommit) {
  for (const std::uint64_t sequence : {0, 299, 301, 306}) {
    const absl::Status status = WithTombstone(ThreeCommits(), Sequence(sequence), "r").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(ReasonOf(status), reason::kRequestInvalid);
    EXPECT_EQ(std::string(status.message()),
              absl::StrFormat("chunk 12 of partition 3 has no commit %d; it has 3 commits from 300 to 305", sequence));
  }
}

TEST(Tombstone, NeedsAReasonThatFits) {
  const absl::Status status = WithTombstone(ThreeCommits(), Sequence(300), std::string(kMaxChunkBytes, 'r')).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), reason::kLimitExceeded);
}

TEST(Tombstone, IsNotPutIntoADamagedChunk) {
  std::string chunk = ThreeCommits();
  chunk.back() = static_cast<char>(chunk.back() ^ 1);
  EXPECT_EQ(ReasonOf(WithTombstone(chunk, Sequence(300), "r").status()), reason::kDataLoss);
}

TEST(TombstoneDeathTest, HasNoMetadata) {
  const std::string erased = Erased(ThreeCommits(), 300);
  ChunkReader chunk = ChunkReader::Open(erased).value();
  ASSERT_TRUE(chunk.NextCommit());
  EXPECT_DEATH(chunk.DecodeMetadata().IgnoreError(), "!commit_.tombstone");
}

}  // namespace
}  // namespace everfold

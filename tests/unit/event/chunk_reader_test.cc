#include "everfold/event/chunk_reader.h"

#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The sample twice, so that something follows what a test leaves early.
std::string TwoFullCommits() {
  std::vector<Commit> commits = {SampleCommits()[0], SampleCommits()[0]};
  commits[1].sequence = Sequence(305);
  commits[1].recorded_at += absl::Microseconds(200);
  return ChunkOf(commits);
}

TEST(ChunkReader, ShowsACommitWithoutCopyingIt) {
  const std::string bytes = SampleChunk();
  auto chunk = ChunkReader::Open(bytes);
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  ASSERT_TRUE(chunk->NextCommit());
  const CommitView& commit = chunk->commit();
  EXPECT_EQ(commit.sequence, Sequence(300));
  EXPECT_EQ(commit.first_offset, Offset(1000));
  EXPECT_EQ(commit.event_count, 4u);
  EXPECT_EQ(commit.stream_count, 2u);
  EXPECT_FALSE(commit.tombstone);
  EXPECT_EQ(commit.recorded_at, SampleCommits()[0].recorded_at);
  EXPECT_EQ(commit.command_type, 1u);
  EXPECT_EQ(commit.tenant, "acme");
  EXPECT_EQ(commit.command_id, "request-1");
  EXPECT_EQ(commit.command_fingerprint, std::string(32, 'f'));
  EXPECT_EQ(chunk->DecodeMetadata().value(), SampleCommits()[0].metadata);
  EXPECT_GE(commit.tenant.data(), bytes.data());
  EXPECT_LT(commit.tenant.data(), bytes.data() + bytes.size());
}

TEST(ChunkReader, ShowsStreamsAndEvents) {
  const std::string bytes = SampleChunk();
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  ASSERT_TRUE(chunk.NextCommit());
  ASSERT_TRUE(chunk.NextStream());
  EXPECT_EQ(chunk.stream().aggregate, "wallet");
  EXPECT_EQ(chunk.stream().id, "w1");
  EXPECT_EQ(chunk.stream().first_version, Version(7));
  EXPECT_EQ(chunk.stream().event_count, 3u);
  EXPECT_EQ(chunk.stream().first_offset, Offset(1000));
  ASSERT_TRUE(chunk.NextEvent());
  EXPECT_EQ(chunk.event().type, 2u);
  EXPECT_EQ(chunk.event().codec, PayloadCodec::kZstd);
  EXPECT_EQ(chunk.event().event_time, absl::FromUnixMicros(-1));
  EXPECT_EQ(chunk.event().version, Version(7));
  EXPECT_EQ(chunk.event().offset, Offset(1000));
  EXPECT_EQ(chunk.event().tag_count, 2u);
  EXPECT_THAT(chunk.DecodeTags().value(), ElementsAre("card:1", ""));
  EXPECT_EQ(chunk.event().payload, std::string_view("\x08\x00\xff", 3));
}

TEST(ChunkReader, AnEventWithoutATimeHasTheCommits) {
  const std::string bytes = SampleChunk();
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  ASSERT_TRUE(chunk.NextCommit() && chunk.NextStream() && chunk.NextEvent() && chunk.NextEvent());
  EXPECT_EQ(chunk.event().event_time, chunk.commit().recorded_at);
  EXPECT_EQ(chunk.event().tag_count, 0u);
  EXPECT_THAT(chunk.DecodeTags().value(), IsEmpty());
  EXPECT_EQ(chunk.event().version, Version(8));
}

TEST(ChunkReader, ACommitWithoutAnythingOptionalHasNothingOfTheOneBefore) {
  std::vector<Commit> commits = {SampleCommits()[0], Commit()};
  commits[1].sequence = Sequence(301);
  commits[1].recorded_at = commits[0].recorded_at;
  const std::string bytes = ChunkOf(commits);
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  ASSERT_TRUE(chunk.NextCommit() && chunk.NextCommit());
  EXPECT_EQ(chunk.commit().tenant, "");
  EXPECT_EQ(chunk.commit().command_type, 0u);
  EXPECT_EQ(chunk.commit().command_id, "");
  EXPECT_EQ(chunk.commit().command_fingerprint, "");
  EXPECT_EQ(chunk.commit().first_offset, Offset(1004));
  EXPECT_EQ(chunk.DecodeMetadata().value(), Metadata());
  EXPECT_FALSE(chunk.NextStream());
  EXPECT_FALSE(chunk.NextCommit());
  EXPECT_TRUE(chunk.status().ok()) << chunk.status();
}

TEST(ChunkReader, WhatIsLeftEarlyIsSkipped) {
  const std::string bytes = TwoFullCommits();
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  ASSERT_TRUE(chunk.NextCommit() && chunk.NextStream() && chunk.NextEvent());
  ASSERT_TRUE(chunk.NextStream());  // two events of the first stream are left
  EXPECT_EQ(chunk.stream().id, "{w1}/2");
  EXPECT_EQ(chunk.stream().first_offset, Offset(1003));
  ASSERT_TRUE(chunk.NextCommit());  // the stream's event is left
  EXPECT_FALSE(chunk.NextEvent());  // of no stream yet
  EXPECT_EQ(chunk.commit().sequence, Sequence(305));
  EXPECT_EQ(chunk.commit().first_offset, Offset(1004));
  ASSERT_TRUE(chunk.NextStream() && chunk.NextEvent());
  EXPECT_EQ(chunk.event().offset, Offset(1004));
  EXPECT_FALSE(chunk.NextCommit());
  EXPECT_TRUE(chunk.status().ok()) << chunk.status();
}

TEST(ChunkReader, TheEndIsTheEnd) {
  const std::string bytes = SampleChunk();
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  while (chunk.NextCommit()) {
  }
  for (int i = 0; i < 2; ++i) {
    EXPECT_FALSE(chunk.NextCommit());
    EXPECT_FALSE(chunk.NextStream());
    EXPECT_FALSE(chunk.NextEvent());
    EXPECT_TRUE(chunk.status().ok()) << chunk.status();
  }
}

TEST(ChunkReader, BeforeTheFirstCommitThereIsNothing) {
  const std::string bytes = SampleChunk();
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  EXPECT_FALSE(chunk.NextStream());
  EXPECT_FALSE(chunk.NextEvent());
  EXPECT_TRUE(chunk.NextCommit());
  EXPECT_TRUE(chunk.status().ok()) << chunk.status();
}

TEST(ChunkReader, AStreamMayHaveNoEvent) {
  Commit commit = SampleCommits()[0];
  commit.streams[0].events.clear();
  const std::string bytes = ChunkOf({commit});
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  ASSERT_TRUE(chunk.NextCommit() && chunk.NextStream());
  EXPECT_EQ(chunk.stream().event_count, 0u);
  EXPECT_FALSE(chunk.NextEvent());
  ASSERT_TRUE(chunk.NextStream() && chunk.NextEvent());
  EXPECT_EQ(chunk.event().offset, Offset(1000));
  EXPECT_FALSE(chunk.NextStream());
  EXPECT_TRUE(chunk.status().ok()) << chunk.status();
}

std::vector<std::uint64_t> SequencesOf(const std::string& bytes, const std::vector<TypeId>& types) {
  WantedTypes wanted(8, false);
  for (const TypeId type : types) wanted[type] = true;
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  std::vector<std::uint64_t> sequences;
  while (chunk.NextCommitOf(wanted)) sequences.push_back(chunk.commit().sequence.value());
  EXPECT_TRUE(chunk.status().ok()) << chunk.status();
  return sequences;
}

// Commits 300 (types 2 and 3), 302 (no events), 305 (type 3), 306 (type 5).
std::string ChunkOfDifferentTypes() {
  std::vector<Commit> commits = SampleCommits();
  commits.push_back(commits[0]);
  commits.back().sequence = Sequence(305);
  commits.back().recorded_at += absl::Seconds(1);
  commits.back().streams.erase(commits.back().streams.begin());
  commits.push_back(commits.back());
  commits.back().sequence = Sequence(306);
  commits.back().streams[0].events[0].type = "wallet.v1.Closed";
  return ChunkOf(commits);
}

TEST(ChunkReader, SkipsCommitsWithoutAWantedType) {
  const std::string chunk = ChunkOfDifferentTypes();
  EXPECT_THAT(SequencesOf(chunk, {2}), ElementsAre(300));
  EXPECT_THAT(SequencesOf(chunk, {3}), ElementsAre(300, 305));
  EXPECT_THAT(SequencesOf(chunk, {5, 2}), ElementsAre(300, 306));
  EXPECT_THAT(SequencesOf(chunk, {1, 4, 6}), IsEmpty());  // commands, and a type that is not there
  EXPECT_THAT(SequencesOf(chunk, {}), IsEmpty());
}

TEST(ChunkReader, TypesBeyondTheWantedOnesAreNotWanted) {
  const std::string bytes = ChunkOfDifferentTypes();
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  EXPECT_FALSE(chunk.NextCommitOf(WantedTypes(2, true)));
  EXPECT_TRUE(chunk.status().ok()) << chunk.status();
}

TEST(ChunkReader, ASkippedCommitCountsInOffsets) {
  const std::string bytes = ChunkOfDifferentTypes();
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  WantedTypes wanted(6, false);
  wanted[5] = true;
  ASSERT_TRUE(chunk.NextCommitOf(wanted));
  EXPECT_EQ(chunk.commit().first_offset, Offset(1005));
  EXPECT_EQ(chunk.commit().recorded_at, SampleCommits()[0].recorded_at + absl::Seconds(1));
  ASSERT_TRUE(chunk.NextStream() && chunk.NextEvent());
  EXPECT_EQ(chunk.event().offset, Offset(1005));
  EXPECT_EQ(chunk.event().type, 5u);
}

// Everything beside the body that a skipping reader sees is as the plain one sees it.
TEST(ChunkReader, SkippingAndReadingAgree) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SeededRandom random(seed);
    const std::string bytes = ChunkOf(RandomCommits(random));
    ChunkReader all = ChunkReader::Open(bytes).value();
    ChunkReader some = ChunkReader::Open(bytes).value();
    WantedTypes wanted(10);
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = random.Below(4) == 0;
    while (some.NextCommitOf(wanted)) {
      do {
        ASSERT_TRUE(all.NextCommit()) << "seed " << seed;
      } while (all.commit().sequence != some.commit().sequence);
      ASSERT_EQ(all.commit().first_offset, some.commit().first_offset) << "seed " << seed;
      ASSERT_EQ(all.commit().recorded_at, some.commit().recorded_at) << "seed " << seed;
      ASSERT_EQ(all.commit_bytes(), some.commit_bytes()) << "seed " << seed;
    }
    ASSERT_TRUE(some.status().ok()) << "seed " << seed << ": " << some.status();
  }
}

// One event in a commit, and numbers just below and above 128, where the reader takes a shorter way and the longer one.
TEST(ChunkReader, SmallNumbersAreReadAsLargeOnesAre) {
  std::vector<Commit> commits;
  for (const int number : {1, 62, 63, 64, 65, 126, 127, 128, 129, 16'383, 16'384}) {
    Commit commit = SampleCommits()[0];
    commit.sequence = Sequence(300 + 2 * number);
    commit.recorded_at += absl::Microseconds(number);
    commit.streams.resize(1);
    commit.streams[0].events.resize(1);
    commit.streams[0].first_version = Version(number);
    commits.push_back(commit);
    commit.sequence = commit.sequence.Next();
    commits.push_back(commit);  // at the same time
  }
  EXPECT_EQ(DecodeChunk(ChunkOf(commits), NoTypes())->commits, commits);
}

std::vector<std::string> CommitsOf(ChunkReader& chunk) {
  std::vector<std::string> commits;
  while (chunk.NextCommit()) {
    commits.push_back(absl::StrFormat("%d %d %s %d %s %s", chunk.commit().sequence.value(),
                                      chunk.commit().first_offset.value(), absl::FormatTime(chunk.commit().recorded_at),
                                      chunk.commit().command_type, chunk.commit().command_id, chunk.commit_bytes()));
    while (chunk.NextStream()) {
      while (chunk.NextEvent()) {
        commits.push_back(absl::StrFormat("%d %d %d %s", chunk.event().offset.value(), chunk.event().version.value(),
                                          chunk.event().type, chunk.event().payload));
      }
    }
  }
  return commits;
}

TEST(ChunkReader, ReadsChunkAfterChunk) {
  ChunkReader again;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRandom random(seed);
    const std::string bytes = ChunkOf(RandomCommits(random));
    ChunkReader once = ChunkReader::Open(bytes).value();
    ASSERT_EQ(again.Reset(bytes), absl::OkStatus()) << "seed " << seed;
    ASSERT_EQ(again.header(), once.header()) << "seed " << seed;
    ASSERT_EQ(again.definitions(), once.definitions()) << "seed " << seed;
    ASSERT_EQ(again.definition_bytes(), once.definition_bytes()) << "seed " << seed;
    ASSERT_EQ(CommitsOf(again), CommitsOf(once)) << "seed " << seed;
    ASSERT_TRUE(again.status().ok()) << "seed " << seed << ": " << again.status();
  }
}

TEST(ChunkReader, LeavesAChunkInTheMiddle) {
  const std::string first = TwoFullCommits();
  ChunkReader chunk = ChunkReader::Open(first).value();
  ASSERT_TRUE(chunk.NextCommit() && chunk.NextStream() && chunk.NextEvent());
  const std::string second = SampleChunk();
  ASSERT_TRUE(chunk.Reset(second).ok());
  EXPECT_FALSE(chunk.NextStream());
  EXPECT_FALSE(chunk.NextEvent());
  EXPECT_THAT(chunk.DecodeTags().value(), IsEmpty());
  EXPECT_THAT(chunk.commit_bytes(), IsEmpty());
  ASSERT_TRUE(chunk.NextCommit());
  EXPECT_EQ(chunk.commit().first_offset, Offset(1000));
  EXPECT_EQ(chunk.definitions().size(), 4u);
}

TEST(ChunkReader, OfADamagedChunkThereIsNothingToRead) {
  std::string damaged = SampleChunk();
  damaged.back() ^= 1;
  const std::string whole = SampleChunk();
  ChunkReader chunk = ChunkReader::Open(whole).value();
  ASSERT_TRUE(chunk.NextCommit());
  const absl::Status status = chunk.Reset(damaged);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "damaged chunk: its checksum does not match");
  EXPECT_EQ(chunk.status(), status);
  EXPECT_FALSE(chunk.NextStream());
  EXPECT_FALSE(chunk.NextCommit());
  EXPECT_EQ(chunk.status(), status);
  ASSERT_TRUE(chunk.Reset(whole).ok());
  EXPECT_EQ(CommitsOf(chunk).size(), 6u);
  EXPECT_TRUE(chunk.status().ok());
}

TEST(ChunkReader, OfNoChunkThereIsNothingToRead) {
  ChunkReader chunk;
  EXPECT_FALSE(chunk.NextStream());
  EXPECT_FALSE(chunk.NextCommit());
  EXPECT_FALSE(chunk.NextCommitOf(WantedTypes(10, true)));
  EXPECT_TRUE(chunk.status().ok());
}

TEST(ChunkReader, KeepsItsPlaceWhenMoved) {
  const std::string bytes = TwoFullCommits();
  ChunkReader first = ChunkReader::Open(bytes).value();
  ASSERT_TRUE(first.NextCommit() && first.NextStream() && first.NextEvent());
  ChunkReader moved = std::move(first);
  ASSERT_TRUE(moved.NextEvent());
  EXPECT_EQ(moved.event().offset, Offset(1001));
  EXPECT_EQ(moved.definitions().size(), 3u);
}

}  // namespace
}  // namespace everfold

#include "everfold/event/chunk.h"

#include "everfold/base/digest.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

using testing::ElementsAre;

TEST(Chunk, ComesBackWithEveryField) {
  const auto chunk = DecodeChunk(SampleChunk());
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->header, HeaderOf(SampleCommits()));
  EXPECT_EQ(chunk->commits, SampleCommits());
}

TEST(Chunk, CountsAndSequencesComeFromTheCommits) {
  const ChunkHeader header = DecodeChunk(SampleChunk())->header;
  EXPECT_EQ(header.event_count, 4u);
  EXPECT_EQ(header.commit_count, 2u);
  EXPECT_EQ(header.first_sequence, Sequence(300));
  EXPECT_EQ(header.last_sequence, Sequence(302));
  EXPECT_EQ(header.last_offset(), Offset(1003));
}

TEST(Chunk, TheHeaderDecodesAlone) {
  const auto header = DecodeChunkHeader(SampleChunk().substr(0, kChunkHeaderBytes));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(*header, HeaderOf(SampleCommits()));
}

TEST(Chunk, WithoutEventsItEndsWhereItBegan) {
  std::vector<Commit> outcome = {SampleCommits()[1]};
  ChunkHeader header = HeaderOf(outcome);
  header.first_offset = Offset(1);
  const auto chunk = DecodeChunk(EncodeChunk(header, outcome));
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->header.event_count, 0u);
  EXPECT_EQ(chunk->header.last_offset(), Offset(0));
}

// Bytes of format version 0, taken apart as chunk.h describes them. They change only together with the version.
TEST(Chunk, HasTheseBytes) {
  Commit commit;
  commit.sequence = Sequence(300);
  commit.recorded_at = absl::FromUnixMicros(1);
  commit.tenant = "t";
  commit.command = {"C", "id", "fp"};
  commit.metadata = {
      .correlation_id = "co", .causation_id = "", .actor = "a", .traceparent = "", .headers = {{"h", "v"}}};
  const Event event{.type = "E",
                    .fingerprint = "F",
                    .event_time = absl::FromUnixMicros(-1),
                    .tags = {"x"},
                    .codec = PayloadCodec::kEncrypted,
                    .payload = "pay"};
  commit.streams = {{{"t", "jar", "j1"}, Version(5), {event}}};
  ChunkHeader header;
  header.partition = PartitionId(258);
  header.writer_epoch = 3;
  header.chunk_number = 4;
  header.first_offset = Offset(5);
  // clang-format off
  EXPECT_EQ(HexEncode(EncodeChunk(header, {commit})),
            "45564348" "0000" "0201"                      // magic, version, partition
            "0300000000000000" "0400000000000000"         // writer epoch, chunk number
            "0500000000000000" "01000000" "01000000"      // first offset, events, commits
            "2c01000000000000" "2c01000000000000"         // sequences
            "64529055e1b076d0"                            // checksum
            "01" "0145" "0146"                            // type table
            "2d"                                          // length of the commit
            "ac02" "02" "0174"                            // sequence, recorded at, tenant
            "0143" "026964" "026670"                      // command
            "02636f" "00" "0161" "00" "01" "0168" "0176"  // metadata
            "01" "036a6172" "026a31" "05"                 // streams, name, first version
            "01" "00" "01" "01" "0178" "02" "03706179");  // events: type, time, tags, codec, payload
  // clang-format on
}

TEST(Chunk, TypesAreNamedOnce) {
  const std::string chunk = SampleChunk();
  std::size_t names = 0;
  for (std::size_t at = chunk.find("wallet.v1.Deposited"); at != std::string::npos;
       at = chunk.find("wallet.v1.Deposited", at + 1)) {
    ++names;
  }
  EXPECT_EQ(names, 2u);  // with a fingerprint, and without
}

TEST(Chunk, AnyCommitsComeBack) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SeededRandom random(seed);
    const std::vector<Commit> commits = RandomCommits(random);
    const auto chunk = DecodeChunk(EncodeChunk(HeaderOf(commits), commits));
    ASSERT_TRUE(chunk.ok()) << "seed " << seed << ": " << chunk.status();
    ASSERT_EQ(chunk->header, HeaderOf(commits)) << "seed " << seed;
    ASSERT_EQ(chunk->commits, commits) << "seed " << seed;
  }
}

TEST(Chunk, KeepsTimesToTheMicrosecond) {
  std::vector<Commit> commits = {SampleCommits()[1]};
  commits[0].recorded_at = absl::FromUnixNanos(1'999);
  EXPECT_EQ(DecodeChunk(EncodeChunk(HeaderOf(commits), commits))->commits[0].recorded_at, absl::FromUnixMicros(1));
}

TEST(ChunkDeathTest, HoldsACommit) { EXPECT_DEATH(EncodeChunk({}, {}), "check failed: !commits.empty\\(\\)"); }

}  // namespace
}  // namespace everfold

#include "everfold/event/chunk.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/event/chunk_reader.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

using testing::HasSubstr;

ChunkHeader WithoutChain(ChunkHeader header) {
  header.chain = {};
  return header;
}

void DefineTypesOf(const std::string& chunk, TypeDictionary& types) {
  const auto reader = ChunkReader::Open(chunk);
  for (const TypeDefinition& definition : reader->definitions()) {
    ASSERT_TRUE(types.Define(PartitionId(3), definition).ok());
  }
}

TEST(Chunk, ComesBackWithEveryField) {
  const auto chunk = DecodeChunk(SampleChunk(), NoTypes());
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(WithoutChain(chunk->header), HeaderOf(SampleCommits()));
  EXPECT_EQ(chunk->commits, SampleCommits());
}

TEST(Chunk, CountsAndSequencesComeFromTheCommits) {
  const ChunkHeader header = DecodeChunk(SampleChunk(), NoTypes())->header;
  EXPECT_EQ(header.event_count, 4u);
  EXPECT_EQ(header.commit_count, 2u);
  EXPECT_EQ(header.first_sequence, Sequence(300));
  EXPECT_EQ(header.last_sequence, Sequence(302));
  EXPECT_EQ(header.last_offset(), Offset(1003));
}

TEST(Chunk, TheHeaderDecodesAlone) {
  const std::string chunk = SampleChunk();
  const auto header = DecodeChunkHeader(std::string(chunk, 0, kChunkHeaderBytes));
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(*header, DecodeChunk(chunk, NoTypes())->header);
}

TEST(Chunk, WithoutEventsItEndsWhereItBegan) {
  ChunkHeader header = SampleHeader();
  header.first_offset = Offset(1);
  const auto chunk = DecodeChunk(ChunkMaker(header).Make({SampleCommits()[1]}), NoTypes());
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->header.event_count, 0u);
  EXPECT_EQ(chunk->header.last_offset(), Offset(0));
  EXPECT_EQ(chunk->commits, std::vector<Commit>({SampleCommits()[1]}));
}

TEST(Chunk, AnyCommitsComeBack) {
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    SeededRandom random(seed);
    const std::vector<Commit> commits = RandomCommits(random);
    const auto chunk = DecodeChunk(ChunkOf(commits), NoTypes());
    ASSERT_TRUE(chunk.ok()) << "seed " << seed << ": " << chunk.status();
    ASSERT_EQ(WithoutChain(chunk->header), HeaderOf(commits)) << "seed " << seed;
    ASSERT_EQ(chunk->commits, commits) << "seed " << seed;
  }
}

TEST(Chunk, KeepsTimesToTheMicrosecond) {
  std::vector<Commit> commits = {SampleCommits()[1]};
  commits[0].recorded_at = absl::FromUnixNanos(1'999);
  EXPECT_EQ(DecodeChunk(ChunkOf(commits), NoTypes())->commits[0].recorded_at, absl::FromUnixMicros(1));
  commits[0].recorded_at = absl::FromUnixNanos(-1);
  EXPECT_EQ(DecodeChunk(ChunkOf(commits), NoTypes())->commits[0].recorded_at, absl::FromUnixMicros(-1));
}

TEST(Chunk, AFingerprintWithoutAnIdIsNotKept) {
  std::vector<Commit> commits = {SampleCommits()[1]};
  commits[0].command = {"wallet.v1.Withdraw", "", "f"};
  EXPECT_EQ(DecodeChunk(ChunkOf(commits), NoTypes())->commits[0].command, (CommandId{"wallet.v1.Withdraw", "", ""}));
}

TEST(Chunk, TypesAreNamedOnceInAPartition) {
  ChunkMaker maker(SampleHeader());
  const std::string first = maker.Make(SampleCommits());
  std::vector<Commit> later = SampleCommits();
  later[0].sequence = Sequence(400);
  later[1].sequence = Sequence(401);
  const std::string second = maker.Make(later);
  EXPECT_EQ(ChunkReader::Open(first)->definitions().size(), 4u);
  EXPECT_EQ(ChunkReader::Open(second)->definitions().size(), 0u);
  EXPECT_THAT(second, testing::Not(HasSubstr("wallet.v1")));
}

TEST(Chunk, TypesOfEarlierChunksComeFromTheDictionary) {
  ChunkMaker maker(SampleHeader());
  TypeDictionary types(4);
  DefineTypesOf(maker.Make(SampleCommits()), types);
  std::vector<Commit> later = SampleCommits();
  later[0].sequence = Sequence(400);
  later[1].sequence = Sequence(401);
  const auto second = DecodeChunk(maker.Make(later), types);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->commits, later);
}

TEST(Chunk, SomeTypesMayBeTheDictionarysAndOthersTheChunksOwn) {
  ChunkMaker maker(SampleHeader());
  TypeDictionary types(4);
  DefineTypesOf(maker.Make({SampleCommits()[1]}), types);
  Commit later = SampleCommits()[0];
  later.command.type = SampleCommits()[1].command.type;
  const std::string chunk = maker.Make({later});
  ASSERT_EQ(ChunkReader::Open(chunk)->definitions().front().id, 2u);
  EXPECT_EQ(DecodeChunk(chunk, types)->commits, std::vector<Commit>({later}));
}

TEST(Chunk, ATypeThatNobodyDefinesIsDataLoss) {
  ChunkMaker maker(SampleHeader());
  maker.Make({SampleCommits()[1]});
  Commit later = SampleCommits()[1];
  later.sequence = Sequence(400);
  const absl::Status status = DecodeChunk(maker.Make({later}), NoTypes()).status();
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("type 1 is not defined in partition 3"));
}

TEST(Chunk, ADefinitionAgainstTheDictionaryIsDataLoss) {
  TypeDictionary types(4);
  ASSERT_TRUE(types.Define(PartitionId(3), {1, {"other.v1.Type", ""}}).ok());
  const absl::Status status = DecodeChunk(SampleChunk(), types).status();
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("it defines type 1 as wallet.v1.Deposit, which the partition knows as other.v1.Type"));
}

}  // namespace
}  // namespace everfold

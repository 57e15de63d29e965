// The chain tells every change of what was written: of the commits' bytes, their number, their order, and of the
// header.
#include "everfold/event/chain.h"

#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "everfold/event/chunk_bytes.h"
#include "everfold/event/chunk_reader.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

std::string_view View(const Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

// Three chunks of a partition.
std::vector<std::string> Chunks() {
  ChunkMaker maker(SampleHeader());
  std::vector<std::string> chunks;
  for (std::uint64_t i = 0; i < 3; ++i) {
    std::vector<Commit> commits = SampleCommits();
    commits[0].sequence = Sequence(300 + i * 10);
    commits[1].sequence = Sequence(302 + i * 10);
    chunks.push_back(maker.Make(commits));
  }
  return chunks;
}

// As whoever verifies a partition does it: the chunks' chains must be what follows from the one before.
bool Verifies(const std::vector<std::string>& chunks) {
  Chain chain;
  for (const std::string& chunk : chunks) {
    const auto next = ChainOf(chunk, chain);
    if (!next.ok() || *next != CheckChunk(chunk)->chain) return false;
    chain = *next;
  }
  return true;
}

struct Parts {
  std::string header;
  std::string definitions;
  std::vector<std::string> commits;
};

Parts PartsOf(const std::string& chunk) {
  ChunkReader reader = ChunkReader::Open(chunk).value();
  Parts parts{chunk.substr(0, kChunkHeaderBytes), std::string(reader.definition_bytes()), {}};
  while (reader.NextCommit()) parts.commits.emplace_back(reader.commit_bytes());
  return parts;
}

std::string Join(const Parts& parts) {
  std::string chunk = parts.header + parts.definitions;
  for (const std::string& commit : parts.commits) AppendString(chunk, commit);
  Reseal(chunk);
  return chunk;
}

TEST(Chain, ContinuesOverChunks) {
  const std::vector<std::string> chunks = Chunks();
  EXPECT_TRUE(Verifies(chunks));
  EXPECT_FALSE(Verifies({chunks[0], chunks[2]}));
  EXPECT_FALSE(Verifies({chunks[1], chunks[2]}));
  EXPECT_FALSE(Verifies({chunks[0], chunks[0]}));
}

TEST(Chain, IsWhatTheDocumentSays) {
  const std::vector<std::string> chunks = Chunks();
  const Parts parts = PartsOf(chunks[1]);
  std::string hashed(View(CheckChunk(chunks[0])->chain.digest));
  hashed += chunks[1].substr(0, 8) + chunks[1].substr(12, 76) + Sha256(parts.definitions);
  for (const std::string& commit : parts.commits) hashed += Sha256(commit);
  EXPECT_EQ(CheckChunk(chunks[1])->chain.ToString(), HexEncode(Sha256(hashed)));
}

TEST(Chain, JoinedPartsAreTheChunk) { EXPECT_EQ(Join(PartsOf(Chunks()[0])), Chunks()[0]); }

TEST(Chain, TellsAChangedByteOfAnyCommit) {
  std::vector<std::string> chunks = Chunks();
  const Parts parts = PartsOf(chunks[1]);
  for (std::size_t commit = 0; commit < parts.commits.size(); ++commit) {
    for (std::size_t at = 0; at < parts.commits[commit].size(); ++at) {
      Parts changed = parts;
      changed.commits[commit][at] = static_cast<char>(changed.commits[commit][at] ^ 1);
      chunks[1] = Join(changed);
      ASSERT_FALSE(Verifies(chunks)) << "byte " << at << " of commit " << commit;
    }
  }
}

TEST(Chain, TellsAChangedByteOfTheHeader) {
  std::vector<std::string> chunks = Chunks();
  const std::string chunk = chunks[1];
  for (std::size_t at = 0; at < 120; ++at) {
    chunks[1] = chunk;
    chunks[1][at] = static_cast<char>(chunks[1][at] ^ 1);
    Reseal(chunks[1]);
    const bool is_length = at >= 8 && at < 12;  // made right again
    ASSERT_EQ(Verifies(chunks), is_length) << "byte " << at;
  }
}

TEST(Chain, TellsAChangedDefinition) {
  std::vector<std::string> chunks = Chunks();
  const std::size_t name = chunks[0].find("Deposited");
  chunks[0][name] = 'd';
  Reseal(chunks[0]);
  ASSERT_TRUE(ChunkReader::Open(chunks[0]).ok());
  EXPECT_FALSE(Verifies(chunks));
}

TEST(Chain, TellsADroppedCommit) {
  std::vector<std::string> chunks = Chunks();
  Parts parts = PartsOf(chunks[1]);
  parts.commits.pop_back();
  parts.header[12] = 1;                 // commits
  parts.header[56] = parts.header[48];  // last sequence
  chunks[1] = Join(parts);
  ASSERT_TRUE(DecodeChunk(chunks[0], NoTypes()).ok());
  ASSERT_TRUE(ChainOf(chunks[1], {}).ok()) << ChainOf(chunks[1], {}).status();
  EXPECT_FALSE(Verifies(chunks));
}

TEST(Chain, TellsReorderedCommits) {
  std::vector<std::string> chunks = Chunks();
  Parts parts = PartsOf(chunks[1]);
  ASSERT_EQ(parts.commits[0][1], 0);  // sequences behind the first
  ASSERT_EQ(parts.commits[1][1], 2);
  std::swap(parts.commits[0], parts.commits[1]);
  std::swap(parts.commits[0][1], parts.commits[1][1]);
  std::swap(parts.commits[0][2], parts.commits[1][2]);  // recorded times
  chunks[1] = Join(parts);
  ASSERT_TRUE(ChainOf(chunks[1], {}).ok()) << ChainOf(chunks[1], {}).status();
  EXPECT_FALSE(Verifies(chunks));
}

TEST(Chain, TellsATombstoneWithAnotherLeaf) {
  std::vector<std::string> chunks = Chunks();
  const std::string erased = WithTombstone(chunks[1], Sequence(310), "asked to").value();
  chunks[1] = erased;
  ASSERT_TRUE(Verifies(chunks));
  Parts parts = PartsOf(erased);
  ChunkReader reader = ChunkReader::Open(erased).value();
  ASSERT_TRUE(reader.NextCommit());
  const Digest leaf = reader.leaf();
  const std::size_t at = parts.commits[0].find(std::string(leaf.begin(), leaf.end()));
  ASSERT_NE(at, std::string::npos);
  parts.commits[0][at] = static_cast<char>(parts.commits[0][at] ^ 1);
  chunks[1] = Join(parts);
  ASSERT_TRUE(ChainOf(chunks[1], {}).ok());
  EXPECT_FALSE(Verifies(chunks));
}

TEST(Chain, OfADamagedChunkIsDataLoss) {
  std::string chunk = SampleChunk();
  chunk.back() = static_cast<char>(chunk.back() ^ 1);
  EXPECT_EQ(ReasonOf(ChainOf(chunk, {}).status()), reason::kDataLoss);
  chunk = SampleChunk() + '\0';
  Reseal(chunk);
  EXPECT_EQ(ReasonOf(ChainOf(chunk, {}).status()), reason::kDataLoss);
}

TEST(Chain, PrintsAsHex) {
  EXPECT_EQ(Chain().ToString(), std::string(64, '0'));
  Chain chain;
  chain.digest[0] = 0xab;
  EXPECT_EQ(chain.ToString(), "ab" + std::string(62, '0'));
}

}  // namespace
}  // namespace everfold

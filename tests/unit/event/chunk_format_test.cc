// Format version 1, which must not change: chunks written by hand from docs/formats/chunk.md, the document's example,
// and the files under golden/, which are what programs of this version have written. None of them is ever made anew;
// another format has another version.
#include <xxhash.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "everfold/base/digest.h"
#include "everfold/event/chunk.h"
#include "everfold/event/chunk_reader.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// By hand: nothing here is of the code that is tested.

std::string Fixed(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

std::string Varint(std::uint64_t value) {
  std::string text;
  for (; value > 127; value /= 128) text.push_back(static_cast<char>(value % 128 + 128));
  return text + static_cast<char>(value);
}

std::string Text(const std::string& text) { return Varint(text.size()) + text; }

// Of a number that is not negative.
std::string Zigzag2(std::uint64_t value) { return Varint(value * 2); }

std::uint64_t Xxh3(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

constexpr std::uint64_t kBaseMicros = 1'767'225'600'000'000;  // 2026-01-01

// The commits of the document's example: 66 and 16 bytes.
std::string FirstCommitByHand() {
  return std::string("\x01") + Varint(0) + Zigzag2(0) + Varint(1) + Varint(1) + Varint(7) + Varint(2) + Varint(2) +
         Varint(2) + Text("acme") + '\x23' + Text("r-1") + Text("F1") + Text("c-1") + Varint(1) + Text("k") +
         Text("v") + Text("order") + Text("o-1") + Varint(2) +                                   // the stream
         Fixed(0, 1) + '\x03' + Zigzag2(kBaseMicros - 1'000'000) + Varint(1) + Text("card:7") +  // an event
         Text("\x08\x2a") + Fixed(0, 1) + Fixed(0, 1) + Text("");                                // another event
}

std::string SecondCommitByHand() {
  return std::string("\x01") + Varint(2) + Zigzag2(1500) + Varint(1) + Varint(0) + Varint(0) + Text("") + '\x01' +
         Text("r-2") + Text("F2");
}

std::string DefinitionsByHand() {
  return Varint(2) + Varint(1) + Text("shop.v1.PlaceOrder") + Text("") + Varint(2) + Text("shop.v1.OrderPlaced") +
         Text("FP");
}

std::string ChunkByHand() {
  const std::string commits[] = {FirstCommitByHand(), SecondCommitByHand()};
  const std::string body = DefinitionsByHand() + Text(commits[0]) + Text(commits[1]);
  const std::string begin = "EVCH" + Fixed(1, 2) + Fixed(5, 2);
  const std::string length = Fixed(128 + body.size(), 4);
  const std::string sealed = Fixed(2, 4) + Fixed(2, 4) + Fixed(0, 4) + Fixed(0x1122334455667788, 8) + Fixed(1, 8) +
                             Fixed(1, 8) + Fixed(41, 8) + Fixed(43, 8) + Fixed(kBaseMicros, 8) + std::string(16, '\0');
  const std::string chain = Sha256(std::string(32, '\0') + begin + sealed + Sha256(DefinitionsByHand()) +
                                   Sha256(commits[0]) + Sha256(commits[1]));
  const std::string header = begin + length + sealed + chain;
  EXPECT_EQ(header.size(), 120u);
  return header + Fixed(Xxh3(body, Xxh3(header, 0)), 8) + body;
}

// The same by the code.

Commit FirstCommit() {
  Commit commit;
  commit.sequence = Sequence(41);
  commit.recorded_at = absl::FromUnixMicros(kBaseMicros);
  commit.tenant = "acme";
  commit.command = {"shop.v1.PlaceOrder", "r-1", "F1"};
  commit.metadata.correlation_id = "c-1";
  commit.metadata.headers = {{"k", "v"}};
  const Event placed{.type = "shop.v1.OrderPlaced",
                     .fingerprint = "FP",
                     .event_time = commit.recorded_at - absl::Seconds(1),
                     .tags = {"card:7"},
                     .codec = PayloadCodec::kPlain,
                     .payload = "\x08\x2a"};
  const Event bare{.type = "shop.v1.OrderPlaced",
                   .fingerprint = "FP",
                   .event_time = commit.recorded_at,
                   .tags = {},
                   .codec = PayloadCodec::kPlain,
                   .payload = ""};
  commit.streams = {{{"acme", "order", "o-1"}, Version(7), {placed, bare}}};
  return commit;
}

Commit SecondCommit() {
  Commit commit;
  commit.sequence = Sequence(43);
  commit.recorded_at = absl::FromUnixMicros(kBaseMicros + 1500);
  commit.command = {"shop.v1.PlaceOrder", "r-2", "F2"};
  return commit;
}

std::string ExampleChunk() {
  ChunkHeader header;
  header.partition = PartitionId(5);
  header.writer_epoch = 0x1122334455667788;
  header.chunk_number = 1;
  header.first_offset = Offset(1);
  return ChunkMaker(header).Make({FirstCommit(), SecondCommit()});
}

TEST(ChunkFormat, TheWriterWritesWhatTheDocumentSays) {
  EXPECT_EQ(HexEncode(ExampleChunk()), HexEncode(ChunkByHand()));
}

TEST(ChunkFormat, TheReaderReadsWhatTheDocumentSays) {
  const auto chunk = DecodeChunk(ChunkByHand(), NoTypes());
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->header.partition, PartitionId(5));
  EXPECT_EQ(chunk->header.writer_epoch, 0x1122334455667788u);
  EXPECT_EQ(chunk->header.base_time, absl::FromUnixMicros(kBaseMicros));
  EXPECT_EQ(chunk->commits, std::vector<Commit>({FirstCommit(), SecondCommit()}));
  EXPECT_EQ(ChainOf(ChunkByHand(), {}).value(), chunk->header.chain);
}

// The document's blocks of "offset  bytes  what it is".
std::vector<std::string> BlocksOfTheDocument() {
  std::istringstream document(ReadFile(EVERFOLD_TEST_DOCS_DIR "/formats/chunk.md"));
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(document, line);) {
    if (line == "```hex") blocks.emplace_back();
    if (line.starts_with("```")) {
      inside = line == "```hex";
    } else if (inside) {
      EXPECT_EQ(std::stoul(line.substr(0, 4), nullptr, 16), blocks.back().size()) << line;
      const std::string bytes = line.substr(6, 47);  // 16 of them with blanks between
      for (std::size_t at = 0; at < bytes.size() && bytes[at] != ' '; at += 3) {
        blocks.back().push_back(static_cast<char>(std::stoi(bytes.substr(at, 2), nullptr, 16)));
      }
    }
  }
  return blocks;
}

TEST(ChunkFormat, TheDocumentsExampleIsTrue) {
  const std::vector<std::string> blocks = BlocksOfTheDocument();
  ASSERT_EQ(blocks.size(), 2u);
  EXPECT_EQ(HexEncode(blocks[0]), HexEncode(ExampleChunk()));
  const std::string erased = WithTombstone(ExampleChunk(), Sequence(41), "GDPR 17").value();
  const std::string first = ExampleChunk().substr(128, 0xae - 128);
  const std::string last = ExampleChunk().substr(0xf1);
  EXPECT_EQ(HexEncode(erased.substr(128)), HexEncode(first + blocks[1] + last));
  EXPECT_EQ(ExampleChunk().size() - erased.size(), 4u);
}

// Golden files.

struct Golden {
  std::string name;
  std::string chunk;            // that the code writes
  std::vector<Commit> commits;  // that it must decode to
};

std::vector<Commit> At(std::uint64_t sequence, std::vector<Commit> commits) {
  for (Commit& commit : commits) commit.sequence = Sequence(sequence++);
  return commits;
}

// Lengths and numbers that need several bytes.
std::vector<Commit> LargeCommits() {
  Commit commit = SampleCommits()[0];
  commit.tenant = std::string(64, 't');
  for (StreamEvents& stream : commit.streams) stream.stream.tenant = commit.tenant;
  commit.streams[0].first_version = Version(1'000'000'000'000);
  commit.streams[0].events[0].payload = std::string(17'000, 'x');
  commit.streams[0].events[1].event_time = absl::FromUnixMicros(INT64_MIN + 1);
  Commit later = commit;
  later.recorded_at += absl::Hours(1);
  later.streams.clear();
  return At(UINT64_MAX / 2, {commit, later});
}

std::vector<Golden> Goldens() {
  ChunkMaker maker(SampleHeader());
  const std::vector<Commit> later = At(303, SampleCommits());
  const std::string full = maker.Make(SampleCommits());
  return {{"chunk_v1_full.bin", full, SampleCommits()},
          {"chunk_v1_continued.bin", maker.Make(later), later},
          {"chunk_v1_outcome.bin", ChunkOf({SampleCommits()[1]}), {SampleCommits()[1]}},
          {"chunk_v1_bare.bin", ChunkOf(At(1, {Commit()})), At(1, {Commit()})},
          {"chunk_v1_large.bin", ChunkOf(LargeCommits()), LargeCommits()},
          {"chunk_v1_tombstone.bin",
           WithTombstone(full, Sequence(300), "asked to").value(),
           {ErasedCommit(SampleCommits()[0]), SampleCommits()[1]}}};
}

std::string GoldenFile(const Golden& golden) { return ReadFile(EVERFOLD_TEST_GOLDEN_DIR "/" + golden.name); }

TEST(ChunkFormat, IsWrittenAsItAlwaysWas) {
  for (const Golden& golden : Goldens())
    EXPECT_EQ(HexEncode(golden.chunk), HexEncode(GoldenFile(golden))) << golden.name;
}

TEST(ChunkFormat, IsReadAsItAlwaysWas) {
  TypeDictionary types(4);
  const std::string first = GoldenFile(Goldens()[0]);
  const ChunkReader defining = ChunkReader::Open(first).value();
  for (const TypeDefinition& definition : defining.definitions()) {
    ASSERT_TRUE(types.Define(PartitionId(3), definition).ok());
  }
  for (const Golden& golden : Goldens()) {
    const bool continues = golden.name == "chunk_v1_continued.bin";
    const auto chunk = DecodeChunk(GoldenFile(golden), continues ? types : NoTypes());
    ASSERT_TRUE(chunk.ok()) << golden.name << ": " << chunk.status();
    EXPECT_EQ(chunk->commits, golden.commits) << golden.name;
    const Chain previous = continues ? defining.header().chain : Chain();
    EXPECT_EQ(ChainOf(GoldenFile(golden), previous).value(), chunk->header.chain) << golden.name;
  }
}

TEST(ChunkFormat, EveryGoldenFileIsTested) {
  std::vector<std::string> tested;
  for (const Golden& golden : Goldens()) tested.push_back(golden.name);
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(EVERFOLD_TEST_GOLDEN_DIR)) {
    files.push_back(entry.path().filename());
  }
  std::sort(tested.begin(), tested.end());
  std::sort(files.begin(), files.end());
  EXPECT_EQ(files, tested);
}

}  // namespace
}  // namespace everfold

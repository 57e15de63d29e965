// Whatever happens to a chunk's bytes, decoding says DATA_LOSS: it never reads beyond them, never asks for absurd
// memory, never gives out something else. The sanitizers see to the first two.
#include "everfold/base/error.h"
#include "everfold/event/chunk.h"
#include "everfold/event/partitioning.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

using testing::HasSubstr;

void ExpectDamaged(std::string_view bytes, const std::string& what) {
  const absl::Status status = DecodeChunk(bytes).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("damaged chunk: " + what));
}

// The sample with bytes at a place of its header replaced, and the checksum made right again.
template <class Integer>
std::string WithHeaderField(std::size_t at, Integer value) {
  std::string chunk = SampleChunk();
  chunk.replace(at, sizeof(value), reinterpret_cast<const char*>(&value), sizeof(value));
  Reseal(chunk);
  return chunk;
}

// A chunk of this body behind a header that counts one commit and no events.
std::string WithBody(const std::string& body) {
  std::vector<Commit> outcome = {SampleCommits()[1]};
  std::string chunk = EncodeChunk(HeaderOf(outcome), outcome).substr(0, kChunkHeaderBytes) + body;
  Reseal(chunk);
  return chunk;
}

TEST(ChunkDamage, EveryFlippedBitIsDataLoss) {
  const std::string chunk = SampleChunk();
  for (std::size_t bit = 0; bit < chunk.size() * 8; ++bit) {
    std::string flipped = chunk;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    ASSERT_EQ(DecodeChunk(flipped).status().code(), absl::StatusCode::kDataLoss) << "bit " << bit;
  }
}

TEST(ChunkDamage, EveryTruncationIsDataLoss) {
  const std::string chunk = SampleChunk();
  for (std::size_t size = 0; size < chunk.size(); ++size) {
    const std::string cut = chunk.substr(0, size);  // a copy, so that reading beyond it is seen
    ASSERT_EQ(DecodeChunk(cut).status().code(), absl::StatusCode::kDataLoss) << size << " bytes";
  }
}

TEST(ChunkDamage, EveryTruncationWithARightChecksumIsDataLoss) {
  const std::string chunk = SampleChunk();
  for (std::size_t size = kChunkHeaderBytes; size < chunk.size(); ++size) {
    std::string cut = chunk.substr(0, size);
    Reseal(cut);
    ASSERT_EQ(DecodeChunk(cut).status().code(), absl::StatusCode::kDataLoss) << size << " bytes";
  }
}

TEST(ChunkDamage, BytesBehindTheLastCommitAreDataLoss) {
  std::string chunk = SampleChunk() + '\0';
  ExpectDamaged(chunk, "its checksum does not match");
  Reseal(chunk);
  ExpectDamaged(chunk, "its commits do not fill it");
}

// Changes that the checksum does not show: decoding ends all the same, with the chunk that the bytes say, or DATA_LOSS.
TEST(ChunkDamage, RandomChangesWithARightChecksumNeverCrash) {
  int accepted = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    SeededRandom random(seed);
    std::string chunk = SampleChunk();
    for (std::uint64_t left = 1 + random.Below(4); left > 0; --left) {
      chunk[random.Below(chunk.size())] = static_cast<char>(random.Next());
    }
    Reseal(chunk);
    const auto decoded = DecodeChunk(chunk);
    if (!decoded.ok()) {
      ASSERT_EQ(decoded.status().code(), absl::StatusCode::kDataLoss) << "seed " << seed;
      continue;
    }
    ++accepted;
    ASSERT_EQ(decoded->commits.size(), decoded->header.commit_count) << "seed " << seed;
    for (const Commit& commit : decoded->commits) {
      for (const StreamEvents& stream : commit.streams) {
        for (const Event& event : stream.events) ASSERT_LE(event.codec, PayloadCodec::kEncrypted) << "seed " << seed;
      }
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(ChunkDamage, RandomBytesAreDataLoss) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    SeededRandom random(seed);
    const std::string chunk = WithBody(random.Bytes(random.Below(100)));
    ASSERT_EQ(DecodeChunk(chunk).status().code(), absl::StatusCode::kDataLoss) << "seed " << seed;
  }
}

TEST(ChunkDamage, AnotherMagicOrVersionIsNotRead) {
  ExpectDamaged("", "0 bytes are less than a header");
  ExpectDamaged(SampleChunk().substr(0, 63), "63 bytes are less than a header");
  ExpectDamaged(WithHeaderField(0, std::uint32_t{0x48435658}), "it does not begin with EVCH");
  ExpectDamaged(WithHeaderField(4, std::uint16_t{1}), "format version 1 is not known");
}

TEST(ChunkDamage, AHeaderThatNoWriterMakesIsRefused) {
  ExpectDamaged(WithHeaderField(6, std::uint16_t{kMaxPartitions}), "partition 1024");
  ExpectDamaged(WithHeaderField(16, std::uint64_t{0}), "chunk number 0");
  ExpectDamaged(WithHeaderField(24, std::uint64_t{0}), "first offset 0");
  ExpectDamaged(WithHeaderField(24, UINT64_MAX - 2), "first offset 18446744073709551613");
  ExpectDamaged(WithHeaderField(36, std::uint32_t{0}), "it has no commits");
}

TEST(ChunkDamage, CountsThatDisagreeAreRefused) {
  ExpectDamaged(WithHeaderField(32, std::uint32_t{5}), "it holds 4 events, its header says 5");
  ExpectDamaged(WithHeaderField(36, std::uint32_t{1}), "its commits do not fill it");
  ExpectDamaged(WithHeaderField(36, UINT32_MAX), "its commits do not fill it");
}

TEST(ChunkDamage, SequencesThatDisagreeAreRefused) {
  ExpectDamaged(WithHeaderField(40, std::uint64_t{299}), "its commits have sequences 300 to 302, its header says 299");
  ExpectDamaged(WithHeaderField(48, std::uint64_t{303}), "its commits have sequences 300 to 302, its header says 300");
  std::vector<Commit> commits = SampleCommits();
  commits.insert(commits.begin() + 1, commits[0]);
  ExpectDamaged(EncodeChunk(HeaderOf(commits), commits), "sequence 300 follows 300");
}

TEST(ChunkDamage, ATypeBeyondTheTableIsRefused) {
  std::vector<Commit> commits = SampleCommits();
  std::string chunk = EncodeChunk(HeaderOf(commits), commits);
  // The type table shrinks to its first entry: a count of one, and the second entry cut out.
  const std::size_t entry = 1 + std::string("wallet.v1.Deposited").size();
  ASSERT_EQ(chunk[kChunkHeaderBytes], 2);
  chunk[kChunkHeaderBytes] = 1;
  chunk.erase(kChunkHeaderBytes + 1 + entry + 33, entry + 1);
  Reseal(chunk);
  ExpectDamaged(chunk, "type 1 of 1");
}

TEST(ChunkDamage, ACodecThatNobodyKnowsIsRefused) {
  std::vector<Commit> commits = SampleCommits();
  for (const int codec : {3, 255}) {
    commits[0].streams[0].events[1].codec = static_cast<PayloadCodec>(codec);
    ExpectDamaged(EncodeChunk(HeaderOf(commits), commits), "codec " + std::to_string(codec));
  }
}

TEST(ChunkDamage, AHugeCodecIsNotCutDownToAKnownOne) {
  Commit commit;
  commit.sequence = Sequence(1);
  commit.recorded_at = absl::UnixEpoch();
  Event event;
  event.type = "E";
  event.event_time = absl::UnixEpoch();
  event.payload = "p";
  commit.streams = {{{"", "jar", "j"}, Version(1), {event}}};
  std::string chunk = EncodeChunk(HeaderOf({commit}), {commit});
  ASSERT_TRUE(DecodeChunk(chunk).ok());
  // The codec is the last byte but two; 256 takes two bytes.
  const std::size_t codec = chunk.size() - 3;
  ASSERT_EQ(chunk[codec], 0);
  chunk.replace(codec, 1, "\x80\x02");
  const std::size_t length = kChunkHeaderBytes + 1 + 3;  // behind a table of one type
  chunk[length] = static_cast<char>(chunk[length] + 1);
  Reseal(chunk);
  ExpectDamaged(chunk, "codec 256");
}

TEST(ChunkDamage, AVarintBeyond64BitsIsRefused) {
  ExpectDamaged(WithBody(std::string(9, '\xff') + '\x02'), "its commits do not fill it");
  ExpectDamaged(WithBody(std::string(11, '\x80')), "its commits do not fill it");
}

TEST(ChunkDamage, CountsOfMoreThanThereAreBytesAskForNoMemory) {
  const std::string huge = std::string(9, '\xff') + '\x01';
  ExpectDamaged(WithBody(huge), "its commits do not fill it");         // types
  ExpectDamaged(WithBody('\0' + huge), "its commits do not fill it");  // length of the commit
  const std::string until_headers = std::string(1, '\0') + std::string(10, '\0');
  ExpectDamaged(WithBody(std::string(1, '\0') + static_cast<char>(until_headers.size() + 9) + until_headers + huge),
                "a commit's fields do not fill its length");  // headers
}

}  // namespace
}  // namespace everfold

// Whatever happens to a chunk's bytes, reading says what is wrong: it never reads beyond them, never asks for absurd
// memory, never gives out something else. The sanitizers see to the first two.
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/event/chunk.h"
#include "everfold/event/chunk_bytes.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/partitioning.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

using testing::HasSubstr;

absl::Status StatusOf(std::string_view bytes) { return DecodeChunk(bytes, NoTypes()).status(); }

void ExpectDamaged(std::string_view bytes, const std::string& what) {
  const absl::Status status = StatusOf(bytes);
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("damaged chunk: " + what));
}

// The sample with bytes at a place of its header replaced; length and checksum are right.
template <class Integer>
std::string WithHeaderField(std::size_t at, Integer value) {
  std::string chunk = SampleChunk();
  chunk.replace(at, sizeof(value), reinterpret_cast<const char*>(&value), sizeof(value));
  Reseal(chunk);
  return chunk;
}

// A chunk with this body behind a header that counts one commit, of sequence 302, with so many events.
std::string WithBody(const std::string& body, std::uint32_t events = 0) {
  std::string chunk = ChunkOf({SampleCommits()[1]}).substr(0, kChunkHeaderBytes) + body;
  chunk.replace(16, sizeof(events), reinterpret_cast<const char*>(&events), sizeof(events));
  Reseal(chunk);
  return chunk;
}

// Pieces of a body, in the order of the document.
std::string Hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

// One commit behind one definition (type 1 is "T").
std::string WithCommit(const std::string& commit, std::uint32_t events = 0) {
  std::string body = Hex("0101015400");
  AppendString(body, commit);
  return WithBody(body, events);
}

const std::string kHuge = std::string(9, '\xff') + '\x01';  // 2^64 - 1

TEST(ChunkDamage, EveryFlippedBitIsRefused) {
  const std::string chunk = SampleChunk();
  for (std::size_t bit = 0; bit < chunk.size() * 8; ++bit) {
    std::string flipped = chunk;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    const bool is_version = (bit >= 4 * 8 + 1 && bit < 6 * 8);  // above ours; the lowest bit makes it 0
    ASSERT_EQ(StatusOf(flipped).code(),
              is_version ? absl::StatusCode::kFailedPrecondition : absl::StatusCode::kDataLoss)
        << "bit " << bit;
  }
}

TEST(ChunkDamage, EveryChangedByteIsRefused) {
  const std::string chunk = SampleChunk();
  for (std::size_t at = 0; at < chunk.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = chunk;
      changed[at] = static_cast<char>(value);
      if (changed != chunk) {
        ASSERT_FALSE(CheckChunk(changed).ok()) << "byte " << at << " is " << value;
      }
    }
  }
}

TEST(ChunkDamage, EveryTruncationIsDataLoss) {
  const std::string chunk = SampleChunk();
  for (std::size_t size = 0; size < chunk.size(); ++size) {
    const std::string cut = chunk.substr(0, size);  // a copy, so that reading beyond it is seen
    ASSERT_EQ(StatusOf(cut).code(), absl::StatusCode::kDataLoss) << size << " bytes";
  }
}

TEST(ChunkDamage, EveryTruncationWithARightChecksumIsDataLoss) {
  const std::string chunk = SampleChunk();
  for (std::size_t size = kChunkHeaderBytes; size < chunk.size(); ++size) {
    std::string cut = chunk.substr(0, size);
    Reseal(cut);
    ASSERT_EQ(StatusOf(cut).code(), absl::StatusCode::kDataLoss) << size << " bytes";
  }
}

TEST(ChunkDamage, BytesBehindTheLastCommitAreDataLoss) {
  std::string chunk = SampleChunk();
  const std::string length = std::to_string(chunk.size());
  chunk += '\0';
  ExpectDamaged(chunk, "it has " + std::to_string(chunk.size()) + " bytes, its header says " + length);
  Reseal(chunk);
  ExpectDamaged(chunk, "1 bytes follow its last commit");
}

// Changes that the checksum does not show: decoding ends all the same, with the chunk that the bytes say, or an error.
TEST(ChunkDamage, RandomChangesWithARightChecksumNeverCrash) {
  int accepted = 0;
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    SeededRandom random(seed);
    std::string chunk = SampleChunk();
    for (std::uint64_t left = 1 + random.Below(4); left > 0; --left) {
      chunk[6 + random.Below(chunk.size() - 6)] = static_cast<char>(random.Next());
    }
    Reseal(chunk);
    const auto decoded = DecodeChunk(chunk, NoTypes());
    if (!decoded.ok()) {
      ASSERT_EQ(decoded.status().code(), absl::StatusCode::kDataLoss) << "seed " << seed;
      continue;
    }
    ++accepted;
    ASSERT_EQ(decoded->commits.size(), decoded->header.commit_count) << "seed " << seed;
  }
  EXPECT_GT(accepted, 1000);
}

TEST(ChunkDamage, RandomBytesAreDataLoss) {
  for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
    SeededRandom random(seed);
    const std::string chunk = WithBody(random.Bytes(random.Below(100)));
    ASSERT_EQ(StatusOf(chunk).code(), absl::StatusCode::kDataLoss) << "seed " << seed;
  }
}

TEST(ChunkDamage, AnotherMagicIsNotRead) {
  ExpectDamaged("", "0 bytes are less than a header");
  ExpectDamaged(SampleChunk().substr(0, 127), "127 bytes are less than a header");
  ExpectDamaged(WithHeaderField(0, std::uint32_t{0x48435658}), "it does not begin with EVCH");
}

TEST(ChunkDamage, ANewerFormatIsNotReadAndNotCalledDamaged) {
  const absl::Status status = StatusOf(WithHeaderField(4, std::uint16_t{2}));
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kFormatUnknown);
  EXPECT_EQ(std::string(status.message()), "the chunk has format version 2; this program reads versions up to 1");
  ExpectDamaged(WithHeaderField(4, std::uint16_t{0}), "format version 0 was never used");
}

TEST(ChunkDamage, ALengthThatCannotBeIsRefused) {
  std::string chunk = SampleChunk();
  for (const std::uint32_t length : {0u, 127u, 128u, (64u << 20) + 1, UINT32_MAX}) {
    chunk.replace(8, sizeof(length), reinterpret_cast<const char*>(&length), sizeof(length));
    ExpectDamaged(chunk, "a length of " + std::to_string(length) + " bytes cannot be");
    EXPECT_FALSE(DecodeChunkHeader(chunk).ok());
  }
}

TEST(ChunkDamage, ReservedFieldsAreZero) {
  for (std::size_t at = 20; at < 24; ++at) {
    ExpectDamaged(WithHeaderField(at, char{1}), "bytes 20 to 23 are reserved and not zero");
  }
  for (std::size_t at = 72; at < 88; ++at) {
    ExpectDamaged(WithHeaderField(at, char{1}), "bytes 72 to 87 are reserved and not zero");
  }
}

TEST(ChunkDamage, AHeaderThatNoWriterMakesIsRefused) {
  ExpectDamaged(WithHeaderField(6, std::uint16_t{kMaxPartitions}), "partition 1024 cannot be");
  ExpectDamaged(WithHeaderField(32, std::uint64_t{0}), "chunk number 0 cannot be");
  ExpectDamaged(WithHeaderField(40, std::uint64_t{0}), "first offset 0 cannot be with 4 events");
  ExpectDamaged(WithHeaderField(40, UINT64_MAX - 3), "first offset 18446744073709551612 cannot be with 4 events");
  ExpectDamaged(WithHeaderField(12, std::uint32_t{0}), "it has no commits");
  ExpectDamaged(WithHeaderField(64, INT64_MIN), "its base time is no time");
  ExpectDamaged(WithHeaderField(64, INT64_MAX), "its base time is no time");
}

TEST(ChunkDamage, SequencesOfTheHeaderMakeSense) {
  ExpectDamaged(WithHeaderField(48, std::uint64_t{0}), "first sequence 0 cannot be");
  ExpectDamaged(WithHeaderField(48, std::uint64_t{303}), "sequences 303 to 302 cannot be with 2 commits");
  ExpectDamaged(WithHeaderField(48, std::uint64_t{302}), "sequences 302 to 302 cannot be with 2 commits");
  ExpectDamaged(WithHeaderField(12, UINT32_MAX), "sequences 300 to 302 cannot be with 4294967295 commits");
}

TEST(ChunkDamage, CountsThatDisagreeAreRefused) {
  ExpectDamaged(WithHeaderField(16, std::uint32_t{5}), "it holds 4 events, its header says 5");
  ExpectDamaged(WithHeaderField(16, std::uint32_t{3}), "commit 1 of 2: it has 4 events where 3 are left");
  ExpectDamaged(WithHeaderField(12, std::uint32_t{3}), "1 commits are missing: the bytes end too early");
  ExpectDamaged(WithHeaderField(12, std::uint32_t{1}), "21 bytes follow its last commit");
}

TEST(ChunkDamage, SequencesThatDisagreeAreRefused) {
  ExpectDamaged(WithHeaderField(56, std::uint64_t{301}),
                "commit 2 of 2: its sequence is 2 after the first, where 1 to 1 can be");
  ExpectDamaged(WithHeaderField(56, std::uint64_t{303}), "its last sequence is 302, its header says 303");
  ExpectDamaged(WithCommit(Hex("01010000000000"
                               "00")),
                "commit 1 of 1: its sequence is 1 after the first, where 0 to 0 can be");
}

TEST(ChunkDamage, DefinitionsAreDenseAndNamed) {
  ExpectDamaged(WithBody(Hex("0100"
                             "0154"
                             "00")),
                "definition 1 is of type 0");
  ExpectDamaged(WithBody(Hex("02"
                             "0101540005"
                             "01540000")),
                "definition 2 is of type 5");
  ExpectDamaged(WithBody(Hex("02"
                             "0501540005"
                             "01540000")),
                "definition 2 is of type 5");
  ExpectDamaged(WithBody(Hex("02"
                             "0501540004"
                             "01540000")),
                "definition 2 is of type 4");
  ExpectDamaged(WithBody(Hex("01"
                             "8080808010"
                             "015400")),
                "definition 1 is of type 4294967296");
  ExpectDamaged(WithBody(Hex("01"
                             "01"
                             "00"
                             "00")),
                "type 1 has no name");
  ExpectDamaged(WithBody(Hex("02"
                             "01015400")),
                "type definitions: the bytes end too early");
  ExpectDamaged(WithBody(kHuge), "type definitions: the bytes end too early");
}

TEST(ChunkDamage, ACommitThatEndsTooEarlyIsRefused) {
  ExpectDamaged(WithBody(std::string(1, '\0') + kHuge), "1 commits are missing: the bytes end too early");
  ExpectDamaged(WithCommit(""), "commit 1 of 1: the bytes end too early");
  const std::string whole = Hex("0100000000000000");
  ASSERT_TRUE(StatusOf(WithCommit(whole)).ok()) << StatusOf(WithCommit(whole));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ExpectDamaged(WithCommit(whole.substr(0, size)), "commit 1 of 1: the bytes end too early");
  }
  ExpectDamaged(WithCommit(whole + '\0'), "commit 1 of 1: 1 bytes follow its streams");
}

TEST(ChunkDamage, AKindThatNobodyKnowsIsRefused) {
  ExpectDamaged(WithCommit(Hex("0000000000000000")), "commit 1 of 1: its kind is 0");
  ExpectDamaged(WithCommit(Hex("0300000000000000")), "commit 1 of 1: its kind is 3");
  ExpectDamaged(WithCommit(Hex("ff00000000000000")), "commit 1 of 1: its kind is 255");
}

TEST(ChunkDamage, TimesThatCannotBeAreRefused) {
  ExpectDamaged(WithCommit(Hex("0100020000000000")),
                "commit 1 of 1: it was recorded 1 us after the base time, where 0 us is the least");
  ExpectDamaged(WithCommit(Hex("0100010000000000")), "commit 1 of 1: it was recorded -1 us");
  ExpectDamaged(WithCommit(Hex("0100") + kHuge + Hex("0000000000")),
                "commit 1 of 1: it was recorded -9223372036854775808 us");
  ExpectDamaged(WithHeaderField(64, INT64_MAX - 1), "commit 2 of 2: it was recorded 1 us after the base time");
  std::vector<Commit> commits = {SampleCommits()[1], SampleCommits()[1]};
  commits[1].sequence = Sequence(303);
  commits[1].recorded_at += absl::Microseconds(1);
  std::string chunk = ChunkOf(commits);
  const std::size_t time = chunk.size() - 20 + 2;  // of the last commit, which has 20 bytes
  ASSERT_EQ(chunk[time], 2);
  chunk[time] = 1;
  Reseal(chunk);
  ExpectDamaged(chunk, "commit 2 of 2: it was recorded -1 us after the base time, where 0 us is the least");
}

TEST(ChunkDamage, TypesBeyondTheLastDefinitionAreRefused) {
  ExpectDamaged(WithCommit(Hex("0100000200000000")), "commit 1 of 1: its command has type 2 of 1");
  const std::string rest =
      Hex("0000"
          "0161"
          "0162"
          "01"
          "000000");
  ASSERT_TRUE(StatusOf(WithCommit(Hex("0100000001010101") + rest, 1)).ok());
  ExpectDamaged(WithCommit(Hex("0100000001010102") + rest, 1), "commit 1 of 1: an event has type 2 of 1");
  ExpectDamaged(WithCommit(Hex("0100000001010100") + rest, 1), "commit 1 of 1: an event has type 0 of 1");
  std::string undefined(1, '\0');
  AppendString(undefined, Hex("01000000010101"
                              "8080808010") +
                              rest);
  ExpectDamaged(WithBody(undefined, 1), "commit 1 of 1: an event has type 4294967296 of 4294967295");
}

TEST(ChunkDamage, PresenceBitsThatNobodyKnowsAreRefused) {
  for (const int bits : {0x40, 0x80, 0xff}) {
    ExpectDamaged(WithCommit(Hex("01000000000000") + static_cast<char>(bits) + Hex("01610162")),
                  absl::StrFormat("commit 1 of 1: its presence bits are %d", bits));
  }
  for (const int bits : {4, 0x80, 0xff}) {
    ExpectDamaged(WithCommit(Hex("0100000001010101"
                                 "0000"
                                 "0161"
                                 "0162"
                                 "01"
                                 "00") +
                                 static_cast<char>(bits) + '\0',
                             1),
                  absl::StrFormat("commit 1 of 1: an event's presence bits are %d", bits));
  }
}

TEST(ChunkDamage, WhatIsPresentIsNotEmpty) {
  const std::string before = Hex("01000000000000");
  ExpectDamaged(WithCommit(before + Hex("01"
                                        "00"
                                        "0161")),
                "commit 1 of 1: its command id is present and empty");
  ExpectDamaged(WithCommit(before + Hex("02"
                                        "00")),
                "commit 1 of 1: its correlation id is present and empty");
  ExpectDamaged(WithCommit(before + Hex("04"
                                        "00")),
                "commit 1 of 1: its causation id is present and empty");
  ExpectDamaged(WithCommit(before + Hex("08"
                                        "00")),
                "commit 1 of 1: its actor is present and empty");
  ExpectDamaged(WithCommit(before + Hex("10"
                                        "00")),
                "commit 1 of 1: its traceparent is present and empty");
  ExpectDamaged(WithCommit(before + Hex("20"
                                        "00")),
                "commit 1 of 1: its header list is present and empty");
  ExpectDamaged(WithCommit(Hex("0100000001010101"
                               "0000"
                               "0161"
                               "0162"
                               "01"
                               "0002"
                               "0000"),
                           1),
                "commit 1 of 1: its tag list is present and empty");
}

TEST(ChunkDamage, HeadersAreInOrder) {
  const std::string before =
      Hex("01000000000000"
          "20"
          "02");
  ASSERT_TRUE(StatusOf(WithCommit(before + Hex("0161"
                                               "00"
                                               "0162"
                                               "00")))
                  .ok());
  ExpectDamaged(WithCommit(before + Hex("0162"
                                        "00"
                                        "0161"
                                        "00")),
                "commit 1 of 1: its headers are not in order");
  ExpectDamaged(WithCommit(before + Hex("0161"
                                        "00"
                                        "0161"
                                        "00")),
                "commit 1 of 1: its headers are not in order");
}

TEST(ChunkDamage, StreamsAddUpToTheCommit) {
  const std::string place =
      Hex("01000000"
          "01"
          "01"
          "02"
          "0101"
          "0000");  // two events in one stream
  const std::string event = Hex("000000");
  const auto stream = [](char events) {
    return Hex("0161"
               "0162") +
           events;
  };
  ASSERT_TRUE(StatusOf(WithCommit(place + stream(2) + event + event, 2)).ok());
  ExpectDamaged(WithCommit(place + stream(3) + event + event + event, 2),
                "commit 1 of 1: a stream has 3 events where 2 are left");
  ExpectDamaged(WithCommit(place + stream(1) + event, 2), "commit 1 of 1: its streams lack 1 of its events");
  ExpectDamaged(WithCommit(place + stream(2) + event + event + '\0', 2), "commit 1 of 1: 1 bytes follow its streams");
  ExpectDamaged(WithCommit(place + stream(2) + event, 2), "commit 1 of 1: the bytes end too early");
  ExpectDamaged(WithCommit(place, 2), "commit 1 of 1: the bytes end too early");
}

TEST(ChunkDamage, VersionsThatCannotBeAreRefused) {
  const std::string rest =
      Hex("02"
          "0101"
          "0000"
          "0161"
          "0162"
          "02"
          "000000"
          "000000");
  ExpectDamaged(WithCommit(Hex("01000000"
                               "01"
                               "00") +
                               rest,
                           2),
                "commit 1 of 1: version 0 cannot be first of 2 events");
  ExpectDamaged(WithCommit(Hex("01000000"
                               "01") +
                               kHuge + rest,
                           2),
                "commit 1 of 1: version 18446744073709551615 cannot be first of 2 events");
}

TEST(ChunkDamage, ACodecThatNobodyKnowsIsRefused) {
  const std::string before =
      Hex("0100000001010101"
          "0000"
          "0161"
          "0162"
          "01");
  ASSERT_TRUE(StatusOf(WithCommit(before + Hex("020000"), 1)).ok());
  ExpectDamaged(WithCommit(before + Hex("030000"), 1), "commit 1 of 1: an event has codec 3");
  ExpectDamaged(WithCommit(before + Hex("ff0000"), 1), "commit 1 of 1: an event has codec 255");
}

TEST(ChunkDamage, AnEventTimeThatIsNoTimeIsRefused) {
  const std::string before =
      Hex("0100000001010101"
          "0000"
          "0161"
          "0162"
          "01"
          "0001");
  ASSERT_TRUE(StatusOf(WithCommit(before + Hex("0100"), 1)).ok());
  ExpectDamaged(WithCommit(before + kHuge + '\0', 1), "commit 1 of 1: an event's time is no time");
  ExpectDamaged(WithCommit(before + '\xfe' + kHuge.substr(1) + '\0', 1), "commit 1 of 1: an event's time is no time");
}

TEST(ChunkDamage, ATombstoneIsFilledByItsFields) {
  const std::string leaf(32, 'l');
  const std::string before = Hex("020000010701");  // one stream, which begins with version 7, and one event
  const std::string behind =
      Hex("0172"
          "00"
          "016a0131");  // reason "r", no tenant, stream j/1
  ASSERT_TRUE(StatusOf(WithCommit(before + leaf + behind + Hex("01"), 1)).ok());
  ExpectDamaged(WithCommit(before + leaf + behind + Hex("0100"), 1), "commit 1 of 1: 1 bytes follow its streams");
  ExpectDamaged(WithCommit(before + leaf + behind + Hex("02"), 1),
                "commit 1 of 1: a stream has 2 events where 1 are left");
  ExpectDamaged(WithCommit(before + leaf + behind + Hex("00"), 1), "commit 1 of 1: its streams lack 1 of its events");
  ExpectDamaged(WithCommit(before + leaf + behind, 1), "commit 1 of 1: the bytes end too early");
  ExpectDamaged(WithCommit(before + leaf + Hex("0272"), 1), "commit 1 of 1: the bytes end too early");
  ExpectDamaged(WithCommit(before + leaf.substr(9), 1), "commit 1 of 1: the bytes end too early");
  ExpectDamaged(WithCommit(Hex("020002010701") + leaf + behind + Hex("01"), 1),
                "commit 1 of 1: it was recorded 1 us after the base time");
  ExpectDamaged(WithCommit(Hex("020000010702") + leaf + behind + Hex("02"), 1),
                "commit 1 of 1: it has 2 events where 1 are left");
}

// A commit with one event and only small numbers is read by a shorter way, which checks the same.
TEST(ChunkDamage, OfACommitWithOneEventAndSmallNumbers) {
  const std::string body = Hex("0000016a013101000000");  // stream j/1, an event without a payload
  ASSERT_TRUE(StatusOf(WithCommit(Hex("0100000001010101") + body, 1)).ok());
  ExpectDamaged(WithCommit(Hex("0100020001010101") + body, 1), "commit 1 of 1: it was recorded 1 us after the base");
  ExpectDamaged(WithCommit(Hex("0100010001010101") + body, 1), "commit 1 of 1: it was recorded -1 us after the base");
  ExpectDamaged(WithCommit(Hex("0100000201010101") + body, 1), "commit 1 of 1: its command has type 2 of 1");
  ExpectDamaged(WithCommit(Hex("0100000001000101") + body, 1), "commit 1 of 1: version 0 cannot be first of 1 events");
  ExpectDamaged(WithCommit(Hex("0100000001010100") + body, 1), "commit 1 of 1: an event has type 0 of 1");
  ExpectDamaged(WithCommit(Hex("0100000001010102") + body, 1), "commit 1 of 1: an event has type 2 of 1");
  ExpectDamaged(WithCommit(Hex("0100000001010101") + body, 0), "commit 1 of 1: it has 1 events where 0 are left");
  ExpectDamaged(WithCommit(Hex("0100000001010101") + body, 2), "it holds 1 events, its header says 2");
  ExpectDamaged(WithCommit(Hex("0100000001010101"), 1), "commit 1 of 1: the bytes end too early");
}

// One value has one encoding.
TEST(ChunkDamage, NumbersLongerThanNeededAreRefused) {
  ExpectDamaged(WithBody(Hex("8000")), "type definitions: a varint is longer than its number needs");
  ExpectDamaged(WithBody(Hex("00"
                             "8800"
                             "0100000000000000")),
                "1 commits are missing: a varint is longer than its number needs");
  for (const char* const commit : {"01800000000000000000", "01008000000000000000", "01000080000000000000",
                                   "01000000800000000000", "01000000008000000000", "01000000000080000000"}) {
    ExpectDamaged(WithCommit(Hex(commit)), "commit 1 of 1: a varint is longer than its number needs");
  }
}

TEST(ChunkDamage, NumbersBeyond64BitsAreRefused) {
  ExpectDamaged(WithBody(std::string(9, '\xff') + '\x02'), "type definitions: a varint has more than 64 bits");
  ExpectDamaged(WithCommit(Hex("01") + std::string(11, '\x80')), "commit 1 of 1: a varint has more than 64 bits");
}

TEST(ChunkDamage, CountsOfMoreThanThereAreBytesAskForNoMemory) {
  ExpectDamaged(WithCommit(Hex("01000000") + kHuge + Hex("0000")),
                "commit 1 of 1: the bytes end too early");  // streams
  ExpectDamaged(WithCommit(Hex("0100000000") + kHuge), "commit 1 of 1: it has 18446744073709551615 events");
  ExpectDamaged(WithCommit(Hex("0100000000") + Hex("ffffffff0f"), UINT32_MAX),
                "commit 1 of 1: the bytes end too early");
  ExpectDamaged(WithCommit(Hex("010000000000") + kHuge), "commit 1 of 1: the bytes end too early");  // tenant
  ExpectDamaged(WithCommit(Hex("01000000000000"
                               "20") +
                           kHuge),
                "commit 1 of 1: the bytes end too early");  // headers
  ExpectDamaged(WithCommit(Hex("0100000001010101"
                               "0000"
                               "0161"
                               "0162"
                               "01"
                               "0002") +
                               kHuge,
                           1),
                "commit 1 of 1: the bytes end too early");  // tags
}

TEST(ChunkDamage, OnceMetItIsTheEnd) {
  const std::string bytes = WithHeaderField(16, std::uint32_t{3});
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  EXPECT_FALSE(chunk.NextCommit());
  const absl::Status status = chunk.status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_FALSE(chunk.NextStream());
  EXPECT_FALSE(chunk.NextEvent());
  EXPECT_FALSE(chunk.NextCommit());
  EXPECT_FALSE(chunk.NextCommitOf(WantedTypes(10, true)));
  EXPECT_EQ(chunk.status(), status);
  EXPECT_EQ(chunk.DecodeTags().status(), status);
}

// A reader that skips does not look into bodies; what comes before them it checks as any other.
TEST(ChunkDamage, ASkippingReaderChecksPlacesAndSums) {
  const auto status_of = [](const std::string& bytes) {
    ChunkReader chunk = ChunkReader::Open(bytes).value();
    while (chunk.NextCommitOf(WantedTypes())) {
    }
    return std::string(chunk.status().message());
  };
  EXPECT_THAT(status_of(WithHeaderField(16, std::uint32_t{5})), HasSubstr("it holds 4 events, its header says 5"));
  EXPECT_THAT(status_of(WithHeaderField(12, std::uint32_t{1})), HasSubstr("bytes follow its last commit"));
  EXPECT_THAT(status_of(WithHeaderField(56, std::uint64_t{303})), HasSubstr("its last sequence is 302"));
  EXPECT_THAT(status_of(WithCommit(Hex("0300000000000000"))), HasSubstr("its kind is 3"));
  EXPECT_EQ(status_of(WithCommit(Hex("010000000000"
                                     "ff"))),
            "");
}

}  // namespace
}  // namespace everfold

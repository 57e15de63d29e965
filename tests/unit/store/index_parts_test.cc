#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/digest.h"
#include "everfold/base/error.h"
#include "everfold/base/random.h"
#include "everfold/store/index/command_digest.h"
#include "everfold/store/index/entry_bytes.h"
#include "everfold/store/index/index_checkpoint.h"
#include "everfold/store/index/index_entries.h"
#include "everfold/store/index/index_generation.h"
#include "everfold/store/index/index_memory.h"
#include "everfold/store/index/kept_names.h"
#include "everfold/store/index/sequence_window.h"
#include "everfold/store/index/stream_heads.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const EntryName kJar = EntryName::OfStream("t", "jar", "j1");

std::string HexOfDescending(std::uint64_t number) {
  std::string bytes;
  AppendDescending(bytes, number);
  return HexEncode(bytes);
}

TEST(EntryBytesTest, DescendingNumbersSortBackwards) {
  const std::vector<std::uint64_t> numbers = {0,     1,         2,          255,        256,        65535,
                                              65536, 1u << 31u, UINT32_MAX, 1ull << 40, 1ull << 63, UINT64_MAX};
  std::string before;
  for (const std::uint64_t number : numbers) {
    std::string bytes;
    AppendDescending(bytes, number);
    if (number > 0) {
      EXPECT_LT(bytes, before) << number;
    }
    ByteReader in(bytes);
    EXPECT_EQ(TakeDescending(in), number);
    EXPECT_TRUE(in.done());
    before = bytes;
  }
}

TEST(EntryBytesTest, DescendingNumbersAreAsTheFormatSays) {
  EXPECT_EQ(HexOfDescending(0), "ff");
  EXPECT_EQ(HexOfDescending(1), "fefe");
  EXPECT_EQ(HexOfDescending(0x1234), "fdedcb");
}

TEST(EntryBytesTest, RefusesADescendingNumberThatIsCut) {
  for (const std::string& bytes : {std::string(), std::string("\xfd\x01"),
                                   std::string("\xf6"
                                               "123456789")}) {
    ByteReader in(bytes);
    EXPECT_EQ(TakeDescending(in), 0u);
    EXPECT_TRUE(in.failed());
  }
}

TEST(EntryBytesTest, FixedNumbersAreBigEndian) {
  std::string bytes;
  AppendFixed(bytes, 0x010203, 4);
  EXPECT_EQ(HexEncode(bytes), "00010203");
  ByteReader in(bytes);
  EXPECT_EQ(TakeFixed(in, 4), 0x010203u);
}

TEST(IndexEntriesTest, StreamEntriesComeBack) {
  const StreamEntry entry{Version(300), Offset(70'000), 3};
  EntryPair pair;
  EncodeStream(kJar.bytes(), entry, pair);
  EXPECT_EQ(HexEncode(pair.key), HexEncode(kJar.bytes()) + "fdfed3");
  EXPECT_EQ(HexEncode(pair.value), "f0a20403");
  StreamEntry decoded;
  ASSERT_TRUE(DecodeStream(std::string_view(pair.key).substr(kJar.bytes().size()), pair.value, decoded));
  EXPECT_EQ(decoded, entry);
  EXPECT_FALSE(DecodeStream(pair.key, pair.value, decoded));
  EXPECT_FALSE(DecodeStream("\xfe\xfe", "", decoded));
  EXPECT_FALSE(DecodeStream("\xfe\xfe", std::string_view("\x01\0", 2), decoded));
}

TEST(IndexEntriesTest, OneEventIsNotCounted) {
  const StreamEntry entry{Version(1), Offset(7), 1};
  EntryPair pair;
  EncodeStream(kJar.bytes(), entry, pair);
  EXPECT_EQ(HexEncode(pair.value), "07");
  StreamEntry decoded;
  ASSERT_TRUE(DecodeStream(std::string_view(pair.key).substr(kJar.bytes().size()), pair.value, decoded));
  EXPECT_EQ(decoded, entry);
}

TEST(IndexEntriesTest, TaggedEventsComeBack) {
  const EntryName red = EntryName::OfTag("t", "red");
  const TaggedEvent event{Sequence(5), {PartitionId(3), Offset(9)}, 200};
  EntryPair pair;
  EncodeTag(red.bytes(), event, pair);
  EXPECT_EQ(HexEncode(pair.key),
            "740072656400"
            "0000000000000005"
            "0003"
            "0000000000000009");
  EXPECT_EQ(HexEncode(pair.value), "c801");
  TaggedEvent decoded;
  ASSERT_TRUE(DecodeTag(std::string_view(pair.key).substr(red.bytes().size()), pair.value, decoded));
  EXPECT_EQ(decoded, event);
  EXPECT_FALSE(DecodeTag(pair.key, pair.value, decoded));
}

TEST(IndexEntriesTest, CommandsComeBack) {
  const CommandEntry entry{19'675, {PartitionId(3), Offset(9), 4, Sequence(5)}};
  CommandDigest digest;
  digest.digest = {'d', 'd', 'd', 'd', 'd', 'd', 'e', 'e'};
  EntryPair pair;
  EncodeCommand(digest, entry, pair);
  EXPECT_EQ(HexEncode(pair.key),
            "00004cdb"
            "646464646464"
            "fefa"
            "0003");
  EXPECT_EQ(HexEncode(pair.value), "0904");
  CommitPlace decoded;
  ASSERT_TRUE(DecodeCommand(std::string_view(pair.key).substr(kCommandPrefixBytes), pair.value, decoded));
  EXPECT_EQ(decoded, entry.place);
  EXPECT_FALSE(DecodeCommand(pair.key, pair.value, decoded));
  EXPECT_FALSE(DecodeCommand(std::string_view(pair.key).substr(kCommandPrefixBytes), "", decoded));
}

TEST(IndexEntriesTest, CommandsWithEventsNameNoChunk) {
  const CommandEntry entry{19'675, {PartitionId(3), Offset(9), 0, Sequence(5)}};
  EntryPair pair;
  EncodeCommand(CommandDigest(), entry, pair);
  EXPECT_EQ(HexEncode(pair.value), "09");
  CommitPlace decoded;
  ASSERT_TRUE(DecodeCommand(std::string_view(pair.key).substr(kCommandPrefixBytes), pair.value, decoded));
  EXPECT_EQ(decoded, entry.place);
}

TEST(IndexEntriesTest, LatestEventsComeBack) {
  const EntryName name = LatestName("t", "test.v1.Filled");
  const TaggedEvent event{Sequence(300), {PartitionId(3), Offset(9)}, 2};
  EntryPair pair;
  EncodeLatest(name.bytes(), event, pair);
  EXPECT_EQ(HexEncode(pair.key), HexEncode(name.bytes()));
  EXPECT_EQ(HexEncode(pair.value), "ac02030902");
  TaggedEvent decoded;
  ASSERT_TRUE(DecodeLatest(pair.value, decoded));
  EXPECT_EQ(decoded, event);
  EXPECT_FALSE(DecodeLatest(pair.value + "x", decoded));
}

TEST(IndexEntriesTest, TypesComeBack) {
  const TypeEntry entry{PartitionId(2), {7, {"test.v1.Filled", "fingerprint"}}};
  EntryPair pair;
  EncodeType(entry, pair);
  EXPECT_EQ(HexEncode(pair.key),
            "0002"
            "00000007");
  EXPECT_EQ(pair.value,
            "\x0etest.v1.Filled\x0b"
            "fingerprint");
  TypeEntry decoded;
  ASSERT_TRUE(DecodeType(pair.key, pair.value, decoded));
  EXPECT_EQ(decoded, entry);
  EXPECT_FALSE(DecodeType(pair.key, pair.value + "x", decoded));
}

TEST(IndexEntriesTest, DaysAreOfUtcAndNeverNegative) {
  EXPECT_EQ(DayOf(absl::UnixEpoch()), 0u);
  EXPECT_EQ(DayOf(absl::UnixEpoch() + absl::Hours(24) - absl::Microseconds(1)), 0u);
  EXPECT_EQ(DayOf(absl::UnixEpoch() + absl::Hours(24)), 1u);
  EXPECT_EQ(DayOf(absl::UnixEpoch() - absl::Hours(100)), 0u);
  EXPECT_EQ(DayOf(absl::InfinitePast()), 0u);
}

IndexCheckpoint SampleCheckpoint() {
  IndexCheckpoint checkpoint;
  checkpoint.tail.heads.resize(2);
  checkpoint.tail.heads[1].offset = Offset(200);
  checkpoint.tail.heads[1].chunk_number = 3;
  checkpoint.tail.heads[1].chain.digest.fill(0xab);
  checkpoint.tail.last_sequence = Sequence(7);
  checkpoint.tail.last_recorded_at = absl::FromUnixMicros(258);
  for (const Day day : {4u, 1u, 3u, 4u}) checkpoint.AddDay(day);
  checkpoint.ForgetCommandsBefore(2);
  return checkpoint;
}

TEST(IndexCheckpointTest, ComesBack) {
  const IndexCheckpoint sample = SampleCheckpoint();
  const IndexCheckpoint decoded = *DecodeCheckpoint(EncodeCheckpoint(sample), 2);
  EXPECT_EQ(decoded.tail.heads, sample.tail.heads);
  EXPECT_EQ(decoded.tail.last_sequence, sample.tail.last_sequence);
  EXPECT_EQ(decoded.tail.last_recorded_at, sample.tail.last_recorded_at);
  EXPECT_THAT(decoded.days, ElementsAre(3, 4));
  EXPECT_EQ(decoded.commands_since, 2u);
}

TEST(IndexCheckpointTest, WhatIsForgottenStaysForgotten) {
  IndexCheckpoint checkpoint = SampleCheckpoint();
  checkpoint.ForgetCommandsBefore(1);
  EXPECT_EQ(checkpoint.commands_since, 2u);
}

TEST(IndexCheckpointTest, IsAsTheFormatSays) {
  std::string chain;
  for (int i = 0; i < 32; ++i) chain += "ab";
  EXPECT_EQ(HexEncode(EncodeCheckpoint(SampleCheckpoint())),
            "07"
            "0000000000000102"
            "02"
            "0000" +
                std::string(64, '0') + "c80103" + chain +
                "00000002"
                "02"
                "00000003"
                "00000004");
}

TEST(IndexCheckpointTest, KeepsThatNothingWasRecorded) {
  IndexCheckpoint empty;
  EXPECT_EQ(DecodeCheckpoint(EncodeCheckpoint(empty), 0)->tail.last_recorded_at, absl::InfinitePast());
}

TEST(IndexCheckpointTest, RefusesOtherBytes) {
  const std::string bytes = EncodeCheckpoint(SampleCheckpoint());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(DecodeCheckpoint(bytes.substr(0, size), 2).status().code(), absl::StatusCode::kDataLoss) << size;
  }
  EXPECT_EQ(DecodeCheckpoint(bytes + "x", 2).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(DecodeCheckpoint(bytes, 3).status().code(), absl::StatusCode::kDataLoss);
}

TEST(IndexIdentityTest, TellsWhatIsOtherwise) {
  const LogIdentity log = IdentityOfTests(4);
  const std::string identity = EncodeIndexIdentity(log);
  EXPECT_EQ(HexEncode(identity),
            "0004"
            "10" +
                HexEncode(log.epoch.bytes) + "00000004");
  EXPECT_EQ(CheckIndexIdentity(identity, log), absl::OkStatus());
  const absl::Status format = CheckIndexIdentity(std::string("\0\1", 2) + identity.substr(2), log);
  EXPECT_EQ(format.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(format), reason::kStoreMismatch);
  EXPECT_EQ(format.message(), "it has format 1, this program writes 4");
  EXPECT_EQ(CheckIndexIdentity(identity, IdentityOfTests(8)).message(), "it was built for 4 partitions, the log has 8");
}

TEST(CommandDigesterTest, DependsOnEveryPartAndTheKey) {
  const CommandDigester digester("key");
  const CommandDigest digest = digester.Digest("t", "type", "id");
  EXPECT_EQ(digester.Digest("t", "type", "id"), digest);
  EXPECT_NE(digester.Digest("", "type", "id"), digest);
  EXPECT_NE(digester.Digest("t", "typei", "d"), digest);
  EXPECT_NE(digester.Digest("t", "type", "id2"), digest);
  EXPECT_NE(CommandDigester("another key").Digest("t", "type", "id"), digest);
}

TEST(StreamHeadsTest, RemembersTheLastVersion) {
  StreamHeads heads(4096, false);
  EXPECT_EQ(heads.Find(kJar), std::nullopt);
  heads.Put(kJar, Version(0));
  EXPECT_EQ(heads.Find(kJar), Version(0));
  heads.Put(kJar, Version(7));
  EXPECT_EQ(heads.Find(kJar), Version(7));
}

TEST(StreamHeadsTest, KnowsThatAStreamIsNewUntilItHadToMakeRoom) {
  StreamHeads heads(1024, true);
  EXPECT_EQ(heads.Find(kJar), Version(0));
  const auto stream = [](int i) { return EntryName::OfStream("", "jar", std::to_string(i)); };
  std::map<std::optional<Version>, int> answers;
  for (int i = 0; i < 100; ++i) heads.Put(stream(i), Version(1));
  for (int i = 0; i < 200; ++i) {
    const std::optional<Version> version = heads.Find(stream(i));
    EXPECT_NE(version, Version(i < 100 ? 0 : 1)) << i;
    ++answers[version];
  }
  EXPECT_EQ(answers[Version(1)], 16);
  EXPECT_EQ(answers[std::nullopt], 184);
}

TEST(StreamHeadsTest, RaisesToTheLaterVersion) {
  StreamHeads heads(1 << 16, true);
  heads.Raise(kJar, Version(5));
  heads.Raise(kJar, Version(4));
  EXPECT_EQ(heads.Find(kJar), Version(5));
  heads.Raise(kJar, Version(6));
  EXPECT_EQ(heads.Find(kJar), Version(6));
}

TEST(StreamHeadsTest, KeepsNothingWithoutMemory) {
  StreamHeads heads(0, true);
  heads.Put(kJar, Version(7));
  EXPECT_EQ(heads.Find(kJar), std::nullopt);
}

TEST(StreamHeadsTest, TellsLongNamesApart) {
  StreamHeads heads(4096, false);
  const std::string front(100, 'x');
  const EntryName one = EntryName::OfStream("", "jar", front + "1"), two = EntryName::OfStream("", "jar", front + "2");
  heads.Put(one, Version(1));
  EXPECT_EQ(heads.Find(two), std::nullopt);
  heads.Put(two, Version(2));
  EXPECT_EQ(heads.Find(one), Version(1));
  EXPECT_EQ(heads.Find(two), Version(2));
}

TEST(StreamHeadsTest, NeverSaysAnotherStreamsVersion) {
  StreamHeads heads(4096, false);  // 64 slots
  const auto name = [](int i) { return EntryName::OfStream("", "jar", "j" + std::to_string(i)); };
  for (int i = 0; i < 1000; ++i) heads.Put(name(i), Version(static_cast<std::uint64_t>(i)));
  int kept = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::optional<Version> found = heads.Find(name(i));
    if (!found.has_value()) continue;
    EXPECT_EQ(*found, Version(static_cast<std::uint64_t>(i)));
    ++kept;
  }
  EXPECT_EQ(kept, 64);
  EXPECT_EQ(heads.Find(name(999)), Version(999));
}

// Streams that were there are given one after the other, while others come and some go on.
TEST(StreamHeadsTest, IsNeverWrongAboutAnyWhileThoseThereWereAreRead) {
  SeededRandom random(7);
  int known_to_be_new = 0;
  for (int round = 0; round < 200; ++round) {
    StreamHeads heads(std::size_t{1024} << random.Below(6), false);  // 16 to 512 slots
    std::map<std::string, std::uint64_t> versions;
    const auto name = [](const std::string& id) { return EntryName::OfStream("", "jar", id); };
    const std::uint64_t were_there = random.Below(400);
    for (std::uint64_t i = 0; i < were_there; ++i) versions[std::to_string(i)] = 1 + random.Below(9);
    const std::map<std::string, std::uint64_t> in_files = versions;
    const auto append_to_some = [&] {
      while (random.Below(3) > 0) {
        const std::string id = std::to_string(random.Below(1000));
        heads.Put(name(id), Version(++versions[id]));
      }
    };
    for (const auto& [id, version] : in_files) {
      append_to_some();
      heads.PutIfRoom(name(id), Version(version));
    }
    append_to_some();
    heads.AllWerePut();
    append_to_some();
    for (int i = 0; i < 1000; ++i) {
      const std::optional<Version> found = heads.Find(name(std::to_string(i)));
      const auto actual = versions.find(std::to_string(i));
      const Version expected(actual == versions.end() ? 0 : actual->second);
      EXPECT_EQ(found.value_or(expected), expected) << "round " << round << ", stream " << i;
      if (found == Version()) ++known_to_be_new;
    }
  }
  EXPECT_GT(known_to_be_new, 10'000);
}

TEST(IndexMemoryTest, DoesNotRememberWhatHasChangedMeanwhile) {
  IndexMemory memory(4096, 4096, false);
  const std::uint64_t then = memory.dropped();
  memory.AddStream(kJar, {Version(6), Offset(1), 1});
  memory.Remember(kJar, Version(5), then);
  EXPECT_EQ(memory.VersionOf(kJar), Version(6));
}

TEST(IndexMemoryTest, DoesNotRememberWhatWasReadBeforeAGenerationWasDropped) {
  IndexMemory memory(0, 0, false);
  const std::uint64_t then = memory.dropped();
  memory.AddStream(kJar, {Version(6), Offset(1), 1});
  memory.Rotate();
  EXPECT_EQ(memory.VersionOf(kJar), Version(6));
  memory.DropOlder();
  memory.Remember(kJar, Version(5), then);
  EXPECT_EQ(memory.VersionOf(kJar), std::nullopt);
}

// Chunks of a group come one partition after the other. The tag's place has gone to others in between.
TEST(IndexMemoryTest, SaysOfATagNothingEarlierThanItsLastEvent) {
  IndexMemory memory(0, 512, false);  // eight tags
  const auto tag = [](int i) { return EntryName::OfTag("", std::to_string(i)); };
  const auto event = [](std::uint64_t sequence, std::uint32_t partition) {
    return TaggedEvent{Sequence(sequence), {PartitionId(partition), Offset(1)}, 1};
  };
  memory.AddTag(tag(0), event(10, 0));
  for (int i = 1; i <= 8; ++i) memory.AddTag(tag(i), event(10, 0));
  EXPECT_EQ(memory.LastTagged(tag(0)), std::nullopt);
  memory.AddTag(tag(0), event(9, 1));
  EXPECT_EQ(memory.LastTagged(tag(0)), Sequence(10));
}

TEST(IndexMemoryTest, FillsADroppedGenerationAgain) {
  IndexMemory memory(0, 0, false);
  for (std::uint64_t round = 1; round <= 5; ++round) {
    for (std::uint64_t i = 0; i < 1000; ++i) {
      const EntryName stream = EntryName::OfStream("", "jar", std::to_string(round * 1000 + i));
      memory.AddStream(stream, {Version(round), Offset(i), 1});
    }
    memory.Rotate();
    EXPECT_EQ(memory.VersionOf(EntryName::OfStream("", "jar", std::to_string(round * 1000))), Version(round));
    std::unique_ptr<IndexGeneration> dropped = memory.DropOlder();
    EXPECT_EQ(dropped->streams().size(), 1000u);
    dropped->Clear();
    EXPECT_EQ(dropped->bytes(), 0u);
    memory.Reuse(std::move(dropped));
    EXPECT_EQ(memory.VersionOf(EntryName::OfStream("", "jar", std::to_string(round * 1000))), std::nullopt);
  }
}

TEST(KeptNamesTest, StayWhereTheyAreUntilCleared) {
  KeptNames names;
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < 500; ++i) wanted.push_back(std::string(i * 7, static_cast<char>('a' + i % 26)));
  wanted.push_back(std::string(200'000, 'x'));  // longer than a block
  wanted.push_back("behind");
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string_view> kept;
    std::size_t bytes = 0;
    for (const std::string& name : wanted) {
      kept.push_back(names.Keep(name));
      bytes += name.size();
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(kept[i], wanted[i]) << i;
    EXPECT_EQ(names.bytes(), bytes);
    names.Clear();
    EXPECT_EQ(names.bytes(), 0u);
  }
}

TEST(IndexGenerationTest, CountsItsMemory) {
  IndexGeneration generation;
  EXPECT_EQ(generation.bytes(), 0u);
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    generation.AddStream(EntryName::OfStream("", "jar", std::to_string(i)), {Version(1), Offset(i), 1});
  }
  EXPECT_GT(generation.bytes(), 1000u * 50);
  EXPECT_LT(generation.bytes(), 1000u * 250);
  const std::size_t streams = generation.bytes();
  for (std::uint64_t i = 1; i <= 1000; ++i) generation.AddStream(kJar, {Version(i), Offset(i), 1});
  EXPECT_GT(generation.bytes(), streams + 1000 * 24);
}

TEST(SequenceWindowTest, IsDenseOnceAllHaveCome) {
  SequenceWindow window(Sequence(10));
  EXPECT_TRUE(window.dense());
  for (const std::uint64_t early : {13u, 12u, 15u}) window.Mark(Sequence(early));
  EXPECT_EQ(window.complete(), Sequence(10));
  EXPECT_EQ(window.largest(), Sequence(15));
  window.Mark(Sequence(11));
  EXPECT_EQ(window.complete(), Sequence(13));
  EXPECT_FALSE(window.dense());
  window.Mark(Sequence(12));  // in another partition
  window.Mark(Sequence(14));
  EXPECT_EQ(window.complete(), Sequence(15));
  EXPECT_TRUE(window.dense());
}

}  // namespace
}  // namespace everfold

#include "everfold/event/chunk_writer.h"

#include "everfold/base/digest.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/partitioning.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

PlacedCommit EventlessAt(std::uint64_t sequence, std::string_view body) {
  return {.sequence = Sequence(sequence),
          .recorded_at = absl::UnixEpoch(),
          .command_type = 0,
          .first_versions = {},
          .event_types = {},
          .body = body};
}

std::string EventlessBody() { return EncodeBody({}); }

TEST(CommitBodyWriter, HasTheseBytes) {
  Commit commit;
  commit.tenant = "t";
  commit.command = {"not told", "id", "fp"};
  commit.metadata = {
      .correlation_id = "co", .causation_id = "", .actor = "a", .traceparent = "", .headers = {{"h", "v"}}};
  const Event event{.type = "not told",
                    .fingerprint = "not told",
                    .event_time = absl::FromUnixMicros(-1),
                    .tags = {"x"},
                    .codec = PayloadCodec::kEncrypted,
                    .payload = "pay"};
  commit.streams = {{{"t", "jar", "j1"}, Version(5), {event}}};
  // clang-format off
  EXPECT_EQ(HexEncode(EncodeBody(commit)),
            "0174" "2b"                                 // tenant, presence bits
            "026964" "026670"                           // command id, fingerprint
            "02636f" "0161" "01" "0168" "0176"          // correlation id, actor, headers
            "036a6172" "026a31" "01"                    // aggregate, id, events
            "02" "03" "01" "01" "0178" "03706179");     // codec, presence bits, time, tags, payload
  // clang-format on
}

TEST(CommitBodyWriter, SeveralWritersInTurnWriteOneBody) {
  std::string body;
  CommitBodyWriter(body).Begin("t", {}, {});
  for (const char* const id : {"a", "b"}) {
    CommitBodyWriter writer(body);
    writer.Stream({"t", "jar", id}, 1);
    writer.Event(PayloadCodec::kPlain, std::nullopt, {}, "p");
  }
  std::string at_once;
  CommitBodyWriter writer(at_once);
  writer.Begin("t", {}, {});
  writer.Stream({"t", "jar", "a"}, 1);
  writer.Event(PayloadCodec::kPlain, std::nullopt, {}, "p");
  writer.Stream({"t", "jar", "b"}, 1);
  writer.Event(PayloadCodec::kPlain, std::nullopt, {}, "p");
  EXPECT_EQ(body, at_once);
}

TEST(ChunkWriter, TellsItsBytesBeforehand) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    SeededRandom random(seed);
    const std::string body = EncodeBody(RandomCommits(random)[0]);
    ChunkWriter writer;
    Chain chain;
    writer.Begin(SampleHeader(), chain);
    EXPECT_TRUE(writer.empty());
    EXPECT_EQ(writer.bytes(), kChunkHeaderBytes + 1);
    for (TypeId id = 1; id <= 1 + seed * 3; ++id) writer.Define({id, {"type" + std::to_string(id), ""}});
    writer.Add(EventlessAt(1, body));
    EXPECT_FALSE(writer.empty());
    const std::size_t bytes = writer.bytes();
    EXPECT_EQ(writer.Finish(chain).size(), bytes) << "seed " << seed;
  }
}

TEST(ChunkWriter, KeepsNothingOfTheChunkBefore) {
  ChunkWriter used;
  Chain chain;
  used.Begin(SampleHeader(), chain);
  used.Define({1, {"type", ""}});
  used.Add(EventlessAt(7, EventlessBody()));
  used.Finish(chain);
  EXPECT_TRUE(used.empty());
  ChunkWriter fresh;
  Chain of_used;
  Chain of_fresh;
  used.Begin(SampleHeader(), {});
  fresh.Begin(SampleHeader(), {});
  used.Add(EventlessAt(1, EventlessBody()));
  fresh.Add(EventlessAt(1, EventlessBody()));
  EXPECT_EQ(used.Finish(of_used), fresh.Finish(of_fresh));
  EXPECT_EQ(of_used, of_fresh);
}

TEST(ChunkWriter, TakesOfTheHeaderOnlyWhatTheCallerKnows) {
  ChunkHeader header = SampleHeader();
  header.commit_count = 9;
  header.event_count = 9;
  header.first_sequence = Sequence(9);
  header.chain.digest.fill(9);
  ChunkWriter writer;
  Chain chain;
  writer.Begin(header, {});
  writer.Add(EventlessAt(5, EventlessBody()));
  const std::string bytes = writer.Finish(chain);
  const auto decoded = CheckChunk(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(decoded->commit_count, 1u);
  EXPECT_EQ(decoded->event_count, 0u);
  EXPECT_EQ(decoded->first_sequence, Sequence(5));
  EXPECT_EQ(decoded->chain, chain);
}

TEST(ChunkWriter, LastPossibleNumbersAreWritten) {
  ChunkHeader header = SampleHeader();
  header.partition = PartitionId(kMaxPartitions - 1);
  header.writer_epoch = header.chunk_number = UINT64_MAX;
  header.first_offset = Offset::Max();
  ChunkWriter writer;
  Chain chain;
  writer.Begin(header, {});
  writer.Define({UINT32_MAX, {"type", ""}});
  PlacedCommit commit = EventlessAt(UINT64_MAX, "");
  const std::string body = EventlessBody();
  commit.body = body;
  commit.command_type = UINT32_MAX;
  commit.recorded_at = absl::FromUnixMicros(INT64_MAX - 1);
  writer.Add(commit);
  const std::string bytes = writer.Finish(chain);
  auto chunk = ChunkReader::Open(bytes);
  ASSERT_TRUE(chunk.ok()) << chunk.status();
  EXPECT_EQ(chunk->header().last_sequence, Sequence::Max());
  ASSERT_TRUE(chunk->NextCommit()) << chunk->status();
  EXPECT_EQ(chunk->commit().recorded_at, absl::FromUnixMicros(INT64_MAX - 1));
  EXPECT_EQ(chunk->commit().command_type, UINT32_MAX);
}

class ChunkWriterDeathTest : public testing::Test {
 protected:
  ChunkWriterDeathTest() { writer_.Begin(SampleHeader(), {}); }

  ChunkWriter writer_;
  Chain chain_;
  const std::string body_ = EventlessBody();
};

TEST_F(ChunkWriterDeathTest, AChunkHoldsACommit) { EXPECT_DEATH(writer_.Finish(chain_), "!empty\\(\\)"); }

TEST_F(ChunkWriterDeathTest, WhatWasAddedIsNotThrownAway) {
  writer_.Add(EventlessAt(1, body_));
  EXPECT_DEATH(writer_.Begin(SampleHeader(), {}), "empty\\(\\)");
}

TEST_F(ChunkWriterDeathTest, SequencesGrow) {
  EXPECT_DEATH(writer_.Add(EventlessAt(0, body_)), "sequence > Sequence\\(0\\)");
  writer_.Add(EventlessAt(5, body_));
  EXPECT_DEATH(writer_.Add(EventlessAt(5, body_)), "sequence > header_.last_sequence");
}

TEST_F(ChunkWriterDeathTest, TimesDoNotStepBack) {
  PlacedCommit commit = EventlessAt(1, body_);
  commit.recorded_at = absl::FromUnixMicros(1);
  writer_.Add(commit);
  EXPECT_DEATH(writer_.Add(EventlessAt(2, body_)), "micros >= last_micros_");
}

TEST_F(ChunkWriterDeathTest, TimesAreTimes) {
  for (const absl::Time none : {absl::InfiniteFuture(), absl::InfinitePast()}) {
    PlacedCommit commit = EventlessAt(1, body_);
    commit.recorded_at = none;
    EXPECT_DEATH(writer_.Add(commit), "IsTime\\(micros\\)");
    std::string body;
    CommitBodyWriter writer(body);
    writer.Begin("", {}, {});
    writer.Stream({"", "jar", "j"}, 1);
    EXPECT_DEATH(writer.Event(PayloadCodec::kPlain, none, {}, ""), "IsTime\\(micros\\)");
    writer.Event(PayloadCodec::kPlain, std::nullopt, {}, "");
  }
}

TEST_F(ChunkWriterDeathTest, EventsHaveTypesAndStreamsVersions) {
  const std::vector<TypeId> no_type = {0};
  const std::vector<Version> no_version = {Version(0)};
  PlacedCommit commit = EventlessAt(1, body_);
  commit.event_types = no_type;
  EXPECT_DEATH(writer_.Add(commit), "type > 0");
  commit.event_types = {};
  commit.first_versions = no_version;
  EXPECT_DEATH(writer_.Add(commit), "version > Version\\(0\\)");
}

TEST_F(ChunkWriterDeathTest, DefinitionsAreDenseAndTheLast) {
  EXPECT_DEATH(writer_.Define({0, {"type", ""}}), "definition.id > 0");
  EXPECT_DEATH(writer_.Define({1, {"", ""}}), "name.empty\\(\\)");
  writer_.Define({4, {"type", ""}});
  EXPECT_DEATH(writer_.Define({6, {"type", ""}}), "last_defined_ \\+ 1");
  PlacedCommit commit = EventlessAt(1, body_);
  commit.command_type = 5;
  writer_.Add(commit);
  EXPECT_DEATH(writer_.Finish(chain_), "last_used_ <= last_defined_");
}

TEST_F(ChunkWriterDeathTest, OffsetsDoNotRunOver) {
  ChunkHeader header = SampleHeader();
  header.first_offset = Offset::Max();
  writer_.Begin(header, {});
  const std::vector<TypeId> types = {1};
  PlacedCommit commit = EventlessAt(1, body_);
  commit.event_types = types;
  EXPECT_DEATH(writer_.Add(commit), "first_offset");
}

TEST_F(ChunkWriterDeathTest, TheHeaderMakesSense) {
  ChunkHeader header = SampleHeader();
  header.partition = PartitionId(kMaxPartitions);
  EXPECT_DEATH(writer_.Begin(header, {}), "kMaxPartitions");
  header = SampleHeader();
  header.chunk_number = 0;
  EXPECT_DEATH(writer_.Begin(header, {}), "chunk_number > 0");
  header = SampleHeader();
  header.first_offset = Offset(0);
  EXPECT_DEATH(writer_.Begin(header, {}), "first_offset > Offset\\(0\\)");
}

TEST(CommitBodyWriterDeathTest, AStreamHasTheEventsThatItBeganWith) {
  std::string body;
  CommitBodyWriter writer(body);
  writer.Begin("", {}, {});
  EXPECT_DEATH(writer.Event(PayloadCodec::kPlain, std::nullopt, {}, ""), "events_left_ > 0");
  writer.Stream({"", "jar", "j"}, 1);
  EXPECT_DEATH(writer.Stream({"", "jar", "k"}, 1), "events_left_ == 0");
  EXPECT_DEATH({ CommitBodyWriter(body).Stream({"", "jar", "j"}, 1); }, "events_left_ == 0");
  writer.Event(PayloadCodec::kPlain, std::nullopt, {}, "");
  EXPECT_DEATH(writer.Event(PayloadCodec::kPlain, std::nullopt, {}, ""), "events_left_ > 0");
}

}  // namespace
}  // namespace everfold

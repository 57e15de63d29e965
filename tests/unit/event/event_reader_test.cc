#include "everfold/event/event_reader.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "everfold/event/chunk_writer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/event/chunk_samples.h"

namespace everfold {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const EventSelection kEverything{.framework_streams = true, .group_streams = true};

void DefineTypesOf(const std::string& chunk, TypeDictionary& types) {
  const auto reader = ChunkReader::Open(chunk);
  for (const TypeDefinition& definition : reader->definitions()) {
    ASSERT_TRUE(types.Define(reader->header().partition, definition).ok());
  }
}

std::string TextOf(Sequence sequence, absl::Time recorded_at, const CommandId& command, const Metadata& metadata,
                   const StreamId& stream, Version first_version, Version version, Offset offset) {
  return absl::StrFormat("%d %d command %s %s %s metadata %s %s %s %s %s stream %s %s %s from %d version %d offset %d",
                         sequence.value(), absl::ToUnixMicros(recorded_at), command.type, command.id,
                         command.fingerprint, metadata.correlation_id, metadata.causation_id, metadata.actor,
                         metadata.traceparent, absl::StrJoin(metadata.headers, ",", absl::PairFormatter("=")),
                         stream.tenant, stream.aggregate, stream.id, first_version.value(), version.value(),
                         offset.value());
}

std::string TextOf(std::string_view type, std::string_view fingerprint, absl::Time event_time,
                   absl::Span<const std::string> tags, PayloadCodec codec, std::string_view payload) {
  return absl::StrFormat(" type %s %s at %d tags %s codec %d payload %s", type, fingerprint,
                         absl::ToUnixMicros(event_time), absl::StrJoin(tags, ","), static_cast<int>(codec), payload);
}

std::string TextOf(const RecordedEvent& e) {
  return TextOf(e.commit.sequence, e.commit.recorded_at, e.commit.command, e.commit.metadata, e.stream.stream,
                e.stream.first_version, e.version, e.position.offset) +
         TextOf(e.event.type, e.event.fingerprint, e.event.event_time, e.event.tags, e.event.codec, e.event.payload);
}

bool IsSelected(const EventSelection& selection, const StreamId& stream, const Event& event) {
  if (selection.tenant.has_value() && stream.tenant != *selection.tenant) return false;
  const bool framework = !stream.aggregate.empty() && stream.aggregate.front() == '$';
  if (framework && !selection.framework_streams) return false;
  const bool has_checkpoints = stream.aggregate == "$group" || stream.aggregate == "$reactor";
  if (has_checkpoints && !selection.group_streams) return false;
  return Matches(selection.query, event.type, event.tags);
}

// What the reader has to find, from the decoded chunk.
std::vector<std::string> Selected(const Chunk& chunk, const EventSelection& selection, Offset after) {
  std::vector<std::string> texts;
  Offset offset = chunk.header.first_offset;
  for (const Commit& commit : chunk.commits) {
    for (const StreamEvents& stream : commit.streams) {
      Version version = stream.first_version;
      for (const Event& event : stream.events) {
        if (offset > after && IsSelected(selection, stream.stream, event)) {
          texts.push_back(
              TextOf(commit.sequence, commit.recorded_at, commit.command, commit.metadata, stream.stream,
                     stream.first_version, version, offset) +
              TextOf(event.type, event.fingerprint, event.event_time, event.tags, event.codec, event.payload));
        }
        version = version.Next();
        offset = offset.Next();
      }
      offset = offset.Plus(stream.erased_events);
    }
  }
  return texts;
}

std::vector<std::string> Read(EventReader& events, const std::string& chunk, Offset after) {
  std::vector<std::string> texts;
  EXPECT_EQ(events.Open(chunk, after), absl::OkStatus());
  while (events.Next()) {
    EXPECT_EQ(events.Decode(), absl::OkStatus());
    texts.push_back(TextOf(events.event()));
  }
  EXPECT_EQ(events.status(), absl::OkStatus());
  return texts;
}

std::vector<std::string> PlacesIn(const std::string& chunk, Offset after = {}) {
  TypeDictionary types(4);
  DefineTypesOf(chunk, types);
  EventReader events(kEverything, types, PartitionId(3));
  std::vector<std::string> places;
  EXPECT_EQ(events.Open(chunk, after), absl::OkStatus());
  while (events.Next()) {
    EXPECT_EQ(events.Decode(), absl::OkStatus());
    const RecordedEvent event = events.event();
    places.push_back(absl::StrFormat("%s@%d at %d/%d", event.stream.stream.ToString(), event.version.value(),
                                     event.position.partition.value(), event.position.offset.value()));
  }
  EXPECT_EQ(events.status(), absl::OkStatus());
  return places;
}

TEST(EventReader, TellsWhereEachStands) {
  EXPECT_THAT(PlacesIn(SampleChunk()), ElementsAre("wallet/w1@7 at 3/1000", "wallet/w1@8 at 3/1001",
                                                   "wallet/w1@9 at 3/1002", "wallet/{w1}/2@1 at 3/1003"));
}

TEST(EventReader, LeavesOutWhatIsNotBehind) {
  EXPECT_THAT(PlacesIn(SampleChunk(), Offset(1001)), ElementsAre("wallet/w1@9 at 3/1002", "wallet/{w1}/2@1 at 3/1003"));
  EXPECT_THAT(PlacesIn(SampleChunk(), Offset(1003)), IsEmpty());
}

TEST(EventReader, TombstonesKeepTheirOffsets) {
  std::vector<Commit> commits = {SampleCommits()[0], SampleCommits()[0]};
  commits[1].sequence = Sequence(301);
  commits[1].streams.pop_back();
  const auto erased = WithTombstone(ChunkOf(commits), Sequence(300), "asked to");
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_THAT(PlacesIn(*erased),
              ElementsAre("wallet/w1@7 at 3/1004", "wallet/w1@8 at 3/1005", "wallet/w1@9 at 3/1006"));
}

TEST(EventReader, RefusesAChunkOfAnotherPartition) {
  TypeDictionary types(8);
  EventReader events(kEverything, types, PartitionId(5));
  const std::string chunk = SampleChunk();
  const absl::Status status = events.Open(chunk, Offset());
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("one of partition 3, and stands in partition 5"));
}

TEST(EventReader, ADefinitionAgainstTheDictionaryIsDataLoss) {
  TypeDictionary types(4);
  ASSERT_TRUE(types.Define(PartitionId(3), {1, {"other.v1.Type", ""}}).ok());
  EventReader events(kEverything, types, PartitionId(3));
  const std::string chunk = SampleChunk();
  const absl::Status status = events.Open(chunk, Offset());
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("defines type 1 as wallet.v1.Deposit, which the partition knows as other.v1.Type"));
}

TEST(EventReader, ATypeThatNobodyDefinesIsDataLoss) {
  TypeDictionary types(4);
  EventReader events(kEverything, types, PartitionId(3));
  const std::string chunk = SampleChunk();
  ASSERT_EQ(events.Open(chunk, Offset()), absl::OkStatus());
  ASSERT_TRUE(events.Next());
  const absl::Status status = events.Decode();
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not defined in partition 3"));
}

std::string PickOne(const char* prefix, RandomSource& random) { return absl::StrCat(prefix, random.Below(4)); }

Event SomeEvent(RandomSource& random) {
  Event event{.type = PickOne("type", random),
              .fingerprint = random.Below(2) == 0 ? "" : std::string(32, 'f'),
              .event_time = absl::FromUnixMicros(static_cast<std::int64_t>(random.Below(3))),
              .tags = {},
              .codec = static_cast<PayloadCodec>(random.Below(3)),
              .payload = PickOne("payload", random)};
  for (std::uint64_t left = random.Below(3); left > 0; --left) event.tags.push_back(PickOne("tag", random));
  return event;
}

// Of few types, tags, tenants and streams, so that every kind of selection meets some and misses some.
std::vector<Commit> SomeCommits(Sequence& sequence, RandomSource& random) {
  std::vector<Commit> commits(1 + random.Below(6));
  for (Commit& commit : commits) {
    commit.sequence = sequence = sequence.Plus(1 + random.Below(2));
    commit.recorded_at = absl::FromUnixMicros(static_cast<std::int64_t>(sequence.value()));
    commit.tenant = random.Below(2) == 0 ? "" : PickOne("tenant", random);
    if (random.Below(2) == 0) commit.command = {PickOne("Command", random), PickOne("id", random), "f"};
    if (random.Below(2) == 0) commit.metadata.actor = PickOne("actor", random);
    if (random.Below(4) == 0) commit.metadata.headers = {{"a", PickOne("", random)}};
    for (std::uint64_t left = random.Below(4); left > 0; --left) {
      const std::string aggregate = std::vector<std::string>{"wallet", "$ops", "$group", "$reactor"}[random.Below(4)];
      StreamEvents& stream = commit.streams.emplace_back();
      stream.stream = {commit.tenant, aggregate, absl::StrCat(left, PickOne("s", random))};
      stream.first_version = Version(1 + random.Below(100));
      for (std::uint64_t events = 1 + random.Below(4); events > 0; --events) stream.events.push_back(SomeEvent(random));
    }
  }
  return commits;
}

EventSelection SomeSelection(RandomSource& random) {
  EventSelection selection{.framework_streams = random.Below(2) == 0, .group_streams = random.Below(2) == 0};
  if (random.Below(3) == 0) selection.tenant = random.Below(2) == 0 ? "" : PickOne("tenant", random);
  for (std::uint64_t left = random.Below(3); left > 0; --left) {
    QueryItem& item = selection.query.items.emplace_back();
    for (std::uint64_t types = random.Below(3); types > 0; --types) item.types.push_back(PickOne("type", random));
    for (std::uint64_t tags = random.Below(3); tags > 0; --tags) item.tags.push_back(PickOne("tag", random));
  }
  return selection;
}

// Chunk after chunk, while types become known, against the decoded chunks and Matches().
TEST(EventReader, FindsWhatTheSelectionMeetsAndNothingElse) {
  std::size_t selected = 0;
  std::size_t left_out = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    ChunkMaker maker(SampleHeader());
    TypeDictionary types(4);
    const EventSelection selection = SomeSelection(random);
    EventReader events(selection, types, PartitionId(3));
    Sequence sequence;
    for (int i = 0; i < 4; ++i) {
      const std::string bytes = maker.Make(SomeCommits(sequence, random));
      DefineTypesOf(bytes, types);
      const Chunk chunk = DecodeChunk(bytes, types).value();
      const Offset after = random.Below(2) == 0 ? Offset() : chunk.header.first_offset.Plus(random.Below(5));
      const std::vector<std::string> expected = Selected(chunk, selection, after);
      ASSERT_EQ(Read(events, bytes, after), expected);
      selected += expected.size();
      left_out += Selected(chunk, kEverything, Offset()).size() - expected.size();
    }
  }
  EXPECT_GT(selected, 3000u);
  EXPECT_GT(left_out, 3000u);
}

TEST(EventSelection, MalformedOnesAreRefused) {
  EXPECT_EQ(ValidateSelection({}), absl::OkStatus());
  EXPECT_EQ(ValidateSelection({.tenant = ""}), absl::OkStatus());
  EventSelection of_nothing;
  of_nothing.query.items.emplace_back();
  EXPECT_EQ(ReasonOf(ValidateSelection(of_nothing)), reason::kRequestInvalid);
  const absl::Status status = ValidateSelection({.tenant = std::string(65, 't')});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("64"));
}

}  // namespace
}  // namespace everfold

// The entry point of libFuzzer for the log's format. Magic, version, length and checksum are made right first, so that
// what is behind them is reached. Whatever is then accepted must be consistent: offsets are dense, the ways to read
// agree, it can be written again, and a tombstone keeps its chain.
#include "tests/fuzz/chunk_fuzzer.h"

#include <algorithm>
#include <map>
#include <string>

#include "everfold/base/check.h"
#include "everfold/event/chunk.h"
#include "everfold/event/chunk_bytes.h"
#include "everfold/event/chunk_layout.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/event/chunk_writer.h"
#include "everfold/event/event_reader.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

std::uint64_t whole_chunks = 0;

// Defines types 1 to 4 of partition 3, for inputs that name some and define none.
const TypeDictionary& Types() {
  static const TypeDictionary* const types = [] {
    auto* const dictionary = new TypeDictionary(kMaxPartitions);
    for (TypeId id = 1; id <= 4; ++id) {
      EVERFOLD_CHECK(dictionary->Define(PartitionId(3), {id, {"type" + std::to_string(id), ""}}).ok());
    }
    return dictionary;
  }();
  return *types;
}

std::string Repaired(std::string_view input) {
  std::string chunk(input);
  chunk.replace(0, 6, std::string_view("EVCH\x01\x00", 6));
  SealChunk(chunk);
  return chunk;
}

// Everything that a reader can be asked; false if the chunk is damaged.
bool ReadAll(std::string_view bytes) {
  auto opened = ChunkReader::Open(bytes);
  if (!opened.ok()) return false;
  ChunkReader& chunk = *opened;
  Offset next = chunk.header().first_offset;
  while (chunk.NextCommit()) {
    EVERFOLD_CHECK(chunk.commit().first_offset == next);
    if (!chunk.commit().tombstone) EVERFOLD_CHECK(chunk.DecodeMetadata().ok());
    while (chunk.NextStream()) {
      if (chunk.commit().tombstone) next = next.Plus(chunk.stream().event_count);
      Version version = chunk.stream().first_version;
      while (chunk.NextEvent()) {
        EVERFOLD_CHECK(chunk.event().offset == next && chunk.event().version == version && chunk.event().type > 0);
        EVERFOLD_CHECK(chunk.DecodeTags()->size() == chunk.event().tag_count);
        next = next.Next();
        version = version.Next();
      }
    }
  }
  if (chunk.status().ok()) EVERFOLD_CHECK(next == chunk.header().last_offset().Next());
  return chunk.status().ok();
}

// A reader that skips accepts at least what one that reads everything accepts.
void Skip(std::string_view bytes, bool whole) {
  ChunkReader chunk;
  if (!chunk.Reset(bytes).ok()) return;
  if (chunk.NextCommit() && chunk.NextStream()) chunk.NextEvent();
  EVERFOLD_CHECK(chunk.Reset(bytes).ok());  // whatever it has met before
  const WantedTypes wanted = {false, true, false, true};
  while (chunk.NextCommitOf(wanted)) EVERFOLD_CHECK(!chunk.commit().tombstone);
  EVERFOLD_CHECK(chunk.status().ok() || !whole);
}

PlacedCommit PlaceOf(ChunkReader& chunk, const std::string& body, std::vector<Version>& versions,
                     std::vector<TypeId>& types) {
  return {.sequence = chunk.commit().sequence,
          .recorded_at = chunk.commit().recorded_at,
          .command_type = chunk.commit().command_type,
          .first_versions = versions,
          .event_types = types,
          .body = body};
}

void AddAgain(ChunkReader& chunk, ChunkWriter& writer) {
  const CommitView& commit = chunk.commit();
  std::string body;
  std::vector<Version> versions;
  std::vector<TypeId> types;
  CommitBodyWriter(body).Begin(commit.tenant,
                               {"", std::string(commit.command_id), std::string(commit.command_fingerprint)},
                               chunk.DecodeMetadata().value());
  while (chunk.NextStream()) {
    CommitBodyWriter stream(body);
    stream.Stream({"", std::string(chunk.stream().aggregate), std::string(chunk.stream().id)},
                  chunk.stream().event_count);
    versions.push_back(chunk.stream().first_version);
    while (chunk.NextEvent()) {
      stream.Event(chunk.event().codec, chunk.event().event_time, chunk.DecodeTags().value(), chunk.event().payload);
      types.push_back(chunk.event().type);
    }
  }
  writer.Add(PlaceOf(chunk, body, versions, types));
}

// What can be read can be written, and is read as the same. Tombstones no writer writes.
void WriteAgain(std::string_view bytes, const absl::StatusOr<Chunk>& decoded) {
  ChunkReader chunk = ChunkReader::Open(bytes).value();
  ChunkWriter writer;
  writer.Begin(chunk.header(), {});
  for (const TypeDefinition& definition : chunk.definitions()) writer.Define(definition);
  while (chunk.NextCommit()) {
    if (chunk.commit().tombstone) return;
    AddAgain(chunk, writer);
  }
  Chain chain;
  const std::string again = writer.Finish(chain);
  EVERFOLD_CHECK(ChainOf(again, {}).value() == chain);
  if (decoded.ok()) EVERFOLD_CHECK(DecodeChunk(again, Types())->commits == decoded->commits);
}

// Whoever reads events one by one knows the types of all that is durable, the chunk's own as well.
bool DefinesUnknownTypes(std::string_view bytes) {
  const ChunkReader chunk = ChunkReader::Open(bytes).value();
  const PartitionId partition = chunk.header().partition;
  return std::any_of(chunk.definitions().begin(), chunk.definitions().end(),
                     [partition](const TypeDefinition& it) { return Types().Find(partition, it.id) == nullptr; });
}

// The same events one by one; nothing is hidden.
std::size_t ReadByEvent(std::string_view bytes) {
  const EventSelection everything{.framework_streams = true, .group_streams = true};
  EventReader events(everything, Types(), CheckChunk(bytes)->partition);
  EVERFOLD_CHECK(events.Open(bytes, Offset()).ok());
  std::size_t count = 0;
  for (; events.Next(); ++count) EVERFOLD_CHECK(events.Decode().ok());
  EVERFOLD_CHECK(events.status().ok());
  return count;
}

std::size_t EventsOf(const Chunk& chunk) {
  std::size_t count = 0;
  for (const Commit& commit : chunk.commits) {
    for (const StreamEvents& stream : commit.streams) count += stream.events.size();
  }
  return count;
}

void Erase(std::string_view bytes, Sequence sequence) {
  const auto erased = WithTombstone(bytes, sequence, "asked to");
  if (!erased.ok()) return;
  EVERFOLD_CHECK(ReadAll(*erased));
  EVERFOLD_CHECK(ChainOf(*erased, {}).value() == ChainOf(bytes, {}).value());
}

void Read(std::string_view bytes) {
  const bool whole = ReadAll(bytes);
  Skip(bytes, whole);
  const auto chunk = DecodeChunk(bytes, Types());
  EVERFOLD_CHECK(whole || !chunk.ok());
  EVERFOLD_CHECK(ChainOf(bytes, {}).ok() || !whole);
  if (!whole) return;
  ++whole_chunks;
  if (chunk.ok() && !DefinesUnknownTypes(bytes)) EVERFOLD_CHECK(ReadByEvent(bytes) == EventsOf(*chunk));
  WriteAgain(bytes, chunk);
  const ChunkHeader header = CheckChunk(bytes).value();
  Erase(bytes, header.first_sequence);
  Erase(bytes, header.last_sequence);
}

}  // namespace

std::uint64_t WholeChunksMet() { return whole_chunks; }

}  // namespace everfold

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  everfold::Read(input);
  if (size > everfold::kChunkHeaderBytes && size <= everfold::kMaxChunkBytes) everfold::Read(everfold::Repaired(input));
  return 0;
}

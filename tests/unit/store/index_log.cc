#include "tests/unit/store/index_log.h"

#include <algorithm>
#include <utility>

#include "everfold/base/check.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

constexpr char kEventType[] = "test.v1.Filled";

class ListCursor final : public ChunkCursor {
 public:
  ListCursor(const std::vector<IndexLog::StoredChunk>& chunks, std::size_t next) : chunks_(chunks), next_(next) {}
  absl::StatusOr<bool> Next() override {
    if (next_ >= chunks_.size()) return false;
    ++next_;
    return true;
  }
  std::string_view chunk() const override { return chunks_[next_ - 1].bytes; }
  PartitionHead head() const override { return chunks_[next_ - 1].head; }

 private:
  const std::vector<IndexLog::StoredChunk>& chunks_;
  std::size_t next_;
};

std::string Body(const std::string& tenant, const CommandId& command, const std::vector<IndexedEvents>& streams) {
  std::string body;
  CommitBodyWriter writer(body);
  writer.Begin(tenant, command, {});
  for (const IndexedEvents& stream : streams) {
    writer.Stream(stream.stream, stream.tags.size());
    for (const auto& tags : stream.tags) writer.Event(PayloadCodec::kPlain, std::nullopt, tags, "payload");
  }
  return body;
}

template <class Key, class Value>
std::vector<Key> KeysOf(const std::map<Key, Value>& map) {
  std::vector<Key> keys;
  for (const auto& [key, value] : map) keys.push_back(key);
  return keys;
}

}  // namespace

LogIdentity IdentityOfTests(std::uint32_t partitions) {
  return {.epoch = {"0123456789abcdef"}, .partitions = partitions, .key = "key of the tests"};
}

IndexLog::IndexLog(std::uint32_t partitions)
    : identity_(IdentityOfTests(partitions)), chunks_(partitions), heads_(partitions), types_(partitions) {}

void IndexLog::Append(const IndexedCommit& commit) {
  last_sequence_ = last_sequence_.Next();
  const std::string tenant = commit.streams.empty() ? "" : commit.streams.front().stream.tenant;
  std::map<std::uint32_t, Part> parts;
  const auto part_of = [&](std::uint32_t partition) -> Part& {
    return parts.try_emplace(partition, Part{last_sequence_, recorded_at_, commit.command, tenant, {}}).first->second;
  };
  for (const IndexedEvents& stream : commit.streams) {
    part_of(PartitionOf(stream.stream, identity_.partitions).value()).streams.push_back(stream);
  }
  if (parts.empty()) part_of(static_cast<std::uint32_t>(last_sequence_.value() % identity_.partitions));
  for (auto& [partition, part] : parts) open_[partition].push_back(std::move(part));
}

std::vector<std::string> IndexLog::EndGroup() {
  std::vector<std::string> made;
  for (const auto& [partition, parts] : open_) made.push_back(MakeChunk(partition, parts));
  open_.clear();
  return made;
}

std::vector<std::string> IndexLog::AppendGroup(const IndexedCommit& commit) {
  Append(commit);
  return EndGroup();
}

TypeId IndexLog::Define(ChunkWriter& writer, std::uint32_t partition, const EventType& type) {
  std::vector<EventType>& types = types_[partition];
  const auto found = std::find(types.begin(), types.end(), type);
  const auto id = static_cast<TypeId>(found - types.begin() + 1);
  if (found == types.end()) {
    types.push_back(type);
    writer.Define({id, type});
  }
  return id;
}

std::string IndexLog::MakeChunk(std::uint32_t partition, const std::vector<Part>& parts) {
  PartitionHead& head = heads_[partition];
  ChunkHeader header;
  header.partition = PartitionId(partition);
  header.chunk_number = ++head.chunk_number;
  header.first_offset = head.offset.Next();
  ChunkWriter writer;
  writer.Begin(header, head.chain);
  for (const Part& part : parts) AddPart(writer, head, part);
  std::string bytes = writer.Finish(head.chain);
  chunks_[partition].push_back({bytes, head});
  return bytes;
}

void IndexLog::AddPart(ChunkWriter& writer, PartitionHead& head, const Part& part) {
  const std::uint32_t partition = static_cast<std::uint32_t>(&head - heads_.data());
  const TypeId command_type = part.command.empty() ? 0 : Define(writer, partition, {part.command.type, ""});
  if (!part.command.empty()) {
    const bool has_events = std::any_of(part.streams.begin(), part.streams.end(),
                                        [](const IndexedEvents& stream) { return !stream.tags.empty(); });
    commands_[{part.tenant, part.command.type, part.command.id}].push_back(
        {PartitionId(partition), head.offset, has_events ? 0 : head.chunk_number, part.sequence});
  }
  std::vector<Version> first_versions;
  std::vector<TypeId> event_types;
  for (const IndexedEvents& stream : part.streams) {
    Version& version = versions_[stream.stream];
    first_versions.push_back(version.Next());
    places_[stream.stream].push_back({version.Next(), head.offset.Next()});
    version = version.Plus(stream.tags.size());
    for (const auto& tags : stream.tags) {
      head.offset = head.offset.Next();
      event_types.push_back(Define(writer, partition, {kEventType, "fingerprint of 32 bytes ........"}));
      for (const std::string& tag : tags) {
        tags_[{part.tenant, tag}].push_back({part.sequence, {PartitionId(partition), head.offset}, event_types.back()});
      }
    }
  }
  const std::string body = Body(part.tenant, part.command, part.streams);
  writer.Add({.sequence = part.sequence,
              .recorded_at = part.recorded_at,
              .command_type = command_type,
              .first_versions = first_versions,
              .event_types = event_types,
              .body = body});
}

Version IndexLog::VersionOf(const StreamId& stream) const {
  const auto found = versions_.find(stream);
  return found == versions_.end() ? Version() : found->second;
}

std::vector<StreamPlace> IndexLog::PlacesAfter(const StreamId& stream, Version after, std::size_t limit) const {
  const auto found = places_.find(stream);
  if (found == places_.end()) return {};
  const std::vector<StreamPlace>& places = found->second;
  std::vector<StreamPlace> wanted;
  for (std::size_t i = 0; i < places.size() && wanted.size() < limit; ++i) {
    const Version next = i + 1 < places.size() ? places[i + 1].first_version : VersionOf(stream).Next();
    if (next.value() > after.value() + 1) wanted.push_back(places[i]);
  }
  return wanted;
}

std::vector<CommitPlace> IndexLog::Places(const CommandKey& command) const {
  const auto found = commands_.find({std::string(command.tenant), std::string(command.type), std::string(command.id)});
  return found == commands_.end() ? std::vector<CommitPlace>() : found->second;
}

std::vector<TaggedEvent> IndexLog::TaggedAfter(const std::string& tenant, const std::string& tag, Sequence after,
                                               std::size_t limit) const {
  std::vector<TaggedEvent> events;
  const auto found = tags_.find({tenant, tag});
  if (found == tags_.end()) return events;
  for (const TaggedEvent& event : found->second) {
    if (event.sequence > after) events.push_back(event);
  }
  std::sort(events.begin(), events.end(), [](const TaggedEvent& a, const TaggedEvent& b) {
    return std::tie(a.sequence, a.position) < std::tie(b.sequence, b.position);
  });
  events.resize(std::min(events.size(), limit));
  return events;
}

std::vector<StreamId> IndexLog::Streams() const { return KeysOf(versions_); }

std::vector<CommandKey> IndexLog::Commands() const {
  std::vector<CommandKey> commands;
  for (const auto& [key, places] : commands_) {
    const auto& [tenant, type, id] = key;
    commands.push_back({tenant, type, id});
  }
  return commands;
}

std::vector<std::pair<std::string, std::string>> IndexLog::Tags() const { return KeysOf(tags_); }

void IndexLog::Erase(Sequence sequence) {
  for (std::vector<StoredChunk>& chunks : chunks_) {
    for (StoredChunk& chunk : chunks) {
      absl::StatusOr<std::string> erased = WithTombstone(chunk.bytes, sequence, "erased by a test");
      if (erased.ok()) chunk.bytes = *std::move(erased);
    }
  }
}

Strand& IndexLog::strand() const { CheckFailed(__FILE__, __LINE__, "nobody appends through the port"); }
void IndexLog::Append(std::vector<ChunkAppend>, Done) { strand(); }
void IndexLog::Watch(Hint) { strand(); }
void IndexLog::Close(Done) { strand(); }

absl::StatusOr<std::unique_ptr<ChunkCursor>> IndexLog::Read(PartitionId partition, Offset after) const {
  const std::vector<StoredChunk>& chunks = chunks_[partition.value()];
  std::size_t next = 0;
  if (after > Offset()) {
    while (next < chunks.size() && chunks[next].head.offset <= after) ++next;
  }
  return std::make_unique<ListCursor>(chunks, next);
}

}  // namespace everfold

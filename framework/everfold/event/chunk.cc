#include "everfold/event/chunk.h"

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_layout.h"
#include "everfold/event/chunk_reader.h"

namespace everfold {
namespace {

// The types that a chunk names: the dictionary's, and the chunk's own.
class ChunkTypes {
 public:
  ChunkTypes(const ChunkReader& chunk, const TypeDictionary& types)
      : partition_(chunk.header().partition), definitions_(chunk.definitions()), types_(types) {}

  absl::Status CheckDefinitions() const {
    for (const TypeDefinition& definition : definitions_) {
      const EventType* const known = types_.Find(partition_, definition.id);
      if (known == nullptr || *known == definition.type) continue;
      return DamagedChunk(absl::StrFormat("it defines type %d as %s, which the partition knows as %s", definition.id,
                                          definition.type.name, known->name));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<const EventType*> Of(TypeId id) const {
    if (const EventType* const known = types_.Find(partition_, id); known != nullptr) return known;
    const bool own = !definitions_.empty() && id >= definitions_.front().id && id <= definitions_.back().id;
    if (own) return &definitions_[id - definitions_.front().id].type;
    return DamagedChunk(absl::StrFormat("type %d is not defined in partition %d", id, partition_.value()));
  }

 private:
  const PartitionId partition_;
  const std::vector<TypeDefinition>& definitions_;
  const TypeDictionary& types_;
};

absl::StatusOr<Event> EventOf(const ChunkReader& chunk, const ChunkTypes& types) {
  const EventView& view = chunk.event();
  EVERFOLD_ASSIGN_OR_RETURN(const EventType* const type, types.Of(view.type));
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<std::string> tags, chunk.DecodeTags());
  return Event{.type = type->name,
               .fingerprint = type->fingerprint,
               .event_time = view.event_time,
               .tags = std::move(tags),
               .codec = view.codec,
               .payload = std::string(view.payload)};
}

absl::StatusOr<StreamEvents> StreamOf(ChunkReader& chunk, const ChunkTypes& types) {
  const StreamView& view = chunk.stream();
  StreamEvents stream;
  stream.stream = {std::string(chunk.commit().tenant), std::string(view.aggregate), std::string(view.id)};
  stream.first_version = view.first_version;
  if (chunk.commit().tombstone) stream.erased_events = view.event_count;
  while (chunk.NextEvent()) {
    EVERFOLD_ASSIGN_OR_RETURN(Event event, EventOf(chunk, types));
    stream.events.push_back(std::move(event));
  }
  return stream;
}

absl::StatusOr<CommandId> CommandOf(const CommitView& view, const ChunkTypes& types) {
  CommandId command;
  if (view.command_type != 0) {
    EVERFOLD_ASSIGN_OR_RETURN(const EventType* const type, types.Of(view.command_type));
    command.type = type->name;
  }
  command.id = view.command_id;
  command.fingerprint = view.command_fingerprint;
  return command;
}

absl::StatusOr<Commit> CommitOf(ChunkReader& chunk, const ChunkTypes& types) {
  const CommitView& view = chunk.commit();
  Commit commit;
  commit.sequence = view.sequence;
  commit.recorded_at = view.recorded_at;
  commit.tenant = view.tenant;
  commit.erased = view.tombstone;
  if (!commit.erased) {
    EVERFOLD_ASSIGN_OR_RETURN(commit.command, CommandOf(view, types));
    EVERFOLD_ASSIGN_OR_RETURN(commit.metadata, chunk.DecodeMetadata());
  }
  while (chunk.NextStream()) {
    EVERFOLD_ASSIGN_OR_RETURN(StreamEvents stream, StreamOf(chunk, types));
    commit.streams.push_back(std::move(stream));
  }
  return commit;
}

}  // namespace

absl::StatusOr<Chunk> DecodeChunk(std::string_view bytes, const TypeDictionary& dictionary) {
  EVERFOLD_ASSIGN_OR_RETURN(ChunkReader reader, ChunkReader::Open(bytes));
  const ChunkTypes types(reader, dictionary);
  EVERFOLD_RETURN_IF_ERROR(types.CheckDefinitions());
  Chunk chunk{.header = reader.header(), .commits = {}};
  while (reader.NextCommit()) {
    EVERFOLD_ASSIGN_OR_RETURN(Commit commit, CommitOf(reader, types));
    chunk.commits.push_back(std::move(commit));
  }
  EVERFOLD_RETURN_IF_ERROR(reader.status());
  return chunk;
}

absl::StatusOr<Commit> DecodeCommit(ChunkReader& chunk, const TypeDictionary& types) {
  EVERFOLD_ASSIGN_OR_RETURN(Commit commit, CommitOf(chunk, ChunkTypes(chunk, types)));
  EVERFOLD_RETURN_IF_ERROR(chunk.status());
  return commit;
}

}  // namespace everfold

#include "everfold/store/recorded_command.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_reader.h"

namespace everfold {
namespace {

absl::Status Missing(const CommitPlace& place, const std::string& what) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("partition %d does not hold %s, which the index names", place.partition.value(), what));
}

// At the chunk that holds the first event behind `after`.
absl::StatusOr<std::unique_ptr<ChunkCursor>> CursorAtEvents(const PartitionLog& log, const CommitPlace& place) {
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<ChunkCursor> cursor, log.Read(place.partition, place.after));
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor->Next());
    if (!found) return Missing(place, absl::StrFormat("offset %d", place.after.Next().value()));
    if (cursor->head().offset > place.after) return cursor;
  }
}

// At the chunk with that number. A chunk without events is found only behind one that has some.
absl::StatusOr<std::unique_ptr<ChunkCursor>> CursorAt(const PartitionLog& log, const CommitPlace& place) {
  if (place.chunk_number == 0) return CursorAtEvents(log, place);
  const Offset before(place.after == Offset(0) ? 0 : place.after.value() - 1);
  EVERFOLD_ASSIGN_OR_RETURN(std::unique_ptr<ChunkCursor> cursor, log.Read(place.partition, before));
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor->Next());
    if (found && cursor->head().chunk_number == place.chunk_number) return cursor;
    if (found && cursor->head().chunk_number < place.chunk_number) continue;
    return Missing(place, absl::StrFormat("chunk %d", place.chunk_number));
  }
}

bool Holds(const ChunkReader& chunk, const StoreIndex& index, const CommandKey& command) {
  const CommitView& commit = chunk.commit();
  if (commit.tombstone || commit.command_id != command.id || commit.tenant != command.tenant) return false;
  const EventType* type = index.types().Find(chunk.header().partition, commit.command_type);
  return type != nullptr && type->name == command.type;
}

void AddStreams(ChunkReader& chunk, std::string_view tenant, AppendResult& result) {
  const PartitionId partition = chunk.header().partition;
  while (chunk.NextStream()) {
    const StreamView& stream = chunk.stream();
    const Version last(stream.first_version.value() + stream.event_count - 1);
    const Offset offset(stream.first_offset.value() + stream.event_count - 1);
    result.streams.push_back(
        {{std::string(tenant), std::string(stream.aggregate), std::string(stream.id)}, last, {partition, offset}});
  }
}

absl::Status ReadOutcome(const ChunkReader& chunk, AppendResult& result) {
  if (chunk.commit().event_count > 0 || !chunk.HasMetadata()) return absl::OkStatus();
  EVERFOLD_ASSIGN_OR_RETURN(const Metadata metadata, chunk.DecodeMetadata());
  const auto outcome = metadata.headers.find(kOutcomeHeader);
  if (outcome == metadata.headers.end() || absl::Base64Unescape(outcome->second, &result.outcome)) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("the outcome in commit %d is no base64", chunk.commit().sequence.value()));
}

// Adds what the place's commit says of the command, if it is the one.
absl::Status ReadPart(const PartitionLog& log, const StoreIndex& index, const CommitPlace& place,
                      const CommandKey& command, std::optional<RecordedCommand>& recorded) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ChunkCursor> cursor, CursorAt(log, place));
  EVERFOLD_ASSIGN_OR_RETURN(ChunkReader chunk, ChunkReader::Open(cursor->chunk()));
  bool is_there = false;
  while (chunk.NextCommit()) {
    if (chunk.commit().sequence != place.sequence) continue;
    is_there = true;
    if (!Holds(chunk, index, command)) continue;
    // An id that was used again after it had been forgotten: the later commit counts.
    if (recorded.has_value() && recorded->result.sequence > place.sequence) continue;
    if (!recorded.has_value() || recorded->result.sequence < place.sequence) recorded.emplace();
    recorded->fingerprint = chunk.commit().command_fingerprint;
    recorded->result.sequence = chunk.commit().sequence;
    recorded->result.recorded_at = chunk.commit().recorded_at;
    recorded->result.repeated = true;
    EVERFOLD_RETURN_IF_ERROR(ReadOutcome(chunk, recorded->result));
    AddStreams(chunk, command.tenant, recorded->result);
  }
  EVERFOLD_RETURN_IF_ERROR(chunk.status());
  return is_there ? absl::OkStatus() : Missing(place, absl::StrFormat("commit %d", place.sequence.value()));
}

}  // namespace

absl::StatusOr<AppendResult> RepeatedResult(const RecordedCommand& recorded, const CommandId& request) {
  if (recorded.fingerprint.empty() || recorded.fingerprint == request.fingerprint) return recorded.result;
  return Error(
      absl::StatusCode::kInvalidArgument, reason::kIdempotencyKeyReused,
      absl::StrFormat("request_id \"%s\" of %s was used by a request with another content", request.id, request.type),
      {{"request_id", request.id}, {"command", request.type}});
}

absl::StatusOr<std::optional<RecordedCommand>> ReadCommand(const PartitionLog& log, const StoreIndex& index,
                                                           const CommandKey& command) {
  std::optional<RecordedCommand> recorded;
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<CommitPlace> places, index.FindCommand(command));
  for (const CommitPlace& place : places) {
    EVERFOLD_RETURN_IF_ERROR(ReadPart(log, index, place, command, recorded));
  }
  return recorded;
}

}  // namespace everfold

#include "everfold/store/store_index.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {

absl::StatusOr<AppendResult> RepeatedResult(const RecordedCommand& recorded, const CommandId& request) {
  if (recorded.fingerprint == request.fingerprint) return recorded.result;
  return Error(
      absl::StatusCode::kInvalidArgument, reason::kIdempotencyKeyReused,
      absl::StrFormat("request_id \"%s\" of %s was used by a request with another content", request.id, request.type),
      {{"request_id", request.id}, {"command", request.type}});
}

Version StoreIndex::VersionOf(const StreamId& stream) const {
  ReaderMutexLock lock(&mutex_);
  const auto entry = streams_.find(stream);
  return entry == streams_.end() ? Version() : entry->second.version;
}

std::vector<StreamPlace> StoreIndex::PlacesAfter(const StreamId& stream, Version after) const {
  ReaderMutexLock lock(&mutex_);
  const auto entry = streams_.find(stream);
  if (entry == streams_.end() || entry->second.version <= after) return {};
  const std::vector<StreamPlace>& places = entry->second.places;
  // The last place that begins at or before the first version wanted.
  const auto behind =
      std::upper_bound(places.begin(), places.end(), after.Next(),
                       [](Version version, const StreamPlace& place) { return version < place.first_version; });
  return std::vector<StreamPlace>(behind - 1, places.end());
}

std::optional<RecordedCommand> StoreIndex::FindCommand(const CommandKey& command) const {
  ReaderMutexLock lock(&mutex_);
  const auto entry = commands_.find(command);
  if (entry == commands_.end()) return std::nullopt;
  return entry->second;
}

absl::Status StoreIndex::Add(const Chunk& chunk) {
  MutexLock lock(&mutex_);
  Offset offset = chunk.header.first_offset;
  for (const Commit& commit : chunk.commits) {
    AddCommand(commit, chunk.header.partition, offset);
    for (const StreamEvents& stream : commit.streams) {
      EVERFOLD_RETURN_IF_ERROR(AddStream(stream, offset));
      offset = offset.Plus(stream.events.size());
    }
  }
  return absl::OkStatus();
}

absl::Status StoreIndex::AddStream(const StreamEvents& stream, Offset first_offset) {
  if (stream.events.empty()) return absl::OkStatus();
  StreamEntry& entry = streams_[stream.stream];
  if (stream.first_version != entry.version.Next()) {
    return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                 absl::StrFormat("%s continues at version %d after version %d", stream.stream.ToString(),
                                 stream.first_version.value(), entry.version.value()));
  }
  entry.version = stream.last_version();
  entry.places.push_back({stream.first_version, first_offset});
  return absl::OkStatus();
}

void StoreIndex::AddCommand(const Commit& commit, PartitionId partition, Offset first_offset) {
  if (commit.command.empty()) return;
  // A commit over several partitions comes in parts; each adds its streams to the one result.
  RecordedCommand& command = commands_[{commit.tenant, commit.command.type, commit.command.id}];
  command.fingerprint = commit.command.fingerprint;
  command.result.sequence = commit.sequence;
  command.result.recorded_at = commit.recorded_at;
  command.result.repeated = true;
  Offset last = Offset(first_offset.value() - 1);
  for (const StreamEvents& stream : commit.streams) {
    last = last.Plus(stream.events.size());
    command.result.streams.push_back({stream.stream, stream.last_version(), {partition, last}});
  }
}

}  // namespace everfold

#include "everfold/store/commit_group.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

absl::Status VersionConflict(const StreamAppend& stream, Version actual) {
  return Error(absl::StatusCode::kAborted, reason::kVersionConflict,
               absl::StrFormat("%s: expected %s, it is at version %d", stream.stream.ToString(),
                               stream.expectation.ToString(), actual.value()),
               {{"stream", stream.stream.ToString()},
                {"expected", stream.expectation.ToString()},
                {"actual_version", std::to_string(actual.value())}});
}

Event MakeEvent(NewEvent& event, absl::Time recorded_at) {
  return {.type = std::move(event.type),
          .fingerprint = std::move(event.fingerprint),
          .event_time = absl::FromUnixMicros(absl::ToUnixMicros(event.event_time.value_or(recorded_at))),
          .tags = std::move(event.tags),
          .codec = PayloadCodec::kPlain,
          .payload = std::move(event.payload)};
}

}  // namespace

CommitGroup::CommitGroup(const StoreIndex& index, std::vector<PartitionHead> heads, std::uint64_t writer_epoch,
                         Sequence last)
    : index_(index),
      before_(heads),
      heads_(std::move(heads)),
      writer_epoch_(writer_epoch),
      first_sequence_(last),
      last_sequence_(last) {}

Version CommitGroup::VersionOf(const StreamId& stream) const {
  const auto changed = versions_.find(stream);
  return changed != versions_.end() ? changed->second : index_.VersionOf(stream);
}

absl::Status CommitGroup::CheckExpectations(const AppendRequest& request) const {
  for (const StreamAppend& stream : request.streams) {
    const Version actual = VersionOf(stream.stream);
    if (!stream.expectation.Holds(actual)) return VersionConflict(stream, actual);
  }
  return absl::OkStatus();
}

absl::StatusOr<AppendResult> CommitGroup::Add(AppendRequest& request, absl::Time recorded_at) {
  const CommandKey key{request.tenant, request.command.type, request.command.id};
  if (!request.command.empty()) {
    std::optional<RecordedCommand> known = index_.FindCommand(key);
    if (const auto in_group = commands_.find(key); in_group != commands_.end()) known = in_group->second;
    if (known.has_value()) return RepeatedResult(*known, request.command);
  }
  EVERFOLD_RETURN_IF_ERROR(CheckExpectations(request));

  last_sequence_ = last_sequence_.Next();
  const Commit shared{.sequence = last_sequence_,
                      .recorded_at = recorded_at,
                      .tenant = request.tenant,
                      .command = request.command,
                      .metadata = std::move(request.metadata),
                      .streams = {}};
  AppendResult result{.sequence = last_sequence_, .recorded_at = recorded_at, .streams = {}};
  std::vector<PartitionId> touched;
  for (StreamAppend& stream : request.streams) result.streams.push_back(AddStream(stream, shared, touched));
  if (!request.command.empty()) {
    commands_.emplace(key, RecordedCommand{request.command.fingerprint, result});
    commands_.at(key).result.repeated = true;
  }
  return result;
}

StreamResult CommitGroup::AddStream(StreamAppend& stream, const Commit& shared, std::vector<PartitionId>& touched) {
  const PartitionId partition = PartitionOf(stream.stream, static_cast<std::uint32_t>(heads_.size()));
  Chunk& chunk = ChunkOf(partition);
  if (std::find(touched.begin(), touched.end(), partition) == touched.end()) {
    touched.push_back(partition);
    chunk.commits.push_back(shared);
  }
  StreamEvents added{.stream = stream.stream, .first_version = VersionOf(stream.stream).Next(), .events = {}};
  for (NewEvent& event : stream.events) {
    payload_bytes_ += event.payload.size();
    added.events.push_back(MakeEvent(event, shared.recorded_at));
  }
  PartitionHead& head = heads_[partition.value()];
  head.offset = head.offset.Plus(added.events.size());
  versions_[stream.stream] = added.last_version();
  const StreamResult result{stream.stream, added.last_version(), {partition, head.offset}};
  chunk.commits.back().streams.push_back(std::move(added));
  return result;
}

Chunk& CommitGroup::ChunkOf(PartitionId partition) {
  const auto [entry, added] = chunk_of_.try_emplace(partition.value(), chunks_.size());
  if (added) {
    PartitionHead& head = heads_[partition.value()];
    ++head.chunk_number;
    Chunk& chunk = chunks_.emplace_back();
    chunk.header.partition = partition;
    chunk.header.writer_epoch = writer_epoch_;
    chunk.header.chunk_number = head.chunk_number;
    chunk.header.first_offset = head.offset.Next();
  }
  return chunks_[entry->second];
}

std::vector<ChunkAppend> CommitGroup::EncodeChunks() {
  std::vector<ChunkAppend> appends;
  for (const Chunk& chunk : chunks_) {
    const std::uint32_t partition = chunk.header.partition.value();
    appends.push_back({.partition = chunk.header.partition,
                       .expected_head = before_[partition],
                       .new_head = heads_[partition],
                       .bytes = EncodeChunk(chunk.header, chunk.commits)});
  }
  return appends;
}

}  // namespace everfold

#include "everfold/store/commit_group.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"

namespace everfold {
namespace {

absl::Status VersionConflict(const StreamId& stream, const StreamExpectation& expected, Version actual) {
  return Error(
      absl::StatusCode::kAborted, reason::kVersionConflict,
      absl::StrFormat("%s: expected %s, it is at version %d", stream.ToString(), expected.ToString(), actual.value()),
      {{"stream", stream.ToString()},
       {"expected", expected.ToString()},
       {"actual_version", std::to_string(actual.value())}});
}

// The log has the streams of a commit in the order of their partitions.
void OrderAsRequested(const PreparedAppend& request, AppendResult& result) {
  const std::vector<StreamResult>& requested = request.result.streams;
  const auto place = [&requested](const StreamResult& result) {
    return std::find_if(requested.begin(), requested.end(),
                        [&result](const StreamResult& stream) { return stream.stream == result.stream; });
  };
  std::stable_sort(result.streams.begin(), result.streams.end(),
                   [&place](const StreamResult& a, const StreamResult& b) { return place(a) < place(b); });
}

}  // namespace

GroupBuilder::GroupBuilder(const PartitionLog& log, const StoreIndex& index, LogTail tail, std::uint64_t writer_epoch)
    : log_(log),
      index_(index),
      writer_epoch_(writer_epoch),
      tail_(std::move(tail)),
      settled_(tail_),
      boundary_(index, settled_.last_sequence),
      chunks_(tail_.heads.size()) {
  Abandon();
}

absl::Status GroupBuilder::Add(PreparedAppend& request, absl::Time now) {
  if (request.command_name.has_value() && !request.of_import) {
    EVERFOLD_ASSIGN_OR_RETURN(std::optional<AppendResult> repeat, FindRepeat(request));
    if (repeat.has_value()) {
      request.result = *std::move(repeat);
      return absl::OkStatus();
    }
  }
  EVERFOLD_RETURN_IF_ERROR(CheckExpectations(request));
  EVERFOLD_RETURN_IF_ERROR(boundary_.Check(request));
  Place(request, NextRecordedAt(request, now));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<AppendResult>> GroupBuilder::FindRepeat(const PreparedAppend& request) const {
  std::optional<RecordedCommand> known;
  if (const auto on_way = commands_on_way_.find(&*request.command_name); on_way != commands_on_way_.end()) {
    known = {on_way->second->command.fingerprint, on_way->second->result};
    known->result.repeated = true;
    known->result.outcome = on_way->second->outcome;
  } else {
    EVERFOLD_ASSIGN_OR_RETURN(known,
                              ReadCommand(log_, index_, {request.tenant, request.command.type, request.command.id}));
  }
  if (!known.has_value()) return std::nullopt;
  EVERFOLD_ASSIGN_OR_RETURN(AppendResult result, RepeatedResult(*known, request.command));
  if (result.streams.size() > 1) OrderAsRequested(request, result);
  return std::optional(std::move(result));
}

absl::StatusOr<Version> GroupBuilder::VersionOf(const EntryName& stream) const {
  const auto on_way = versions_on_way_.find(&stream);
  if (on_way != versions_on_way_.end()) return on_way->second;
  return index_.VersionOf(stream);
}

absl::Status GroupBuilder::CheckExpectations(const PreparedAppend& request) {
  versions_.clear();
  for (std::size_t i = 0; i < request.streams.size(); ++i) {
    const PreparedStream& stream = request.streams[i];
    EVERFOLD_ASSIGN_OR_RETURN(const Version version, VersionOf(stream.name));
    if (!stream.expectation.Holds(version)) {
      return VersionConflict(request.result.streams[i].stream, stream.expectation, version);
    }
    versions_.push_back(version);
  }
  return absl::OkStatus();
}

absl::Time GroupBuilder::NextRecordedAt(const PreparedAppend& request, absl::Time now) const {
  const absl::Time earliest = std::max(now, request.not_before);
  // Times are kept in microseconds; `not_before` must not be undercut by rounding.
  absl::Time rounded = absl::FromUnixMicros(absl::ToUnixMicros(earliest));
  if (rounded < request.not_before) rounded += absl::Microseconds(1);
  return std::max(tail_.last_recorded_at, rounded);
}

void GroupBuilder::Place(PreparedAppend& request, absl::Time recorded_at) {
  tail_.last_sequence = tail_.last_sequence.Next();
  tail_.last_recorded_at = recorded_at;
  for (std::size_t part = 0; part < request.parts.size(); ++part) AddPart(request, part, recorded_at);
  request.result.sequence = tail_.last_sequence;
  request.result.recorded_at = recorded_at;
  for (std::size_t i = 0; i < request.streams.size(); ++i) {
    PlaceStream(request.streams[i], versions_[i], request.result.streams[i]);
  }
  bytes_ += request.bytes;
  if (request.command_name.has_value()) SetCommandOnWay(request);
  group_.commits.push_back(&request);
  boundary_.Place(request);
}

void GroupBuilder::PlaceStream(const PreparedStream& stream, Version before, StreamResult& result) {
  PartitionHead& head = tail_.heads[stream.partition.value()];
  head.offset = head.offset.Plus(stream.events);
  result.version = Version(before.value() + stream.events);
  result.position = {stream.partition, head.offset};
  if (stream.events == 0) return;
  SetOnWay(stream.name, result.version);
  const Offset first_offset(head.offset.value() - stream.events + 1);
  group_.written.streams.push_back({&stream.name, {before.Next(), first_offset, stream.events}});
}

// The name is that of the last request: the others may go before it.
void GroupBuilder::SetOnWay(const EntryName& stream, Version version) {
  const auto [known, is_new] = versions_on_way_.try_emplace(&stream, version);
  if (is_new) return;
  versions_on_way_.erase(known);
  versions_on_way_.emplace(&stream, version);
}

// Likewise: an import may have an id again that is still on its way.
void GroupBuilder::SetCommandOnWay(const PreparedAppend& request) {
  const auto [known, is_new] = commands_on_way_.try_emplace(&*request.command_name, &request);
  if (is_new) return;
  commands_on_way_.erase(known);
  commands_on_way_.emplace(&*request.command_name, &request);
}

void GroupBuilder::AddPart(const PreparedAppend& request, std::size_t index, absl::Time recorded_at) {
  const PreparedPart& part = request.parts[index];
  ChunkWriter& writer = OpenChunk(part.partition).writer;
  first_versions_.clear();
  for (std::size_t i = 0; i < request.streams.size(); ++i) {
    if (request.streams[i].part == index) first_versions_.push_back(versions_[i].Next());
  }
  type_ids_ = part.type_ids;
  auto unknown = part.unknown.begin();
  for (TypeId& type : type_ids_) {
    if (type == 0) type = TypeIdOf(part.partition, *unknown++, writer);
  }
  TypeId command_type = part.command_type;
  if (command_type == 0 && !request.command.type.empty()) {
    command_type = TypeIdOf(part.partition, {request.command.type, ""}, writer);
  }
  writer.Add({.sequence = tail_.last_sequence,
              .recorded_at = recorded_at,
              .command_type = command_type,
              .first_versions = first_versions_,
              .event_types = type_ids_,
              .body = part.body});
  group_.plain = group_.plain && !part.has_tags;
  if (group_.plain) AddWrittenEvents(request, part.partition);
  if (!request.command.empty()) AddWrittenCommand(request, part, recorded_at);
}

void GroupBuilder::AddWrittenEvents(const PreparedAppend& request, PartitionId partition) {
  Position position{partition, tail_.heads[partition.value()].offset};
  for (const TypeId type : type_ids_) {
    position.offset = position.offset.Next();
    group_.written.events.push_back({request.tenant, {tail_.last_sequence, position, type}});
  }
}

void GroupBuilder::AddWrittenCommand(const PreparedAppend& request, const PreparedPart& part, absl::Time recorded_at) {
  const PartitionHead& head = tail_.heads[part.partition.value()];
  const CommitPlace place{.partition = part.partition,
                          .after = head.offset,
                          .chunk_number = part.type_ids.empty() ? head.chunk_number : 0,
                          .sequence = tail_.last_sequence};
  group_.written.commands.push_back(
      {{request.tenant, request.command.type, request.command.id}, {DayOf(recorded_at), place}});
}

GroupBuilder::PartitionChunk& GroupBuilder::OpenChunk(PartitionId partition) {
  PartitionChunk& chunk = chunks_[partition.value()];
  if (chunk.open) return chunk;
  chunk.open = true;
  touched_.push_back(partition);
  PartitionHead& head = tail_.heads[partition.value()];
  chunk.before = head;
  ++head.chunk_number;
  ChunkHeader header;
  header.partition = partition;
  header.writer_epoch = writer_epoch_;
  header.chunk_number = head.chunk_number;
  header.first_offset = head.offset.Next();
  chunk.writer.Begin(header, head.chain);
  return chunk;
}

// A type that the partition does not know yet is defined by the chunk that uses it first.
TypeId GroupBuilder::TypeIdOf(PartitionId partition, const EventType& type, ChunkWriter& writer) {
  if (const TypeId durable = index_.types().IdOf(partition, type); durable != 0) return durable;
  const auto [defined, is_new] = defined_[partition.value()].try_emplace(type, 0);
  if (is_new) {
    defined->second = ++last_type_[partition.value()];
    writer.Define({defined->second, type});
    group_.plain = false;
  }
  return defined->second;
}

CommitGroup GroupBuilder::Finish() {
  EVERFOLD_CHECK(!empty());
  for (const PartitionId partition : touched_) {
    PartitionChunk& chunk = chunks_[partition.value()];
    PartitionHead& head = tail_.heads[partition.value()];
    auto bytes = std::make_shared<const std::string>(chunk.writer.Finish(head.chain));
    group_.chunks.push_back({partition, chunk.before, head, std::move(bytes)});
    group_.written.heads.emplace_back(partition, head);
    chunk.open = false;
  }
  touched_.clear();
  bytes_ = 0;
  group_.tail = tail_;
  group_.written.last_sequence = tail_.last_sequence;
  group_.written.last_recorded_at = tail_.last_recorded_at;
  return std::exchange(group_, {});
}

void GroupBuilder::Settle(const CommitGroup& group) {
  for (const PreparedAppend* commit : group.commits) Forget(*commit);
  settled_ = group.tail;
  boundary_.Settle(settled_.last_sequence);
}

void GroupBuilder::Forget(const PreparedAppend& commit) {
  for (std::size_t i = 0; i < commit.streams.size(); ++i) {
    const auto on_way = versions_on_way_.find(&commit.streams[i].name);
    const bool is_last = on_way != versions_on_way_.end() && on_way->second == commit.result.streams[i].version;
    if (is_last) versions_on_way_.erase(on_way);
  }
  if (!commit.command_name.has_value()) return;
  const auto command = commands_on_way_.find(&*commit.command_name);
  if (command != commands_on_way_.end() && command->second == &commit) commands_on_way_.erase(command);
}

void GroupBuilder::Abandon() {
  EVERFOLD_CHECK(empty());
  versions_on_way_.clear();
  commands_on_way_.clear();
  tail_ = settled_;
  boundary_.Abandon(settled_.last_sequence);
  defined_.assign(tail_.heads.size(), {});
  last_type_.clear();
  for (std::uint32_t i = 0; i < tail_.heads.size(); ++i) last_type_.push_back(index_.types().LastId(PartitionId(i)));
}

}  // namespace everfold

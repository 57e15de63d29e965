#include "everfold/store/index/chunk_intake.h"

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/store/index/broken_log.h"

namespace everfold {
namespace {

// Enough to keep memory busy, and few enough to be still in the cache when they go in.
constexpr std::size_t kBatch = 32;

}  // namespace

absl::Status ChunkIntake::Take(std::string_view bytes, const IntakeTarget& target) {
  EVERFOLD_ASSIGN_OR_RETURN(const ChunkHeader header, DecodeChunkHeader(bytes));
  std::vector<PartitionHead>& heads = target.reached.tail.heads;
  if (header.partition.value() >= heads.size()) {
    return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                 absl::StrFormat("a chunk of partition %d, there are %d", header.partition.value(), heads.size()));
  }
  PartitionHead& head = heads[header.partition.value()];
  absl::StatusOr<ChunkReader> chunk = ChunkReader::Open(bytes);
  if (!chunk.ok()) return BrokenBehind(header.partition, head, std::string(chunk.status().message()));
  ChunkIntake intake(*chunk, target);
  EVERFOLD_RETURN_IF_ERROR(intake.CheckFollows());
  EVERFOLD_RETURN_IF_ERROR(intake.Define());
  EVERFOLD_RETURN_IF_ERROR(intake.TakeCommits());
  head = {header.last_offset(), header.chunk_number, header.chain};
  return absl::OkStatus();
}

ChunkIntake::ChunkIntake(ChunkReader& chunk, const IntakeTarget& target)
    : chunk_(chunk), to_(target), partition_(chunk.header().partition) {}

absl::Status ChunkIntake::CheckFollows() const {
  const ChunkHeader& header = chunk_.header();
  const LogTail& tail = to_.reached.tail;
  const PartitionHead& head = tail.heads[partition_.value()];
  if (header.chunk_number != head.chunk_number + 1 || header.first_offset != head.offset.Next()) {
    return Broken(absl::StrFormat("chunk %d (offset %d) follows", header.chunk_number, header.first_offset.value()));
  }
  if (header.first_sequence > tail.last_sequence) return absl::OkStatus();
  return Broken(absl::StrFormat("commit %d follows, but all up to %d are there", header.first_sequence.value(),
                                tail.last_sequence.value()));
}

absl::Status ChunkIntake::Define() {
  for (const TypeDefinition& definition : chunk_.definitions()) {
    const bool is_new = definition.id > to_.types.LastId(partition_);
    const absl::Status status = to_.types.Define(partition_, definition);
    if (!status.ok()) return Broken(std::string(status.message()));
    if (is_new) to_.memory.filling().AddType({partition_, definition});
  }
  last_type_ = to_.types.LastId(partition_);
  return absl::OkStatus();
}

absl::Status ChunkIntake::TakeCommits() {
  while (chunk_.NextCommit()) {
    EVERFOLD_RETURN_IF_ERROR(TakeCommit());
    if (streams_.size() + commands_.size() >= kBatch) EVERFOLD_RETURN_IF_ERROR(PutBatch());
  }
  if (!chunk_.status().ok()) return Broken(std::string(chunk_.status().message()));
  return PutBatch();
}

absl::Status ChunkIntake::PutBatch() {
  for (const NewCommand& command : commands_) {
    to_.memory.filling().AddCommand(command.digest, command.entry);
    to_.filter.Add(command.digest, command.entry.day, to_.first_command_day);
  }
  for (const NewStream& stream : streams_) to_.memory.PrefetchEntries(stream.name);
  for (const NewStream& stream : streams_) EVERFOLD_RETURN_IF_ERROR(PutStream(stream));
  commands_.clear();
  streams_.clear();
  return absl::OkStatus();
}

absl::Status ChunkIntake::PutStream(const NewStream& stream) {
  const std::optional<Version> before = VersionOf(stream.name);
  if (before.has_value()) EVERFOLD_RETURN_IF_ERROR(CheckVersion(stream.view, *before));
  to_.memory.AddStream(stream.name, {stream.view.first_version, stream.view.first_offset, stream.view.event_count});
  return absl::OkStatus();
}

absl::Status ChunkIntake::TakeCommit() {
  if (!chunk_.commit().command_id.empty()) EVERFOLD_RETURN_IF_ERROR(TakeCommand());
  while (chunk_.NextStream()) EVERFOLD_RETURN_IF_ERROR(TakeStream());
  return absl::OkStatus();
}

absl::Status ChunkIntake::TakeCommand() {
  const CommitView& commit = chunk_.commit();
  if (command_type_ == nullptr || command_type_id_ != commit.command_type) {
    command_type_id_ = commit.command_type;
    command_type_ = to_.types.Find(partition_, command_type_id_);
  }
  if (command_type_ == nullptr) {
    return Broken(absl::StrFormat("commit %d names the command type %d, which is not defined", commit.sequence.value(),
                                  commit.command_type));
  }
  const Day day = DayOf(commit.recorded_at);
  if (day < to_.first_command_day) return absl::OkStatus();
  to_.reached.AddDay(day);
  commands_.push_back({to_.digester.Digest(commit.tenant, command_type_->name, commit.command_id),
                       {day, PlaceOf(chunk_.header(), commit)}});
  to_.memory.filling().Prefetch(commands_.back().digest);
  return absl::OkStatus();
}

absl::Status ChunkIntake::TakeStream() {
  const StreamView& stream = chunk_.stream();
  if (stream.event_count == 0) return absl::OkStatus();
  streams_.push_back({EntryName::OfStream(chunk_.commit().tenant, stream.aggregate, stream.id), stream});
  const EntryName& name = streams_.back().name;
  if (!name.valid()) return Broken("the name of a stream holds a zero byte");
  to_.memory.Prefetch(name);
  return TakeTags();
}

// As far as memory tells: a look into the files for every stream would take an opening many times as long, and who
// appends has looked already. `verify` compares all of it.
std::optional<Version> ChunkIntake::VersionOf(const EntryName& stream) const {
  const std::optional<Version> known = to_.memory.VersionOf(stream);
  if (!known.has_value() && to_.database == nullptr) return Version();
  return known;
}

// Versions are dense; tombstones tell those of what they stand for.
absl::Status ChunkIntake::CheckVersion(const StreamView& stream, Version before) {
  if (stream.first_version == before.Next()) return absl::OkStatus();
  return Broken(absl::StrFormat("%s/%s continues at version %d after version %d", stream.aggregate, stream.id,
                                stream.first_version.value(), before.value()));
}

absl::Status ChunkIntake::TakeTags() {
  const CommitView& commit = chunk_.commit();
  std::vector<std::string> tags;
  while (chunk_.NextEvent()) {
    const EventView& event = chunk_.event();
    EVERFOLD_RETURN_IF_ERROR(NoteLatest(event));
    EVERFOLD_RETURN_IF_ERROR(chunk_.DecodeTags(tags));
    for (const std::string& tag : tags) {
      const EntryName name = EntryName::OfTag(commit.tenant, tag);
      if (!name.valid()) return Broken("a tag holds a zero byte");
      to_.memory.AddTag(name, {commit.sequence, {partition_, event.offset}, event.type});
    }
  }
  return absl::OkStatus();
}

absl::Status ChunkIntake::NoteLatest(const EventView& event) {
  if (event.type == 0 || event.type > last_type_) {
    return Broken(absl::StrFormat("the event at offset %d is of type %d, which is not defined", event.offset.value(),
                                  event.type));
  }
  to_.memory.filling().latest().Note(chunk_.commit().tenant, to_.types,
                                     {chunk_.commit().sequence, {partition_, event.offset}, event.type});
  return absl::OkStatus();
}

absl::Status ChunkIntake::Broken(const std::string& what) const {
  return BrokenBehind(partition_, to_.reached.tail.heads[partition_.value()], what);
}

}  // namespace everfold

#include "everfold/event/chunk_writer.h"

#include <algorithm>

#include "everfold/base/check.h"
#include "everfold/event/chunk_bytes.h"
#include "everfold/event/chunk_layout.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

void AppendByte(std::string& out, unsigned value) { out.push_back(static_cast<char>(value)); }

unsigned PresentOf(const CommandId& command, const Metadata& metadata) {
  unsigned present = 0;
  if (!command.empty()) present |= commit_has::kCommandId;
  if (!metadata.correlation_id.empty()) present |= commit_has::kCorrelation;
  if (!metadata.causation_id.empty()) present |= commit_has::kCausation;
  if (!metadata.actor.empty()) present |= commit_has::kActor;
  if (!metadata.traceparent.empty()) present |= commit_has::kTraceparent;
  if (!metadata.headers.empty()) present |= commit_has::kHeaders;
  return present;
}

void AppendHeaders(std::string& out, const Metadata& metadata) {
  AppendVarint(out, metadata.headers.size());
  for (const auto& [name, value] : metadata.headers) {
    AppendString(out, name);
    AppendString(out, value);
  }
}

}  // namespace

CommitBodyWriter::~CommitBodyWriter() { EVERFOLD_CHECK(events_left_ == 0); }

void CommitBodyWriter::Begin(std::string_view tenant, const CommandId& command, const Metadata& metadata) {
  const unsigned present = PresentOf(command, metadata);
  AppendString(out_, tenant);
  AppendByte(out_, present);
  if (present == 0) return;
  if (present & commit_has::kCommandId) {
    AppendString(out_, command.id);
    AppendString(out_, command.fingerprint);
  }
  if (present & commit_has::kCorrelation) AppendString(out_, metadata.correlation_id);
  if (present & commit_has::kCausation) AppendString(out_, metadata.causation_id);
  if (present & commit_has::kActor) AppendString(out_, metadata.actor);
  if (present & commit_has::kTraceparent) AppendString(out_, metadata.traceparent);
  if (present & commit_has::kHeaders) AppendHeaders(out_, metadata);
}

void CommitBodyWriter::Stream(const StreamId& stream, std::size_t events) {
  EVERFOLD_CHECK(events_left_ == 0);
  events_left_ = events;
  AppendString(out_, stream.aggregate);
  AppendString(out_, stream.id);
  AppendVarint(out_, events);
}

void CommitBodyWriter::Event(PayloadCodec codec, std::optional<absl::Time> event_time,
                             const std::vector<std::string>& tags, std::string_view payload) {
  EVERFOLD_CHECK(events_left_ > 0);
  --events_left_;
  AppendByte(out_, static_cast<unsigned>(codec));
  AppendByte(out_, (event_time.has_value() ? event_has::kEventTime : 0) | (tags.empty() ? 0 : event_has::kTags));
  if (event_time.has_value()) AppendVarint(out_, Zigzag(MicrosOf(*event_time)));
  if (!tags.empty()) {
    AppendVarint(out_, tags.size());
    for (const std::string& tag : tags) AppendString(out_, tag);
  }
  AppendString(out_, payload);
}

void ChunkWriter::Begin(const ChunkHeader& header, const Chain& previous) {
  EVERFOLD_CHECK(empty());
  EVERFOLD_CHECK(header.partition.value() < kMaxPartitions);
  EVERFOLD_CHECK(header.chunk_number > 0 && header.first_offset > Offset(0));
  header_ = ChunkHeader{};
  header_.partition = header.partition;
  header_.writer_epoch = header.writer_epoch;
  header_.chunk_number = header.chunk_number;
  header_.first_offset = header.first_offset;
  previous_ = previous;
  last_defined_ = last_used_ = 0;
  definition_count_ = 0;
  definitions_.clear();
  commits_.clear();
  leaves_.clear();
}

void ChunkWriter::Define(const TypeDefinition& definition) {
  EVERFOLD_CHECK(definition.id > 0 && !definition.type.name.empty());
  EVERFOLD_CHECK(definition_count_ == 0 || definition.id == last_defined_ + 1);
  last_defined_ = definition.id;
  ++definition_count_;
  AppendVarint(definitions_, definition.id);
  AppendString(definitions_, definition.type.name);
  AppendString(definitions_, definition.type.fingerprint);
}

void ChunkWriter::Add(const PlacedCommit& commit) {
  CountIn(commit);
  EncodePlace(commit);
  AppendVarint(commits_, place_.size() + commit.body.size());
  const std::size_t at = commits_.size();
  commits_.append(place_).append(commit.body);
  const Digest leaf = LeafOf(std::string_view(commits_).substr(at));
  leaves_.append(reinterpret_cast<const char*>(leaf.data()), leaf.size());
}

void ChunkWriter::CountIn(const PlacedCommit& commit) {
  const std::int64_t micros = MicrosOf(commit.recorded_at);
  if (empty()) {
    EVERFOLD_CHECK(commit.sequence > Sequence(0));
    header_.first_sequence = commit.sequence;
    header_.base_time = absl::FromUnixMicros(micros);
    base_micros_ = micros;
  } else {
    EVERFOLD_CHECK(commit.sequence > header_.last_sequence && micros >= last_micros_);
  }
  last_micros_ = micros;
  header_.last_sequence = commit.sequence;
  ++header_.commit_count;
  header_.event_count += static_cast<std::uint32_t>(commit.event_types.size());
  EVERFOLD_CHECK(header_.first_offset.value() <= UINT64_MAX - header_.event_count);
}

void ChunkWriter::EncodePlace(const PlacedCommit& commit) {
  std::int64_t since_base = 0;
  EVERFOLD_CHECK(!__builtin_sub_overflow(last_micros_, base_micros_, &since_base));
  place_.clear();
  AppendByte(place_, static_cast<unsigned>(CommitKind::kCommit));
  AppendVarint(place_, commit.sequence.value() - header_.first_sequence.value());
  AppendVarint(place_, Zigzag(since_base));
  AppendVarint(place_, commit.command_type);
  last_used_ = std::max(last_used_, commit.command_type);
  AppendVarint(place_, commit.first_versions.size());
  for (const Version version : commit.first_versions) {
    EVERFOLD_CHECK(version > Version(0));
    AppendVarint(place_, version.value());
  }
  AppendVarint(place_, commit.event_types.size());
  for (const TypeId type : commit.event_types) {
    EVERFOLD_CHECK(type > 0);
    AppendVarint(place_, type);
    last_used_ = std::max(last_used_, type);
  }
}

std::size_t ChunkWriter::bytes() const {
  return kChunkHeaderBytes + VarintSize(definition_count_) + definitions_.size() + commits_.size();
}

std::string ChunkWriter::Finish(Chain& chain) {
  EVERFOLD_CHECK(!empty());
  EVERFOLD_CHECK(definition_count_ == 0 || last_used_ <= last_defined_);
  std::string chunk;
  chunk.reserve(bytes());
  chunk.resize(kChunkHeaderBytes);
  AppendVarint(chunk, definition_count_);
  chunk.append(definitions_);
  EncodeChunkHeader(header_, chunk.data());
  header_.chain = NextChain(previous_, std::string_view(chunk).substr(0, kChunkHeaderBytes),
                            std::string_view(chunk).substr(kChunkHeaderBytes), leaves_);
  EncodeChunkHeader(header_, chunk.data());
  chunk.append(commits_);
  SealChunk(chunk);
  chain = header_.chain;
  header_.commit_count = 0;
  return chunk;
}

}  // namespace everfold

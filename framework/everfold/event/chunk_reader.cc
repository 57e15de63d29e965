#include "everfold/event/chunk_reader.h"

#include <algorithm>

#include "absl/base/attributes.h"
#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_layout.h"

namespace everfold {
namespace {

constexpr std::size_t kDigestBytes = std::tuple_size_v<Digest>;

Metadata ReadMetadata(ByteReader in, unsigned present) {
  Metadata metadata;
  if (present & commit_has::kCorrelation) metadata.correlation_id = in.String();
  if (present & commit_has::kCausation) metadata.causation_id = in.String();
  if (present & commit_has::kActor) metadata.actor = in.String();
  if (present & commit_has::kTraceparent) metadata.traceparent = in.String();
  if (!(present & commit_has::kHeaders)) return metadata;
  for (std::uint64_t left = in.Varint(); left > 0; --left) {
    const std::string_view name = in.String();
    metadata.headers.emplace_hint(metadata.headers.end(), name, in.String());
  }
  return metadata;
}

}  // namespace

absl::StatusOr<ChunkReader> ChunkReader::Open(std::string_view bytes) {
  EVERFOLD_ASSIGN_OR_RETURN(const ChunkHeader header, CheckChunk(bytes));
  ChunkReader reader(bytes, header);
  EVERFOLD_RETURN_IF_ERROR(reader.ReadDefinitions());
  return reader;
}

ChunkReader::ChunkReader(std::string_view bytes, const ChunkHeader& header)
    : header_(header),
      base_micros_(absl::ToUnixMicros(header.base_time)),
      rest_(bytes.substr(kChunkHeaderBytes)),
      commits_left_(header.commit_count) {}

absl::Status ChunkReader::ReadDefinitions() {
  const char* const begin = rest_.at();
  const std::uint64_t count = rest_.Varint();
  for (std::uint64_t i = 0; i < count && !rest_.failed(); ++i) {
    const std::uint64_t id = rest_.Varint();
    const std::string_view name = rest_.String();
    const std::string_view fingerprint = rest_.String();
    if (rest_.failed()) break;
    const bool dense = definitions_.empty() ? id > 0 : id == definitions_.back().id + std::uint64_t{1};
    if (!dense || id > UINT32_MAX) return DamagedChunk(absl::StrFormat("definition %d is of type %d", i + 1, id));
    if (name.empty()) return DamagedChunk(absl::StrFormat("type %d has no name", id));
    definitions_.push_back({static_cast<TypeId>(id), {std::string(name), std::string(fingerprint)}});
  }
  if (rest_.failed()) return DamagedChunk(std::string("type definitions: ") + rest_.failure());
  definition_bytes_ = {begin, static_cast<std::size_t>(rest_.at() - begin)};
  if (!definitions_.empty()) last_type_ = definitions_.back().id;
  return absl::OkStatus();
}

bool ChunkReader::NextCommit() {
  if (!NextPlace(nullptr)) return false;
  return commit_.tombstone || ReadBodyBegin();
}

bool ChunkReader::NextCommitOf(const WantedTypes& wanted) {
  while (NextPlace(&wanted)) {
    if (holds_wanted_) return ReadBodyBegin();
  }
  return false;
}

// What a commit says before its body is all that a skipped one is read for. The steps of that are inlined, which keeps
// the reader of the bytes in registers and halves the time.

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::PlaceInOrder(std::uint64_t behind_first) {
  const std::uint64_t least = least_behind_first_;
  const std::uint64_t most = least == 0 ? 0 : header_.last_sequence.value() - header_.first_sequence.value();
  if (behind_first < least || behind_first > most) {
    return DamagedCommit(
        absl::StrFormat("its sequence is %d after the first, where %d to %d can be", behind_first, least, most));
  }
  commit_.sequence = Sequence(header_.first_sequence.value() + behind_first);
  least_behind_first_ = behind_first + 1;
  return true;
}

// Times do not step back, and the first commit's is the base time.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::PlaceInTime(std::int64_t behind_base) {
  const bool first = commits_left_ + 1 == header_.commit_count;
  const bool overflows = __builtin_add_overflow(base_micros_, behind_base, &recorded_micros_);
  if (overflows || !IsTime(recorded_micros_) || behind_base < least_behind_base_ || (first && behind_base != 0)) {
    return DamagedCommit(absl::StrFormat("it was recorded %d us after the base time, where %d us is the least",
                                         behind_base, least_behind_base_));
  }
  least_behind_base_ = behind_base;
  return true;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::CountEvents(std::uint64_t events) {
  const std::uint64_t left = header_.event_count - events_seen_;
  if (events > left) return DamagedCommit(absl::StrFormat("it has %d events where %d are left", events, left));
  events_seen_ += events;
  commit_.event_count = events_left_ = static_cast<std::uint32_t>(events);
  return true;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::ReadEventTypes(ByteReader in, const WantedTypes* wanted) {
  types_ = in.rest();
  for (std::uint32_t left = commit_.event_count; left > 0; --left) {
    const std::uint64_t type = in.Varint();
    if (in.failed()) return DamagedCommit(in.failure());
    if (type == 0 || type > last_type_) {
      return DamagedCommit(absl::StrFormat("an event has type %d of %d", type, last_type_));
    }
    if (wanted != nullptr && type < wanted->size() && (*wanted)[type]) holds_wanted_ = true;
  }
  body_ = in.rest();
  return true;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::ReadPlace(ByteReader in, const WantedTypes* wanted) {
  const std::int64_t behind_base = Unzigzag(in.Varint());
  const std::uint64_t command_type = in.Varint();
  const std::uint64_t streams = in.Varint();
  versions_ = in.rest();
  in.SkipVarints(streams);
  const std::uint64_t events = in.Varint();
  if (in.failed()) return DamagedCommit(in.failure());
  if (!PlaceInTime(behind_base) || !CountEvents(events)) return false;
  if (command_type > last_type_) {
    return DamagedCommit(absl::StrFormat("its command has type %d of %d", command_type, last_type_));
  }
  commit_.command_type = static_cast<TypeId>(command_type);
  commit_.stream_count = streams_left_ = static_cast<std::uint32_t>(streams);
  return ReadEventTypes(in, wanted);
}

bool ChunkReader::NextPlace(const WantedTypes* wanted) {
  if (commits_left_ == 0) return CheckEnd();
  --commits_left_;
  commit_bytes_ = rest_.String();
  if (rest_.failed()) return Damaged(absl::StrFormat("%d commits are missing: %s", commits_left_ + 1, rest_.failure()));
  ByteReader in(commit_bytes_);
  const unsigned kind = in.Byte();
  const std::uint64_t behind_first = in.Varint();
  if (in.failed()) return DamagedCommit(in.failure());
  if (!PlaceInOrder(behind_first)) return false;
  commit_.tombstone = kind == static_cast<unsigned>(CommitKind::kTombstone);
  commit_.first_offset = Offset(header_.first_offset.value() + events_seen_);
  holds_wanted_ = false;
  stream_events_left_ = 0;
  if (kind == static_cast<unsigned>(CommitKind::kCommit)) return ReadPlace(in, wanted);
  return commit_.tombstone ? ReadTombstone(in) : DamagedCommit(absl::StrFormat("its kind is %d", kind));
}

bool ChunkReader::ReadTombstone(ByteReader in) {
  const std::int64_t behind_base = Unzigzag(in.Varint());
  const std::uint64_t streams = in.Varint();
  versions_ = in.rest();
  in.SkipVarints(streams);
  const std::uint64_t events = in.Varint();
  tombstone_leaf_ = in.Bytes(kDigestBytes);
  commit_.reason = in.String();
  commit_.tenant = in.String();
  body_ = in.rest();
  if (in.failed()) return DamagedCommit(in.failure());
  if (!PlaceInTime(behind_base) || !CountEvents(events)) return false;
  commit_.recorded_at = absl::FromUnixMicros(recorded_micros_);
  commit_.stream_count = streams_left_ = static_cast<std::uint32_t>(streams);
  commit_.command_type = 0;
  commit_.command_id = commit_.command_fingerprint = {};
  types_ = {};
  return true;
}

bool ChunkReader::ReadBodyBegin() {
  ByteReader in(body_);
  commit_.recorded_at = absl::FromUnixMicros(recorded_micros_);
  commit_.reason = {};
  commit_.tenant = in.String();
  present_ = in.Byte();
  commit_.command_id = {};
  commit_.command_fingerprint = {};
  if (present_ & commit_has::kCommandId) {
    commit_.command_id = in.String();
    commit_.command_fingerprint = in.String();
  }
  body_ = in.rest();
  if (in.failed()) return DamagedCommit(in.failure());
  if (present_ & ~commit_has::kAll) return DamagedCommit(absl::StrFormat("its presence bits are %d", present_));
  if (present_ & commit_has::kCommandId && commit_.command_id.empty()) return PresentButEmpty(in, "command id");
  return !(present_ & ~commit_has::kCommandId) || SkipMetadata();
}

bool ChunkReader::SkipMetadata() {
  constexpr std::pair<unsigned, const char*> kTexts[] = {{commit_has::kCorrelation, "correlation id"},
                                                         {commit_has::kCausation, "causation id"},
                                                         {commit_has::kActor, "actor"},
                                                         {commit_has::kTraceparent, "traceparent"}};
  metadata_ = body_;
  ByteReader in(body_);
  for (const auto& [bit, what] : kTexts) {
    if (present_ & bit && in.String().empty()) return PresentButEmpty(in, what);
  }
  if (present_ & commit_has::kHeaders && !SkipHeaders(in)) return false;
  body_ = in.rest();
  return !in.failed() || DamagedCommit(in.failure());
}

// They are ordered by name.
bool ChunkReader::SkipHeaders(ByteReader& in) {
  const std::uint64_t count = in.Varint();
  if (count == 0) return PresentButEmpty(in, "header list");
  std::string_view before;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string_view name = in.String();
    in.String();
    if (in.failed()) return DamagedCommit(in.failure());
    if (i > 0 && name <= before) return DamagedCommit("its headers are not in order");
    before = name;
  }
  return true;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::ReadFirstVersion() {
  ByteReader in(versions_);
  const std::uint64_t version = in.Varint();
  versions_ = in.rest();
  if (version == 0 || version > UINT64_MAX - stream_.event_count) {
    return DamagedCommit(absl::StrFormat("version %d cannot be first of %d events", version, stream_.event_count));
  }
  stream_.first_version = Version(version);
  return true;
}

bool ChunkReader::NextStream() {
  while (stream_events_left_ > 0) {
    if (!NextEvent()) return false;
  }
  if (streams_left_ == 0) return CheckBodyEnd();
  --streams_left_;
  ByteReader in(body_);
  stream_.aggregate = in.String();
  stream_.id = in.String();
  const std::uint64_t events = in.Varint();
  body_ = in.rest();
  if (in.failed()) return DamagedCommit(in.failure());
  if (events > events_left_) {
    return DamagedCommit(absl::StrFormat("a stream has %d events where %d are left", events, events_left_));
  }
  stream_.event_count = stream_events_left_ = static_cast<std::uint32_t>(events);
  stream_.first_offset = Offset(commit_.first_offset.value() + (commit_.event_count - events_left_));
  if (commit_.tombstone) LeaveOutEvents();
  return ReadFirstVersion();
}

void ChunkReader::LeaveOutEvents() {
  events_left_ -= stream_events_left_;
  stream_events_left_ = 0;
}

bool ChunkReader::CheckBodyEnd() {
  if (events_left_ > 0) return DamagedCommit(absl::StrFormat("its streams lack %d of its events", events_left_));
  if (!body_.empty()) return DamagedCommit(absl::StrFormat("%d bytes follow its streams", body_.size()));
  return false;
}

bool ChunkReader::NextEvent() {
  if (stream_events_left_ == 0) return false;
  const std::uint32_t index = stream_.event_count - stream_events_left_;
  --stream_events_left_;
  --events_left_;
  event_.version = Version(stream_.first_version.value() + index);
  event_.offset = Offset(stream_.first_offset.value() + index);
  ByteReader types(types_);
  event_.type = static_cast<TypeId>(types.Varint());
  types_ = types.rest();
  ByteReader in(body_);
  const unsigned codec = in.Byte();
  const unsigned present = in.Byte();
  event_.event_time = commit_.recorded_at;
  event_.tag_count = 0;
  event_.encoded_tags = {};
  if (codec > static_cast<unsigned>(PayloadCodec::kEncrypted)) {
    return DamagedCommit(absl::StrFormat("an event has codec %d", codec));
  }
  event_.codec = static_cast<PayloadCodec>(codec);
  if (present != 0) {
    body_ = in.rest();
    if (!ReadEventOptions(present)) return false;
    in = ByteReader(body_);
  }
  event_.payload = in.String();
  body_ = in.rest();
  return !in.failed() || DamagedCommit(in.failure());
}

bool ChunkReader::ReadEventOptions(unsigned present) {
  if (present & ~event_has::kAll) return DamagedCommit(absl::StrFormat("an event's presence bits are %d", present));
  ByteReader in(body_);
  if (present & event_has::kEventTime) {
    const std::int64_t micros = Unzigzag(in.Varint());
    if (!IsTime(micros)) return DamagedCommit("an event's time is no time");
    event_.event_time = absl::FromUnixMicros(micros);
  }
  if (present & event_has::kTags && !SkipTags(in)) return false;
  body_ = in.rest();
  return !in.failed() || DamagedCommit(in.failure());
}

bool ChunkReader::SkipTags(ByteReader& in) {
  const std::uint64_t count = in.Varint();
  if (count == 0) return PresentButEmpty(in, "tag list");
  const char* const begin = in.at();
  for (std::uint64_t left = count; left > 0 && !in.failed(); --left) in.String();
  event_.tag_count = static_cast<std::uint32_t>(count);
  event_.encoded_tags = {begin, static_cast<std::size_t>(in.at() - begin)};
  return true;
}

// What is present is not empty: one commit has one encoding.
bool ChunkReader::PresentButEmpty(const ByteReader& in, const char* what) {
  return DamagedCommit(in.failed() ? in.failure() : absl::StrFormat("its %s is present and empty", what));
}

// The sums of what was read, against the header.
bool ChunkReader::CheckEnd() {
  Halt();
  if (!status_.ok()) return false;
  if (!rest_.done()) return Damaged(absl::StrFormat("%d bytes follow its last commit", rest_.left()));
  if (events_seen_ != header_.event_count) {
    return Damaged(absl::StrFormat("it holds %d events, its header says %d", events_seen_, header_.event_count));
  }
  if (commit_.sequence != header_.last_sequence) {
    return Damaged(absl::StrFormat("its last sequence is %d, its header says %d", commit_.sequence.value(),
                                   header_.last_sequence.value()));
  }
  return false;
}

// Nothing is left of any level.
void ChunkReader::Halt() {
  commits_left_ = streams_left_ = events_left_ = stream_events_left_ = 0;
  body_ = {};
}

bool ChunkReader::Damaged(const std::string& what) {
  Halt();
  status_ = DamagedChunk(what);
  return false;
}

bool ChunkReader::DamagedCommit(const std::string& what) {
  return Damaged(
      absl::StrFormat("commit %d of %d: %s", header_.commit_count - commits_left_, header_.commit_count, what));
}

Digest ChunkReader::leaf() const {
  if (!commit_.tombstone) return LeafOf(commit_bytes_);
  Digest leaf;
  std::copy(tombstone_leaf_.begin(), tombstone_leaf_.end(), leaf.begin());
  return leaf;
}

bool ChunkReader::HasMetadata() const { return (present_ & ~commit_has::kCommandId) != 0; }

absl::StatusOr<Metadata> ChunkReader::DecodeMetadata() const {
  EVERFOLD_CHECK(!commit_.tombstone);
  EVERFOLD_RETURN_IF_ERROR(status_);
  return ReadMetadata(ByteReader(metadata_), present_);
}

absl::StatusOr<std::vector<std::string>> ChunkReader::DecodeTags() const {
  EVERFOLD_RETURN_IF_ERROR(status_);
  ByteReader in(event_.encoded_tags);
  std::vector<std::string> tags;
  tags.reserve(event_.tag_count);
  for (std::uint32_t left = event_.tag_count; left > 0; --left) tags.emplace_back(in.String());
  return tags;
}

}  // namespace everfold

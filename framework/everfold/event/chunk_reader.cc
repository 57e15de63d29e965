#include "everfold/event/chunk_reader.h"

#include <algorithm>
#include <cstring>

#include "absl/base/attributes.h"
#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk_layout.h"

namespace everfold {
namespace {

constexpr std::size_t kDigestBytes = std::tuple_size_v<Digest>;

// Behind its sequence a commit with one event, and only numbers below 128, has six bytes before its body: time, command
// type, 1 stream, its version, 1 event, its type. Nearly all are like that, and known by one comparison of eight bytes.
constexpr std::size_t kShortPlaceBytes = 6;
constexpr std::uint64_t kShortPlaceMask = 0x80ff'80ff'8080;
constexpr std::uint64_t kShortPlace = 0x0001'0001'0000;

bool IsShortPlace(const ByteReader& in) {
  std::uint64_t bytes;
  if (in.left() < sizeof(bytes)) return false;
  std::memcpy(&bytes, in.at(), sizeof(bytes));
  return (bytes & kShortPlaceMask) == kShortPlace;
}

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
  ChunkReader reader;
  EVERFOLD_RETURN_IF_ERROR(reader.Reset(bytes));
  return reader;
}

absl::Status ChunkReader::Reset(std::string_view bytes) {
  Clear();
  status_ = CheckChunk(bytes, header_);
  if (!status_.ok()) return status_;
  base_micros_ = absl::ToUnixMicros(header_.base_time);
  rest_ = ByteReader(bytes.substr(kChunkHeaderBytes));
  status_ = ReadDefinitions();
  if (status_.ok()) commits_left_ = header_.commit_count;
  return status_;
}

// Nothing points into the chunk that is left. What else the views say is written anew by the call that moves to it;
// clearing whole views takes twice the time of decoding a header.
void ChunkReader::Clear() {
  Halt();
  status_ = absl::OkStatus();
  definitions_.clear();
  definition_bytes_ = {};
  last_type_ = UINT32_MAX;
  events_seen_ = least_behind_first_ = 0;
  least_behind_base_ = 0;
  commit_bytes_ = metadata_ = tombstone_leaf_ = {};
  present_ = 0;
  commit_.tenant = commit_.reason = commit_.command_id = commit_.command_fingerprint = {};
  stream_.aggregate = stream_.id = {};
  event_.tag_count = 0;
  event_.encoded_tags = event_.payload = {};
}

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
  if (behind_base == least_behind_base_ && !first) return true;  // as the commit before
  std::int64_t micros = 0;
  const bool overflows = __builtin_add_overflow(base_micros_, behind_base, &micros);
  if (overflows || !IsTime(micros) || behind_base < least_behind_base_ || (first && behind_base != 0)) {
    return DamagedCommit(absl::StrFormat("it was recorded %d us after the base time, where %d us is the least",
                                         behind_base, least_behind_base_));
  }
  commit_.recorded_at = absl::FromUnixMicros(micros);
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

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::TakeCommandType(std::uint64_t type) {
  commit_.command_type = static_cast<TypeId>(type);
  if (type <= last_type_) return true;
  return DamagedCommit(absl::StrFormat("its command has type %d of %d", type, last_type_));
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::TakeEventType(std::uint64_t type, const WantedTypes* wanted) {
  if (type == 0 || type > last_type_) {
    return DamagedCommit(absl::StrFormat("an event has type %d of %d", type, last_type_));
  }
  if (wanted != nullptr && type < wanted->size() && (*wanted)[type]) holds_wanted_ = true;
  return true;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::ReadEventTypes(ByteReader in, const WantedTypes* wanted) {
  types_ = in.at();
  for (std::uint32_t left = commit_.event_count; left > 0; --left) {
    const std::uint64_t type = in.Varint();
    if (in.failed()) return DamagedCommit(in.failure());
    if (!TakeEventType(type, wanted)) return false;
  }
  body_ = in.at();
  return true;
}

// REQUIRES: IsShortPlace.
ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::ReadShortPlace(const char* place, const WantedTypes* wanted) {
  const auto number = [place](int index) { return static_cast<unsigned char>(place[index]); };
  versions_ = place + 3;
  types_ = place + 5;
  body_ = place + kShortPlaceBytes;
  commit_.stream_count = streams_left_ = 1;
  return PlaceInTime(Unzigzag(number(0))) && CountEvents(1) && TakeCommandType(number(1)) &&
         TakeEventType(number(5), wanted);
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::ReadPlace(ByteReader in, const WantedTypes* wanted) {
  if (IsShortPlace(in)) return ReadShortPlace(in.at(), wanted);
  const std::int64_t behind_base = Unzigzag(in.Varint());
  const std::uint64_t command_type = in.Varint();
  const std::uint64_t streams = in.Varint();
  versions_ = in.at();
  in.SkipVarints(streams);
  const std::uint64_t events = in.Varint();
  if (in.failed()) return DamagedCommit(in.failure());
  if (!PlaceInTime(behind_base) || !CountEvents(events) || !TakeCommandType(command_type)) return false;
  commit_.stream_count = streams_left_ = static_cast<std::uint32_t>(streams);
  return ReadEventTypes(in, wanted);
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::NextPlace(const WantedTypes* wanted) {
  if (commits_left_ == 0) return CheckEnd();
  --commits_left_;
  ByteReader rest = rest_;
  commit_bytes_ = rest.String();
  rest_ = rest;
  if (rest.failed()) return Damaged(absl::StrFormat("%d commits are missing: %s", commits_left_ + 1, rest.failure()));
  commit_end_ = rest.at();
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
  versions_ = in.at();
  in.SkipVarints(streams);
  const std::uint64_t events = in.Varint();
  tombstone_leaf_ = in.Bytes(kDigestBytes);
  commit_.reason = in.String();
  commit_.tenant = in.String();
  body_ = in.at();
  if (in.failed()) return DamagedCommit(in.failure());
  if (!PlaceInTime(behind_base) || !CountEvents(events)) return false;
  commit_.stream_count = streams_left_ = static_cast<std::uint32_t>(streams);
  commit_.command_type = 0;
  commit_.command_id = commit_.command_fingerprint = {};
  types_ = commit_end_;
  return true;
}

ABSL_ATTRIBUTE_ALWAYS_INLINE inline bool ChunkReader::ReadBodyBegin() {
  ByteReader in = In(body_);
  commit_.reason = {};
  commit_.tenant = in.String();
  present_ = in.Byte();
  commit_.command_id = {};
  commit_.command_fingerprint = {};
  if (present_ & commit_has::kCommandId) {
    commit_.command_id = in.String();
    commit_.command_fingerprint = in.String();
  }
  body_ = in.at();
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
  ByteReader in = In(body_);
  metadata_ = in.rest();
  for (const auto& [bit, what] : kTexts) {
    if (present_ & bit && in.String().empty()) return PresentButEmpty(in, what);
  }
  if (present_ & commit_has::kHeaders && !SkipHeaders(in)) return false;
  body_ = in.at();
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
  ByteReader in = In(versions_);
  const std::uint64_t version = in.Varint();
  versions_ = in.at();
  if (version == 0 || version > UINT64_MAX - stream_.event_count) {
    return DamagedCommit(absl::StrFormat("version %d cannot be first of %d events", version, stream_.event_count));
  }
  stream_.first_version = Version(version);
  return true;
}

bool ChunkReader::ReadStream() {
  while (stream_events_left_ > 0) {
    if (!NextEvent()) return false;
  }
  if (streams_left_ == 0) return CheckBodyEnd();
  --streams_left_;
  ByteReader in = In(body_);
  stream_.aggregate = in.String();
  stream_.id = in.String();
  const std::uint64_t events = in.Varint();
  body_ = in.at();
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
  if (body_ != commit_end_) return DamagedCommit(absl::StrFormat("%d bytes follow its streams", commit_end_ - body_));
  return false;
}

bool ChunkReader::ReadEvent() {
  const std::uint32_t index = stream_.event_count - stream_events_left_;
  --stream_events_left_;
  --events_left_;
  event_.version = Version(stream_.first_version.value() + index);
  event_.offset = Offset(stream_.first_offset.value() + index);
  ByteReader types = In(types_);
  event_.type = static_cast<TypeId>(types.Varint());
  types_ = types.at();
  ByteReader in = In(body_);
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
    body_ = in.at();
    if (!ReadEventOptions(present)) return false;
    in = In(body_);
  }
  event_.payload = in.String();
  body_ = in.at();
  return !in.failed() || DamagedCommit(in.failure());
}

bool ChunkReader::ReadEventOptions(unsigned present) {
  if (present & ~event_has::kAll) return DamagedCommit(absl::StrFormat("an event's presence bits are %d", present));
  ByteReader in = In(body_);
  if (present & event_has::kEventTime) {
    const std::int64_t micros = Unzigzag(in.Varint());
    if (!IsTime(micros)) return DamagedCommit("an event's time is no time");
    event_.event_time = absl::FromUnixMicros(micros);
  }
  if (present & event_has::kTags && !SkipTags(in)) return false;
  body_ = in.at();
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
bool ChunkReader::PresentButEmpty(ByteReader in, const char* what) {
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
  body_ = commit_end_ = nullptr;
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
  std::vector<std::string> tags;
  EVERFOLD_RETURN_IF_ERROR(DecodeTags(tags));
  return tags;
}

absl::Status ChunkReader::DecodeTags(std::vector<std::string>& tags) const {
  EVERFOLD_RETURN_IF_ERROR(status_);
  ByteReader in(event_.encoded_tags);
  tags.resize(event_.tag_count);
  for (std::string& tag : tags) tag = in.String();
  return absl::OkStatus();
}

}  // namespace everfold

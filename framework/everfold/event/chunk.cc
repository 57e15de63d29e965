#include "everfold/event/chunk.h"

#include <xxhash.h>

#include <bit>
#include <cstring>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

static_assert(std::endian::native == std::endian::little, "the chunk format is little endian");

constexpr std::string_view kMagic = "EVCH";
constexpr std::size_t kChecksumAt = 56;

absl::Status Damaged(const std::string& what) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss, "damaged chunk: " + what);
}

std::uint64_t ChecksumOf(std::string_view bytes) {
  const std::uint64_t of_header = XXH3_64bits(bytes.data(), kChecksumAt);
  return XXH3_64bits_withSeed(bytes.data() + kChunkHeaderBytes, bytes.size() - kChunkHeaderBytes, of_header);
}

template <class Integer>
void PutFixed(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <class Integer>
Integer GetFixed(std::string_view bytes, std::size_t at) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void Varint(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  void String(std::string_view text) {
    Varint(text.size());
    out_.append(text);
  }
  void Time(absl::Time time) {
    const std::int64_t micros = absl::ToUnixMicros(time);
    Varint(static_cast<std::uint64_t>(micros) << 1 ^ static_cast<std::uint64_t>(micros >> 63));
  }

 private:
  std::string& out_;
};

// Every getter leaves the reader failed when the bytes run out; the caller asks once, at the end.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && !bytes_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[0]);
      bytes_.remove_prefix(1);
      if (shift == 63 && byte > 1) break;  // more than 64 bits
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }
  std::string_view View() {
    const std::uint64_t size = Varint();
    if (size > bytes_.size()) {
      failed_ = true;
      return {};
    }
    const std::string_view text = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return text;
  }
  std::string String() { return std::string(View()); }
  absl::Time Time() {
    const std::uint64_t zigzag = Varint();
    return absl::FromUnixMicros(static_cast<std::int64_t>(zigzag >> 1 ^ (~(zigzag & 1) + 1)));
  }
  // Calls `read` as often as the count that comes next says, but not beyond the bytes that there are: damage cannot ask
  // for absurd memory or time.
  void Repeat(absl::FunctionRef<void()> read) {
    for (std::uint64_t left = Varint(); left > 0 && !failed_; --left) read();
  }
  void Fail() { failed_ = true; }

  bool failed() const { return failed_; }
  bool done() const { return !failed_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

struct TypeEntry {
  std::string name;
  std::string fingerprint;
};

class TypeTable {
 public:
  std::uint64_t IndexOf(const Event& event) {
    const auto [entry, added] = index_.try_emplace(std::make_pair(event.type, event.fingerprint), types_.size());
    if (added) types_.push_back({event.type, event.fingerprint});
    return entry->second;
  }
  const std::vector<TypeEntry>& types() const { return types_; }

 private:
  absl::flat_hash_map<std::pair<std::string, std::string>, std::uint64_t> index_;
  std::vector<TypeEntry> types_;
};

void EncodeEvent(const Event& event, TypeTable& types, Writer& out) {
  out.Varint(types.IndexOf(event));
  out.Time(event.event_time);
  out.Varint(event.tags.size());
  for (const std::string& tag : event.tags) out.String(tag);
  out.Varint(static_cast<std::uint64_t>(event.codec));
  out.String(event.payload);
}

void EncodeMetadata(const Metadata& metadata, Writer& out) {
  out.String(metadata.correlation_id);
  out.String(metadata.causation_id);
  out.String(metadata.actor);
  out.String(metadata.traceparent);
  out.Varint(metadata.headers.size());
  for (const auto& [name, value] : metadata.headers) {
    out.String(name);
    out.String(value);
  }
}

void EncodeCommit(const Commit& commit, TypeTable& types, Writer out) {
  out.Varint(commit.sequence.value());
  out.Time(commit.recorded_at);
  out.String(commit.tenant);
  out.String(commit.command.type);
  out.String(commit.command.id);
  out.String(commit.command.fingerprint);
  EncodeMetadata(commit.metadata, out);
  out.Varint(commit.streams.size());
  for (const StreamEvents& stream : commit.streams) {
    out.String(stream.stream.aggregate);
    out.String(stream.stream.id);
    out.Varint(stream.first_version.value());
    out.Varint(stream.events.size());
    for (const Event& event : stream.events) EncodeEvent(event, types, out);
  }
}

// With a checksum of 0, which is filled in last.
std::string EncodeHeader(const ChunkHeader& header) {
  std::string bytes(kMagic);
  PutFixed(bytes, kChunkFormatVersion);
  PutFixed(bytes, static_cast<std::uint16_t>(header.partition.value()));
  PutFixed(bytes, header.writer_epoch);
  PutFixed(bytes, header.chunk_number);
  PutFixed(bytes, header.first_offset.value());
  PutFixed(bytes, header.event_count);
  PutFixed(bytes, header.commit_count);
  PutFixed(bytes, header.first_sequence.value());
  PutFixed(bytes, header.last_sequence.value());
  PutFixed(bytes, std::uint64_t{0});
  return bytes;
}

void EncodeTypes(const TypeTable& types, Writer out) {
  out.Varint(types.types().size());
  for (const TypeEntry& type : types.types()) {
    out.String(type.name);
    out.String(type.fingerprint);
  }
}

// Where the bytes run out the decoders go on with empty values; whoever called asks the reader. Other damage is a
// status.
absl::StatusOr<Event> DecodeEvent(Reader& in, const std::vector<TypeEntry>& types) {
  Event event;
  const std::uint64_t type = in.Varint();
  if (type >= types.size()) return Damaged(absl::StrFormat("type %d of %d", type, types.size()));
  event.type = types[type].name;
  event.fingerprint = types[type].fingerprint;
  event.event_time = in.Time();
  in.Repeat([&] { event.tags.push_back(in.String()); });
  const std::uint64_t codec = in.Varint();
  if (codec > static_cast<std::uint64_t>(PayloadCodec::kEncrypted)) {
    return Damaged(absl::StrFormat("codec %d is not known", codec));
  }
  event.codec = static_cast<PayloadCodec>(codec);
  event.payload = in.String();
  return event;
}

Metadata DecodeMetadata(Reader& in) {
  Metadata metadata;
  metadata.correlation_id = in.String();
  metadata.causation_id = in.String();
  metadata.actor = in.String();
  metadata.traceparent = in.String();
  in.Repeat([&] {
    std::string name = in.String();
    metadata.headers[std::move(name)] = in.String();
  });
  return metadata;
}

absl::StatusOr<StreamEvents> DecodeStream(Reader& in, const std::string& tenant, const std::vector<TypeEntry>& types) {
  StreamEvents stream;
  stream.stream.tenant = tenant;
  stream.stream.aggregate = in.String();
  stream.stream.id = in.String();
  stream.first_version = Version(in.Varint());
  absl::Status status;
  in.Repeat([&] {
    absl::StatusOr<Event> event = DecodeEvent(in, types);
    if (event.ok()) return stream.events.push_back(*std::move(event));
    status = std::move(event).status();
    in.Fail();
  });
  EVERFOLD_RETURN_IF_ERROR(status);
  return stream;
}

absl::StatusOr<Commit> DecodeCommit(std::string_view bytes, const std::vector<TypeEntry>& types) {
  Reader in(bytes);
  Commit commit;
  commit.sequence = Sequence(in.Varint());
  commit.recorded_at = in.Time();
  commit.tenant = in.String();
  commit.command.type = in.String();
  commit.command.id = in.String();
  commit.command.fingerprint = in.String();
  commit.metadata = DecodeMetadata(in);
  absl::Status status;
  in.Repeat([&] {
    absl::StatusOr<StreamEvents> stream = DecodeStream(in, commit.tenant, types);
    if (stream.ok()) return commit.streams.push_back(*std::move(stream));
    status = std::move(stream).status();
    in.Fail();
  });
  EVERFOLD_RETURN_IF_ERROR(status);
  if (!in.done()) return Damaged("a commit's fields do not fill its length");
  return commit;
}

std::vector<TypeEntry> DecodeTypes(Reader& in) {
  std::vector<TypeEntry> types;
  in.Repeat([&] {
    std::string name = in.String();
    types.push_back({std::move(name), in.String()});
  });
  return types;
}

// What no writer writes; a header alone is not covered by a checksum that its reader could ask.
absl::Status CheckHeader(const ChunkHeader& header) {
  if (header.partition.value() >= kMaxPartitions) {
    return Damaged(absl::StrFormat("partition %d cannot be", header.partition.value()));
  }
  if (header.chunk_number == 0) return Damaged("chunk number 0 cannot be");
  const std::uint64_t before = header.first_offset.value() - 1;
  if (header.first_offset == Offset(0) || before > UINT64_MAX - header.event_count) {
    return Damaged(
        absl::StrFormat("first offset %d cannot be with %d events", header.first_offset.value(), header.event_count));
  }
  if (header.commit_count == 0) return Damaged("it has no commits");
  return absl::OkStatus();
}

// That what the header says of the commits is so.
absl::Status CheckCommits(const Chunk& chunk) {
  std::uint64_t events = 0;
  Sequence last;
  for (const Commit& commit : chunk.commits) {
    events += commit.event_count();
    if (commit.sequence <= last) {
      return Damaged(absl::StrFormat("sequence %d follows %d", commit.sequence.value(), last.value()));
    }
    last = commit.sequence;
  }
  const ChunkHeader& header = chunk.header;
  if (events != header.event_count) {
    return Damaged(absl::StrFormat("it holds %d events, its header says %d", events, header.event_count));
  }
  const Sequence first = chunk.commits.front().sequence;
  if (first != header.first_sequence || last != header.last_sequence) {
    return Damaged(absl::StrFormat("its commits have sequences %d to %d, its header says %d to %d", first.value(),
                                   last.value(), header.first_sequence.value(), header.last_sequence.value()));
  }
  return absl::OkStatus();
}

}  // namespace

std::string EncodeChunk(ChunkHeader header, const std::vector<Commit>& commits) {
  EVERFOLD_CHECK(!commits.empty());
  TypeTable types;
  std::string body;
  std::string scratch;
  header.event_count = 0;
  for (const Commit& commit : commits) {
    header.event_count += static_cast<std::uint32_t>(commit.event_count());
    scratch.clear();
    EncodeCommit(commit, types, Writer(scratch));
    Writer(body).String(scratch);
  }
  header.commit_count = static_cast<std::uint32_t>(commits.size());
  header.first_sequence = commits.front().sequence;
  header.last_sequence = commits.back().sequence;

  std::string bytes = EncodeHeader(header);
  EncodeTypes(types, Writer(bytes));
  bytes.append(body);
  const std::uint64_t checksum = ChecksumOf(bytes);
  std::memcpy(bytes.data() + kChecksumAt, &checksum, sizeof(checksum));
  return bytes;
}

absl::StatusOr<ChunkHeader> DecodeChunkHeader(std::string_view bytes) {
  if (bytes.size() < kChunkHeaderBytes)
    return Damaged(absl::StrFormat("%d bytes are less than a header", bytes.size()));
  if (!bytes.starts_with(kMagic)) return Damaged("it does not begin with EVCH");
  const auto version = GetFixed<std::uint16_t>(bytes, 4);
  if (version != kChunkFormatVersion) return Damaged(absl::StrFormat("format version %d is not known", version));
  const ChunkHeader header{.partition = PartitionId(GetFixed<std::uint16_t>(bytes, 6)),
                           .writer_epoch = GetFixed<std::uint64_t>(bytes, 8),
                           .chunk_number = GetFixed<std::uint64_t>(bytes, 16),
                           .first_offset = Offset(GetFixed<std::uint64_t>(bytes, 24)),
                           .event_count = GetFixed<std::uint32_t>(bytes, 32),
                           .commit_count = GetFixed<std::uint32_t>(bytes, 36),
                           .first_sequence = Sequence(GetFixed<std::uint64_t>(bytes, 40)),
                           .last_sequence = Sequence(GetFixed<std::uint64_t>(bytes, 48))};
  EVERFOLD_RETURN_IF_ERROR(CheckHeader(header));
  return header;
}

absl::StatusOr<Chunk> DecodeChunk(std::string_view bytes) {
  EVERFOLD_ASSIGN_OR_RETURN(const ChunkHeader header, DecodeChunkHeader(bytes));
  if (ChecksumOf(bytes) != GetFixed<std::uint64_t>(bytes, kChecksumAt)) return Damaged("its checksum does not match");
  Chunk chunk{.header = header, .commits = {}};
  Reader in(bytes.substr(kChunkHeaderBytes));
  const std::vector<TypeEntry> types = DecodeTypes(in);
  for (std::uint32_t i = 0; i < header.commit_count && !in.failed(); ++i) {
    const std::string_view commit_bytes = in.View();
    if (in.failed()) break;
    EVERFOLD_ASSIGN_OR_RETURN(Commit commit, DecodeCommit(commit_bytes, types));
    chunk.commits.push_back(std::move(commit));
  }
  if (!in.done()) return Damaged("its commits do not fill it");
  EVERFOLD_RETURN_IF_ERROR(CheckCommits(chunk));
  return chunk;
}

absl::Status VisitEvents(const Chunk& chunk, absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
  Position position{chunk.header.partition, chunk.header.first_offset};
  for (const Commit& commit : chunk.commits) {
    for (const StreamEvents& stream : commit.streams) {
      Version version = stream.first_version;
      for (const Event& event : stream.events) {
        EVERFOLD_RETURN_IF_ERROR(visit({commit, stream, event, version, position}));
        version = version.Next();
        position.offset = position.offset.Next();
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace everfold

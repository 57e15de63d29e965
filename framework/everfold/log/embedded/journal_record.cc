#include "everfold/log/embedded/journal_record.h"

#include <xxhash.h>

#include <bit>
#include <cstring>

#include "everfold/base/check.h"
#include "everfold/base/digest.h"

namespace everfold {
namespace {

static_assert(std::endian::native == std::endian::little, "the journal is little endian");

constexpr std::string_view kMagic = "EVJR";
constexpr std::size_t kChecksumAt = 56;
constexpr std::size_t kChunkLengthBytes = sizeof(std::uint32_t);

template <class Integer>
void PutAt(std::string& out, std::size_t at, Integer value) {
  std::memcpy(out.data() + at, &value, sizeof(value));
}

template <class Integer>
Integer GetAt(std::string_view bytes, std::size_t at) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

std::size_t Padded(std::size_t bytes) {
  return (bytes + kJournalAlignment - 1) / kJournalAlignment * kJournalAlignment;
}

std::size_t BodyBytes(const std::vector<ChunkAppend>& group) {
  std::size_t bytes = 0;
  for (const ChunkAppend& append : group) bytes += kChunkLengthBytes + append.bytes->size();
  return bytes;
}

// Of header and body, but for the checksum itself.
std::uint64_t ChecksumOf(std::string_view record, JournalKey key) {
  const std::uint64_t of_header = XXH3_64bits_withSeed(record.data(), kChecksumAt, key);
  const std::string_view body = record.substr(kJournalRecordHeaderBytes);
  return XXH3_64bits_withSeed(body.data(), body.size(), of_header);
}

void EncodeHeader(const JournalRecordHeader& header, std::size_t chunks, std::size_t body, std::string& out) {
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  PutAt(out, 4, kJournalFormatVersion);
  PutAt(out, 6, static_cast<std::uint16_t>(chunks));
  PutAt(out, 8, static_cast<std::uint32_t>(body));
  PutAt(out, 12, static_cast<std::uint32_t>(header.position / kJournalAlignment));
  PutAt(out, 16, header.segment);
  PutAt(out, 24, header.writer);
  PutAt(out, 32, header.group);
  PutAt(out, 40, header.durable_group);
  PutAt(out, 48, header.previous);
}

JournalRecordHeader DecodeHeader(std::string_view record) {
  return {.segment = GetAt<std::uint64_t>(record, 16),
          .position = std::uint64_t{GetAt<std::uint32_t>(record, 12)} * kJournalAlignment,
          .writer = GetAt<std::uint64_t>(record, 24),
          .group = GetAt<std::uint64_t>(record, 32),
          .durable_group = GetAt<std::uint64_t>(record, 40),
          .previous = GetAt<std::uint64_t>(record, 48)};
}

// The chunks that fill the body; nullopt if they do not.
std::optional<std::vector<std::string_view>> SplitBody(std::string_view body, std::size_t count) {
  std::vector<std::string_view> chunks;
  for (; count > 0; --count) {
    if (body.size() < kChunkLengthBytes) return std::nullopt;
    const std::size_t length = GetAt<std::uint32_t>(body, 0);
    body.remove_prefix(kChunkLengthBytes);
    if (body.size() < length) return std::nullopt;
    chunks.push_back(body.substr(0, length));
    body.remove_prefix(length);
  }
  if (!body.empty()) return std::nullopt;
  return chunks;
}

}  // namespace

JournalKey JournalKeyOf(std::string_view store_key) {
  return GetAt<JournalKey>(HmacSha256(store_key, "everfold journal"), 0);
}

bool HasJournalRecords(std::string_view file) { return file.starts_with(kMagic); }

std::size_t JournalRecordBytes(const std::vector<ChunkAppend>& group) {
  return Padded(kJournalRecordHeaderBytes + BodyBytes(group));
}

GroupLink EncodeJournalRecord(const JournalRecordHeader& header, const std::vector<ChunkAppend>& group, JournalKey key,
                              std::string& out) {
  EVERFOLD_CHECK(header.position % kJournalAlignment == 0);
  const std::size_t body = BodyBytes(group);
  out.assign(kJournalRecordHeaderBytes, '\0');
  out.reserve(Padded(kJournalRecordHeaderBytes + body));
  EncodeHeader(header, group.size(), body, out);
  for (const ChunkAppend& append : group) {
    const auto length = static_cast<std::uint32_t>(append.bytes->size());
    out.append(reinterpret_cast<const char*>(&length), sizeof(length));
    out.append(*append.bytes);
  }
  const std::uint64_t checksum = ChecksumOf(out, key);
  PutAt(out, kChecksumAt, checksum);
  out.resize(Padded(out.size()));
  return {header.group, checksum};
}

std::optional<JournalRecord> DecodeJournalRecord(std::string_view file, std::uint64_t position, JournalKey key) {
  const std::string_view rest = file.substr(position);
  if (rest.size() < kJournalRecordHeaderBytes || !rest.starts_with(kMagic)) return std::nullopt;
  if (GetAt<std::uint16_t>(rest, 4) != kJournalFormatVersion) return std::nullopt;
  const std::size_t bytes = kJournalRecordHeaderBytes + GetAt<std::uint32_t>(rest, 8);
  if (bytes > rest.size()) return std::nullopt;
  const std::string_view record = rest.substr(0, bytes);
  const auto checksum = GetAt<std::uint64_t>(record, kChecksumAt);
  if (checksum != ChecksumOf(record, key)) return std::nullopt;
  const JournalRecordHeader header = DecodeHeader(record);
  if (header.position != position) return std::nullopt;
  std::optional<std::vector<std::string_view>> chunks =
      SplitBody(record.substr(kJournalRecordHeaderBytes), GetAt<std::uint16_t>(record, 6));
  if (!chunks.has_value()) return std::nullopt;
  return JournalRecord{header, {header.group, checksum}, Padded(bytes), *std::move(chunks)};
}

}  // namespace everfold

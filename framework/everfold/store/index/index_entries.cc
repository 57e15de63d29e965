#include "everfold/store/index/index_entries.h"

#include <algorithm>
#include <limits>

#include "everfold/store/index/entry_bytes.h"

namespace everfold {
namespace {

constexpr int kPartitionBytes = 2;
constexpr int kNumberBytes = 8;
constexpr int kDayBytes = 4;
constexpr int kTypeIdBytes = 4;

}  // namespace

Day DayOf(absl::Time recorded_at) {
  constexpr std::int64_t kSecondsPerDay = 24 * 60 * 60;
  const std::int64_t day = absl::ToUnixSeconds(recorded_at) / kSecondsPerDay;
  return static_cast<Day>(std::clamp<std::int64_t>(day, 0, std::numeric_limits<Day>::max()));
}

void EncodeStream(std::string_view name, const StreamEntry& entry, EntryPair& out) {
  out.key.assign(name);
  AppendDescending(out.key, entry.first_version.value());
  out.value.clear();
  AppendVarint(out.value, entry.first_offset.value());
  if (entry.events != 1) AppendVarint(out.value, entry.events);
}

bool DecodeStream(std::string_view key, std::string_view value, StreamEntry& entry) {
  ByteReader key_bytes(key);
  entry.first_version = Version(TakeDescending(key_bytes));
  ByteReader value_bytes(value);
  entry.first_offset = Offset(value_bytes.Varint());
  entry.events = value_bytes.done() ? 1 : static_cast<std::uint32_t>(value_bytes.Varint());
  return key_bytes.done() && value_bytes.done() && entry.events > 0;
}

void EncodeTag(std::string_view name, const TaggedEvent& entry, EntryPair& out) {
  out.key.assign(name);
  AppendFixed(out.key, entry.sequence.value(), kNumberBytes);
  AppendFixed(out.key, entry.position.partition.value(), kPartitionBytes);
  AppendFixed(out.key, entry.position.offset.value(), kNumberBytes);
  out.value.clear();
  AppendVarint(out.value, entry.type);
}

bool DecodeTag(std::string_view key, std::string_view value, TaggedEvent& entry) {
  ByteReader key_bytes(key);
  entry.sequence = Sequence(TakeFixed(key_bytes, kNumberBytes));
  entry.position.partition = PartitionId(static_cast<std::uint32_t>(TakeFixed(key_bytes, kPartitionBytes)));
  entry.position.offset = Offset(TakeFixed(key_bytes, kNumberBytes));
  ByteReader value_bytes(value);
  entry.type = static_cast<TypeId>(value_bytes.Varint());
  return key_bytes.done() && value_bytes.done();
}

std::string CommandPrefix(Day day, const CommandDigest& digest) {
  std::string prefix;
  AppendFixed(prefix, day, kDayBytes);
  prefix.append(digest.bytes().substr(0, kStoredDigestBytes));
  return prefix;
}

void EncodeCommand(const CommandDigest& digest, const CommandEntry& entry, EntryPair& out) {
  out.key = CommandPrefix(entry.day, digest);
  AppendDescending(out.key, entry.place.sequence.value());
  AppendFixed(out.key, entry.place.partition.value(), kPartitionBytes);
  out.value.clear();
  AppendVarint(out.value, entry.place.after.value());
  if (entry.place.chunk_number != 0) AppendVarint(out.value, entry.place.chunk_number);
}

bool DecodeCommand(std::string_view key, std::string_view value, CommitPlace& place) {
  ByteReader key_bytes(key);
  place.sequence = Sequence(TakeDescending(key_bytes));
  place.partition = PartitionId(static_cast<std::uint32_t>(TakeFixed(key_bytes, kPartitionBytes)));
  ByteReader value_bytes(value);
  place.after = Offset(value_bytes.Varint());
  place.chunk_number = value_bytes.done() ? 0 : value_bytes.Varint();
  return key_bytes.done() && value_bytes.done();
}

void EncodeType(const TypeEntry& entry, EntryPair& out) {
  out.key.clear();
  AppendFixed(out.key, entry.partition.value(), kPartitionBytes);
  AppendFixed(out.key, entry.definition.id, kTypeIdBytes);
  const EventType& type = entry.definition.type;
  out.value.clear();
  AppendString(out.value, type.name);
  AppendString(out.value, type.fingerprint);
}

bool DecodeType(std::string_view key, std::string_view value, TypeEntry& entry) {
  ByteReader key_bytes(key);
  entry.partition = PartitionId(static_cast<std::uint32_t>(TakeFixed(key_bytes, kPartitionBytes)));
  entry.definition.id = static_cast<TypeId>(TakeFixed(key_bytes, kTypeIdBytes));
  ByteReader value_bytes(value);
  entry.definition.type.name = value_bytes.String();
  entry.definition.type.fingerprint = value_bytes.String();
  return key_bytes.done() && value_bytes.done();
}

std::string StreamSeekKey(std::string_view name, Version version) {
  std::string key(name);
  AppendDescending(key, version.value());
  return key;
}

std::string TagSeekKey(std::string_view name, Sequence after) {
  std::string key(name);
  AppendFixed(key, after.Next().value(), kNumberBytes);
  return key;
}

}  // namespace everfold

// What the index keeps, as values and as bytes. Byte by byte: docs/formats/index.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "everfold/event/event_type.h"
#include "everfold/event/position.h"
#include "everfold/store/index/command_digest.h"
#include "everfold/store/store_index.h"

namespace everfold {

// The events that one commit adds to a stream. REQUIRES: at least one.
struct StreamEntry {
  Version first_version;
  Offset first_offset;
  std::uint32_t events = 1;

  Version last_version() const { return first_version.Plus(events - 1); }
  StreamPlace place() const { return {first_version, first_offset}; }
  friend bool operator==(const StreamEntry&, const StreamEntry&) = default;
};

// Number of days since 1970 in UTC; what was recorded before is of day 0.
using Day = std::uint32_t;
Day DayOf(absl::Time recorded_at);

struct CommandEntry {
  Day day = 0;
  CommitPlace place;
  friend bool operator==(const CommandEntry&, const CommandEntry&) = default;
};

struct TypeEntry {
  PartitionId partition;
  TypeDefinition definition;
  friend bool operator==(const TypeEntry&, const TypeEntry&) = default;
};

// The order of events that carry one tag.
inline bool IsBefore(const TaggedEvent& a, const TaggedEvent& b) {
  return a.sequence != b.sequence ? a.sequence < b.sequence : a.position < b.position;
}

// An entry's key and value; reused from one to the next.
struct EntryPair {
  std::string key;
  std::string value;
};

// Each sets both. `name` is an EntryName's bytes.
void EncodeStream(std::string_view name, const StreamEntry& entry, EntryPair& out);
void EncodeTag(std::string_view name, const TaggedEvent& entry, EntryPair& out);
void EncodeCommand(const CommandDigest& digest, const CommandEntry& entry, EntryPair& out);
void EncodeType(const TypeEntry& entry, EntryPair& out);

// The reverse; `key` is what follows the name, or the whole key of a type. False for other bytes.
bool DecodeStream(std::string_view key, std::string_view value, StreamEntry& entry);
bool DecodeTag(std::string_view key, std::string_view value, TaggedEvent& entry);
bool DecodeType(std::string_view key, std::string_view value, TypeEntry& entry);

// The front of a command's keys: day, and as much of the digest as tells a billion commands a day from nearly any
// other. DecodeCommand takes what follows it.
inline constexpr std::size_t kStoredDigestBytes = 6;
inline constexpr std::size_t kCommandPrefixBytes = 4 + kStoredDigestBytes;
std::string CommandPrefix(Day day, const CommandDigest& digest);
bool DecodeCommand(std::string_view key, std::string_view value, CommitPlace& place);

// Where to look for entries of a name: the newest of a stream that begins at `version` or before; the first of a tag
// behind `after`.
std::string StreamSeekKey(std::string_view name, Version version);
std::string TagSeekKey(std::string_view name, Sequence after);

}  // namespace everfold

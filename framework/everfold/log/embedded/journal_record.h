// One group in the journal: the chunks that one append added, made durable together. Format version 1; byte by byte in
// docs/formats/journal.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "everfold/log/partition_log.h"

namespace everfold {

inline constexpr std::uint16_t kJournalFormatVersion = 1;
inline constexpr std::size_t kJournalRecordHeaderBytes = 64;
// Records begin at multiples of it: the smallest unit that a disk writes whole. No write touches a unit that holds a
// record before, so that one that is torn damages nothing durable.
inline constexpr std::size_t kJournalAlignment = 512;

// Number of a group in the store: dense, first is 1; 0 = before the first.
using GroupNumber = std::uint64_t;

// The place of a group in the history: its number, and the checksum of its record, which the next record names. A
// record that was written after another one, or before the group was written anew, does not link.
struct GroupLink {
  GroupNumber group = 0;
  std::uint64_t checksum = 0;
  friend bool operator==(const GroupLink&, const GroupLink&) = default;
};

// What a store's records are known by. Files are searched for records, and also hold what callers have sent; who does
// not know the key makes none that looks like one.
using JournalKey = std::uint64_t;
JournalKey JournalKeyOf(std::string_view store_key);

struct JournalRecordHeader {
  std::uint64_t segment = 0;   // number of the use of the file; files are used again and again
  std::uint64_t position = 0;  // in the file, in bytes
  std::uint64_t writer = 0;    // a random number of the opening that wrote it
  GroupNumber group = 0;
  GroupNumber durable_group = 0;  // the last one that was durable when this was written
  std::uint64_t previous = 0;     // checksum of the group before
};

// A record as it stands in a file.
struct JournalRecord {
  JournalRecordHeader header;
  GroupLink link;
  std::size_t bytes = 0;                 // with padding
  std::vector<std::string_view> chunks;  // views into the file's bytes
};

// Bytes of the group's record, padded to the alignment.
std::size_t JournalRecordBytes(const std::vector<ChunkAppend>& group);

// Replaces `out` by the record, padded. Returns its link.
GroupLink EncodeJournalRecord(const JournalRecordHeader& header, const std::vector<ChunkAppend>& group, JournalKey key,
                              std::string& out);

// The record at the position; nullopt if what stands there is not a whole and unchanged record of the store, or one
// that was written to another position. REQUIRES: position <= file.size().
std::optional<JournalRecord> DecodeJournalRecord(std::string_view file, std::uint64_t position, JournalKey key);

// True if a file of a ring, from its beginning, was ever written to, by whatever store.
bool HasJournalRecords(std::string_view file);

}  // namespace everfold

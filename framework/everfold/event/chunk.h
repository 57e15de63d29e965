// One record of the log: the commits of one group in one partition.
//
// Layout, little endian, version 0 (replaced together with the log's journal; no store of version 0 will be migrated):
//
//   offset size
//        0    4  magic "EVCH"
//        4    2  format version, 0
//        6    2  partition
//        8    8  writer epoch: a random number of the opening that wrote it
//       16    8  chunk number in the partition, dense, first is 1
//       24    8  first offset
//       32    4  number of events
//       36    4  number of commits
//       40    8  first sequence
//       48    8  last sequence
//       56    8  XXH3-64 of everything from byte 64, seeded with XXH3-64 of bytes 0..55
//       64    -  type table: varint count, then {string name, string fingerprint} each
//              - commits: varint length, then the commit's fields in the order of commit.h
//
// A string is a varint length and its bytes; a time is a zigzag varint of microseconds since 1970. Events name their
// type by its index in the type table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/commit.h"
#include "everfold/event/position.h"

namespace everfold {

inline constexpr std::uint16_t kChunkFormatVersion = 0;
inline constexpr std::size_t kChunkHeaderBytes = 64;

struct ChunkHeader {
  PartitionId partition;
  std::uint64_t writer_epoch = 0;
  std::uint64_t chunk_number = 0;
  Offset first_offset;
  std::uint32_t event_count = 0;
  std::uint32_t commit_count = 0;
  Sequence first_sequence;
  Sequence last_sequence;

  // The partition's head after this chunk.
  Offset last_offset() const { return Offset(first_offset.value() + event_count - 1); }
  friend bool operator==(const ChunkHeader&, const ChunkHeader&) = default;
};

struct Chunk {
  ChunkHeader header;
  std::vector<Commit> commits;
};

// Sets the counts and sequences of the header from the commits. REQUIRES: `commits` is not empty and in order.
std::string EncodeChunk(ChunkHeader header, const std::vector<Commit>& commits);

// DATA_LOSS, with what is wrong, for bytes that are no whole and unchanged chunk.
absl::StatusOr<ChunkHeader> DecodeChunkHeader(std::string_view bytes);  // does not read beyond the header
absl::StatusOr<Chunk> DecodeChunk(std::string_view bytes);

// Calls `visit` for every event, in order, until it returns an error, which is then the result.
absl::Status VisitEvents(const Chunk& chunk, absl::FunctionRef<absl::Status(const RecordedEvent&)> visit);

}  // namespace everfold

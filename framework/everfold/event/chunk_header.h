// The head of a chunk, one record of the log: the commits of one group in one partition. Format version 1; byte by byte
// in docs/formats/chunk.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "everfold/event/chain.h"
#include "everfold/event/position.h"

namespace everfold {

inline constexpr std::uint16_t kChunkFormatVersion = 1;
inline constexpr std::size_t kChunkHeaderBytes = 128;
inline constexpr std::size_t kMaxChunkBytes = 64 << 20;

struct ChunkHeader {
  PartitionId partition;
  std::uint64_t writer_epoch = 0;  // a random number of the opening that wrote it
  std::uint64_t chunk_number = 0;  // in the partition, dense, first is 1
  Offset first_offset;             // of its first event; of the next one, if it has none
  std::uint32_t event_count = 0;
  std::uint32_t commit_count = 0;
  Sequence first_sequence;
  Sequence last_sequence;
  absl::Time base_time;  // recorded time of the first commit, in microseconds; the others are told relative to it
  Chain chain;           // as of this chunk

  // The partition's last offset after this chunk.
  Offset last_offset() const { return Offset(first_offset.value() + event_count - 1); }
  friend bool operator==(const ChunkHeader&, const ChunkHeader&) = default;
};

// DATA_LOSS, with what is wrong, for bytes that do not begin with a header; a format version above ours is
// FAILED_PRECONDITION (FORMAT_UNKNOWN). Does not read beyond the header, so that nothing is known of what follows.
absl::StatusOr<ChunkHeader> DecodeChunkHeader(std::string_view bytes);
// The same, into `header`, of which nothing is known after an error. Spares copies where many chunks are read: a copy
// of what has only just been written, field by field, costs more than decoding it.
absl::Status DecodeChunkHeader(std::string_view bytes, ChunkHeader& header);

// The same, and the length and checksum of the whole chunk. `bytes` must end where the chunk ends.
absl::StatusOr<ChunkHeader> CheckChunk(std::string_view bytes);
absl::Status CheckChunk(std::string_view bytes, ChunkHeader& header);

}  // namespace everfold

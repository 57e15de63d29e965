// Where things stand in a chunk: the table of docs/formats/chunk.md in code, for those who read and write chunks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "everfold/event/chain.h"
#include "everfold/event/chunk_header.h"

namespace everfold {

// Places of the header's fields, in bytes from the chunk's begin. All integers are little endian.
namespace header_at {
inline constexpr std::size_t kMagic = 0;           // 4 bytes
inline constexpr std::size_t kFormatVersion = 4;   // u16
inline constexpr std::size_t kPartition = 6;       // u16
inline constexpr std::size_t kLength = 8;          // u32, of the whole chunk
inline constexpr std::size_t kCommitCount = 12;    // u32
inline constexpr std::size_t kEventCount = 16;     // u32
inline constexpr std::size_t kReserved = 20;       // 4 bytes, zero
inline constexpr std::size_t kWriterEpoch = 24;    // u64
inline constexpr std::size_t kChunkNumber = 32;    // u64
inline constexpr std::size_t kFirstOffset = 40;    // u64
inline constexpr std::size_t kFirstSequence = 48;  // u64
inline constexpr std::size_t kLastSequence = 56;   // u64
inline constexpr std::size_t kBaseTime = 64;       // i64, microseconds since 1970
inline constexpr std::size_t kMoreReserved = 72;   // 16 bytes, zero
inline constexpr std::size_t kChain = 88;          // 32 bytes
inline constexpr std::size_t kChecksum = 120;      // u64
}  // namespace header_at

enum class CommitKind : std::uint8_t { kCommit = 1, kTombstone = 2 };

// What of a commit's optional fields is there, in the order in which they stand.
namespace commit_has {
inline constexpr unsigned kCommandId = 1;
inline constexpr unsigned kCorrelation = 2;
inline constexpr unsigned kCausation = 4;
inline constexpr unsigned kActor = 8;
inline constexpr unsigned kTraceparent = 16;
inline constexpr unsigned kHeaders = 32;
inline constexpr unsigned kAll = 63;  // bit 6 is kept for the command's payload
}  // namespace commit_has

namespace event_has {
inline constexpr unsigned kEventTime = 1;
inline constexpr unsigned kTags = 2;
inline constexpr unsigned kAll = 3;
}  // namespace event_has

// Times are told in microseconds since 1970; the ends of the range are where absl::Time saturates, and no time.
constexpr bool IsTime(std::int64_t micros) { return micros != INT64_MIN && micros != INT64_MAX; }
// REQUIRES: the time fits.
std::int64_t MicrosOf(absl::Time time);

ABSL_ATTRIBUTE_COLD absl::Status DamagedChunk(const std::string& what);

// Writes the header's kChunkHeaderBytes to `out`, with zeros for length and checksum.
void EncodeChunkHeader(const ChunkHeader& header, char* out);
// Fills in length and checksum of a chunk that is otherwise whole.
void SealChunk(std::string& chunk);

// The chain as of a chunk. `header` is encoded; of it only the fields count that a tombstone leaves as they are.
// `leaves`: 32 bytes a commit.
Chain NextChain(const Chain& previous, std::string_view header, std::string_view definitions, std::string_view leaves);

}  // namespace everfold

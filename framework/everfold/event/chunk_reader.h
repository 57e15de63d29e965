// Reading of chunks without copying: everything that is returned points into the chunk's bytes.
//
//   EVERFOLD_ASSIGN_OR_RETURN(ChunkReader chunk, ChunkReader::Open(bytes));
//   while (chunk.NextCommit()) {
//     while (chunk.NextStream()) {
//       while (chunk.NextEvent()) Use(chunk.commit(), chunk.stream(), chunk.event());
//     }
//   }
//   EVERFOLD_RETURN_IF_ERROR(chunk.status());  // a loop ends early on damage
//
// Who reads chunk after chunk keeps one reader, and calls Reset for each.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "everfold/event/chunk_bytes.h"
#include "everfold/event/chunk_header.h"
#include "everfold/event/commit.h"
#include "everfold/event/event_type.h"

namespace everfold {

struct CommitView {
  Sequence sequence;
  Offset first_offset;            // of its first event; of the next one, if it has none
  std::uint32_t event_count = 0;  // also of a tombstone, which has none
  std::uint32_t stream_count = 0;
  absl::Time recorded_at;
  std::string_view tenant;
  bool tombstone = false;   // erased: only what is above and `reason` are there, and its streams without their events
  std::string_view reason;  // of the erasure
  TypeId command_type = 0;
  std::string_view command_id;           // empty: the command has no identity
  std::string_view command_fingerprint;  // of its request
};

struct StreamView {
  std::string_view aggregate;
  std::string_view id;
  Version first_version;
  std::uint32_t event_count = 0;  // also of a tombstone's stream, which has none
  Offset first_offset;
};

struct EventView {
  TypeId type = 0;
  PayloadCodec codec = PayloadCodec::kPlain;
  absl::Time event_time;
  Version version;
  Offset offset;
  std::uint32_t tag_count = 0;
  std::string_view encoded_tags;  // DecodeTags
  std::string_view payload;
};

// Which types a reader wants, by type id; ids beyond its size are not wanted.
using WantedTypes = std::vector<bool>;

// Threading: one thread. Lifetime: the bytes outlive it, up to the next Reset, and all views. After a call of Next* the
// views of that level and below are others; before the first one they say nothing.
class ChunkReader {
 public:
  // Of a chunk without commits, until Reset.
  ChunkReader() = default;
  // Checks length, header and checksum, and reads the definitions. DATA_LOSS, with what is wrong, for bytes that are no
  // whole and unchanged chunk.
  static absl::StatusOr<ChunkReader> Open(std::string_view bytes);
  // The same with this reader, which leaves the chunk that it was at and keeps its memory. After an error there is
  // nothing to read, neither is its header of any use, and status() is that error.
  absl::Status Reset(std::string_view bytes);

  const ChunkHeader& header() const { return header_; }
  const std::vector<TypeDefinition>& definitions() const { return definitions_; }

  // Each moves to the next one, the first at the first call, and returns false at the end, or on damage, which status()
  // then tells. A commit that is left early is skipped.
  bool NextCommit();
  // Skips commits that hold none of the wanted types, without looking into their bodies.
  bool NextCommitOf(const WantedTypes& wanted);
  bool NextStream() { return !at_commit_end() && ReadStream(); }
  bool NextEvent() { return stream_events_left_ > 0 && ReadEvent(); }

  const CommitView& commit() const { return commit_; }
  const StreamView& stream() const { return stream_; }
  const EventView& event() const { return event_; }
  // The commit's bytes, whose SHA-256 is its leaf unless it is a tombstone.
  std::string_view commit_bytes() const { return commit_bytes_; }
  // The commit's leaf: of a tombstone the one that it carries, else computed.
  Digest leaf() const;
  // The bytes of the chunk's type definitions, whose SHA-256 is part of the chain.
  std::string_view definition_bytes() const { return definition_bytes_; }
  // False if the commit's metadata is empty. REQUIRES, here and below: the commit is no tombstone.
  bool HasMetadata() const;
  // The commit's metadata, decoded.
  absl::StatusOr<Metadata> DecodeMetadata() const;
  absl::StatusOr<std::vector<std::string>> DecodeTags() const;
  // The same, in place of what is there, whose memory is used again.
  absl::Status DecodeTags(std::vector<std::string>& tags) const;

  // DATA_LOSS once a part of the chunk did not decode, or the commits did not add up to what the header says.
  const absl::Status& status() const { return status_; }

 private:
  void Clear();
  absl::Status ReadDefinitions();
  bool NextPlace(const WantedTypes* wanted);
  bool PlaceInOrder(std::uint64_t behind_first);
  bool ReadPlace(ByteReader in, const WantedTypes* wanted);
  bool ReadShortPlace(const char* place, const WantedTypes* wanted);
  bool PlaceInTime(std::int64_t behind_base);
  bool CountEvents(std::uint64_t events);
  bool TakeCommandType(std::uint64_t type);
  bool TakeEventType(std::uint64_t type, const WantedTypes* wanted);
  bool ReadEventTypes(ByteReader in, const WantedTypes* wanted);
  bool ReadTombstone(ByteReader in);
  bool ReadBodyBegin();
  bool SkipMetadata();
  bool SkipHeaders(ByteReader& in);
  bool ReadStream();
  void LeaveOutEvents();
  bool ReadFirstVersion();
  bool CheckBodyEnd();
  bool ReadEvent();
  bool ReadEventOptions(unsigned present);
  bool SkipTags(ByteReader& in);
  bool at_commit_end() const { return streams_left_ == 0 && events_left_ == 0 && body_ == commit_end_; }
  ByteReader In(const char* place) const { return ByteReader(place, commit_end_); }
  bool CheckEnd();
  void Halt();
  // These remember the damage and return false. Cold, so that what leads to them stands out of the way.
  ABSL_ATTRIBUTE_COLD bool Damaged(const std::string& what);
  ABSL_ATTRIBUTE_COLD bool DamagedCommit(const std::string& what);
  ABSL_ATTRIBUTE_COLD bool PresentButEmpty(ByteReader in, const char* what);

  ChunkHeader header_;
  std::int64_t base_micros_ = 0;
  std::vector<TypeDefinition> definitions_;
  std::string_view definition_bytes_;
  TypeId last_type_ = UINT32_MAX;  // that can be; a chunk with definitions has the partition's last ones
  absl::Status status_;

  ByteReader rest_;  // behind the commit
  std::uint32_t commits_left_ = 0;
  std::uint64_t events_seen_ = 0;         // up to the commit's end
  std::uint64_t least_behind_first_ = 0;  // of the next commit's sequence
  std::int64_t least_behind_base_ = 0;    // of the next commit's recorded time, in microseconds

  CommitView commit_;
  std::string_view commit_bytes_;
  std::string_view tombstone_leaf_;
  bool holds_wanted_ = false;
  // Places in the commit. In a reader of bytes that is a local variable, and stays in registers, they are read on from.
  const char* versions_ = nullptr;  // of the streams that follow
  const char* types_ = nullptr;     // of the events that follow
  const char* body_ = nullptr;      // what is left of it
  const char* commit_end_ = nullptr;
  std::string_view metadata_;
  unsigned present_ = 0;
  std::uint32_t streams_left_ = 0;
  std::uint32_t events_left_ = 0;

  StreamView stream_;
  std::uint32_t stream_events_left_ = 0;
  EventView event_;
};

// The chain as of a chunk whose predecessor has `previous`; compare it with the header's. Reads the whole chunk.
absl::StatusOr<Chain> ChainOf(std::string_view chunk, const Chain& previous);

}  // namespace everfold

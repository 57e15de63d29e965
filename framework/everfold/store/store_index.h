// What the store knows about the log without reading it: where each stream's events are, which events carry a tag,
// where each command was recorded, and which types the log defines. A projection of the log, never the truth: it keeps
// its own checkpoint, and can be deleted and built again.
//
// New entries are kept in memory. When there are enough of them they are written as sorted files, one a kind, and
// installed together with the checkpoint by one atomic ingest into RocksDB, off the commit path; meanwhile the next
// ones gather. RocksDB's own log and memtable are never used, so a checkpoint cannot run ahead of its entries.
//
// Byte by byte: docs/formats/index.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "everfold/event/event_type.h"
#include "everfold/event/stream_id.h"
#include "everfold/log/files/files.h"
#include "everfold/log/partition_log.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/index/entry_name.h"

namespace everfold {

struct ChunkHeader;
struct CommitView;

// How far a reader of the whole log has come, and where the next commit goes on.
struct LogTail {
  std::vector<PartitionHead> heads;
  Sequence last_sequence;
  absl::Time last_recorded_at = absl::InfinitePast();
};

// Where the events that one commit adds to a stream begin.
struct StreamPlace {
  Version first_version;
  Offset first_offset;
  friend bool operator==(const StreamPlace&, const StreamPlace&) = default;
};

// A commit's part in one partition. Its events, if it has some, begin behind `after`, and the chunk is the one that
// holds them; a part without events is in the chunk of that number, behind `after`.
struct CommitPlace {
  PartitionId partition;
  Offset after;
  std::uint64_t chunk_number = 0;  // 0 for a part with events
  Sequence sequence;
  friend bool operator==(const CommitPlace&, const CommitPlace&) = default;
};

// Of a commit in the chunk with that header.
CommitPlace PlaceOf(const ChunkHeader& chunk, const CommitView& commit);

struct TaggedEvent {
  Sequence sequence;
  Position position;
  TypeId type = 0;
  friend bool operator==(const TaggedEvent&, const TaggedEvent&) = default;
};

// The scope of a command id: the same id under another tenant or type is another command. Lifetime: of the names.
struct CommandKey {
  std::string_view tenant;
  std::string_view type;
  std::string_view id;
  friend bool operator==(const CommandKey&, const CommandKey&) = default;
  template <class H>
  friend H AbslHashValue(H state, const CommandKey& key) {
    return H::combine(std::move(state), key.tenant, key.type, key.id);
  }
};

// How many entries there are.
struct EntryCounts {
  std::uint64_t streams = 0;  // one for each commit's part in a stream
  std::uint64_t events = 0;   // in them
  std::uint64_t tags = 0;
  std::uint64_t commands = 0;  // one for each partition that a commit with a command id touches
  friend bool operator==(const EntryCounts&, const EntryCounts&) = default;
};

struct WrittenGroup;  // index/written_group.h

struct StoreIndexOptions {
  Files* files = nullptr;  // outlives the index
  std::string directory;   // empty: nothing is written, everything stays in memory
  // Entries in memory beyond which they are written. Up to three times as much may be in use, and as much again is kept
  // for what comes next.
  std::size_t max_memory_bytes = 16 << 20;
  std::size_t cache_bytes = 64 << 20;  // of blocks, filters and indexes of the files
  std::size_t head_bytes = 128 << 20;  // of versions of the streams that were met last, 64 bytes each
  // Command ids are forgotten when they are older than that, by whole days of recorded time (CommandRetention). A
  // longer one than at the last opening does not bring back what was forgotten: that takes an index that is built anew.
  absl::Duration command_retention = absl::Hours(7 * 24);
  std::size_t tag_head_bytes = 32 << 20;  // likewise of the last sequences of tags
  // Of a filter that spares new commands the look into files: for 26 million that are remembered; none for more.
  std::size_t command_filter_bytes = 32 << 20;
  // Both, or none: then files are merged only as they become many. On a strand of its own, because it takes seconds.
  std::shared_ptr<Strand> idle_merging = nullptr;
  Executor* idle_timers = nullptr;  // outlives the index
};

// Threading: thread-safe; Add, CompleteGroup, AddGroup and AddWritten by one thread at a time. Lifetime: the strand
// outlives it.
class StoreIndex {
 public:
  // Files are written on `disk`. An index that is missing, damaged, of another format, or of another store begins
  // empty: the log must be read from tail() on (RecoverIndex). `began_anew` tells why, empty if it did not.
  //   INTERNAL             the file system or RocksDB failed (STORAGE_FAILED)
  //   FAILED_PRECONDITION  somebody else has it open (STORE_LOCKED)
  static absl::StatusOr<std::unique_ptr<StoreIndex>> Open(StoreIndexOptions options, const LogIdentity& log,
                                                          Strand& disk, std::string& began_anew);
  virtual ~StoreIndex() = default;

  // What has been added. Not thread-safe against Add.
  virtual const LogTail& tail() const = 0;
  virtual const TypeDictionary& types() const = 0;

  // 0 for a stream that does not exist. Errors here and below: DATA_LOSS for damaged files, INTERNAL (STORAGE_FAILED).
  virtual absl::StatusOr<Version> VersionOf(const EntryName& stream) const = 0;
  absl::StatusOr<Version> VersionOf(const StreamId& stream) const;
  // Has the processor fetch what VersionOf is going to read of them.
  virtual void PrefetchVersions(absl::Span<const EntryName* const> streams) const = 0;
  // The commits that hold events of the stream above `after`, in order, at most `limit`. The first may begin before.
  virtual absl::StatusOr<std::vector<StreamPlace>> PlacesAfter(const StreamId& stream, Version after,
                                                               std::size_t limit) const = 0;
  // Where commits with this command id may be, if it is remembered: one place for each partition that the commit
  // touches. Places are found by a digest of 8 bytes; the commit itself tells whether it is the one.
  virtual absl::StatusOr<std::vector<CommitPlace>> FindCommand(const CommandKey& command) const = 0;
  // Commands that were recorded before it are forgotten.
  virtual absl::Time CommandsSince() const = 0;
  // Events of the tenant that carry the tag, above `after`, in order of sequence and position, at most `limit`.
  virtual absl::StatusOr<std::vector<TaggedEvent>> TaggedAfter(std::string_view tenant, std::string_view tag,
                                                               Sequence after, std::size_t limit) const = 0;
  // The tenant's last event of the type, of any revision; of any type, if it is empty. nullopt if there is none.
  virtual absl::StatusOr<std::optional<TaggedEvent>> LatestOf(std::string_view tenant, std::string_view type) const = 0;

  // The entries of what stands in the log up to `upto`, without forgotten commands: reads all of them, while others are
  // added.
  virtual absl::StatusOr<EntryCounts> CountEntries(const LogTail& upto) const = 0;

  // Takes in the chunk that follows on its partition's. DATA_LOSS, naming the place, unless chunk number, offsets,
  // chain, type definitions, and versions of the streams in memory, follow on what is there; the index is then of no
  // use.
  virtual absl::Status Add(std::string_view chunk) = 0;
  // Everything up to `last` has been added: a checkpoint may stand here.
  virtual void CompleteGroup(Sequence last, absl::Time recorded_at) = 0;
  // Both for a whole group. Here and below, whoever reads meanwhile sees all of the group or nothing of it: a commit to
  // several partitions is never seen in half.
  virtual absl::Status AddGroup(absl::Span<const std::string_view> chunks, Sequence last, absl::Time recorded_at) = 0;
  // The same for a whole group, from who has just written it and checked that it follows: a third of the work.
  virtual void AddWritten(const WrittenGroup& group) = 0;

  // A log that is read from its beginning ends no earlier than that: commands that will be forgotten then need not be
  // taken in.
  virtual void ExpectRecordedUntil(absl::Time time) = 0;

  // True while more is in memory than is meant to be, because writing lags or failed.
  virtual bool full() const = 0;
  // Calls `resume` on the strand `disk` once after it is no longer full, or writing has failed for good.
  virtual void WhenRoom(Task resume) = 0;
  // Why writing failed, OK if it did not. Reads still answer, from memory and what was written before.
  virtual absl::Status health() const = 0;

  // Writes all that is in memory, then calls `done` on `disk`. Nothing may be called after it but the destructor.
  virtual void Close(Task done) = 0;
};

struct IndexProgress {
  std::uint64_t events = 0;  // taken in
  std::uint64_t total = 0;   // that the log holds
};

// Reads the log from the index's tail to the durable heads, merged by sequence, and takes all of it in. DATA_LOSS,
// naming the place, unless in each partition chunks follow on each other up to the head, and sequences are dense over
// all partitions; DATA_LOSS too if the index is ahead of the log: the log has lost what it had acknowledged. If the
// index is full and cannot be written, the error is that of its health().
// `on_progress`, which may be null, is called every now and then.
// Blocks the caller while the index is full, so that its strand must be run by another thread. An index without a
// directory is never full.
absl::Status RecoverIndex(const PartitionLog& log, StoreIndex& index,
                          const std::function<void(const IndexProgress&)>& on_progress);

}  // namespace everfold

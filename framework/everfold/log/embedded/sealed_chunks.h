// The sealed part of the log: chunks in RocksDB, as sorted files that are written once.
//
// A seal writes one file for each partition that has new chunks, and one with the checkpoint, and installs all of them
// by one atomic ingest. RocksDB's own log and memtable stay empty. As the keys of a partition only grow, its files
// never overlap and nothing is ever rewritten but by Merge, which makes few large files, packed better, out of many
// small ones.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/chunk_header.h"
#include "everfold/log/embedded/sealed_checkpoint.h"
#include "everfold/log/embedded/tail.h"
#include "everfold/log/files/files.h"
#include "everfold/log/partition_log.h"

namespace everfold {

class SealedDatabase;

// DATA_LOSS if there is none, it is damaged, or of another store.
absl::StatusOr<SealedCheckpoint> ReadSealedCheckpoint(const SealedDatabase& database, const Epoch& epoch,
                                                      std::uint32_t partitions);

// Tells, too, what the chunk's header says. It has compared it with the key, but not the chunk's checksum.
class SealedCursor : public ChunkCursor {
 public:
  // REQUIRES and validity as of chunk().
  virtual const ChunkHeader& header() const = 0;
};

// Threading: Seal and Merge by one thread at a time; the rest is thread-safe. Lifetime: outlives its cursors.
class SealedChunks {
 public:
  static constexpr std::uint64_t kMergedAtOnce = 128 << 20;

  // `create`: a new one, empty; otherwise it must be there: DATA_LOSS. DATA_LOSS too if it is of another store, or does
  // not end as its checkpoint says.
  static absl::StatusOr<std::unique_ptr<SealedChunks>> Open(Files& files, const std::string& directory,
                                                            const LogIdentity& identity, bool create);
  // The same, of chunks that have stood under another epoch: from now on they stand under that of `identity`.
  static absl::StatusOr<std::unique_ptr<SealedChunks>> OpenUnderNewEpoch(Files& files, const std::string& directory,
                                                                         const LogIdentity& identity,
                                                                         const Epoch& before);
  virtual ~SealedChunks() = default;

  // As of the last seal.
  virtual SealedCheckpoint checkpoint() const = 0;

  // Makes the chunks and the checkpoint durable, both or neither. `chunks[p]` follow on what is sealed of partition p.
  // After an error, also where there was no room, only an opening can tell which, and no later Seal or Merge succeeds:
  // ask for free space before.
  virtual absl::Status Seal(const std::vector<std::vector<TailChunkPtr>>& chunks,
                            const SealedCheckpoint& checkpoint) = 0;

  struct MergeLimits {
    std::uint64_t room_bytes = 0;         // suffice for what is written before the old files go
    std::uint64_t bytes = kMergedAtOnce;  // about so many are merged
    std::uint64_t above_small_files = 0;  // where there are more small files than that
  };
  // Merges small files where a partition has enough of them to be worth it. True if it did, and there may be more.
  //   DATA_LOSS  a file, which the message names, is damaged or could not be read. Nothing was done to it
  //   INTERNAL   writing failed (STORAGE_FAILED): no later Seal or Merge succeeds
  virtual absl::StatusOr<bool> Merge(const MergeLimits& limits) = 0;

  // Walks a partition's chunks from the one that holds or follows offset `after` + 1, as far as they are sealed. `from`
  // is the chunk to begin with, or 0 if its number is not known.
  virtual std::unique_ptr<SealedCursor> Read(PartitionId partition, Offset after, std::uint64_t from) const = 0;

  // Reads every byte of every file. DATA_LOSS, naming the file, for one that is damaged or missing.
  virtual absl::Status VerifyChecksums() const = 0;

  // For backups.
  virtual const SealedDatabase& database() const = 0;

  struct Size {
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
  };
  virtual Size size() const = 0;
};

}  // namespace everfold

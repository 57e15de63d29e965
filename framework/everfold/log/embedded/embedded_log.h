// The log of a single process: RocksDB with its own write-ahead log, synced before anything is answered.
//
// One key a chunk: partition (2 bytes), last offset (8), chunk number (8), all big-endian, so that a partition's chunks
// lie in order; the value is the chunk. The store's identity has a key of its own. This on-disk format is throwaway: a
// journal takes its place, and no store of this format will be migrated.
//
// While one write syncs, the appends that come in gather; the disk thread takes all of them into the next write, with
// one sync.
//
// Recovery: a torn tail, which only an unacknowledged write leaves, is cut off. Damage before the tail of the
// write-ahead log, and any damage that reading meets, is DATA_LOSS: the store refuses and touches nothing. RocksDB does
// not record how far it has synced, so a write-ahead log that was cut short or removed as a whole, or damage in its
// last 32 KB that makes a record look longer, passes for a torn tail; telling these apart is the journal's work.
//
// Files: the directory holds a secret key and is made for its owner alone (mode 0700, files 0600).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "everfold/base/random.h"
#include "everfold/log/partition_log.h"

namespace everfold {

struct EmbeddedLogOptions {
  std::string directory;         // made, with its parents, where it is missing
  std::uint32_t partitions = 0;  // of a new store, 0: kDefaultPartitions. An existing store has what it has: 0, or that
  // With less free space appends are refused with RESOURCE_EXHAUSTED, before anything is written.
  std::uint64_t reserved_bytes = 256 << 20;
  std::function<std::uint64_t()> free_bytes = nullptr;  // default: what the directory's file system reports
};

// Threading: as PartitionLog; `done` and hints are called on the log's disk thread.
// Lifetime: the destructor lets outstanding appends end, and calls their `done`.
class EmbeddedLog : public PartitionLog {
 public:
  // Opens the store, or creates it with a new identity where there is none.
  //   INVALID_ARGUMENT     more partitions than kMaxPartitions
  //   FAILED_PRECONDITION  the store has another number of partitions (STORE_MISMATCH), or somebody else holds it; the
  //                        message says who (STORE_LOCKED)
  //   DATA_LOSS            stored bytes are damaged or missing; nothing was changed
  //   INTERNAL             the file system or RocksDB failed (STORAGE_FAILED)
  static absl::StatusOr<std::unique_ptr<EmbeddedLog>> Open(EmbeddedLogOptions options, RandomSource& random);
};

}  // namespace everfold

// A new store of what is proven to be whole in a damaged one.
//
// A chunk is proven by its checksum and by the chain from the beginning of its partition. What is kept is the longest
// beginning of the history of which nothing is missing: all commits up to some sequence, in all partitions, cut between
// two groups. What stands behind the cut is left out, even where it can be read: later events would contradict the ones
// that are lost.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/base/random.h"
#include "everfold/log/files/files.h"
#include "everfold/log/partition_log.h"

namespace everfold {

struct SalvageOptions {
  std::string damaged;    // the store's directory; it is only read
  std::string directory;  // of the new store; empty, or not there
  std::size_t journal_file_bytes = 16 << 20;
  Files* files = nullptr;  // default: this machine's
  // Looks at the new log before it becomes a store; an error is the result.
  std::function<absl::Status(const PartitionLog&)> verify = nullptr;
};

struct SalvagedPartition {
  PartitionHead kept;                  // the end in the new store
  PartitionHead proven;                // how far it could be read
  std::uint64_t last_known_chunk = 0;  // that there is, or was
  bool had_more = false;               // something stood behind that, which is lost or left out
};

struct SalvageReport {
  Sequence last_kept;                         // the last commit
  std::vector<SalvagedPartition> partitions;  // by number
  std::vector<std::string> notes;             // what could not be read

  // True if commits are missing, or left out, behind the last one.
  bool ends_early() const;
  // False if nothing is missing of what is known to have been there, and all could be read.
  bool lost_something() const { return ends_early() || !notes.empty(); }
};

// The new store has an epoch of its own, and the same key and partitions; its identity is written last.
//   INVALID_ARGUMENT     there is no store; the directory is not empty, or in that of the damaged store, or the other
//                        way round
//   FAILED_PRECONDITION  somebody has the damaged store open (STORE_LOCKED)
//   DATA_LOSS            the identity file is damaged or missing, and with it the key
//   INTERNAL             the file system or RocksDB failed (STORAGE_FAILED)
absl::StatusOr<SalvageReport> SalvageStore(const SalvageOptions& options, RandomSource& random);

}  // namespace everfold

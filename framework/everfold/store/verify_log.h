// Is the log what was written to it, and does the index say the same?
//
// Reads every chunk of every partition from the beginning, over the port, so that any log can be asked. Damage does not
// end it: what can be read is read, and all that is found is told.
//
//   checksum, chain          a byte that changed, in a chunk or in what stands before it
//   chunk numbers, offsets   a chunk that is missing, twice, or elsewhere
//   sequences, times         commits of all partitions together: none is missing, time never steps back
//   types                    defined before they are used, in the order of their numbers
//   the index                has each stream, command and tag of each commit, and nothing else; versions are dense
//
// Its memory does not grow with the log: what would take a table of all streams is asked of the index.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/store_index.h"

namespace everfold {

struct VerifyProgress {
  std::uint64_t events = 0;  // read
  std::uint64_t total = 0;   // that there are
};

struct VerifyOptions {
  bool quick = false;              // checksums, chain, chunk numbers and offsets only
  std::size_t max_findings = 100;  // that are told; the others are counted
  // Called every now and then; an error ends the work, and is its result.
  std::function<absl::Status(const VerifyProgress&)> on_progress = nullptr;
};

// Of what a finding is that is of no single chunk.
enum class FindingPlace { kIndex, kLogFile, kLog };

// Something that is not as it must be, and where.
struct Finding {
  std::optional<PartitionId> partition;  // nullopt: no chunk, but `place`
  std::uint64_t chunk_number = 0;
  Offset offset;  // the chunk's first, as it says
  std::string what;
  FindingPlace place = FindingPlace::kIndex;

  std::string ToString() const;  // "partition 3, chunk 7 (offset 21): ...", "the index: ..."
};

struct VerifiedPartition {
  PartitionId partition;
  PartitionHead head = {};  // where the walk ended; the chain covers all that stands before
  std::uint64_t chunks = 0;
  std::uint64_t commits = 0;  // a commit over several partitions counts in each
  std::uint64_t events = 0;
  std::uint64_t streams = 0;  // that begin here; 0 if quick
};

struct VerifyReport {
  std::vector<VerifiedPartition> partitions;
  std::vector<Finding> findings;
  std::uint64_t findings_left_out = 0;

  // SHA-256 of the chains of all heads, in hex: equal for equal logs.
  std::string Digest() const;
  // DATA_LOSS, with the number of findings and the first one, if there are any.
  absl::Status status() const;
};

// What is to be verified.
struct VerifiedLog {
  const PartitionLog& log;
  const StoreIndex* index = nullptr;  // nullptr: the log alone
  // Commits behind it are left out: of a store at work, the index need not have them yet.
  Sequence upto = Sequence::Max();
};

// Blocks. Errors are those that leave the question open, as INTERNAL (STORAGE_FAILED): damage is a finding.
absl::StatusOr<VerifyReport> VerifyLog(const VerifiedLog& verified, const VerifyOptions& options);

}  // namespace everfold

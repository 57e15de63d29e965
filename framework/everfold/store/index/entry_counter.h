// Counting of entries, in memory and in files, up to a place in the log.
#pragma once

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/store/index/index_database.h"
#include "everfold/store/index/index_generation.h"
#include "everfold/store/store_index.h"

namespace everfold {

// Threading: one thread.
class EntryCounter {
 public:
  explicit EntryCounter(const LogTail& upto) : upto_(upto) { LeaveOutNothing(); }

  // What stands up to that place is not counted from now on.
  void LeaveOut(const LogTail& tail) { left_out_ = tail; }
  void LeaveOutNothing() {
    left_out_ = LogTail();
    left_out_.heads.resize(upto_.heads.size());
  }
  void LeaveOutCommandsBefore(Day first) { first_day_ = first; }
  void Count(const IndexGeneration& generation);
  absl::Status CountFiles(const IndexDatabase& database, const rocksdb::Snapshot& snapshot);
  const EntryCounts& counts() const { return counts_; }

 private:
  void CountStream(PartitionId partition, const StreamEntry& entry);
  bool Counts(Sequence sequence) const { return sequence > left_out_.last_sequence && sequence <= upto_.last_sequence; }
  // `name` of a stream, as EntryName makes it. False for other bytes.
  bool PartitionOfName(std::string_view name, PartitionId& partition) const;
  template <class CountEntry>
  absl::Status CountKind(const IndexDatabase& database, const rocksdb::Snapshot& snapshot, EntryKind kind,
                         CountEntry count_entry);

  const LogTail& upto_;
  LogTail left_out_;
  Day first_day_ = 0;
  EntryCounts counts_;
};

// How far the files have come.
absl::StatusOr<LogTail> TailOf(const IndexDatabase& database, const rocksdb::Snapshot& snapshot,
                               std::size_t partitions);

}  // namespace everfold

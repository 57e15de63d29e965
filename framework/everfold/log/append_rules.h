// What every backend does alike: the rules of PartitionLog::Append about heads and about failures, written once.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "everfold/base/mutex.h"
#include "everfold/log/partition_log.h"

namespace everfold {

// Aborts unless the group meets what Append requires: a caller who does not has a bug that would break the log.
void CheckGroup(const std::vector<ChunkAppend>& group, std::uint32_t partitions);

// ABORTED (HEAD_CONFLICT), with both heads, unless every chunk expects the head that its partition has.
// `heads` has one entry a partition.
absl::Status CompareHeads(const std::vector<ChunkAppend>& group, const std::vector<PartitionHead>& heads);

// UNKNOWN (OUTCOME_UNKNOWN): an append that may have become durable or not.
absl::Status OutcomeUnknown(const std::string& what);

// Counts the appends that have not ended, and lets a failure spread to all of them that come later: they were made by
// somebody who believed that the failed one would be there. Threading: thread-safe.
class OutstandingAppends {
 public:
  // An append has been taken.
  void Begin();
  // Why the appends that come next must fail without being tried; OK if they need not.
  absl::Status failure() const;
  // Lets the appends that come next fail, with `failure` unless one came before; an unknown outcome takes the place of
  // a refusal. REQUIRES: not OK.
  void Fail(const absl::Status& failure);
  // The status to end the next append with. `outcome` is its own; an earlier failure takes its place.
  absl::Status Settle(absl::Status outcome);
  // Its `done` has returned. After the last one, a failure is forgotten unless it left the outcome unknown.
  void End();

 private:
  mutable Mutex mutex_;
  std::size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

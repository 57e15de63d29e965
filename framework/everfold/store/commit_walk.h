// Every commit of a log, whole and in order: what it added to several partitions is put together.
//
//   EVERFOLD_ASSIGN_OR_RETURN(CommitWalk walk, CommitWalk::Begin(log, types, store.DurableSequence()));
//   while (true) {
//     EVERFOLD_ASSIGN_OR_RETURN(const bool found, walk.Next());
//     if (!found) break;
//     Use(walk.commit());
//   }
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/commit.h"
#include "everfold/event/event_type.h"
#include "everfold/log/partition_log.h"

namespace everfold {

// Holds one chunk of each partition, and one commit. Threading: one thread. Lifetime: not longer than log and types.
class CommitWalk {
 public:
  // From the first commit to `upto`, which is durable. `types` are those that the log defines. Errors: of the log.
  static absl::StatusOr<CommitWalk> Begin(const PartitionLog& log, const TypeDictionary& types, Sequence upto);
  CommitWalk(CommitWalk&&) noexcept;
  ~CommitWalk();

  // Moves to the next commit, the first one at the first call; false behind the last one. DATA_LOSS for a chunk that is
  // damaged, missing or out of order, and for a commit that is missing.
  absl::StatusOr<bool> Next();

  // With its streams in the order of their names, which does not depend on the number of partitions. REQUIRES: the last
  // Next returned true. Valid until the next call of Next.
  const Commit& commit() const { return commit_; }

 private:
  class Part;  // the walk through one partition

  CommitWalk(const TypeDictionary& types, Sequence upto);
  absl::Status Add(std::unique_ptr<Part> part);
  absl::Status CheckFollows(Sequence sequence) const;
  absl::Status TakeFirstPart();
  absl::Status Join(Commit part);
  static bool IsLater(const std::unique_ptr<Part>& a, const std::unique_ptr<Part>& b);

  const TypeDictionary& types_;
  const Sequence upto_;
  std::vector<std::unique_ptr<Part>> parts_;  // a heap; each stands on a commit that was not taken
  Commit commit_;
};

}  // namespace everfold

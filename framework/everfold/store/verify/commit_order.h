// The commits of all partitions in the order of their sequences: none missing, and recorded one after the other.
#pragma once

#include <vector>

#include "absl/time/time.h"
#include "everfold/event/chunk_header.h"
#include "everfold/store/verify/findings.h"

namespace everfold {

// Chunks of one group come one partition after the other, so that sequences go back a little, but never far: what is
// kept are the commits of about one group. Threading: one thread.
class CommitOrder {
 public:
  explicit CommitOrder(Findings& findings) : findings_(findings) {}

  // No chunk that is added from now on begins below `next`.
  void Reach(Sequence next);
  void Add(const ChunkHeader& chunk, Sequence sequence, absl::Time recorded_at);
  // All there are have been added.
  void End();

 private:
  struct Place {
    Sequence sequence;
    absl::Time recorded_at;
    PartitionId partition;
    std::uint64_t chunk_number = 0;
    Offset offset;
  };

  void CheckUpTo(Sequence next);
  void Check(const Place& place);
  void Find(const Place& place, std::string what);

  Findings& findings_;
  std::vector<Place> open_;
  Sequence largest_;  // of those that are open
  Sequence last_;     // that was checked
  absl::Time last_recorded_at_ = absl::InfinitePast();
};

}  // namespace everfold

// One partition, chunk by chunk from the beginning: does each follow on the one before?
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "everfold/event/chunk_header.h"
#include "everfold/log/partition_log.h"
#include "everfold/store/verify/findings.h"

namespace everfold {

// Threading: one thread. Lifetime: not longer than log and findings.
class PartitionCheck {
 public:
  // Up to what is the head now; chunks that begin behind `upto` are left out.
  static absl::StatusOr<PartitionCheck> Begin(const PartitionLog& log, PartitionId partition, Sequence upto,
                                              Findings& findings);

  // Moves to the next chunk that is whole, and checks its place and its chain. What is not whole is found and left out.
  // False at the end, or where the log cannot be read any further.
  absl::StatusOr<bool> Next();

  // REQUIRES: the last Next returned true. Valid until the next call of Next.
  std::string_view chunk() const { return cursor_->chunk(); }
  const ChunkHeader& header() const { return header_; }

  PartitionId partition() const { return partition_; }
  const PartitionHead& at() const { return at_; }    // as of the last chunk
  const PartitionHead& end() const { return end_; }  // the log's head
  std::uint64_t chunks() const { return chunks_; }
  bool has_gap() const { return has_gap_; }  // something before this chunk could not be read

 private:
  PartitionCheck(PartitionId partition, Sequence upto, const PartitionHead& end, Findings& findings)
      : partition_(partition), upto_(upto), end_(end), findings_(&findings) {}

  absl::StatusOr<bool> NextOfLog();
  void StandBehind(const PartitionHead& head);
  bool CheckWhole();
  void CheckFollows();
  bool CheckChain();
  bool End();
  void Find(std::string what);

  PartitionId partition_;
  Sequence upto_;
  PartitionHead at_;
  PartitionHead end_;
  Findings* findings_;
  std::unique_ptr<ChunkCursor> cursor_;
  ChunkHeader header_;
  std::uint64_t chunks_ = 0;
  bool has_gap_ = false;
  bool ended_ = false;
};

}  // namespace everfold

#include "everfold/store/log_recovery.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk.h"

namespace everfold {
namespace {

absl::Status Broken(PartitionId partition, const PartitionHead& at, const std::string& what) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("partition %d, behind chunk %d (offset %d): %s", partition.value(), at.chunk_number,
                               at.offset.value(), what));
}

// Follows one partition from its beginning.
class PartitionRecovery {
 public:
  PartitionRecovery(PartitionId partition, RecoveredLog& recovered, std::vector<bool>& sequences)
      : partition_(partition), recovered_(recovered), sequences_(sequences) {}

  absl::Status Run(const PartitionLog& log) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<ChunkCursor> cursor, log.Read(partition_, Offset()));
    while (true) {
      EVERFOLD_ASSIGN_OR_RETURN(const bool found, cursor->Next());
      if (!found) break;
      absl::StatusOr<Chunk> chunk = DecodeChunk(cursor->chunk());
      if (!chunk.ok()) return Broken(partition_, head_, std::string(chunk.status().message()));
      EVERFOLD_RETURN_IF_ERROR(Follow(*chunk));
    }
    if (head_ != log.Head(partition_)) {
      const PartitionHead end = log.Head(partition_);
      return Broken(partition_, head_,
                    absl::StrFormat("the log ends here, but its head is chunk %d (offset %d)", end.chunk_number,
                                    end.offset.value()));
    }
    recovered_.tail.heads.push_back(head_);
    return absl::OkStatus();
  }

 private:
  absl::Status Follow(const Chunk& chunk) {
    const ChunkHeader& header = chunk.header;
    if (header.partition != partition_) {
      return Broken(partition_, head_, absl::StrFormat("a chunk of partition %d", header.partition.value()));
    }
    if (header.chunk_number != head_.chunk_number + 1 || header.first_offset != head_.offset.Next()) {
      return Broken(partition_, head_,
                    absl::StrFormat("chunk %d (offset %d) follows", header.chunk_number, header.first_offset.value()));
    }
    for (const Commit& commit : chunk.commits) {
      if (commit.sequence <= last_sequence_) {
        return Broken(partition_, head_,
                      absl::StrFormat("sequence %d after %d", commit.sequence.value(), last_sequence_.value()));
      }
      last_sequence_ = commit.sequence;
      if (sequences_.size() <= last_sequence_.value()) sequences_.resize(last_sequence_.value() + 1);
      sequences_[last_sequence_.value()] = true;
    }
    EVERFOLD_RETURN_IF_ERROR(recovered_.index->Add(chunk));
    LogTail& tail = recovered_.tail;
    tail.last_sequence = std::max(tail.last_sequence, last_sequence_);
    tail.last_recorded_at = std::max(tail.last_recorded_at, chunk.commits.back().recorded_at);
    head_ = {header.last_offset(), header.chunk_number};
    return absl::OkStatus();
  }

  const PartitionId partition_;
  RecoveredLog& recovered_;
  std::vector<bool>& sequences_;  // which ones are there, over all partitions
  PartitionHead head_;
  Sequence last_sequence_;
};

}  // namespace

absl::StatusOr<RecoveredLog> RecoverLog(const PartitionLog& log) {
  RecoveredLog recovered{.index = std::make_unique<StoreIndex>(), .tail = {}};
  std::vector<bool> sequences = {true};  // there is no commit 0
  for (std::uint32_t partition = 0; partition < log.identity().partitions; ++partition) {
    EVERFOLD_RETURN_IF_ERROR(PartitionRecovery(PartitionId(partition), recovered, sequences).Run(log));
  }
  // Sequences are dense over the store, so a chunk that is missing at the end of one partition leaves a gap here.
  const auto missing = std::find(sequences.begin(), sequences.end(), false);
  if (missing != sequences.end()) {
    return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                 absl::StrFormat("commit %d is missing; the last one that is there is %d", missing - sequences.begin(),
                                 recovered.tail.last_sequence.value()));
  }
  return recovered;
}

}  // namespace everfold

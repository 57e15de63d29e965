#include "everfold/store/commit_walk.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/chunk.h"
#include "everfold/event/chunk_reader.h"
#include "everfold/store/index/partition_walk.h"

namespace everfold {
namespace {

absl::Status DataLoss(const std::string& what) { return Error(absl::StatusCode::kDataLoss, reason::kDataLoss, what); }

}  // namespace

class CommitWalk::Part {
 public:
  explicit Part(PartitionWalk walk) : walk_(std::move(walk)) {}

  // Moves to the next commit; false at the partition's head.
  absl::StatusOr<bool> Next() {
    while (!chunk_.NextCommit()) {
      EVERFOLD_RETURN_IF_ERROR(chunk_.status());
      EVERFOLD_ASSIGN_OR_RETURN(const bool found, walk_.Next());
      if (!found) return false;
      EVERFOLD_RETURN_IF_ERROR(chunk_.Reset(walk_.chunk()));
    }
    return true;
  }
  absl::StatusOr<Commit> Decode(const TypeDictionary& types) { return DecodeCommit(chunk_, types); }

  Sequence sequence() const { return chunk_.commit().sequence; }
  PartitionId partition() const { return walk_.partition(); }

 private:
  PartitionWalk walk_;
  ChunkReader chunk_;
};

CommitWalk::CommitWalk(const TypeDictionary& types, Sequence upto) : types_(types), upto_(upto) {}
CommitWalk::CommitWalk(CommitWalk&&) noexcept = default;
CommitWalk::~CommitWalk() = default;

absl::StatusOr<CommitWalk> CommitWalk::Begin(const PartitionLog& log, const TypeDictionary& types, Sequence upto) {
  CommitWalk walk(types, upto);
  for (std::uint32_t i = 0; i < log.identity().partitions; ++i) {
    EVERFOLD_ASSIGN_OR_RETURN(PartitionWalk partition, PartitionWalk::Begin(log, PartitionId(i), PartitionHead()));
    EVERFOLD_RETURN_IF_ERROR(walk.Add(std::make_unique<Part>(std::move(partition))));
  }
  return walk;
}

absl::StatusOr<bool> CommitWalk::Next() {
  const Sequence next = commit_.sequence.Next();
  if (next > upto_) return false;
  if (parts_.empty()) return DataLoss(absl::StrFormat("the log ends before commit %d", next.value()));
  EVERFOLD_RETURN_IF_ERROR(CheckFollows(parts_.front()->sequence()));
  commit_ = Commit();
  do {
    EVERFOLD_RETURN_IF_ERROR(TakeFirstPart());
  } while (!parts_.empty() && parts_.front()->sequence() == next);
  std::sort(commit_.streams.begin(), commit_.streams.end(),
            [](const StreamEvents& a, const StreamEvents& b) { return a.stream < b.stream; });
  return true;
}

absl::Status CommitWalk::CheckFollows(Sequence sequence) const {
  if (sequence == commit_.sequence.Next()) return absl::OkStatus();
  return DataLoss(absl::StrFormat("commit %d is missing; the next one that is there is %d",
                                  commit_.sequence.Next().value(), sequence.value()));
}

// Puts the part in its place, by its next commit.
absl::Status CommitWalk::Add(std::unique_ptr<Part> part) {
  EVERFOLD_ASSIGN_OR_RETURN(const bool found, part->Next());
  if (!found) return absl::OkStatus();
  parts_.push_back(std::move(part));
  std::push_heap(parts_.begin(), parts_.end(), IsLater);
  return absl::OkStatus();
}

bool CommitWalk::IsLater(const std::unique_ptr<Part>& a, const std::unique_ptr<Part>& b) {
  return std::pair(a->sequence(), a->partition()) > std::pair(b->sequence(), b->partition());
}

absl::Status CommitWalk::TakeFirstPart() {
  std::pop_heap(parts_.begin(), parts_.end(), IsLater);
  std::unique_ptr<Part> part = std::move(parts_.back());
  parts_.pop_back();
  EVERFOLD_ASSIGN_OR_RETURN(Commit commit, part->Decode(types_));
  EVERFOLD_RETURN_IF_ERROR(Join(std::move(commit)));
  return Add(std::move(part));
}

absl::Status CommitWalk::Join(Commit part) {
  if (commit_.sequence == Sequence()) {
    commit_ = std::move(part);
    return absl::OkStatus();
  }
  if (part.tenant != commit_.tenant || part.recorded_at != commit_.recorded_at) {
    return DataLoss(
        absl::StrFormat("the parts of commit %d in its partitions do not belong together", commit_.sequence.value()));
  }
  commit_.erased = commit_.erased || part.erased;
  commit_.streams.insert(commit_.streams.end(), std::make_move_iterator(part.streams.begin()),
                         std::make_move_iterator(part.streams.end()));
  return absl::OkStatus();
}

}  // namespace everfold

#include "everfold/subscription/latest_events.h"

#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/subscription/backward_events.h"
#include "everfold/subscription/reading_checks.h"

namespace everfold {
namespace {

using Standing = BackwardEvents::Standing;

absl::Status CheckOptions(const EventStore& store, const LatestOptions& options) {
  if (options.limit == 0) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 "the latest events are read 1 or more at a time, the limit is 0");
  }
  if (options.limit > kMaxLatestEvents) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
                 absl::StrFormat("the latest events are read %d at a time at most, the limit is %d", kMaxLatestEvents,
                                 options.limit),
                 {{"limit", std::to_string(kMaxLatestEvents)}, {"actual", std::to_string(options.limit)}});
  }
  EVERFOLD_RETURN_IF_ERROR(CheckPart(store, options.selection, options.partition));
  return CheckEnd(store, options.upto);
}

class LatestRead {
 public:
  LatestRead(const EventStore& store, const LatestOptions& options) : options_(options), bytes_(options.max_bytes) {
    result_.rest = options.upto.offsets.empty() ? store.DurableHead() : options.upto;
    for (std::uint32_t i = 0; i < result_.rest.offsets.size(); ++i) {
      if (options.partition.value_or(PartitionId(i)) != PartitionId(i)) continue;
      partitions_.emplace_back(i, store, options.selection, result_.rest.offsets[i]);
    }
  }

  absl::StatusOr<LatestResult> Run(absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
      bytes_ = std::max<std::size_t>(bytes_, 1);  // a piece of each at least, or some page would never end
      EVERFOLD_ASSIGN_OR_RETURN(const bool known, Settle(i));
      if (!known) return result_;
    }
    while (!nexts_.empty() && result_.events < options_.limit) {
      std::pop_heap(nexts_.begin(), nexts_.end());
      const std::size_t i = nexts_.back().second;
      nexts_.pop_back();
      EVERFOLD_RETURN_IF_ERROR(HandOut(partitions_[i].events, visit));
      EVERFOLD_ASSIGN_OR_RETURN(const bool known, Settle(i));
      if (!known) return result_;
    }
    result_.complete = nexts_.empty();
    return result_;
  }

 private:
  struct Partition {
    Partition(std::uint32_t partition, const EventStore& store, const EventSelection& selection, Offset upto)
        : number(partition), events(store, selection, PartitionId(partition), upto) {}
    const std::uint32_t number;
    BackwardEvents events;
  };

  absl::Status HandOut(BackwardEvents& events, absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
    EVERFOLD_RETURN_IF_ERROR(events.Decode());
    EVERFOLD_RETURN_IF_ERROR(visit(events.event()));
    events.Pass();
    ++result_.events;
    return absl::OkStatus();
  }

  // False if it is not known where the partition goes on.
  absl::StatusOr<bool> Settle(std::size_t i) {
    Partition& partition = partitions_[i];
    EVERFOLD_ASSIGN_OR_RETURN(const Standing standing, partition.events.Settle(bytes_));
    result_.rest.offsets[partition.number] = partition.events.rest();
    if (standing == Standing::kOnEvent) {
      nexts_.emplace_back(partition.events.sequence(), i);
      std::push_heap(nexts_.begin(), nexts_.end());
    }
    return standing != Standing::kOutOfBytes;
  }

  const LatestOptions& options_;
  std::size_t bytes_;
  std::deque<Partition> partitions_;
  std::vector<std::pair<Sequence, std::size_t>> nexts_;  // a heap
  LatestResult result_;
};

}  // namespace

absl::StatusOr<LatestResult> ReadLatest(const EventStore& store, const LatestOptions& options,
                                        absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) {
  EVERFOLD_RETURN_IF_ERROR(CheckOptions(store, options));
  LatestOptions asked = options;
  store.stored_names().AddTo(asked.selection.query);
  return LatestRead(store, asked).Run(visit);
}

}  // namespace everfold

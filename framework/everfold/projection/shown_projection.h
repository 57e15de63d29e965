// What others are shown of a projection, as of the last time that its strand has said so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/base/mutex.h"
#include "everfold/event/position.h"
#include "everfold/projection/next_version.h"
#include "everfold/projection/projection_status.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/queried_version.h"
#include "everfold/projection/read_model_manifest.h"

namespace everfold {

// Threading: thread-safe; Show with the thread of what it shows.
class ShownProjection {
 public:
  // `error` has stopped it; `next`, which may be null, is being built.
  void Show(const QueriedVersion& queried, const absl::Status& error, std::shared_ptr<NextVersion> next);

  std::string path() const;
  absl::Status error() const;
  // `committed` is told to those who wait, `total` is the number of events of the log.
  ProjectionStatus Describe(const ProjectionType& type, const Checkpoint& committed, std::uint64_t total,
                            absl::Time now) const;

  // A look at whether it moves: with `committed` events taken in, `lag` more of them are there. It has stalled if it
  // was behind at the look before, too, and has not moved since.
  enum class Look {
    kNothingToDo,  // or it is not to move now
    kMoves,        // or this is the first look that finds it behind
    kHasStalled,   // since this look
    kIsStalled,    // since an earlier one
  };
  Look LookAt(std::uint64_t committed, std::uint64_t lag);

 private:
  mutable Mutex mutex_;
  std::string path_ ABSL_GUARDED_BY(mutex_);
  ReadModelVersions versions_ ABSL_GUARDED_BY(mutex_);
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
  bool waits_for_next_ ABSL_GUARDED_BY(mutex_) = false;
  bool damaged_ ABSL_GUARDED_BY(mutex_) = false;
  std::string built_anew_because_ ABSL_GUARDED_BY(mutex_);
  Checkpoint checkpoint_ ABSL_GUARDED_BY(mutex_);
  std::vector<PartitionTally> tallies_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t parked_keys_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Time folded_upto_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::shared_ptr<NextVersion> next_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::uint64_t> behind_at_
      ABSL_GUARDED_BY(mutex_);  // events committed when the last look found it behind
  bool stalled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace everfold

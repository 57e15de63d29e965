// A version of a projection's read models that is being built beside the one that is queried.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "everfold/base/mutex.h"
#include "everfold/projection/event_folder.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/projection_status.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// What it is built for.
enum class VersionUse {
  kSwap,        // a new one, to be queried in place of the current one
  kRollback,    // one that was queried before, likewise
  kComparison,  // a new one, to be compared with the current one
};

// True if it is at least as far in every partition.
bool HasReached(const Checkpoint& checkpoint, const Checkpoint& target);

// Threading: the folder is its strand's, until it has caught up and is handed to the projection's strand; the rest is
// thread-safe.
class NextVersion {
 public:
  NextVersion(std::uint32_t version, VersionUse use, std::unique_ptr<EventFolder> folder,
              std::unique_ptr<Strand> strand, absl::Time began)
      : folder(std::move(folder)),
        version_(version),
        use_(use),
        strand_(std::move(strand)),
        began_(began),
        events_at_beginning_(EventsBefore(this->folder->checkpoint())),
        events_(events_at_beginning_) {}

  std::uint32_t version() const { return version_; }
  VersionUse use() const { return use_; }
  bool is_rollback() const { return use_ == VersionUse::kRollback; }
  Strand& strand() { return *strand_; }

  void Cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }

  // Left out from the next batch on.
  void Drop(const EventName& event);
  // With the folder's thread.
  absl::Status ApplyDrops();
  // As EventFolder::FoldOn and FoldAhead.
  absl::StatusOr<PullResult> Fold(std::size_t max_events);
  absl::StatusOr<PullResult> FoldAhead(std::size_t max_events);

  // `total` is the number of events of the log.
  RebuildProgress Describe(std::uint64_t total, absl::Time now) const;

  // Why it does not get on, at present.
  void Failed(const absl::Status& error);

  // For its end; the projection's strand's. Where it is compared, the second ones.
  std::vector<Projection::Done> waiting;
  std::vector<Projection::CompareDone> waiting_for_comparison;
  std::unique_ptr<EventFolder> folder;
  int failures = 0;  // in a row; as the folder

 private:
  absl::StatusOr<PullResult> Folded(absl::StatusOr<PullResult> folded);

  const std::uint32_t version_;
  const VersionUse use_;
  const std::unique_ptr<Strand> strand_;
  const absl::Time began_;
  const std::uint64_t events_at_beginning_;
  std::atomic<std::uint64_t> events_;
  std::atomic<bool> cancelled_ = false;
  mutable Mutex mutex_;
  std::vector<EventName> drops_ ABSL_GUARDED_BY(mutex_);  // to apply
  absl::Status error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

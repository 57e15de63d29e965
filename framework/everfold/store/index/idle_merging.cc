#include "everfold/store/index/idle_merging.h"

#include <utility>

namespace everfold {

IdleMerging::IdleMerging(IndexDatabase& database, Executor& timers, std::shared_ptr<Strand> strand)
    : database_(database), timers_(timers), strand_(std::move(strand)), reach_(std::make_shared<Reach>()) {
  {
    MutexLock lock(&reach_->mutex);
    reach_->merging = this;
  }
  LookLater();
}

IdleMerging::~IdleMerging() {
  Added();
  MutexLock lock(&reach_->mutex);
  reach_->merging = nullptr;
}

// In this order: whoever is about to merge has begun anew with `cancelled_` before it looks at the additions.
void IdleMerging::Added() {
  ++additions_;
  cancelled_ = true;
}

void IdleMerging::LookLater() {
  MutexLock lock(&mutex_);
  seen_ = additions_;
  timer_ = timers_.PostAfter(kIdleBeforeMerge, [strand = strand_, reach = reach_] {
    strand->Post([reach] {
      MutexLock lock(&reach->mutex);
      if (reach->merging != nullptr) reach->merging->Merge();
    });
  });
}

void IdleMerging::Merge() {
  cancelled_ = false;
  bool idle;
  {
    MutexLock lock(&mutex_);
    idle = additions_ == seen_;
  }
  // An error is met again by the next write, and told there.
  if (idle) database_.MergeRuns(kMaxIdleMergeBytes, cancelled_).IgnoreError();
  if (!idle || cancelled_) LookLater();
}

}  // namespace everfold

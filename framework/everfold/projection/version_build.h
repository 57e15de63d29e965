// How the next version of a projection's read models comes to be: it is begun or gone on with, folds the log beside the
// one that is queried, catches up, and is swapped in, compared or given up.
#pragma once

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "everfold/event/position.h"
#include "everfold/projection/dropped_events.h"
#include "everfold/projection/next_version.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/projection_steps.h"
#include "everfold/projection/projection_type.h"
#include "everfold/projection/queried_version.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Threading: on the projection's strand, but for what it posts to the strand of what is being built. Lifetime: what it
// is made of outlives it.
class VersionBuild {
 public:
  // The projection whose version it is; its strand's.
  class Owner {
   public:
    virtual ~Owner() = default;
    virtual Checkpoint committed() const = 0;
    virtual bool runs() const = 0;
    // What is being built is another, or nothing.
    virtual void OnBuild() = 0;
    // What is queried may have moved.
    virtual void OnMoved() = 0;
    // Another version is queried: before those who wait for it are told, and after that.
    virtual void OnSwap(const NextVersion& swapped) = 0;
    virtual void AfterSwap() = 0;
    // There is nothing that events could be folded into, and its successor cannot be built.
    virtual void OnCannotGoOn(const absl::Status& why) = 0;
  };

  VersionBuild(const ProjectionRunnerOptions& options, const ProjectionType& type, const EventStore& store,
               ProjectionSteps& steps, QueriedVersion& queried, Owner& owner)
      : options_(options),
        type_(type),
        store_(store),
        feed_(store),
        steps_(steps),
        queried_(queried),
        owner_(owner),
        timer_(steps) {}

  // What is being built; null if nothing is.
  const std::shared_ptr<NextVersion>& next() const { return next_; }

  // `version` 0: a new one. OK if it is on its way.
  //   FAILED_PRECONDITION  something else is being built (READ_MODEL_REBUILDING), or a rollback goes to a file of other
  //                        code
  absl::Status Begin(std::uint32_t version, VersionUse use);
  // Of what cannot go on without a successor: what was built ahead of this start; else the version before, if this code
  // has built that; else a new one. After damage, a new one.
  void BeginSuccessor();

  // As those of Projection.
  void Rebuild(Projection::Done done);
  void Compare(Projection::CompareDone done);
  void Rollback(Projection::Done done);
  void Cancel(Projection::Done done);

  // Left out, also by what is being built.
  void Drop(const EventName& event) {
    if (next_ != nullptr) next_->Drop(event);
  }
  // FAILED_PRECONDITION (READ_MODEL_REBUILDING). REQUIRES: next().
  absl::Status IsBuilding() const;

  // No try is made any more. Threading: thread-safe.
  void StopTrying() { timer_.Stop(); }
  // Those who wait for what is being built are told that it closes.
  void TellClosing();

 private:
  using Next = std::shared_ptr<NextVersion>;

  void Await(const absl::Status& begun, Projection::Done done);
  void RebuildAfter(NextVersion& next, Projection::Done done);
  absl::StatusOr<std::unique_ptr<EventFolder>> Open(std::uint32_t& version, VersionUse use);
  void RunOn(const Next& next);
  void Run(const Next& next);
  void RetryLater(const Next& next, const absl::Status& error);
  void CaughtUp(const Next& next);
  absl::Status CheckSwap(NextVersion& next) const;
  void Swap(const Next& next);
  void BeginComparison(const Next& next);
  void EndComparison(const Next& next, const absl::StatusOr<VersionComparison>& comparison);
  void Finish(NextVersion& next, const absl::Status& status);
  void GiveUp(const Next& next, const absl::Status& why);
  absl::Status Forget();
  absl::Status NotOnRequest() const;

  const ProjectionRunnerOptions& options_;
  const ProjectionType& type_;
  const EventStore& store_;
  const StoreFeed feed_;
  ProjectionSteps& steps_;
  QueriedVersion& queried_;
  Owner& owner_;
  Next next_;
  StepTimer timer_;
};

}  // namespace everfold

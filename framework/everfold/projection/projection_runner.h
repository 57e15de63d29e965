// A projection at work: the version that is queried follows the log on one strand; the next one, if there is one, is
// built on another, and is handed over when it has come as far.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "everfold/projection/batch_pace.h"
#include "everfold/projection/parked_operations.h"
#include "everfold/projection/progress.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/projection_steps.h"
#include "everfold/projection/queried_version.h"
#include "everfold/projection/shown_projection.h"
#include "everfold/projection/stall_watch.h"
#include "everfold/projection/version_build.h"

namespace everfold {

// As Projection. REQUIRES, of its options: files and clock.
class ProjectionRunner final : public Projection, private VersionBuild::Owner {
 public:
  static absl::StatusOr<std::unique_ptr<Projection>> Open(ProjectionRunnerOptions options, ProjectionType type,
                                                          EventStore& store, Executor& executor);
  ~ProjectionRunner() override;

  void Start() override;
  const ProjectionType& type() const override { return *type_; }
  std::string path() const override { return shown_.path(); }
  std::shared_ptr<SnapshotGate> snapshots() const override { return steps_.snapshots(); }
  absl::Status status() const override { return shown_.error(); }
  Checkpoint checkpoint() const override { return progress_.committed(); }
  std::uint64_t lag_events() const override;
  Checkpoint durable_head() const override { return store_.DurableHead(); }
  ProjectionStatus Describe() const override;
  std::uint64_t WaitFor(std::vector<Position> positions, WaitDone done) override;
  std::uint64_t WaitForChange(WaitDone done) override { return progress_.WaitForChange(std::move(done)); }
  void CancelWait(std::uint64_t id) override { progress_.Cancel(id); }
  void Pause(Done done) override;
  void Resume(Done done) override;
  void Rebuild(Done done) override;
  void Compare(CompareDone done) override;
  void Reset(Done done) override;
  void Rollback(Done done) override;
  void CancelRebuild(Done done) override;
  void ListParked(absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedKey>>)> done) override;
  void ListParkedEvents(std::string key, std::size_t limit,
                        absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedEvent>>)> done) override;
  void RetryParked(std::string key, RetryDone done) override;
  void DropParked(std::string key, std::optional<StreamId> stream, Version version, std::string reason,
                  RetryDone done) override;
  void Close(Task done) override;

 private:
  ProjectionRunner(ProjectionRunnerOptions options, std::unique_ptr<const ProjectionType> type, EventStore& store,
                   Executor& executor);

  absl::Status OpenFiles();
  void Begin();
  void Wake(std::optional<TaskScope::Guard> guard);
  void PostBatch(TaskScope::Guard guard);
  void RestFor(absl::Duration rest);
  void EndRest();
  void RunBatch();
  void AwaitReading(EventFolder& live);
  absl::StatusOr<PullResult> FoldFar(EventFolder& live);
  void HeedDrops();
  // An end that another try may help, and the end of that.
  void Stop(const absl::Status& cause);
  void GoOn();
  void TryLater(absl::AnyInvocable<void()> step);
  void BuildAfterDamage(const absl::Status& damage);
  void EndError();
  absl::Status ResetFiles();
  void Show();
  void Publish();
  absl::Status Paused() const;
  absl::Status Stopped() const;

  // VersionBuild::Owner.
  Checkpoint committed() const override { return progress_.committed(); }
  bool runs() const override;
  void OnBuild() override { Show(); }
  void OnMoved() override { Publish(); }
  void OnSwap(const NextVersion& swapped) override;
  void AfterSwap() override;
  void OnCannotGoOn(const absl::Status& why) override;

  const ProjectionRunnerOptions options_;
  const std::unique_ptr<const ProjectionType> type_;
  EventStore& store_;
  ProjectionSteps steps_;
  std::unique_ptr<EventStore::Watch> watch_;
  std::atomic<bool> batch_posted_ = false;
  std::atomic<bool> rests_ = false;  // the batch that is posted
  BatchPace pace_;
  Progress progress_;
  ShownProjection shown_;
  StallWatch stall_watch_;
  StepTimer retry_timer_;
  StepTimer rest_timer_;

  // On the strand only.
  std::unique_ptr<QueriedVersion> queried_;
  std::unique_ptr<VersionBuild> build_;
  std::unique_ptr<ParkedOperations> parked_;
  absl::Status error_;     // that has stopped it
  int failures_ = 0;       // in a row
  absl::Time held_since_;  // where it is far behind
  bool is_far_ = false;
  bool reads_ahead_ = false;
  bool awaits_reading_ = false;  // and nothing else
};

}  // namespace everfold

// The steps of a projection at work: where they run, what its end waits for, and what it tells.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/base/mutex.h"
#include "everfold/projection/snapshot_gate.h"
#include "everfold/runtime/executor.h"
#include "everfold/runtime/task_scope.h"
#include "everfold/telemetry/logger.h"

namespace everfold {

// Threading: thread-safe, but for Close. Lifetime: executor and logger, which may be null, outlive it.
class ProjectionSteps {
 public:
  ProjectionSteps(std::string projection, Executor& executor, Logger* logger)
      : projection_(std::move(projection)), executor_(executor), logger_(logger), strand_(executor.MakeStrand()) {}
  ProjectionSteps(const ProjectionSteps&) = delete;
  ProjectionSteps& operator=(const ProjectionSteps&) = delete;

  // Its name.
  const std::string& projection() const { return projection_; }
  Executor& executor() const { return executor_; }
  // Of its files.
  const std::shared_ptr<SnapshotGate>& snapshots() const { return snapshots_; }
  // For what may be called when all of this is gone.
  TaskScope scope() const { return scope_; }
  bool closed() const { return scope_.closed(); }
  // What keeps Close waiting while it lives; nullopt once closed.
  std::optional<TaskScope::Guard> Enter() { return scope_.Enter(); }

  // Posts the step to the projection's strand, or to another one, which keeps Close waiting. False, with the step
  // dropped, if it is closed.
  bool Post(absl::AnyInvocable<void()> step) { return PostTo(*strand_, std::move(step)); }
  bool PostTo(Strand& strand, absl::AnyInvocable<void()> step) {
    std::optional<TaskScope::Guard> guard = scope_.Enter();
    if (!guard.has_value()) return false;
    strand.Post([guard = *std::move(guard), step = std::move(step)]() mutable { step(); });
    return true;
  }
  // Posts to a strand that nobody else has.
  std::function<bool(Task)> OnStrandOfItsOwn() {
    return [this, strand = std::shared_ptr<Strand>(executor_.MakeStrand())](Task step) {
      return PostTo(*strand, std::move(step));
    };
  }
  // The same as Post for who has entered before.
  void PostEntered(TaskScope::Guard guard, absl::AnyInvocable<void()> step) {
    strand_->Post([guard = std::move(guard), step = std::move(step)]() mutable { step(); });
  }
  // On the executor.
  template <class Result>
  void Answer(absl::AnyInvocable<void(Result)> done, Result result) const {
    executor_.Post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  }
  // Posts `work` to the strand, or answers that it is closing.
  template <class Result>
  void Ask(absl::AnyInvocable<void(Result)> done, absl::AnyInvocable<void(absl::AnyInvocable<void(Result)>)> work) {
    std::optional<TaskScope::Guard> guard = scope_.Enter();
    if (!guard.has_value()) return Answer<Result>(std::move(done), Closing());
    PostEntered(*std::move(guard),
                [done = std::move(done), work = std::move(work)]() mutable { work(std::move(done)); });
  }

  // UNAVAILABLE (SHUTTING_DOWN).
  absl::Status Closing() const;
  // Lets in no more steps; calls `done` on the executor when the last one has ended. Once.
  void Close(Task done);
  // Lets in no more steps, and waits for none. For one that may never have been closed.
  void Shut() {
    if (!scope_.closed()) scope_.Close([] {});
  }

  // With the projection as the first field.
  void Tell(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {}) const;

 private:
  const std::string projection_;
  Executor& executor_;
  Logger* const logger_;
  const std::shared_ptr<SnapshotGate> snapshots_ = std::make_shared<SnapshotGate>();
  const std::unique_ptr<Strand> strand_;
  TaskScope scope_;
};

// One step that is due later. Threading: thread-safe. Lifetime: the steps outlive it.
class StepTimer {
 public:
  explicit StepTimer(ProjectionSteps& steps) : steps_(steps) {}

  // Calls the step on the executor, unless it is closed by then. In place of one that is not due yet.
  void Start(absl::Duration delay, absl::AnyInvocable<void()> step);
  void Stop();

 private:
  ProjectionSteps& steps_;
  Mutex mutex_;
  std::unique_ptr<Timer> timer_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

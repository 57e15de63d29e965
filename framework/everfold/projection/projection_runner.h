// A projection at work: the version that is queried follows the log on one strand; the next one, if there is one, is
// built on another, and is handed over when it has come as far.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/projection/batch_pace.h"
#include "everfold/projection/event_folder.h"
#include "everfold/projection/next_version.h"
#include "everfold/projection/progress.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/read_model_manifest.h"
#include "everfold/runtime/task_scope.h"

namespace everfold {

// As Projection. REQUIRES, of its options: files and clock.
class ProjectionRunner final : public Projection {
 public:
  static absl::StatusOr<std::unique_ptr<Projection>> Open(ProjectionRunnerOptions options, ProjectionType type,
                                                          EventStore& store, Executor& executor);
  ~ProjectionRunner() override;

  void Start() override;
  const ProjectionType& type() const override { return *type_; }
  std::string path() const override;
  absl::Status status() const override;
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
  using Next = std::shared_ptr<NextVersion>;

  // What others are shown of what the strand has.
  struct Shown {
    std::string path;
    ReadModelVersions versions;
    absl::Status error;
    bool waits_for_next = false;
    bool damaged = false;
    std::string built_anew_because;
    Checkpoint checkpoint;
    std::vector<PartitionTally> tallies;
    std::uint64_t parked_keys = 0;
    absl::Time folded_upto = absl::InfinitePast();
    std::optional<std::uint64_t> behind_at;  // events committed when the last look found it behind
    bool stalled = false;
    Next next;
  };

  ProjectionRunner(ProjectionRunnerOptions options, std::unique_ptr<const ProjectionType> type, EventStore& store,
                   Executor& executor, ReadModelManifest manifest, Checkpoint committed);

  // Posts the step, which keeps Close waiting. False, with the step dropped, if it is closed.
  bool Post(Strand& strand, absl::AnyInvocable<void()> step);
  // Posts `work` to the strand, or says that it is closing.
  template <class Result>
  void Ask(absl::AnyInvocable<void(Result)> done, absl::AnyInvocable<void(absl::AnyInvocable<void(Result)>)> work);
  template <class Result>
  void Answer(absl::AnyInvocable<void(Result)> done, Result result);

  absl::Status OpenFile();
  absl::Status OpenCurrent();
  absl::Status Reopen();
  void Begin();
  void Wake(std::optional<TaskScope::Guard> guard);
  void PostBatch(TaskScope::Guard guard);
  void RestFor(absl::Duration rest);
  void EndRest();
  void RunBatch();
  bool runs() const;
  // There is nothing that events could be folded into before the next version is there.
  bool waits_for_next() const { return stale_ != nullptr || !damage_.ok(); }
  bool is_queried() const;  // the current version, or what has its tables
  std::string BuiltAnewBecause() const;
  void Stop(const absl::Status& cause);
  void Go();
  void Show();
  void Published();
  void WatchForStall();
  void LookForStall();
  absl::Status CheckFolds() const;
  absl::Status CheckParked(const std::string& key) const;
  absl::StatusOr<ParkedEvent> FirstOf(const std::string& key);
  absl::Status Closing() const;
  absl::Status Paused() const;
  absl::Status Stopped() const;

  absl::Status StartNext(std::uint32_t version, VersionUse use);
  void AwaitNext(const absl::Status& started, Done done);
  absl::StatusOr<std::unique_ptr<EventFolder>> OpenNext(std::uint32_t& version, VersionUse use);
  void RunNext(const Next& next);
  void RetryNext(const Next& next, const absl::Status& error);
  void CaughtUp(const Next& next);
  void Swap(const Next& next);
  void BeginComparison(const Next& next);
  void EndComparison(const Next& next, const absl::StatusOr<VersionComparison>& comparison);
  absl::StatusOr<absl::flat_hash_set<std::string>> KeysParkedNow() const;
  void Finish(NextVersion& next, const absl::Status& status);
  void BuildStale();
  void RebuildAfter(NextVersion& next, Done done);
  void CannotGoOn(const absl::Status& why);
  absl::Status IsBuilding() const;
  absl::Status BeingDropped(const std::string& key) const;
  void TryLater(absl::AnyInvocable<void()> step);
  void GiveUp(const Next& next, const absl::Status& why);
  absl::Status ForgetNext();
  absl::Status BeginAgain();
  void BuildAfterDamage(const absl::Status& damage);
  absl::Status Save(const std::function<void(ReadModelVersions&)>& change);
  absl::Status CheckDrop(const ParkedEvent& first, const std::optional<StreamId>& stream, Version version) const;
  void DropFirst(const std::string& key, const std::optional<StreamId>& stream, Version version,
                 const std::string& reason, RetryDone done);
  void ApplyDrop(const EventName& event, const std::string& key, RetryDone done);
  absl::StatusOr<std::uint64_t> WaitingOf(const std::string& key);
  void TellAnew(const std::string& why) const;
  void Tell(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const;

  const ProjectionRunnerOptions options_;
  const std::unique_ptr<const ProjectionType> type_;
  EventStore& store_;
  Executor& executor_;
  const std::unique_ptr<Strand> strand_;
  TaskScope scope_;
  std::unique_ptr<EventStore::Watch> watch_;
  std::atomic<bool> batch_posted_ = false;
  std::atomic<bool> rests_ = false;  // the batch that is posted
  BatchPace pace_;
  std::atomic<bool> stall_watched_ = false;
  Progress progress_;
  mutable Mutex mutex_;
  Shown shown_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> retry_timer_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> next_timer_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> rest_timer_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Timer> stall_timer_ ABSL_GUARDED_BY(mutex_);

  // On the strand only.
  ReadModelManifest manifest_;
  std::unique_ptr<EventFolder> live_;     // null while what is queried gets no events
  std::unique_ptr<ReadModelFile> stale_;  // then: what was built by other code,
  absl::Status damage_;                   // or of what is damaged and cannot be opened
  absl::Status error_;                    // that has stopped it
  int failures_ = 0;                      // in a row
  Next next_;
  absl::flat_hash_set<std::string> keys_being_dropped_;  // an event of theirs
};

}  // namespace everfold

// A reactor at work: one strand takes events from the log, keeps them by key and saves how far they are done; handlers
// run on threads of their own.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/reaction/key_queue.h"
#include "everfold/reaction/key_search.h"
#include "everfold/reaction/reactor.h"
#include "everfold/runtime/task_scope.h"
#include "everfold/subscription/newest_event.h"
#include "everfold/subscription/subscription.h"

namespace everfold {

// As Reactor. REQUIRES, of its options: make_thread, clock and random; of its type: it is valid.
class ReactorRunner final : public Reactor {
 public:
  static absl::StatusOr<std::unique_ptr<Reactor>> Open(ReactorRunnerOptions options, ReactorType type,
                                                       EventStore& store, Executor& executor);
  ~ReactorRunner() override;

  void Start() override;
  const ReactorType& type() const override { return *type_; }
  ReactorStatus Describe() const override;
  void Pause(Done done) override;
  void Resume(Done done) override;
  void Reset(v1::ReactorResetTo to, std::string reason, Done done) override;
  void ListKeys(absl::AnyInvocable<void(absl::StatusOr<std::vector<ReactorKey>>)> done) override;
  void Retry(std::string key, Done done) override;
  void RetryAll(Done done) override;
  void Drop(std::string key, StreamId stream, Version version, std::string reason, Done done) override;
  void Close(Task done) override;

 private:
  // What others are shown of what the strand has.
  struct Shown {
    ReactorStatus status;
    absl::Time taken_upto = absl::InfinitePast();
  };
  // Another place to go on from; UNSPECIFIED: the one that the log has.
  struct Move {
    v1::ReactorResetTo to = v1::REACTOR_RESET_TO_UNSPECIFIED;
    std::string reason;
    Done done;
  };

  ReactorRunner(ReactorRunnerOptions options, std::unique_ptr<const ReactorType> type, EventStore& store,
                Executor& executor);

  // Posts `work` to the strand, or says that it is closing.
  template <class Result>
  void Ask(absl::AnyInvocable<void(Result)> done, absl::AnyInvocable<void(absl::AnyInvocable<void(Result)>)> work);
  template <class Result>
  void Answer(absl::AnyInvocable<void(Result)> done, Result result) {
    executor_.Post([done = std::move(done), result = std::move(result)]() mutable { done(std::move(result)); });
  }
  absl::Status Closing() const;

  absl::Status Load();
  void LoadAgain();
  absl::Status LoadFrom(const ReactorPlace& place);

  void Wake(std::optional<TaskScope::Guard> guard);
  void RunStep();
  bool runs() const { return error_.ok() && !paused_ && !moving_.has_value() && !is_closing_; }
  // Of events under way; each has a thread, unless the type does without (ReactorType::begin).
  std::size_t slots() const { return static_cast<std::size_t>(type_->concurrency); }
  bool is_idle() const { return idle_threads_.size() == slots(); }
  void BeginSearch();
  void Search();
  bool has_room() const;
  void Pull();
  absl::Status PullSome(std::size_t max_events);
  void Dispatch();
  enum class Next : std::uint8_t { kEvent, kNone, kLater };
  Next NextOf(const std::string& key);
  std::size_t RoomForEvents() const;
  void React(const std::string& key);
  void Handled(std::size_t thread, const std::string& key, const absl::Status& result);
  void Failed(const std::string& key, const absl::Status& error);
  absl::Status CheckRoom() const;
  absl::Duration WaitAfter(std::uint32_t attempts);
  void StopAtKey(const std::string& key, const absl::Status& cause);
  void Stop(const absl::Status& cause);
  void TellStopped(const absl::Status& cause, const std::string& next_try) const;
  absl::Duration PauseAfter(int failures) const;
  void WaitForNextAttempt();

  // Operators (reactor_operators.cc).
  absl::Status BeingReset() const;
  void MoveOn();
  absl::Status MoveTo(const Move& move);
  absl::Status PlaceInThisHistory(ReactorPlace& place) const;
  absl::Status CheckWaits(const std::string& key) const;
  absl::Status CheckDrop(const std::string& key, const StreamId& stream, Version version);

  void SaveWith(Done done);
  void SaveInTime();
  void Save();
  void Saved(const absl::Status& result);
  void NotSaved(const absl::Status& error);
  void AnswerSaved(std::vector<Done>& waiting, const absl::Status& result);
  void CloseWhenDone();
  void After(std::unique_ptr<Timer>& timer, absl::Duration delay, absl::AnyInvocable<void()> step);
  void Show();
  void Tell(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const;

  const ReactorRunnerOptions options_;
  const std::unique_ptr<const ReactorType> type_;
  EventStore& store_;
  Executor& executor_;
  const std::unique_ptr<Strand> strand_;
  const std::shared_ptr<NewestEvent> newest_;
  std::shared_ptr<void> reactor_;
  TaskScope scope_;
  std::unique_ptr<EventStore::Watch> watch_;
  std::atomic<bool> step_posted_ = false;
  mutable Mutex mutex_;
  Shown shown_ ABSL_GUARDED_BY(mutex_);

  Checkpoint begins_;  // where it does that has no place in the log; as of Open

  // On the strand only.
  Checkpoint taken_;                            // from the log
  std::unique_ptr<Subscription> subscription_;  // from there on; null: to be started
  KeyQueue queue_;
  std::unique_ptr<KeySearch> search_;      // for what was in hand at a start; null: it has ended
  absl::Status error_;                     // that has stopped it
  bool loaded_ = false;                    // taken_ and queue_ are what the log has, and what was done since
  std::optional<ReactorPlace> elsewhere_;  // what the log has, if that is a place in another history
  bool paused_ = false;
  std::optional<Move> moving_;
  int failures_ = 0;  // to read the log, in a row
  std::uint64_t done_ = 0;
  absl::Time taken_upto_ = absl::InfinitePast();
  bool told_of_waiting_ = false;

  bool changed_ = false;  // since the last save
  bool save_now_ = false;
  bool saving_ = false;
  int save_failures_ = 0;                    // in a row
  absl::Status save_error_;                  // of the last one, if that has stopped it
  std::unique_ptr<Timer> save_retry_timer_;  // after that; no save before
  std::uint64_t unsaved_ = 0;                // events done since the last save
  std::uint64_t being_saved_ = 0;            // of those
  std::uint64_t saved_events_ = 0;           // before the checkpoint of the last save
  std::deque<NewEvent> records_;             // that go before the next checkpoint
  std::size_t records_on_the_way_ = 0;
  std::vector<Done> save_waiting_;
  std::vector<Done> save_on_the_way_;
  std::unique_ptr<Timer> save_timer_;
  std::unique_ptr<Timer> attempt_timer_;
  absl::Time attempt_timer_at_ = absl::InfiniteFuture();
  std::unique_ptr<Timer> retry_timer_;

  bool is_closing_ = false;
  bool closing_saved_ = false;
  Task closed_;  // who waits for that

  std::vector<std::unique_ptr<Strand>> threads_;
  std::vector<std::size_t> idle_threads_;
};

}  // namespace everfold

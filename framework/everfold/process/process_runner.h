// A process at work: one strand takes inputs, makes steps of them, and sends what is on record; another one folds the
// steps into the directory.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "everfold/base/mutex.h"
#include "everfold/process/activities_in_vain.h"
#include "everfold/process/attempt_turns.h"
#include "everfold/process/due_timers.h"
#include "everfold/process/folded_directory.h"
#include "everfold/process/process.h"
#include "everfold/process/process_slot.h"
#include "everfold/process/process_step.h"
#include "everfold/projection/batch_pace.h"
#include "everfold/reaction/reactor.h"
#include "everfold/runtime/task_scope.h"

namespace everfold {

// As Process. REQUIRES, of its options: clock and random; of its type: it is valid.
class ProcessRunner final : public Process {
 public:
  static absl::StatusOr<std::unique_ptr<Process>> Open(ProcessRunnerOptions options, ProcessType type,
                                                       EventStore& store, CommandHandler& commands, Executor& executor);
  ~ProcessRunner() override;

  void Start() override;
  const ProcessType& type() const override { return *type_; }
  ProcessStatus Describe() const override;
  void Answer(std::string activity_key, std::string answer_id, absl::StatusOr<std::string> result, Done done) override;
  void Pause(Done done) override;
  void Resume(Done done) override;
  void Reset(v1::ReactorResetTo to, std::string reason, Done done) override;
  void ListParked(absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedInstance>>)> done) override;
  void Retry(std::string instance, Done done) override;
  void RetryAll(Done done) override;
  void Drop(std::string instance, std::string input, std::string reason, Done done) override;
  void ListInstances(std::string after, std::size_t limit,
                     absl::AnyInvocable<void(absl::StatusOr<std::vector<OpenInstance>>)> done) override;
  void Get(std::string tenant, std::string id, absl::AnyInvocable<void(absl::StatusOr<ProcessInstance>)> done) override;
  void Close(Task done) override;

 private:
  struct TakenInput {
    std::string key;  // under which the reactor has it
    TakenEvent event;
    Done done;
  };

  ProcessRunner(ProcessRunnerOptions options, std::unique_ptr<const ProcessType> type, EventStore& store,
                CommandHandler& commands, Executor& executor);

  ReactorType ReactorOfEvents();
  absl::Status OpenReactor();
  void DirectoryFailed(const absl::Status& error);
  absl::Status MakeDirectoryAnew();

  void AskWhatIsHeld();
  void Hold(const std::vector<ReactorKey>& keys);
  void OnStrand(absl::AnyInvocable<void()> step);
  void Wake(std::optional<TaskScope::Guard> guard);
  void RunStep();
  bool runs() const { return error_.ok() && !is_closing_; }
  bool takes_inputs() const { return runs() && !paused_; }
  bool is_full() const { return in_flight_ >= options_.max_in_flight || activities_ >= options_.max_activities; }
  void After(std::unique_ptr<Timer>& timer, absl::Duration delay, absl::AnyInvocable<void()> step);
  absl::Duration PauseAfter(unsigned failures) const;

  // The directory.
  void FoldInTime();
  void Fold();
  void FoldEnded(absl::StatusOr<FoldedPiece> piece);
  absl::StatusOr<bool> FoldNow();
  void TakeFolded(FoldedPiece piece);
  void AddTimers(std::vector<DueTimer> timers);
  void TakeUpWhatWasOpen();
  void FireTimers();
  void Uncount(ProcessSlot& slot);
  void LookAtTimersLater();

  // Inputs and steps.
  void TakeEvent(TakenInput taken);
  ProcessSlot& SlotOf(const std::string& key);
  absl::Status Load(ProcessSlot& slot);
  void AddInput(ProcessSlot& slot, ProcessInput input, Done done);
  void Work(ProcessSlot& slot);
  bool WorkOnFirst(ProcessSlot& slot);
  bool RefuseAnswer(ProcessSlot& slot);
  void Append(ProcessSlot& slot, MadeStep made, absl::Time now);
  void Appended(const std::string& key, const MadeStep& made, const Metadata& metadata,
                const absl::StatusOr<AppendResult>& result);
  void KnowTimers(const ProcessSlot& slot);
  absl::Status ApplyStep(ProcessSlot& slot, const MadeStep& made, absl::Time recorded_at, const Metadata& metadata);
  absl::Status LookUp(ProcessSlot& slot);
  absl::Status ResultOfNoStep(const ProcessSlot& slot, const ProcessInput& input) const;
  void EndFirst(ProcessSlot& slot, const absl::Status& result);
  void ParkFirst(ProcessSlot& slot, const absl::Status& error);
  void AnswerEvent(Done done, absl::Status result);
  void ReleaseEvents();
  void SetIdle(ProcessSlot& slot);
  void TrimIdle();
  Metadata MetadataOf(const ProcessSlot& slot, const ProcessInput* input) const;
  static AppendRequest RequestOf(const ProcessInstance& instance, const v1::ProcessStep& step);

  // Commands (process_sending.cc).
  void Launch(ProcessSlot& slot, bool taken_up);
  void Send(ProcessSlot& slot, const OutgoingRef& ref);
  void SendOut(std::string key, const OutgoingRef& ref, const std::string& type, const std::string& payload,
               CommandRequest request);
  void TellAnswered(std::string key, const OutgoingRef& ref, absl::StatusOr<CommandOutcome> answer);
  void Answered(const std::string& key, const OutgoingRef& ref, const absl::StatusOr<CommandOutcome>& answer);
  void SendLater(ProcessSlot& slot, const OutgoingRef& ref, const absl::Status& error);
  void WaitToSend(ProcessSlot& slot, const OutgoingRef& ref);
  void Accepted(ProcessSlot& slot, const OutgoingRef& ref);
  void RecordAcceptedInTime();
  bool RecordSomeAccepted(absl::Time until);

  // Activities (process_activities.cc).
  void Run(ProcessSlot& slot, const OutgoingRef& ref, bool taken_up);
  void Attempt(ProcessSlot& slot, const OutgoingRef& ref);
  void BeginAttempt(ProcessSlot& slot, const OutgoingRef& ref, const ProcessActivityType& type);
  void BeginWaitingAttempts();
  void GiveTurn(ActivityRun& run);
  void AttemptEnded(const std::string& key, const OutgoingRef& ref, std::uint64_t attempt,
                    absl::StatusOr<std::string> answer);
  void EndActivity(ProcessSlot& slot, const OutgoingRef& ref, AnyOutcome outcome);
  void NoteInVain(ProcessSlot& slot, const OutgoingRef& ref);
  void IsNotInVain(ActivityRun& run);
  void GiveUp(ProcessSlot& slot, const OutgoingRef& ref);
  void WatchDeadline(ProcessSlot& slot, const OutgoingRef& ref);
  absl::Duration WaitAfter(const ActivityRetry& retry, unsigned attempts);

  // Operators and answers from outside (process_operators.cc). Ask posts `work` to the strand, or says that it closes.
  template <class Result>
  void Ask(absl::AnyInvocable<void(Result)> done, absl::AnyInvocable<void(absl::AnyInvocable<void(Result)>)> work);
  template <class Result>
  void Reply(absl::AnyInvocable<void(Result)> done, Result result);
  absl::Status Closing() const;
  void TakeAnswer(const std::string& activity_key, const std::string& answer_id, absl::StatusOr<std::string> result,
                  Done done);
  void TakeAnswerOf(const std::string& instance, const OutgoingRef& ref, const std::string& answer_id,
                    absl::StatusOr<std::string> result, Done done);
  absl::Status Stopped() const;
  Done Told(std::string act, std::string instance, std::string input, std::string why, Done done);
  std::vector<ParkedInstance> ParkedHere() const;
  void AddParkedEvents(std::vector<ParkedInstance> parked,
                       absl::AnyInvocable<void(absl::StatusOr<std::vector<ParkedInstance>>)> done);
  // `expired`: also commands whose id the store may have forgotten.
  bool RetryHere(const std::string& instance, bool expired);
  bool RetryCommands(ProcessSlot& slot, bool expired);
  // False if it is not of this strand, and `done` is as it was.
  bool DropHere(const std::string& instance, const std::string& input, const std::string& reason, Done& done);
  void DropEvent(const std::string& instance, const std::string& input, const std::string& reason, Done done);
  void LetGo(const std::string& event);
  void AddAttempts(ProcessInstance& instance) const;
  std::string KeyOfNamed(const std::string& instance) const;
  void WorkOnAll();
  void GiveBackEvents();
  void GoOnElsewhere();

  void Stop(const absl::Status& cause);
  void BeginAgain();
  void AnswerWaiting(ProcessSlot& slot);
  void CloseWhenDone();
  void Show();
  void Tell(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) const;

  const ProcessRunnerOptions options_;
  const std::unique_ptr<const ProcessType> type_;
  EventStore& store_;
  CommandHandler& commands_;
  Executor& executor_;
  const std::unique_ptr<Strand> strand_;
  const std::unique_ptr<Strand> sending_;      // commands, in the order of their steps
  const std::unique_ptr<Strand> fold_strand_;  // of the directory
  FoldedDirectory directory_;
  BatchPace fold_pace_{absl::Milliseconds(2), absl::Seconds(2)};
  std::unique_ptr<Reactor> reactor_;  // of the events
  TaskScope scope_;
  std::unique_ptr<EventStore::Watch> watch_;
  std::atomic<bool> step_posted_ = false;
  mutable Mutex mutex_;
  ProcessStatus shown_ ABSL_GUARDED_BY(mutex_);

  // On the strand only.
  bool fold_wanted_ = true;     // there may be more in the log
  bool folding_ = false;        // a fold is under way
  bool fold_is_stale_ = false;  // since it began, what was known of the directory was given up
  std::unique_ptr<Timer> fold_timer_;
  std::optional<std::string> open_upto_ = "";  // instances with something in flight are taken up to this key; none: all
  bool knows_held_ = false;                    // which instances wait for an operator because of an event
  std::uint64_t held_asked_ = 0;               // how often that was asked
  std::set<std::string> first_taken_;          // instances whose first event was taken, or dropped, since then
  bool folded_all_ = false;                    // that there was when it began, or the directory was made anew
  DueTimers due_;
  std::unique_ptr<Timer> due_timer_;
  absl::Time due_timer_at_ = absl::InfiniteFuture();

  absl::flat_hash_map<std::string, std::unique_ptr<ProcessSlot>> slots_;           // by key
  absl::flat_hash_map<std::string, std::pair<std::string, OutgoingRef>> running_;  // by key of the activity; of slots_
  AttemptTurns turns_;                                                             // of the activities
  std::list<std::string> idle_;                                                    // the longest idle first
  std::set<std::pair<absl::Time, std::string>> unrecorded_;                        // slots with accepted commands
  std::unique_ptr<Timer> record_timer_;
  absl::Time record_timer_at_;          // if there is one
  std::deque<TakenInput> held_events_;  // while it is stopped
  std::deque<Done> full_;               // events that are done, and are told so when less is in flight
  std::size_t appending_ = 0;
  std::size_t sends_under_way_ = 0;
  std::size_t in_flight_ = 0;   // commands of the slots, without those that are too old
  std::size_t activities_ = 0;  // of the slots
  ActivitiesInVain in_vain_;
  std::size_t waiting_sends_ = 0;
  std::size_t timer_inputs_ = 0;
  std::uint64_t attempts_ = 0;  // of activities, so far
  absl::Status send_error_;
  absl::Status error_;     // that has stopped it
  unsigned failures_ = 0;  // of the log, in a row
  std::unique_ptr<Timer> retry_timer_;
  std::uint64_t steps_made_ = 0, commands_sent_ = 0, timers_fired_ = 0, left_out_ = 0, parked_ = 0;

  bool paused_ = false;  // as the reactor is
  bool is_closing_ = false;
  bool reactor_closed_ = false;
  Task closed_;  // who waits for that
};

}  // namespace everfold

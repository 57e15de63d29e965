// The commands of one partition's streams: decided one after the other in each stream, side by side across streams.
//
// The life of a command here: known already? -> load the state -> does it expect this version? -> decide -> fold what
// was emitted -> append -> release the outcome.
//
// A stream does not wait for the disk: the next command is decided on the state that the one before leaves, while that
// is on its way to the disk (StreamWork). If it does not get there, those behind it are decided afresh, in order. No
// outcome, a rejection neither, is told before everything that its decision has seen is durable.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "everfold/command/command_handler.h"
#include "everfold/command/lane_mailbox.h"
#include "everfold/command/recent_ids.h"
#include "everfold/command/stream_table.h"

namespace everfold {

// What a lane works with; the same for all lanes of a handler.
struct LaneContext {
  const CommandHandlerOptions& options;
  EventStore& store;
  Executor& executor;
  Strand& loads;  // where states are read, so that whoever reads a long stream leaves threads to the others
  const Clock& clock;
  RandomSource& random;
  StateLoader& loader;
  CommandCounters& counters;
};

// Threading: Post is thread-safe, the rest runs on one thread at a time, as the mailbox says. Lifetime: owned by
// shared_ptr, because its steps hold it until they have run; what it works with outlives its commands, which the guards
// tell.
class CommandLane : public std::enable_shared_from_this<CommandLane> {
 public:
  CommandLane(const LaneContext& context, std::size_t max_cached_bytes);

  void Post(RoutedCommandPtr command);

 private:
  static constexpr std::size_t kRecentIds = 8192;

  void Wake();
  void WakeNext();  // as the last act of a task
  void RunWithinCall() noexcept;
  void Run() noexcept;
  void MakeStep();
  void EndStep();
  void TakeMail();
  void Enqueue(RoutedCommandPtr command);
  void OnLoaded(LoadedState loaded);
  StreamSlot& SlotOf(RoutedCommand& command);
  void MakeReady(StreamSlot& slot);
  void RunReady();

  void Advance(StreamSlot& slot);
  bool DecideNext(StreamSlot& slot);
  bool AnswerWithoutState(RoutedCommandPtr& command);
  bool WaitForFirst(RoutedCommandPtr& command);
  bool AnswerRecorded(RoutedCommandPtr& command);
  void Load(StreamSlot& slot);
  void Decide(StreamSlot& slot, RoutedCommandPtr command);
  void Hold(StreamSlot& slot, RoutedCommandPtr command, std::optional<absl::StatusOr<CommandOutcome>> outcome);
  absl::StatusOr<AnyDecision> AskDecider(const StreamSlot& slot, const RoutedCommand& command, absl::Time now);
  void Accept(StreamSlot& slot, RoutedCommandPtr command, absl::Time decided_at, AnyDecision decision);
  void RecordOutcome(StreamSlot& slot, RoutedCommandPtr command, absl::Time decided_at,
                     std::optional<absl::StatusOr<CommandOutcome>> outcome);
  void Append(StreamSlot& slot, RoutedCommandPtr command, AppendRequest append);
  void FailWaiting(StreamSlot& slot, const absl::Status& why);

  void Release(StreamSlot& slot);
  void ReleaseAppended(StreamSlot& slot, RoutedCommandPtr command);
  void ReleaseBroken(StreamSlot& slot, RoutedCommandPtr command);
  void ReleaseHeld(RoutedCommandPtr command);
  bool CheckStillHead(StreamSlot& slot, RoutedCommandPtr& command);
  static void Break(StreamSlot& slot);
  void DecideAgain(StreamWork& work);
  CommandReceipt Unchanged(const RoutedCommand& command) const;
  absl::StatusOr<CommandOutcome> OutcomeOf(const RoutedCommand& command, const AppendResult& result) const;
  absl::StatusOr<CommandReceipt> ReceiptOf(const RoutedCommand& command, const AppendResult& result) const;
  void Finish(RoutedCommandPtr command, absl::StatusOr<CommandOutcome> outcome);
  static void Tell(RoutedCommand& command, absl::StatusOr<CommandOutcome> outcome);

  const LaneContext context_;
  LaneMailbox mailbox_;
  int long_steps_ = 0;  // so many more are expected, and not to be made within a call

  StreamTable streams_;
  absl::flat_hash_map<CommandKey, RoutedCommand*> ids_on_the_way_;  // of decided commands; the names are theirs
  RecentIds recent_ids_{kRecentIds};
  int asked_first_ = 0;  // so many more commands: a repeat was met that is in no memory, and others come with it
  std::vector<StreamSlot*> ready_;
  // Of the step under way.
  LaneMail mail_;
  std::vector<StreamSlot*> at_work_;
  std::vector<RoutedCommandPtr> finished_;  // their guards keep the lane until the step ends
};

}  // namespace everfold

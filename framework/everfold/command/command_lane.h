// The commands of one partition's streams: one after the other in each stream, side by side across streams.
//
// The life of a command here: known already? -> load the state -> does it expect this version? -> decide -> fold what
// was emitted -> append -> receipt.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "everfold/command/command_handler.h"
#include "everfold/command/state_cache.h"
#include "everfold/runtime/task_scope.h"

namespace everfold {

// A command on its way, with what was found out about it before it came here.
struct RoutedCommand {
  CommandRequest request;
  CommandHandler::Done done;
  const AggregateType* aggregate = nullptr;
  const CommandType* type = nullptr;
  StreamId stream;
  CommandId id;  // empty without a request_id
  TaskScope::Guard guard;
  int conflicts = 0;
};

// What a lane works with; the same for all lanes of a handler.
struct LaneContext {
  const CommandHandlerOptions& options;
  EventStore& store;
  Executor& executor;
  const Clock& clock;
  RandomSource& random;
};

// Threading: Post is thread-safe, the rest runs on the lane's strand. Lifetime: outlives its commands, which the guards
// tell.
class CommandLane {
 public:
  CommandLane(const LaneContext& context, std::size_t max_cached_bytes);

  void Post(std::unique_ptr<RoutedCommand> command);

 private:
  using Command = std::unique_ptr<RoutedCommand>;
  struct StreamQueue {
    std::deque<Command> waiting;
    bool busy = false;
  };

  void Enqueue(Command command);
  void StartNext(const StreamId& stream);
  void Begin(Command command);
  void Load(Command command);
  void OnLoaded(Command command, absl::StatusOr<AggregateState> loaded);
  void Decide(Command command, AggregateState state);
  void Accept(Command command, AggregateState state, absl::Time decided_at, AnyDecision decision);
  void OnAppended(Command command, AggregateState state, absl::StatusOr<AppendResult> result);
  void AnswerUnchanged(Command command, AggregateState state);
  void Finish(Command command, absl::StatusOr<CommandOutcome> outcome);

  absl::StatusOr<AggregateState> FoldStream(const RoutedCommand& command) const;
  absl::StatusOr<CommandReceipt> ReceiptOf(const RoutedCommand& command, const AppendResult& result) const;

  const LaneContext context_;
  const std::unique_ptr<Strand> strand_;
  StateCache cache_;
  absl::flat_hash_map<StreamId, StreamQueue> queues_;
};

}  // namespace everfold

// Commands to consistency boundaries, whose decisions rely on what a query meets and not on one stream.
//
// The life of a command here: wait for those that rely on the same tags -> read what its query meets, up to a durable
// sequence -> fold -> decide -> append on the condition that no more has come -> receipt. If more has come, it is read
// again and decided afresh. What is read is durable, so that a rejection may be told at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "everfold/command/boundary_queue.h"
#include "everfold/command/bounded_command.h"
#include "everfold/command/command_handler.h"
#include "everfold/command/command_stats.h"
#include "everfold/decide/aggregate_type.h"
#include "everfold/store/event_store.h"

namespace everfold {

// What they work with.
struct BoundaryContext {
  const CommandHandlerOptions& options;
  EventStore& store;
  Executor& executor;
  const Clock& clock;
  RandomSource& random;
  CommandCounters& counters;
};

// Threading: Post is thread-safe. Lifetime: owned by shared_ptr, because its steps hold it until they have run; what it
// works with outlives its commands, which the guards tell.
class BoundaryCommands : public std::enable_shared_from_this<BoundaryCommands> {
 public:
  // May emit events of these aggregates.
  BoundaryCommands(const BoundaryContext& context, const std::vector<AggregateType>& aggregates);

  void Post(BoundedCommandPtr command);

 private:
  // What a decision has seen.
  struct Seen {
    BoundaryState state;
    Sequence upto;
    std::vector<Position> last = {};  // of the events, in each partition; by partition
  };

  // What its query meets is read in parts; between two of them others have their turn.
  struct Reading {
    BoundedCommandPtr command;
    Seen seen;
    Sequence after = {};  // up to here
  };

  void Enqueue(const BoundedCommandPtr& command);
  void Start(const BoundedCommandPtr& command);
  void Attempt(const BoundedCommandPtr& command);
  absl::StatusOr<Seen> BeginReading(const BoundedCommand& command) const;
  void ReadOn(const std::shared_ptr<Reading>& reading);
  absl::Status ReadPart(Reading& reading) const;
  absl::Status CheckAwaited(const BoundedCommand& command) const;
  void Decide(const BoundedCommandPtr& command, const Seen& seen);
  absl::StatusOr<AnyBoundaryDecision> AskDecider(const BoundedCommand& command, const Seen& seen, absl::Time now);
  absl::StatusOr<AppendRequest> ToAppend(const BoundedCommand& command, const Seen& seen, absl::Time decided_at,
                                         const AnyBoundaryDecision& decision) const;
  AppendRequest BeginAppend(const BoundedCommand& command, const Seen& seen, absl::Time decided_at) const;
  absl::Status FoldEmitted(const BoundedCommand& command, const Seen& seen, const AppendRequest& append) const;
  void Answer(const BoundedCommandPtr& command, const Seen& seen, absl::Time decided_at, CommandOutcome outcome);
  void Append(const BoundedCommandPtr& command, AppendRequest append);
  void OnAppended(const BoundedCommandPtr& command, absl::StatusOr<AppendResult> result);

  void FinishUnlessRecorded(const BoundedCommandPtr& command, absl::StatusOr<CommandOutcome> outcome);
  void Finish(const BoundedCommandPtr& command, absl::StatusOr<CommandOutcome> outcome);
  CommandReceipt Unchanged(const BoundedCommand& command, const Seen& seen) const;
  absl::StatusOr<CommandOutcome> OutcomeOf(const BoundedCommand& command, const AppendResult& result) const;

  const BoundaryContext context_;
  absl::flat_hash_map<std::string, const AggregateType*> aggregates_;  // by name
  const std::unique_ptr<Strand> strand_;                               // of the queue
  const std::unique_ptr<Strand> reads_;  // one thread at most reads, and leaves the others alone
  BoundaryQueue queue_;
};

}  // namespace everfold

#include "everfold/command/command_handler.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/unavailable.h"
#include "everfold/command/boundary_commands.h"
#include "everfold/command/command_lane.h"
#include "everfold/command/command_router.h"
#include "everfold/command/overloaded.h"
#include "everfold/command/state_loader.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

// What a state that is asked for counts, whatever its size.
constexpr std::size_t kBytesAState = 4096;

absl::Status ShuttingDown() { return Unavailable(reason::kShuttingDown, "no new commands are taken: shutting down"); }

absl::Status BeyondHead(const StateRequest& request, Version actual) {
  return Error(absl::StatusCode::kOutOfRange, reason::kBeyondHead,
               absl::StrFormat("%s: version %d is asked for, it is at version %d", request.stream.ToString(),
                               request.version->value(), actual.value()));
}

std::vector<BoundaryType> WithStoredForms(std::vector<BoundaryType> boundaries,
                                          const std::vector<AggregateType>& aggregates) {
  for (BoundaryType& boundary : boundaries) {
    for (const AggregateType& aggregate : aggregates) boundary.AddStoredForms(aggregate);
  }
  return boundaries;
}

class LaneCommandHandler final : public CommandHandler {
 public:
  LaneCommandHandler(CommandHandlerOptions options, std::vector<AggregateType> aggregates,
                     std::vector<BoundaryType> boundaries, EventStore& store, Executor& executor, const Clock& clock,
                     RandomSource& random)
      : options_(std::move(options)),
        aggregates_(std::move(aggregates)),
        boundaries_(WithStoredForms(std::move(boundaries), aggregates_)),
        store_(store),
        executor_(executor),
        loads_(executor.MakeStrand()),
        admission_(options_.max_commands, options_.max_command_bytes),
        router_(aggregates_, boundaries_, store, clock, random),
        clock_(clock),
        loader_(store, clock, options_.snapshots, options_.snapshot, aggregates_, counters_) {
    const std::uint32_t partitions = store.log().identity().partitions;
    const LaneContext context{options_, store, executor, *loads_, clock, random, loader_, counters_};
    for (std::uint32_t i = 0; i < partitions; ++i) {
      lanes_.push_back(std::make_shared<CommandLane>(context, options_.max_cached_bytes / partitions));
    }
    bounded_ = std::make_shared<BoundaryCommands>(BoundaryContext{options_, store, executor, clock, random, counters_},
                                                  aggregates_);
  }

  void Handle(CommandRequest request, Done done) override {
    EVERFOLD_CHECK(request.command != nullptr);
    const std::size_t bytes = request.command->ByteSizeLong() + BytesOf(request.metadata);
    if (!boundaries_.empty()) {
      const std::optional<CommandTarget> target = router_.Find(request.command->GetDescriptor()->full_name());
      if (target.has_value() && target->boundary != nullptr) {
        return HandleBounded(std::move(request), *target, bytes, std::move(done));
      }
    }
    absl::StatusOr<RoutedCommandPtr> routed = Admit<RoutedCommandPtr>(bytes, [&](auto guard, auto place) {
      return router_.Route(std::move(request), std::move(guard), std::move(place));
    });
    if (!routed.ok()) return Refuse(std::move(done), routed.status());
    (*routed)->done = std::move(done);
    Post(*std::move(routed));
  }

  void GetState(StateRequest request, StateDone done) override {
    absl::StatusOr<RoutedCommandPtr> routed = Admit<RoutedCommandPtr>(kBytesAState, [&](auto guard, auto place) {
      return router_.Route(request, std::move(guard), std::move(place));
    });
    if (!routed.ok()) return Refuse(std::move(done), routed.status());
    (*routed)->state_done = std::move(done);
    if (!request.version.has_value() && !request.as_of.has_value()) return Post(*std::move(routed));
    loads_->Post([this, request = std::move(request), routed = *std::move(routed)] {
      routed->state_done(LoadPast(request, *routed->aggregate));
    });
  }

  std::optional<CommandTarget> FindTarget(const std::string& command) const override { return router_.Find(command); }

  CommandStats stats() const override { return counters_.Read(); }

  void Close(Task done) override { scope_.Close(std::move(done)); }

 private:
  void HandleBounded(CommandRequest request, const CommandTarget& target, std::size_t bytes, Done done) {
    absl::StatusOr<BoundedCommandPtr> command = Admit<BoundedCommandPtr>(bytes, [&](auto guard, auto place) {
      return router_.RouteToBoundary(std::move(request), target, std::move(guard), std::move(place));
    });
    if (!command.ok()) return Refuse(std::move(done), command.status());
    (*command)->done = std::move(done);
    const std::shared_ptr<BoundaryCommands> bounded = bounded_;  // with the command all else may go
    bounded->Post(*std::move(command));
  }

  // What `route` makes of a command for which there is room.
  template <class Ptr, class Route>
  absl::StatusOr<Ptr> Admit(std::size_t bytes, Route route) {
    std::optional<TaskScope::Guard> guard = scope_.Enter();
    if (!guard.has_value()) return ShuttingDown();
    absl::StatusOr<Admission::Place> place = admission_.Enter(bytes);
    if (!place.ok()) {
      counters_.Add(counters_.overloaded);
      return place.status();
    }
    return route(*std::move(guard), *std::move(place));
  }

  void Post(RoutedCommandPtr routed) {
    const PartitionId partition = PartitionOf(routed->stream, static_cast<std::uint32_t>(lanes_.size()));
    const std::shared_ptr<CommandLane> lane = lanes_[partition.value()];  // with the command all else may go
    lane->Post(std::move(routed));
  }

  // History does not change, so it comes from the store alone.
  absl::StatusOr<StateAnswer> LoadPast(const StateRequest& request, const AggregateType& aggregate) const {
    if (clock_.Now() >= request.deadline) return TooLate();
    if (request.version.has_value()) {
      EVERFOLD_ASSIGN_OR_RETURN(const Version head, store_.VersionOf(request.stream));
      if (*request.version > head) return BeyondHead(request, head);
    }
    AggregateState state{.version = Version(), .message = aggregate.NewState(), .snapshot = Version()};
    if (request.version != Version()) {
      const StreamRange range{.upto = request.version.value_or(Version()), .as_of = request.as_of};
      EVERFOLD_ASSIGN_OR_RETURN(state, loader_.LoadPast(request.stream, aggregate, range));
    }
    return StateAnswer{std::move(state.message), state.version, TokenOfHead(store_, request.stream)};
  }

  // Close waits for these answers, too, unless it came first.
  template <class Callback>
  void Refuse(Callback done, absl::Status why) {
    executor_.Post(
        [guard = scope_.Enter(), done = std::move(done), why = std::move(why)]() mutable { done(std::move(why)); });
  }

  const CommandHandlerOptions options_;
  const std::vector<AggregateType> aggregates_;
  const std::vector<BoundaryType> boundaries_;
  EventStore& store_;
  Executor& executor_;
  const std::unique_ptr<Strand> loads_;
  CommandCounters counters_;
  Admission admission_;
  const CommandRouter router_;
  const Clock& clock_;
  StateLoader loader_;
  std::vector<std::shared_ptr<CommandLane>> lanes_;  // one a partition
  std::shared_ptr<BoundaryCommands> bounded_;
  TaskScope scope_;
};

}  // namespace

std::unique_ptr<CommandHandler> CommandHandler::Create(CommandHandlerOptions options,
                                                       std::vector<AggregateType> aggregates, EventStore& store,
                                                       Executor& executor, const Clock& clock, RandomSource& random) {
  return Create(std::move(options), std::move(aggregates), {}, store, executor, clock, random);
}

std::unique_ptr<CommandHandler> CommandHandler::Create(CommandHandlerOptions options,
                                                       std::vector<AggregateType> aggregates,
                                                       std::vector<BoundaryType> boundaries, EventStore& store,
                                                       Executor& executor, const Clock& clock, RandomSource& random) {
  return std::make_unique<LaneCommandHandler>(std::move(options), std::move(aggregates), std::move(boundaries), store,
                                              executor, clock, random);
}

}  // namespace everfold

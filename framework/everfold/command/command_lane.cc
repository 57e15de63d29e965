#include "everfold/command/command_lane.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/command/expectations.h"
#include "everfold/event/partitioning.h"

namespace everfold {
namespace {

constexpr absl::Duration kRetryWhenOverloaded = absl::Milliseconds(20);

absl::Status TooManyWaiting(const StreamId& stream, std::size_t limit) {
  absl::Status status =
      Error(absl::StatusCode::kResourceExhausted, reason::kOverloaded,
            absl::StrFormat("%s: %d commands are waiting already, the limit", stream.ToString(), limit),
            {{"stream", stream.ToString()}, {"limit", std::to_string(limit)}});
  AddRetryInfo(status, kRetryWhenOverloaded);
  return status;
}

NewEvent ToNewEvent(const AggregateType& aggregate, const google::protobuf::Message& event) {
  const AggregateEvent& type = aggregate.events.at(event.GetDescriptor()->full_name());
  return {.type = type.name,
          .fingerprint = type.fingerprint,
          .payload = event.SerializeAsString(),
          .event_time = type.event_time(event),
          .tags = {}};
}

AppendRequest ToAppendRequest(const RoutedCommand& command, const AggregateState& state, absl::Time decided_at,
                              const AnyDecision& decision) {
  AppendRequest append{.tenant = command.stream.tenant,
                       .command = command.id,
                       .metadata = command.request.metadata,
                       .not_before = decided_at,
                       .streams = {}};
  StreamAppend& stream = append.streams.emplace_back();
  stream.stream = command.stream;
  stream.expectation = StreamExpectation::Exact(state.version);
  for (const EmittedEvent& event : decision.events) stream.events.push_back(ToNewEvent(*command.aggregate, *event));
  return append;
}

}  // namespace

CommandLane::CommandLane(const LaneContext& context, std::size_t max_cached_bytes)
    : context_(context), strand_(context.executor.MakeStrand()), cache_(max_cached_bytes) {}

void CommandLane::Post(Command command) {
  strand_->Post([this, command = std::move(command)]() mutable { Enqueue(std::move(command)); });
}

void CommandLane::Enqueue(Command command) {
  StreamQueue& queue = queues_[command->stream];
  if (queue.waiting.size() >= context_.options.max_waiting_per_stream) {
    command->done(TooManyWaiting(command->stream, context_.options.max_waiting_per_stream));
    return;
  }
  const StreamId stream = command->stream;
  queue.waiting.push_back(std::move(command));
  if (!queue.busy) StartNext(stream);
}

void CommandLane::StartNext(const StreamId& stream) {
  StreamQueue& queue = queues_.at(stream);
  if (queue.waiting.empty()) {
    queues_.erase(stream);
    return;
  }
  queue.busy = true;
  Command next = std::move(queue.waiting.front());
  queue.waiting.pop_front();
  Begin(std::move(next));
}

void CommandLane::Begin(Command command) {
  if (context_.clock.Now() >= command->request.deadline) {
    absl::Status status = Error(absl::StatusCode::kDeadlineExceeded, reason::kDeadlineExceeded,
                                "the deadline passed before the command was decided");
    return Finish(std::move(command), std::move(status));
  }
  if (!command->id.empty()) {
    absl::StatusOr<std::optional<AppendResult>> known = context_.store.FindCommand(command->stream.tenant, command->id);
    if (!known.ok()) return Finish(std::move(command), known.status());
    if (known->has_value()) {
      absl::StatusOr<CommandOutcome> first = ReceiptOf(*command, **known);
      return Finish(std::move(command), std::move(first));
    }
  }
  std::optional<AggregateState> cached = cache_.Take(command->stream);
  if (!cached.has_value()) return Load(std::move(command));
  // Somebody else may have appended since.
  const absl::StatusOr<Version> version = context_.store.VersionOf(command->stream);
  if (!version.ok()) return Finish(std::move(command), version.status());
  if (cached->version == *version) return Decide(std::move(command), *std::move(cached));
  Load(std::move(command));
}

// Off the strand, so that commands of other streams pass.
void CommandLane::Load(Command command) {
  context_.executor.Post([this, command = std::move(command)]() mutable {
    absl::StatusOr<AggregateState> loaded = FoldStream(*command);
    strand_->Post([this, command = std::move(command), loaded = std::move(loaded)]() mutable {
      OnLoaded(std::move(command), std::move(loaded));
    });
  });
}

absl::StatusOr<AggregateState> CommandLane::FoldStream(const RoutedCommand& command) const {
  AggregateState state{.version = Version(), .message = command.aggregate->NewState()};
  EVERFOLD_RETURN_IF_ERROR(
      context_.store.ReadStream(command.stream, {}, [&](const RecordedEvent& event) -> absl::Status {
        state.version = event.version;
        return command.aggregate->EvolveStored(*state.message, event.event.type, event.event.payload);
      }));
  return state;
}

void CommandLane::OnLoaded(Command command, absl::StatusOr<AggregateState> loaded) {
  if (!loaded.ok()) return Finish(std::move(command), loaded.status());
  Decide(std::move(command), *std::move(loaded));
}

void CommandLane::Decide(Command command, AggregateState state) {
  // Once the log has failed, what is known of the stream may be behind the disk, or somebody else's: nothing is
  // decided.
  if (const absl::Status health = context_.store.health(); !health.ok()) {
    absl::Status closed = Error(absl::StatusCode::kUnavailable, reason::kStoreClosed,
                                absl::StrFormat("the store is closed: %s", std::string(health.message())));
    return Finish(std::move(command), std::move(closed));
  }
  if (absl::Status status = CheckExpectations(*command, state.version); !status.ok()) {
    cache_.Put(command->stream, std::move(state));
    return Finish(std::move(command), std::move(status));
  }
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(context_.clock.Now()));
  Context context(now, command->stream, state.version, command->request.metadata, context_.random);
  absl::StatusOr<AnyDecision> decision =
      command->aggregate->Decide(*command->type, *state.message, *command->request.command, context);
  if (!decision.ok()) {
    cache_.Put(command->stream, std::move(state));
    return Finish(std::move(command), decision.status());
  }
  if (decision->rejected()) {
    cache_.Put(command->stream, std::move(state));
    return Finish(std::move(command), CommandOutcome(std::move(decision->rejection)));
  }
  if (decision->events.empty()) return AnswerUnchanged(std::move(command), std::move(state));
  Accept(std::move(command), std::move(state), now, *std::move(decision));
}

void CommandLane::AnswerUnchanged(Command command, AggregateState state) {
  const Checkpoint head = context_.store.DurableHead();
  const PartitionId partition = PartitionOf(command->stream, static_cast<std::uint32_t>(head.offsets.size()));
  CommandReceipt receipt{.stream = command->stream,
                         .version = state.version,
                         .token = {head.epoch, {{partition, head.offsets[partition.value()]}}},
                         .sequence = Sequence(),
                         .recorded_at = context_.clock.Now()};
  cache_.Put(command->stream, std::move(state));
  Finish(std::move(command), CommandOutcome(std::move(receipt)));
}

// The state is folded before the append, so that an Evolve that fails keeps its event out of the store. If the append
// then fails, the state is dropped and folded anew.
void CommandLane::Accept(Command command, AggregateState state, absl::Time decided_at, AnyDecision decision) {
  AppendRequest append = ToAppendRequest(*command, state, decided_at, decision);
  for (const EmittedEvent& event : decision.events) {
    if (absl::Status status = command->aggregate->Evolve(*state.message, *event); !status.ok()) {
      return Finish(std::move(command), std::move(status));
    }
  }
  state.version = state.version.Plus(decision.events.size());
  context_.store.Append(std::move(append), [this, command = std::move(command),
                                            state = std::move(state)](absl::StatusOr<AppendResult> result) mutable {
    strand_->Post([this, command = std::move(command), state = std::move(state), result = std::move(result)]() mutable {
      OnAppended(std::move(command), std::move(state), std::move(result));
    });
  });
}

void CommandLane::OnAppended(Command command, AggregateState state, absl::StatusOr<AppendResult> result) {
  if (result.ok()) {
    // A repeat that was found only now was decided on a state that it had changed already: that fold is of no use.
    if (!result->repeated) cache_.Put(command->stream, std::move(state));
    absl::StatusOr<CommandOutcome> outcome = ReceiptOf(*command, *result);
    return Finish(std::move(command), std::move(outcome));
  }
  const bool foreign_append = absl::IsAborted(result.status());
  if (foreign_append && ++command->conflicts <= context_.options.max_conflict_retries) return Begin(std::move(command));
  Finish(std::move(command), result.status());
}

absl::StatusOr<CommandReceipt> CommandLane::ReceiptOf(const RoutedCommand& command, const AppendResult& result) const {
  for (const StreamResult& stream : result.streams) {
    if (stream.stream != command.stream) continue;
    return CommandReceipt{.stream = command.stream,
                          .version = stream.version,
                          .token = TokenOf(context_.store, result),
                          .sequence = result.sequence,
                          .recorded_at = result.recorded_at,
                          .repeated = result.repeated};
  }
  return Error(absl::StatusCode::kInvalidArgument, reason::kIdempotencyKeyReused,
               absl::StrFormat("request_id \"%s\" was used for another stream", command.id.id));
}

void CommandLane::Finish(Command command, absl::StatusOr<CommandOutcome> outcome) {
  command->done(std::move(outcome));
  // A step of its own: a long queue of quick answers must not grow the stack, nor keep other streams waiting. The guard
  // goes along, because the lane must be there until then.
  strand_->Post([this, stream = std::move(command->stream), guard = std::move(command->guard)] { StartNext(stream); });
}

}  // namespace everfold

#include "everfold/command/boundary_commands.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/command/command_errors.h"
#include "everfold/command/overloaded.h"
#include "everfold/command/recorded_outcome.h"
#include "everfold/command/to_append_request.h"
#include "everfold/decide/user_code.h"

namespace everfold {
namespace {

absl::Status NotRegistered(const BoundaryType& boundary, const AddressedEvent& event) {
  return Error(absl::StatusCode::kInternal, reason::kDeciderFailed,
               absl::StrFormat("the decider of %s emitted an event %s of the aggregate %s, which is no part of this "
                               "application",
                               boundary.name, event.event->GetDescriptor()->full_name(), event.aggregate));
}

absl::Status ManyConflicts(const BoundedCommand& command, const absl::Status& last) {
  return Error(absl::StatusCode::kAborted, reason::kConditionFailed,
               absl::StrFormat("%s: others appended %s what it relies on while it was decided; the last time: %s",
                               command.type->type.name, Counted(static_cast<std::uint64_t>(command.conflicts), "time"),
                               std::string(last.message())),
               {{"command", command.type->type.name}});
}

bool IsConflict(const absl::Status& status) { return ReasonOf(status) == reason::kConditionFailed; }

// The stream's part of the append.
StreamAppend& StreamOf(AppendRequest& append, const AddressedEvent& event) {
  for (StreamAppend& stream : append.streams) {
    if (stream.stream.aggregate == event.aggregate && stream.stream.id == event.id) return stream;
  }
  StreamAppend& added = append.streams.emplace_back();
  added.stream = {append.tenant, event.aggregate, event.id};
  return added;
}

// For all that is durable: what a decision of long ago has seen is among it.
ConsistencyToken TokenOfHeads(const EventStore& store) {
  const Checkpoint head = store.DurableHead();
  ConsistencyToken token{.epoch = head.epoch, .positions = {}};
  for (std::uint32_t i = 0; i < head.offsets.size(); ++i) {
    if (head.offsets[i] > Offset()) token.positions.push_back({PartitionId(i), head.offsets[i]});
  }
  return token;
}

void Note(const Position& position, std::vector<Position>& last) {
  const auto place = std::lower_bound(last.begin(), last.end(), position.partition,
                                      [](const Position& a, PartitionId b) { return a.partition < b; });
  if (place != last.end() && place->partition == position.partition) {
    place->offset = std::max(place->offset, position.offset);
  } else {
    last.insert(place, position);
  }
}

}  // namespace

BoundaryCommands::BoundaryCommands(const BoundaryContext& context, const std::vector<AggregateType>& aggregates)
    : context_(context), strand_(context.executor.MakeStrand()), reads_(context.executor.MakeStrand()) {
  for (const AggregateType& aggregate : aggregates) aggregates_.emplace(aggregate.name, &aggregate);
}

void BoundaryCommands::Post(BoundedCommandPtr command) {
  strand_->Post([self = shared_from_this(), command = std::move(command)] { self->Enqueue(command); });
}

void BoundaryCommands::Enqueue(const BoundedCommandPtr& command) {
  const std::size_t limit = context_.options.max_waiting_per_stream;
  if (queue_.LongestWait(*command) >= limit) {
    context_.counters.Add(context_.counters.overloaded);
    return command->done(Overloaded("commands that wait for a tag of " + command->boundary->name, limit));
  }
  if (queue_.Enter(command)) Start(command);
}

void BoundaryCommands::Start(const BoundedCommandPtr& command) {
  reads_->Post([self = shared_from_this(), command] { self->Attempt(command); });
}

// Somebody waits for the answer.
absl::Status BoundaryCommands::CheckAwaited(const BoundedCommand& command) const {
  if (context_.clock.Now() >= command.request.deadline) return TooLate();
  if (command.request.abandoned != nullptr && command.request.abandoned->load()) return CallerHasGone();
  return absl::OkStatus();
}

void BoundaryCommands::Attempt(const BoundedCommandPtr& command) {
  if (absl::Status gone = CheckAwaited(*command); !gone.ok()) return Finish(command, std::move(gone));
  if (!command->invalid.ok()) return FinishUnlessRecorded(command, command->invalid);
  absl::StatusOr<Seen> seen = BeginReading(*command);
  if (!seen.ok()) return FinishUnlessRecorded(command, seen.status());
  if (command->query.items.empty()) return Decide(command, *seen);
  context_.counters.Add(context_.counters.loaded);
  ReadOn(std::make_shared<Reading>(Reading{command, *std::move(seen)}));
}

// The sequence is taken before anything is read, so that what comes meanwhile is found by the condition.
absl::StatusOr<BoundaryCommands::Seen> BoundaryCommands::BeginReading(const BoundedCommand& command) const {
  Seen seen{.state = nullptr, .upto = context_.store.DurableSequence()};
  EVERFOLD_RETURN_IF_ERROR(CatchUserCode("State", command.boundary->name, command.type->type.name, [&] {
    seen.state = command.boundary->new_state();
    return absl::OkStatus();
  }));
  return seen;
}

// The next part stands behind the commands that have come meanwhile: one that meets millions of events does not keep
// those waiting that meet a few.
void BoundaryCommands::ReadOn(const std::shared_ptr<Reading>& reading) {
  const BoundedCommandPtr& command = reading->command;
  absl::Status read = CheckAwaited(*command);
  if (read.ok()) read = ReadPart(*reading);
  if (!read.ok()) return FinishUnlessRecorded(command, std::move(read));
  if (reading->after >= reading->seen.upto) return Decide(command, reading->seen);
  reads_->Post([self = shared_from_this(), reading] { self->ReadOn(reading); });
}

absl::Status BoundaryCommands::ReadPart(Reading& reading) const {
  const BoundedCommand& command = *reading.command;
  std::uint64_t events = 0;
  const absl::StatusOr<Sequence> upto = context_.store.ReadTaggedPart(
      command.request.tenant, command.query, reading.after, reading.seen.upto,
      [&](const RecordedEvent& event) -> absl::Status {
        EVERFOLD_RETURN_IF_ERROR(CheckAwaited(command));
        ++events;
        Note(event.position, reading.seen.last);
        const absl::Status evolved =
            command.boundary->EvolveStored(reading.seen.state.get(), event.event.type, event.event.payload);
        return evolved.ok() ? evolved : AtEvent(evolved, event);
      });
  context_.counters.Add(context_.counters.events_folded, events);
  if (!upto.ok()) return upto.status();
  reading.after = *upto;
  return absl::OkStatus();
}

void BoundaryCommands::Decide(const BoundedCommandPtr& command, const Seen& seen) {
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(context_.clock.Now()));
  absl::StatusOr<AnyBoundaryDecision> decision = AskDecider(*command, seen, now);
  if (!decision.ok()) return FinishUnlessRecorded(command, decision.status());
  if (decision->rejected()) return Answer(command, seen, now, std::move(decision->rejection));
  if (decision->events.empty()) return Answer(command, seen, now, Unchanged(*command, seen));
  absl::StatusOr<AppendRequest> append = ToAppend(*command, seen, now, *decision);
  if (!append.ok()) return FinishUnlessRecorded(command, append.status());
  Append(command, *std::move(append));
}

absl::StatusOr<AnyBoundaryDecision> BoundaryCommands::AskDecider(const BoundedCommand& command, const Seen& seen,
                                                                 absl::Time now) {
  const StreamId none{command.request.tenant, "", ""};
  Context context(now, none, Version(), command.request.metadata, context_.random);
  absl::StatusOr<AnyBoundaryDecision> decision =
      command.boundary->Decide(*command.type, seen.state.get(), *command.request.command, context);
  const absl::Duration took = context_.clock.Now() - now;
  if (took > context_.options.slow_decision) {
    context_.counters.Add(context_.counters.slow_decisions);
    if (context_.options.on_slow_decision) {
      context_.options.on_slow_decision(command.type->type.name, {command.request.tenant, command.boundary->name, ""},
                                        took);
    }
  }
  return decision;
}

AppendRequest BoundaryCommands::BeginAppend(const BoundedCommand& command, const Seen& seen,
                                            absl::Time decided_at) const {
  AppendRequest append{.tenant = command.request.tenant,
                       .command = command.id,
                       .metadata = command.request.metadata,
                       .not_before = decided_at,
                       .streams = {}};
  // A query without items would mean every event.
  if (!command.query.items.empty()) {
    append.condition = AppendCondition{.fail_if_events_match = command.query, .after = seen.upto};
  }
  return append;
}

// Of the streams nothing is expected: what the decision relies on is in the condition.
absl::StatusOr<AppendRequest> BoundaryCommands::ToAppend(const BoundedCommand& command, const Seen& seen,
                                                         absl::Time decided_at,
                                                         const AnyBoundaryDecision& decision) const {
  AppendRequest append = BeginAppend(command, seen, decided_at);
  for (const AddressedEvent& event : decision.events) {
    const auto aggregate = aggregates_.find(event.aggregate);
    if (aggregate == aggregates_.end()) return NotRegistered(*command.boundary, event);
    NewEvent made = ToNewEvent(*aggregate->second, *event.event);
    if (!CanBeReadAgain(*event.event, made)) return UnreadableEvent(made.type);
    StreamOf(append, event).events.push_back(std::move(made));
  }
  EVERFOLD_RETURN_IF_ERROR(FoldEmitted(command, seen, append));
  return append;
}

// What its own query would meet the next time is folded before it is stored.
absl::Status BoundaryCommands::FoldEmitted(const BoundedCommand& command, const Seen& seen,
                                           const AppendRequest& append) const {
  if (command.query.items.empty()) return absl::OkStatus();
  for (const StreamAppend& stream : append.streams) {
    for (const NewEvent& event : stream.events) {
      if (!Matches(command.query, event.type, event.tags)) continue;
      EVERFOLD_RETURN_IF_ERROR(command.boundary->EvolveStored(seen.state.get(), event.type, event.payload));
    }
  }
  return absl::OkStatus();
}

// A rejection, or that nothing changed.
void BoundaryCommands::Answer(const BoundedCommandPtr& command, const Seen& seen, absl::Time decided_at,
                              CommandOutcome outcome) {
  if (!command->type->type.records_outcomes || command->id.empty()) {
    return FinishUnlessRecorded(command, std::move(outcome));
  }
  std::string encoded = EncodeOutcome(Version(), std::get_if<Rejection>(&outcome));
  if (encoded.size() > kMaxOutcomeBytes) {
    return FinishUnlessRecorded(command, OutcomeIsTooLarge(command->type->type.name, encoded.size()));
  }
  AppendRequest append = BeginAppend(*command, seen, decided_at);
  // The commit needs a place: that of a stream which does not exist, and is not made.
  append.streams.emplace_back().stream = {command->request.tenant, command->boundary->name, command->id.id};
  append.outcome = std::move(encoded);
  command->held = std::move(outcome);
  Append(command, std::move(append));
}

// The store's callback leaves the command to the task: its guard is not let go in the middle of the store.
void BoundaryCommands::Append(const BoundedCommandPtr& command, AppendRequest append) {
  context_.store.Append(
      std::move(append), [self = shared_from_this(), command](absl::StatusOr<AppendResult> result) mutable {
        self->strand_->Post([self, command = std::move(command), result = std::move(result)]() mutable {
          self->OnAppended(command, std::move(result));
        });
      });
}

void BoundaryCommands::OnAppended(const BoundedCommandPtr& command, absl::StatusOr<AppendResult> result) {
  std::optional<CommandOutcome> held = std::exchange(command->held, std::nullopt);
  if (result.ok() && held.has_value() && !result->repeated) {
    if (auto* const receipt = std::get_if<CommandReceipt>(&*held)) {
      receipt->sequence = result->sequence;
      receipt->recorded_at = result->recorded_at;
    }
    return Finish(command, *std::move(held));
  }
  if (result.ok()) return Finish(command, OutcomeOf(*command, *result));
  if (!IsConflict(result.status())) return Finish(command, result.status());
  if (++command->conflicts > context_.options.max_conflict_retries) {
    return Finish(command, ManyConflicts(*command, result.status()));
  }
  context_.counters.Add(context_.counters.decided_again);
  Start(command);
}

// What appends nothing may be of a repeat, which was decided on what the first has changed.
void BoundaryCommands::FinishUnlessRecorded(const BoundedCommandPtr& command, absl::StatusOr<CommandOutcome> outcome) {
  if (!command->id.empty()) {
    absl::StatusOr<std::optional<AppendResult>> known =
        context_.store.FindCommand(command->request.tenant, command->id);
    if (!known.ok()) return Finish(command, known.status());
    if (known->has_value()) return Finish(command, OutcomeOf(*command, **known));
  }
  if (absl::Status closed = CheckStoreIsOpen(context_.store); !closed.ok()) return Finish(command, std::move(closed));
  Finish(command, std::move(outcome));
}

void BoundaryCommands::Finish(const BoundedCommandPtr& command, absl::StatusOr<CommandOutcome> outcome) {
  if (outcome.ok()) {
    if (auto* const rejection = std::get_if<Rejection>(&*outcome)) rejection->subject = command->boundary->name;
  }
  strand_->Post([self = shared_from_this(), command, outcome = std::move(outcome)]() mutable {
    for (const BoundedCommandPtr& next : self->queue_.Leave(*command)) self->Start(next);
    command->done(std::move(outcome));
  });
}

// The token is for all that it has seen.
CommandReceipt BoundaryCommands::Unchanged(const BoundedCommand& command, const Seen& seen) const {
  return {.stream = {command.request.tenant, "", ""},
          .version = Version(),
          .token = {.epoch = context_.store.log().identity().epoch, .positions = seen.last},
          .sequence = Sequence(),
          .recorded_at = context_.clock.Now()};
}

absl::StatusOr<CommandOutcome> BoundaryCommands::OutcomeOf(const BoundedCommand& command,
                                                           const AppendResult& result) const {
  CommandReceipt receipt{.stream = {command.request.tenant, "", ""},
                         .version = Version(),
                         .token = TokenOf(context_.store, result),
                         .sequence = result.sequence,
                         .recorded_at = result.recorded_at,
                         .repeated = result.repeated};
  if (!result.outcome.empty()) {
    EVERFOLD_ASSIGN_OR_RETURN(RecordedOutcome recorded,
                              DecodeOutcome(result.outcome, command.boundary->rejections, command.boundary->name));
    if (recorded.rejection.has_value()) return CommandOutcome(*std::move(recorded.rejection));
  }
  // The stream that was only a place for the commit has no version.
  for (const StreamResult& stream : result.streams) {
    if (stream.version > Version()) receipt.streams.push_back({stream.stream, stream.version});
  }
  // A repeat does not know in which order they were emitted.
  std::sort(receipt.streams.begin(), receipt.streams.end(),
            [](const StreamVersion& a, const StreamVersion& b) { return a.stream < b.stream; });
  if (receipt.streams.empty()) {
    receipt.token = TokenOfHeads(context_.store);
  } else {
    receipt.stream = receipt.streams.front().stream;
    receipt.version = receipt.streams.front().version;
  }
  return receipt;
}

}  // namespace everfold

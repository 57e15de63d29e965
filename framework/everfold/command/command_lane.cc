#include "everfold/command/command_lane.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/str_format.h"
#include "everfold/base/check.h"
#include "everfold/base/counted.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/command/command_errors.h"
#include "everfold/command/expectations.h"
#include "everfold/command/overloaded.h"
#include "everfold/command/recorded_outcome.h"
#include "everfold/command/to_append_request.h"

namespace everfold {
namespace {

// Of one stream, before others have their turn.
constexpr int kDecisionsAtOnce = 64;
constexpr int kAskedAfterARepeat = 256;
// A thread may well be interrupted for a few milliseconds.
constexpr absl::Duration kLongForACaller = absl::Milliseconds(5);
constexpr int kStepsAfterALongOne = 256;

absl::Status TooManyWaiting(const StreamId& stream, std::size_t limit) {
  return Overloaded("commands that wait for " + stream.ToString(), limit);
}

absl::Status ManyConflicts(const RoutedCommand& command) {
  const std::string stream = command.stream.ToString();
  return Error(absl::StatusCode::kAborted, reason::kVersionConflict,
               absl::StrFormat("%s: somebody else appended %s while the command was decided", stream,
                               Counted(static_cast<std::uint64_t>(command.conflicts), "time")),
               {{"stream", stream}});
}

CommandKey KeyOf(const RoutedCommand& command) { return {command.stream.tenant, command.id.type, command.id.id}; }

}  // namespace

CommandLane::CommandLane(const LaneContext& context, std::size_t max_cached_bytes)
    : context_(context), streams_(max_cached_bytes) {}

// Holds itself meanwhile: the command may be answered, and the lane be left by all, before it is woken up.
void CommandLane::Post(RoutedCommandPtr command) {
  const std::shared_ptr<CommandLane> self = shared_from_this();
  const bool within_call = command->request.within_call;
  if (!mailbox_.Put(std::move(command))) return;
  within_call ? RunWithinCall() : Wake();
}

// Whoever calls is not to be kept: after a step that took long, by a decision or by a look into files, the executor
// makes the next ones.
void CommandLane::RunWithinCall() noexcept {
  if (long_steps_ > 0) {
    --long_steps_;
    return Wake();
  }
  const absl::Time began = context_.clock.Now();
  MakeStep();
  if (context_.clock.Now() - began > kLongForACaller) long_steps_ = kStepsAfterALongOne;
  EndStep();
}

void CommandLane::Wake() {
  context_.executor.Post([self = shared_from_this()] { self->Run(); });
}

void CommandLane::WakeNext() {
  context_.executor.PostNext([self = shared_from_this()] { self->Run(); });
}

// An exception would leave the lane in the middle of a step, and it would never be run again.
void CommandLane::Run() noexcept {
  MakeStep();
  EndStep();
}

void CommandLane::MakeStep() {
  TakeMail();
  RunReady();
}

// The last guard may be among those that are finished, or another thread may let it go from now on: with it the lane
// may go, and all it works with.
void CommandLane::EndStep() {
  const std::vector<RoutedCommandPtr> finished = std::exchange(finished_, {});
  if (mailbox_.GoesOn(!ready_.empty())) WakeNext();
}

void CommandLane::TakeMail() {
  mailbox_.Take(mail_);
  for (RoutedCommand* const command : mail_.answered) {
    command->settled = true;
    MakeReady(*command->slot);
  }
  for (LoadedState& loaded : mail_.loaded) OnLoaded(std::move(loaded));
  for (RoutedCommandPtr& command : mail_.commands) Enqueue(std::move(command));
  mail_.clear();
}

void CommandLane::Enqueue(RoutedCommandPtr command) {
  StreamSlot& slot = SlotOf(*command);
  if (slot.work->waiting.size() >= context_.options.max_waiting_per_stream) {
    context_.counters.Add(context_.counters.overloaded);
    return Finish(std::move(command), TooManyWaiting(slot.stream, context_.options.max_waiting_per_stream));
  }
  slot.work->waiting.push_back(std::move(command));
}

// The stream's, which is looked at in this step or the next.
StreamSlot& CommandLane::SlotOf(RoutedCommand& command) {
  StreamSlot& slot = streams_.Take(command.stream);
  command.slot = &slot;
  MakeReady(slot);
  return slot;
}

void CommandLane::MakeReady(StreamSlot& slot) {
  if (std::exchange(slot.is_ready, true)) return;
  ready_.push_back(&slot);
}

void CommandLane::RunReady() {
  at_work_.swap(ready_);
  for (StreamSlot* const slot : at_work_) {
    slot->is_ready = false;
    Advance(*slot);
  }
  at_work_.clear();
}

void CommandLane::Advance(StreamSlot& slot) {
  Release(slot);
  int left = kDecisionsAtOnce;
  while (left > 0 && DecideNext(slot)) --left;
  if (left == 0) MakeReady(slot);
  if (slot.work->idle() && !slot.is_loading && !slot.is_ready) return streams_.Return(slot);
  const bool has_changed = left < kDecisionsAtOnce || slot.state.message == nullptr;
  if (has_changed) streams_.Measure(slot);
}

// False if there is none, or it has to wait.
bool CommandLane::DecideNext(StreamSlot& slot) {
  StreamWork& work = *slot.work;
  if (work.waiting.empty() || work.broken || slot.is_loading) return false;
  if (work.decided.size() >= std::max<std::size_t>(context_.options.max_decided_ahead_per_stream, 1)) return false;
  RoutedCommandPtr& next = work.waiting.front();
  if (AnswerWithoutState(next)) {
    work.waiting.pop_front();
    return true;
  }
  if (slot.state.message == nullptr) {
    // What is on the way cannot be loaded yet.
    if (work.decided.empty()) Load(slot);
    return false;
  }
  if (!next->was_loaded_for) context_.counters.Add(context_.counters.cached);
  RoutedCommandPtr command = std::move(next);
  work.waiting.pop_front();
  Decide(slot, std::move(command));
  return true;
}

bool CommandLane::AnswerWithoutState(RoutedCommandPtr& command) {
  const absl::Time deadline = command->request.deadline;
  if (deadline != absl::InfiniteFuture() && context_.clock.Now() >= deadline) {
    Finish(std::move(command), TooLate());
    return true;
  }
  if (command->request.abandoned != nullptr && command->request.abandoned->load()) {
    Finish(std::move(command), CallerHasGone());
    return true;
  }
  if (command->id.empty()) return false;
  if (WaitForFirst(command)) return true;
  if (!command->invalid.ok()) {
    if (AnswerRecorded(command)) return true;
    absl::Status invalid = command->invalid;
    Finish(std::move(command), std::move(invalid));
    return true;
  }
  // Of others the store is asked when they are appended: it finds a repeat that is older. That takes back all that was
  // decided behind it, and repeats come in crowds, as after a restart: where one was found others are asked for first.
  const bool is_recent = recent_ids_.Has(absl::HashOf(KeyOf(*command)));
  if (!is_recent && asked_first_ == 0) return false;
  if (!is_recent) --asked_first_;
  if (!AnswerRecorded(command)) return false;
  if (!is_recent) asked_first_ = kAskedAfterARepeat;
  return true;
}

// True if the command was recorded before, or nobody can tell.
bool CommandLane::AnswerRecorded(RoutedCommandPtr& command) {
  absl::StatusOr<std::optional<AppendResult>> known = context_.store.FindCommand(command->stream.tenant, command->id);
  if (!known.ok()) {
    Finish(std::move(command), known.status());
    return true;
  }
  if (!known->has_value()) return false;
  absl::StatusOr<CommandOutcome> first = OutcomeOf(*command, **known);
  Finish(std::move(command), std::move(first));
  return true;
}

// A repeat of a command that is on its way to the disk waits for what becomes of that.
bool CommandLane::WaitForFirst(RoutedCommandPtr& command) {
  const auto first = ids_on_the_way_.find(KeyOf(*command));
  if (first == ids_on_the_way_.end()) return false;
  first->second->repeats.push_back(std::move(command));
  return true;
}

// Elsewhere, so that commands of other streams pass.
void CommandLane::Load(StreamSlot& slot) {
  slot.is_loading = true;
  slot.work->waiting.front()->was_loaded_for = true;
  const AggregateType& aggregate = *slot.work->waiting.front()->aggregate;
  context_.loads.Post([self = shared_from_this(), &slot, &aggregate] {
    if (self->mailbox_.Put(LoadedState{&slot, self->context_.loader.Load(slot.stream, aggregate)})) self->Wake();
  });
}

void CommandLane::OnLoaded(LoadedState loaded) {
  StreamSlot& slot = *loaded.slot;
  slot.is_loading = false;
  if (loaded.state.ok()) {
    slot.state = *std::move(loaded.state);
    streams_.Measure(slot);
  } else {
    FailWaiting(slot, loaded.state.status());
  }
  MakeReady(slot);
}

void CommandLane::FailWaiting(StreamSlot& slot, const absl::Status& why) {
  for (RoutedCommandPtr& command : std::exchange(slot.work->waiting, {})) {
    if (!command->id.empty() && AnswerRecorded(command)) continue;
    Finish(std::move(command), why);
  }
}

void CommandLane::Decide(StreamSlot& slot, RoutedCommandPtr command) {
  command->decided_at = slot.state.version;
  if (command->type == nullptr) {
    command->seen.reset(slot.state.message->New());
    command->seen->CopyFrom(*slot.state.message);
    return Hold(slot, std::move(command), std::nullopt);
  }
  if (absl::Status status = CheckExpectations(*command, slot.state.version); !status.ok()) {
    return Hold(slot, std::move(command), std::move(status));
  }
  const absl::Time now = absl::FromUnixMicros(absl::ToUnixMicros(context_.clock.Now()));
  absl::StatusOr<AnyDecision> decision = AskDecider(slot, *command, now);
  if (!decision.ok()) return Hold(slot, std::move(command), decision.status());
  if (!decision->events.empty()) return Accept(slot, std::move(command), now, *std::move(decision));
  std::optional<absl::StatusOr<CommandOutcome>> outcome;
  if (decision->rejected()) outcome = CommandOutcome(std::move(decision->rejection));
  if (command->type->records_outcomes && !command->id.empty()) {
    RecordOutcome(slot, std::move(command), now, std::move(outcome));
  } else {
    Hold(slot, std::move(command), std::move(outcome));
  }
}

absl::StatusOr<AnyDecision> CommandLane::AskDecider(const StreamSlot& slot, const RoutedCommand& command,
                                                    absl::Time now) {
  Context context(now, slot.stream, slot.state.version, command.request.metadata, context_.random);
  absl::StatusOr<AnyDecision> decision =
      command.aggregate->Decide(*command.type, *slot.state.message, *command.request.command, context);
  const absl::Duration took = context_.clock.Now() - now;
  if (took > context_.options.slow_decision) {
    context_.counters.Add(context_.counters.slow_decisions);
    if (context_.options.on_slow_decision) context_.options.on_slow_decision(command.type->name, slot.stream, took);
  }
  return decision;
}

// What appends nothing is told when everything that it has seen is durable.
void CommandLane::Hold(StreamSlot& slot, RoutedCommandPtr command,
                       std::optional<absl::StatusOr<CommandOutcome>> outcome) {
  // Decided afresh, a repeat may come to something else.
  if (!command->id.empty() && AnswerRecorded(command)) return;
  command->held = std::move(outcome);
  command->settled = true;
  if (!CheckStillHead(slot, command)) return;
  if (slot.work->decided.empty()) {
    ReleaseHeld(std::move(command));
  } else {
    slot.work->decided.push_back(std::move(command));
  }
}

// True unless somebody else has appended to the stream since the state was read: then it is decided afresh. What is on
// its way here is beyond the head, and no reason.
bool CommandLane::CheckStillHead(StreamSlot& slot, RoutedCommandPtr& command) {
  const absl::StatusOr<Version> head = context_.store.VersionOf(slot.stream);
  if (!head.ok()) {
    Finish(std::move(command), head.status());
    return false;
  }
  const bool is_alone = slot.work->decided.empty();
  if (is_alone ? *head == command->decided_at : *head <= command->decided_at) return true;
  slot.state.message = nullptr;
  command->held.reset();
  command->settled = false;
  if (++command->conflicts > context_.options.max_conflict_retries) {
    absl::Status status = ManyConflicts(*command);
    Finish(std::move(command), std::move(status));
  } else {
    slot.work->waiting.push_front(std::move(command));
  }
  return false;
}

// The state is folded before the append, and from the bytes that will be stored: what cannot be folded, or be read
// again, stays out of the store.
void CommandLane::Accept(StreamSlot& slot, RoutedCommandPtr command, absl::Time decided_at, AnyDecision decision) {
  AppendRequest append = ToAppendRequest(*command, decided_at, decision);
  for (const NewEvent& event : append.streams[0].events) {
    const AggregateType& aggregate = *command->aggregate;
    absl::Status status = aggregate.EvolveStored(*slot.state.message, event.type, event.payload);
    if (status.ok()) continue;
    slot.state.message = nullptr;
    return Hold(slot, std::move(command), absl::IsDataLoss(status) ? UnreadableEvent(event.type) : std::move(status));
  }
  slot.state.version = slot.state.version.Plus(decision.events.size());
  command->snapshot.reset();  // of a decision that was taken back
  if (context_.loader.IsDue(slot.state)) {
    command->snapshot = Snapshot{slot.state.version, slot.state.message->SerializeAsString()};
    slot.state.snapshot = slot.state.version;
  }
  Append(slot, std::move(command), std::move(append));
}

// What appends no event is a commit all the same, so that a repeat is told the same.
void CommandLane::RecordOutcome(StreamSlot& slot, RoutedCommandPtr command, absl::Time decided_at,
                                std::optional<absl::StatusOr<CommandOutcome>> outcome) {
  const Rejection* const rejection = outcome.has_value() ? &std::get<Rejection>(**outcome) : nullptr;
  std::string encoded = EncodeOutcome(command->decided_at, rejection);
  if (encoded.size() > kMaxOutcomeBytes) {
    absl::Status status = OutcomeIsTooLarge(command->type->name, encoded.size());
    return Hold(slot, std::move(command), std::move(status));
  }
  AppendRequest append = ToAppendRequest(*command, decided_at, AnyDecision());
  append.outcome = std::move(encoded);
  command->held = std::move(outcome);
  command->snapshot.reset();
  Append(slot, std::move(command), std::move(append));
}

void CommandLane::Append(StreamSlot& slot, RoutedCommandPtr command, AppendRequest append) {
  StreamWork& work = *slot.work;
  if (work.chain == nullptr) work.chain = std::make_shared<AppendChain>();
  append.link = {work.chain, ++work.appends};
  RoutedCommand* const on_the_way = command.get();
  work.decided.push_back(std::move(command));
  if (!on_the_way->id.empty()) ids_on_the_way_.emplace(KeyOf(*on_the_way), on_the_way);
  context_.store.Append(std::move(append),
                        [self = shared_from_this(), on_the_way](absl::StatusOr<AppendResult> result) {
                          on_the_way->appended = std::move(result);
                          if (self->mailbox_.PutAnswered(on_the_way)) self->WakeNext();
                        });
}

// Those whose fate is known, in the order in which they were decided.
void CommandLane::Release(StreamSlot& slot) {
  StreamWork& work = *slot.work;
  while (!work.decided.empty() && work.decided.front()->settled) {
    RoutedCommandPtr command = std::move(work.decided.front());
    work.decided.pop_front();
    command->settled = false;
    if (command->appended.has_value() && !command->id.empty()) ids_on_the_way_.erase(KeyOf(*command));
    if (work.broken) {
      ReleaseBroken(slot, std::move(command));
    } else if (command->appended.has_value()) {
      ReleaseAppended(slot, std::move(command));
    } else {
      ReleaseHeld(std::move(command));
    }
  }
  if (work.broken && work.decided.empty()) DecideAgain(work);
}

void CommandLane::ReleaseAppended(StreamSlot& slot, RoutedCommandPtr command) {
  const absl::StatusOr<AppendResult> result = *std::exchange(command->appended, std::nullopt);
  if (result.ok()) {
    // A repeat that was found only now was decided on a state that it had changed already.
    if (result->repeated) {
      asked_first_ = kAskedAfterARepeat;
      Break(slot);
    } else if (command->snapshot.has_value()) {
      context_.loader.Save(slot.stream, *command->aggregate, *std::move(command->snapshot));
    }
    if (!command->id.empty()) recent_ids_.Add(absl::HashOf(KeyOf(*command)));
    const bool is_rejection = !result->repeated && command->held.has_value();
    absl::StatusOr<CommandOutcome> outcome =
        is_rejection ? *std::exchange(command->held, std::nullopt) : OutcomeOf(*command, *result);
    return Finish(std::move(command), std::move(outcome));
  }
  command->held.reset();
  Break(slot);
  const bool foreign_append = absl::IsAborted(result.status());
  if (foreign_append && ++command->conflicts <= context_.options.max_conflict_retries) {
    slot.work->again.push_back(std::move(command));
  } else {
    Finish(std::move(command), result.status());
  }
}

// One before it was not made, so that it was decided on a state that there is not.
void CommandLane::ReleaseBroken(StreamSlot& slot, RoutedCommandPtr command) {
  command->held.reset();
  const std::optional<absl::StatusOr<AppendResult>> appended = std::exchange(command->appended, std::nullopt);
  // What is malformed may be so only because of what was not made.
  const bool is_afresh =
      !appended.has_value() || absl::IsAborted(appended->status()) || absl::IsInvalidArgument(appended->status());
  if (is_afresh) {
    slot.work->again.push_back(std::move(command));
    return;
  }
  absl::StatusOr<CommandOutcome> outcome = appended->status();
  if (appended->ok()) {
    EVERFOLD_CHECK((*appended)->repeated);
    outcome = OutcomeOf(*command, **appended);
  }
  Finish(std::move(command), std::move(outcome));
}

void CommandLane::ReleaseHeld(RoutedCommandPtr command) {
  if (absl::Status closed = CheckStoreIsOpen(context_.store); !closed.ok()) {
    return Finish(std::move(command), std::move(closed));
  }
  absl::StatusOr<CommandOutcome> outcome =
      command->held.has_value() ? *std::move(command->held) : CommandOutcome(Unchanged(*command));
  Finish(std::move(command), std::move(outcome));
}

void CommandLane::Break(StreamSlot& slot) {
  slot.work->broken = true;
  slot.state.message = nullptr;
}

void CommandLane::DecideAgain(StreamWork& work) {
  work.broken = false;
  work.chain = nullptr;
  work.appends = 0;
  context_.counters.Add(context_.counters.decided_again, work.again.size());
  while (!work.again.empty()) {
    work.waiting.push_front(std::move(work.again.back()));
    work.again.pop_back();
  }
}

CommandReceipt CommandLane::Unchanged(const RoutedCommand& command) const {
  return {.stream = command.stream,
          .version = command.decided_at,
          .token = TokenOfHead(context_.store, command.stream),
          .sequence = Sequence(),
          .recorded_at = context_.clock.Now()};
}

absl::StatusOr<CommandOutcome> CommandLane::OutcomeOf(const RoutedCommand& command, const AppendResult& result) const {
  if (result.outcome.empty()) return ReceiptOf(command, result);
  EVERFOLD_ASSIGN_OR_RETURN(RecordedOutcome recorded,
                            DecodeOutcome(result.outcome, command.aggregate->rejections, command.aggregate->name));
  if (recorded.rejection.has_value()) return CommandOutcome(*std::move(recorded.rejection));
  return CommandReceipt{.stream = command.stream,
                        .version = recorded.version,
                        .token = TokenOfHead(context_.store, command.stream),
                        .sequence = result.sequence,
                        .recorded_at = result.recorded_at,
                        .repeated = true};
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

void CommandLane::Finish(RoutedCommandPtr command, absl::StatusOr<CommandOutcome> outcome) {
  Tell(*command, std::move(outcome));
  // They were taken in before: no limit is theirs any more.
  for (RoutedCommandPtr& repeat : std::exchange(command->repeats, {})) {
    SlotOf(*repeat).work->waiting.push_back(std::move(repeat));
  }
  finished_.push_back(std::move(command));
}

void CommandLane::Tell(RoutedCommand& command, absl::StatusOr<CommandOutcome> outcome) {
  if (command.type != nullptr) {
    if (outcome.ok()) {
      if (auto* const rejection = std::get_if<Rejection>(&*outcome)) rejection->subject = command.stream.ToString();
    }
    return command.done(std::move(outcome));
  }
  if (!outcome.ok()) return command.state_done(outcome.status());
  CommandReceipt& receipt = std::get<CommandReceipt>(*outcome);
  command.state_done(StateAnswer{std::move(command.seen), receipt.version, std::move(receipt.token)});
}

}  // namespace everfold

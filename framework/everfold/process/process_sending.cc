// What a process sends: commands, until they are accepted or refused.
#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/event_key.h"
#include "everfold/process/process_runner.h"

namespace everfold {
namespace {

constexpr absl::Duration kRecordEndedAfter = absl::Seconds(1);
// Sooner where a start has sent it: the next start would send it again, before it comes to what is new.
constexpr absl::Duration kRecordTakenUpAfter = absl::Milliseconds(100);
constexpr std::size_t kMostRecordedAtATime = kMaxStreamsPerCommit;

// The command was not decided, and never will be as it is: its process hears of it. Whatever else an answer says, the
// command may go through later, when somebody has more room, or has mended something.
bool IsRefusal(const absl::Status& answer) {
  switch (answer.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
      return true;
    default:
      return false;
  }
}

}  // namespace

// Everything that is open and not under way. `taken_up`: it was on record before this process began.
void ProcessRunner::Launch(ProcessSlot& slot, bool taken_up) {
  // The store forgets by what it recorded last, which may be later than this clock; the next commit may be as late as
  // it.
  const absl::Time oldest = std::max(options_.clock->Now() - options_.command_retention, store_.CommandsSince());
  for (const auto& [ref, command] : slot.instance->commands) {
    const bool is_accepted = std::find(slot.accepted.begin(), slot.accepted.end(), ref) != slot.accepted.end();
    if (is_accepted || slot.flights.contains(ref)) continue;
    if (taken_up && command.recorded_at < oldest) {
      slot.flights[ref].state = CommandFlight::State::kExpired;
      Tell(LogLevel::kWarning, "a command of a process is too old to be sent again, an operator decides",
           {{"process", type_->name}, {"instance", slot.key}, {"command", command.type}, {"id", command.id}});
      continue;
    }
    ++in_flight_;
    ++commands_sent_;
    slot.flights[ref].taken_up = taken_up;
    Send(slot, ref);
  }
  for (const auto& [ref, activity] : slot.instance->activities) {
    if (!slot.runs.contains(ref)) Run(slot, ref, taken_up);
  }
}

void ProcessRunner::Send(ProcessSlot& slot, const OutgoingRef& ref) {
  const OpenCommand& command = slot.instance->commands.at(ref);
  CommandFlight& flight = slot.flights[ref];
  flight.state = CommandFlight::State::kSent;
  ++flight.attempts;
  CommandRequest request;
  request.request_id = command.id;
  request.tenant = slot.instance->stream.tenant;
  request.metadata = command.metadata;
  request.metadata.causation_id = absl::StrFormat("%s@%d", slot.instance->stream.ToString(), ref.version.value());
  std::optional<TaskScope::Guard> guard = scope_.Enter();
  if (!guard.has_value()) return;
  ++sends_under_way_;
  sending_->Post(
      [this, guard = *std::move(guard), key = slot.key, ref, type = command.type, payload = command.payload,
       request = std::move(request)]() mutable { SendOut(std::move(key), ref, type, payload, std::move(request)); });
}

// On the strand `sending_`: routing and checking a command costs as much as a step.
void ProcessRunner::SendOut(std::string key, const OutgoingRef& ref, const std::string& type,
                            const std::string& payload, CommandRequest request) {
  const std::optional<CommandTarget> target = commands_.FindTarget(type);
  if (!target.has_value()) {
    return TellAnswered(std::move(key), ref,
                        Error(absl::StatusCode::kUnimplemented, reason::kUnknownType,
                              absl::StrFormat("no part of the application takes the command %s", type)));
  }
  std::shared_ptr<google::protobuf::Message> message(target->type->prototype->New());
  if (!message->ParseFromString(payload)) {
    return TellAnswered(std::move(key), ref,
                        Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
                              absl::StrFormat("a recorded command %s does not parse", type)));
  }
  request.command = message.get();
  commands_.Handle(std::move(request), [this, scope = scope_, key = std::move(key), ref,
                                        message](absl::StatusOr<CommandOutcome> answer) mutable {
    const std::optional<TaskScope::Guard> guard = scope.Enter();
    if (guard.has_value()) TellAnswered(std::move(key), ref, std::move(answer));
  });
}

// From any thread.
void ProcessRunner::TellAnswered(std::string key, const OutgoingRef& ref, absl::StatusOr<CommandOutcome> answer) {
  OnStrand([this, key = std::move(key), ref, answer = std::move(answer)] {
    --sends_under_way_;
    Answered(key, ref, answer);
    RunStep();
  });
}

void ProcessRunner::Answered(const std::string& key, const OutgoingRef& ref,
                             const absl::StatusOr<CommandOutcome>& answer) {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return;
  ProcessSlot& slot = *found->second;
  const auto flight = slot.flights.find(ref);
  // Its event was faster, or it was begun again meanwhile.
  if (flight == slot.flights.end() || flight->second.state != CommandFlight::State::kSent) return;
  if (answer.ok() && std::holds_alternative<CommandReceipt>(*answer)) {
    return Accepted(slot, ref);
  }
  // The id is of this step and place, so whoever was decided under it is this command: as an earlier release wrote it.
  if (ReasonOf(answer.status()) == reason::kIdempotencyKeyReused) return Accepted(slot, ref);
  if (!answer.ok() && !IsRefusal(answer.status())) return SendLater(slot, ref, answer.status());
  flight->second.state = CommandFlight::State::kAnswered;
  AnyRefusal refusal;
  if (answer.ok()) {
    const Rejection& rejection = std::get<Rejection>(*answer);
    refusal.rejection_type = rejection.message->GetDescriptor()->full_name();
    refusal.rejection = rejection.message->SerializeAsString();
    refusal.status = absl::Status(rejection.code, absl::StrFormat("rejected: %s", refusal.rejection_type));
  } else {
    refusal.status = absl::Status(answer.status().code(), PrintableText(std::string(answer.status().message()), 1000));
  }
  AddInput(slot, RefusalInput{.command = ref, .refusal = std::move(refusal)}, nullptr);
}

void ProcessRunner::SendLater(ProcessSlot& slot, const OutgoingRef& ref, const absl::Status& error) {
  CommandFlight& flight = slot.flights.at(ref);
  flight.state = CommandFlight::State::kWaiting;
  // Of a decider that threw it may be anything, and operators read it.
  flight.error = send_error_ = PrintableError(error, kMaxReactorErrorBytes);
  ++waiting_sends_;
  if (flight.attempts == kAttemptsUntilTold) {
    Tell(LogLevel::kWarning, "a command of a process does not go through; it is sent again",
         {{"process", type_->name}, {"instance", slot.key}, {"cause", std::string(error.message())}});
  }
  if (!is_closing_) WaitToSend(slot, ref);
}

void ProcessRunner::WaitToSend(ProcessSlot& slot, const OutgoingRef& ref) {
  CommandFlight& flight = slot.flights.at(ref);
  const absl::Duration pause = PauseAfter(flight.attempts);
  flight.next_attempt = options_.clock->Now() + pause;
  After(flight.retry, pause, [this, key = slot.key, ref] {
    const auto found = slots_.find(key);
    if (found == slots_.end()) return;
    const auto again = found->second->flights.find(ref);
    if (again == found->second->flights.end() || again->second.state != CommandFlight::State::kWaiting) return;
    if (is_closing_ || !error_.ok()) return;  // it is on record, and is sent when it is taken up again
    if (again->second.being_dropped) return WaitToSend(*found->second, ref);
    --waiting_sends_;
    Send(*found->second, ref);
    Show();
  });
}

// It is known, and put on record with the next step, or later: until then a restart sends it again, in vain. No step
// follows where the instance has ended: soon, then, with others.
void ProcessRunner::Accepted(ProcessSlot& slot, const OutgoingRef& ref) {
  const absl::Duration wait = options_.record_accepted_after;
  absl::Duration left = wait;
  if (slot.instance->done) left = std::min(left, kRecordEndedAfter);
  if (slot.flights.at(ref).taken_up) left = std::min(left, kRecordTakenUpAfter);
  slot.flights.erase(ref);
  --in_flight_;
  const absl::Time since = options_.clock->Now() - (wait - left);
  slot.accepted.push_back(ref);
  if (slot.accepted.size() > 1 && slot.accepted_since <= since) return;
  unrecorded_.erase({slot.accepted_since, slot.key});
  slot.accepted_since = since;
  unrecorded_.emplace(since, slot.key);
}

void ProcessRunner::RecordAcceptedInTime() {
  const absl::Time now = options_.clock->Now();
  while (runs() && !unrecorded_.empty()) {
    const absl::Time due = unrecorded_.begin()->first + options_.record_accepted_after;
    if (due > now && unrecorded_.size() <= options_.max_accepted_unrecorded) {
      if (record_timer_ != nullptr && record_timer_at_ <= due) return;
      record_timer_at_ = due;
      return After(record_timer_, due - now, [this] {
        record_timer_.reset();
        RunStep();
      });
    }
    const bool is_due = due <= now;
    if (!RecordSomeAccepted(is_due ? now - options_.record_accepted_after : absl::InfiniteFuture())) return;
  }
}

// One commit for as many instances as fit, of those that wait since then or before. False if there is none to record
// now.
bool ProcessRunner::RecordSomeAccepted(absl::Time until) {
  struct Recorded {
    std::string key;
    MadeStep made;
    Metadata metadata;
  };
  std::vector<Recorded> recorded;
  AppendRequest request;
  std::size_t bytes = 0;
  for (const auto& [since, key] : unrecorded_) {
    if (since > until) break;
    ProcessSlot& slot = *slots_.at(key);
    if (slot.appending) continue;
    if (!recorded.empty() && slot.instance->stream.tenant != request.tenant) continue;
    MadeStep made = RecordAccepted(*type_, *slot.instance, slot.accepted);
    bytes += made.step.ByteSizeLong();
    if (!recorded.empty() && bytes > kMaxCommitBytes / 2) break;
    AppendRequest one = RequestOf(*slot.instance, made.step);
    request.tenant = one.tenant;
    request.of_framework = true;
    request.streams.push_back(std::move(one.streams.front()));
    // What the instance goes by is what its last input said.
    recorded.push_back({key, std::move(made), slot.instance->metadata});
    if (recorded.size() == kMostRecordedAtATime) break;
  }
  if (recorded.empty()) return false;
  if (recorded.size() == 1) request.metadata = recorded.front().metadata;
  request.metadata.causation_id.clear();
  request.metadata.actor = "process:" + type_->name;
  for (const Recorded& one : recorded) {
    ProcessSlot& slot = *slots_.at(one.key);
    slot.appending = true;
    slot.ends_first = false;
    unrecorded_.erase({slot.accepted_since, one.key});
  }
  ++appending_;
  store_.Append(std::move(request), [this, scope = scope_,
                                     recorded = std::move(recorded)](absl::StatusOr<AppendResult> result) mutable {
    std::optional<TaskScope::Guard> guard = scope.Enter();
    if (!guard.has_value()) return;
    strand_->Post([this, guard = *std::move(guard), recorded = std::move(recorded), result = std::move(result)] {
      --appending_;
      for (const Recorded& one : recorded) {
        ProcessSlot& slot = SlotOf(one.key);
        slot.appending = false;
        if (result.ok()) {
          const absl::Status applied = ApplyStep(slot, one.made, result->recorded_at, one.metadata);
          if (!applied.ok()) Stop(applied);
        }
        if (!slot.accepted.empty() && (result.ok() || !is_closing_)) {  // more, meanwhile
          unrecorded_.erase({slot.accepted_since, slot.key});
          if (!result.ok()) slot.accepted_since = options_.clock->Now();
          unrecorded_.emplace(slot.accepted_since, slot.key);
        }
        Work(slot);
        if (is_closing_) AnswerWaiting(slot);
      }
      if (!result.ok() && !absl::IsResourceExhausted(result.status())) Stop(result.status());
      RunStep();
    });
  });
  return true;
}

}  // namespace everfold

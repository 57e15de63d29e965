#include "everfold/process/process_instance.h"

#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/base/uuid.h"
#include "everfold/event/event_key.h"

namespace everfold {
namespace {

absl::Status Damaged(const StreamId& stream, Version version, const std::string& what) {
  return Error(absl::StatusCode::kDataLoss, reason::kDataLoss,
               absl::StrFormat("version %d of %s %s", version.value(), KeyOfStream(stream), what));
}

absl::Status AddOpen(ProcessInstance& instance, const v1::ProcessStep& step, Version version, std::uint32_t index,
                     absl::Time recorded_at, const Metadata& metadata) {
  const OutgoingRef ref{version, index};
  if (index >= static_cast<std::uint32_t>(step.commands_size())) {
    return Damaged(instance.stream, version, "has no such command");
  }
  const v1::ProcessCommand& command = step.commands(static_cast<int>(index));
  instance.commands[ref] = {.id = OutgoingId(instance.stream, ref, recorded_at),
                            .type = command.type(),
                            .payload = command.payload(),
                            .recorded_at = recorded_at,
                            .metadata = metadata};
  return absl::OkStatus();
}

absl::Status AddActivity(ProcessInstance& instance, const v1::ProcessStep& step, Version version, std::uint32_t index,
                         absl::Time recorded_at) {
  const OutgoingRef ref{version, index};
  if (index >= static_cast<std::uint32_t>(step.activities_size())) {
    return Damaged(instance.stream, version, "has no such activity");
  }
  const v1::ProcessActivity& activity = step.activities(static_cast<int>(index));
  instance.activities[ref] = {.key = ActivityKey(instance.stream, ref, recorded_at),
                              .name = activity.name(),
                              .request = activity.request(),
                              .deadline = TimeOf(activity.deadline_time())};
  return absl::OkStatus();
}

// What the step says of everything but commands, activities and the state.
void SetRest(ProcessInstance& instance, const v1::ProcessStep& step, Version version) {
  const v1::ProcessPlace& last = step.open().last_event();
  instance.version = version;
  instance.last_event = {Sequence(last.sequence()), {PartitionId(last.partition()), Offset(last.offset())}};
  instance.timers.clear();
  for (const v1::ProcessTimer& timer : step.open().timers()) instance.timers[timer.name()] = timer;
  instance.done = step.done();
}

// Of a step that was read.
absl::Status SetState(ProcessInstance& instance, const ProcessType& type, const v1::ProcessStep& step,
                      Version version) {
  std::shared_ptr<google::protobuf::Message> state(type.initial_state->New());
  if (!state->ParseFromString(step.state())) {
    return Damaged(instance.stream, version, absl::StrFormat("has no state of process %s", type.name));
  }
  instance.state = std::move(state);
  return absl::OkStatus();
}

// Adds what the step at hand has sent, of what is open.
absl::Status AddOpenOf(ProcessInstance& instance, const v1::ProcessOpen& open, const v1::ProcessStep& step,
                       Version version, absl::Time recorded_at, const Metadata& metadata) {
  for (const v1::ProcessReference& command : open.commands()) {
    if (Version(command.version()) != version) continue;
    EVERFOLD_RETURN_IF_ERROR(AddOpen(instance, step, version, command.index(), recorded_at, metadata));
  }
  for (const v1::ProcessReference& activity : open.activities()) {
    if (Version(activity.version()) != version) continue;
    EVERFOLD_RETURN_IF_ERROR(AddActivity(instance, step, version, activity.index(), recorded_at));
  }
  return absl::OkStatus();
}

}  // namespace

v1::ProcessReference ReferenceOf(const OutgoingRef& ref) {
  v1::ProcessReference reference;
  reference.set_version(ref.version.value());
  reference.set_index(ref.index);
  return reference;
}

OutgoingRef RefOf(const v1::ProcessReference& reference) { return {Version(reference.version()), reference.index()}; }

namespace {

// No part can hold a line's end, so different ones have different texts.
std::string IdOf(const char* kind, const StreamId& instance, const OutgoingRef& ref, absl::Time recorded_at) {
  return UuidOfName(absl::StrFormat("process %s\n%s\n%s\n%d\n%d\n%d", kind, instance.tenant, instance.ToString(),
                                    ref.version.value(), ref.index, absl::ToUnixMicros(recorded_at)));
}

}  // namespace

std::string OutgoingId(const StreamId& instance, const OutgoingRef& ref, absl::Time recorded_at) {
  return IdOf("command", instance, ref, recorded_at);
}

std::string ActivityKey(const StreamId& instance, const OutgoingRef& ref, absl::Time recorded_at) {
  return IdOf("activity", instance, ref, recorded_at);
}

absl::Status ProcessInstance::Apply(const v1::ProcessStep& step, std::shared_ptr<const google::protobuf::Message> state,
                                    absl::Time recorded_at, const Metadata& metadata) {
  const Version next(version.value() + 1);
  SetRest(*this, step, next);
  this->state = std::move(state);
  this->metadata = metadata;
  this->metadata.correlation_id = step.open().correlation_id();
  std::set<OutgoingRef> open_commands, open_activities;
  for (const v1::ProcessReference& command : step.open().commands()) open_commands.insert(RefOf(command));
  for (const v1::ProcessReference& activity : step.open().activities()) open_activities.insert(RefOf(activity));
  std::erase_if(commands, [&](const auto& command) { return !open_commands.contains(command.first); });
  std::erase_if(activities, [&](const auto& activity) { return !open_activities.contains(activity.first); });
  return AddOpenOf(*this, step.open(), step, next, recorded_at, metadata);
}

absl::Status ReadStep(const RecordedEvent& event, v1::ProcessStep& step) {
  const bool decoded = event.event.type == v1::ProcessStep::descriptor()->full_name() &&
                       step.ParseFromArray(event.event.payload.data(), static_cast<int>(event.event.payload.size()));
  return decoded ? absl::OkStatus() : Damaged(event.stream.stream, event.version, "is no step of a process");
}

absl::StatusOr<v1::ProcessStep> StepOfEvent(const RecordedEvent& event) {
  v1::ProcessStep step;
  EVERFOLD_RETURN_IF_ERROR(ReadStep(event, step));
  return step;
}

absl::StatusOr<bool> HasTaken(const EventStore& store, const ProcessInstance& instance, const StreamId& stream,
                              Version version) {
  bool taken = false;
  const absl::Status enough = absl::CancelledError();
  const absl::Status read = store.ReadStream(
      instance.stream, {.direction = Direction::kBackwards}, [&](const RecordedEvent& event) -> absl::Status {
        EVERFOLD_ASSIGN_OR_RETURN(const v1::ProcessStep step, StepOfEvent(event));
        taken =
            step.has_event() && step.event().stream() == stream.ToString() && step.event().version() == version.value();
        return taken ? enough : absl::OkStatus();
      });
  if (!read.ok() && read != enough) return read;
  return taken;
}

namespace {

ProcessInstance NewInstance(const ProcessType& type, const StreamId& stream) {
  ProcessInstance instance;
  instance.stream = stream;
  std::shared_ptr<google::protobuf::Message> state(type.initial_state->New());
  *type.mutable_id(*state) = stream.id;
  instance.state = std::move(state);
  return instance;
}

}  // namespace

absl::StatusOr<ProcessInstance> LoadInstance(const EventStore& store, const ProcessType& type, const StreamId& stream) {
  ProcessInstance instance;
  instance.stream = stream;
  std::optional<v1::ProcessStep> newest;
  // Most are new, and to know that costs less than to look for their steps.
  EVERFOLD_ASSIGN_OR_RETURN(const Version version, store.VersionOf(stream));
  if (version == Version(0)) return NewInstance(type, stream);
  EVERFOLD_RETURN_IF_ERROR(store.ReadStream(
      stream, {.direction = Direction::kBackwards, .limit = 1}, [&](const RecordedEvent& event) -> absl::Status {
        EVERFOLD_ASSIGN_OR_RETURN(newest, StepOfEvent(event));
        EVERFOLD_RETURN_IF_ERROR(SetState(instance, type, *newest, event.version));
        SetRest(instance, *newest, event.version);
        instance.metadata = event.commit.metadata;
        instance.metadata.correlation_id = newest->open().correlation_id();
        return AddOpenOf(instance, newest->open(), *newest, event.version, event.commit.recorded_at,
                         event.commit.metadata);
      }));
  if (!newest.has_value()) return NewInstance(type, stream);  // they were erased
  std::set<Version> versions;
  for (const v1::ProcessReference& command : newest->open().commands()) versions.insert(Version(command.version()));
  for (const v1::ProcessReference& activity : newest->open().activities()) versions.insert(Version(activity.version()));
  versions.erase(instance.version);
  for (const Version version : versions) {
    bool found = false;
    const StreamRange only{.after = Version(version.value() - 1), .upto = version, .limit = 1};
    EVERFOLD_RETURN_IF_ERROR(store.ReadStream(stream, only, [&](const RecordedEvent& event) -> absl::Status {
      EVERFOLD_ASSIGN_OR_RETURN(const v1::ProcessStep step, StepOfEvent(event));
      found = true;
      return AddOpenOf(instance, newest->open(), step, event.version, event.commit.recorded_at, event.commit.metadata);
    }));
    if (!found) return Damaged(stream, version, "is missing, and something that it ordered is open");
  }
  return instance;
}

}  // namespace everfold

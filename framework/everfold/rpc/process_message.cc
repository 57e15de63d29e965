#include "everfold/rpc/process_message.h"

#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/rpc/duration_message.h"
#include "everfold/rpc/reactor_message.h"
#include "everfold/rpc/status.h"

namespace everfold {

v1::ProcessInfo ProcessMessage(const ProcessStatus& status) {
  v1::ProcessInfo message;
  message.set_name(status.name);
  message.set_state(StateMessage(status.state));
  if (!status.error.ok()) *message.mutable_error() = ToStatusMessage(status.error);
  message.set_lag_events(status.lag_events);
  *message.mutable_lag() = DurationMessage(status.lag);
  message.set_instances(status.instances);
  message.set_in_flight(status.in_flight);
  message.set_timers(status.timers);
  message.set_parked(status.parked);
  message.set_waiting_sends(status.waiting_sends);
  if (!status.send_error.ok()) *message.mutable_send_error() = ToStatusMessage(status.send_error);
  message.set_activities_in_vain(status.activities_in_vain);
  if (!status.activity_error.ok()) *message.mutable_activity_error() = ToStatusMessage(status.activity_error);
  message.set_steps(status.steps);
  return message;
}

v1::OpenProcessInstance OpenInstanceMessage(const OpenInstance& instance) {
  v1::OpenProcessInstance message;
  message.set_key(instance.key);
  message.set_version(instance.version.value());
  message.set_in_flight(instance.in_flight);
  message.set_timers(instance.timers);
  *message.mutable_recorded_time() = TimestampOf(instance.recorded_at);
  return message;
}

v1::ParkedProcessInstance ParkedInstanceMessage(const ParkedInstance& parked) {
  v1::ParkedProcessInstance message;
  message.set_instance(parked.instance);
  message.set_input(parked.input);
  message.set_error(parked.error);
  message.set_parked(parked.parked);
  if (!parked.parked) *message.mutable_next_attempt_time() = TimestampOf(parked.next_attempt);
  return message;
}

v1::GetProcessInstanceResponse InstanceMessage(const ProcessInstance& instance) {
  v1::GetProcessInstanceResponse message;
  message.mutable_state()->PackFrom(*instance.state);
  message.set_version(instance.version.value());
  message.set_done(instance.done);
  for (const auto& [ref, command] : instance.commands) {
    v1::CommandInFlight& in_flight = *message.add_commands();
    in_flight.set_request_id(command.id);
    in_flight.set_type(command.type);
    *in_flight.mutable_recorded_time() = TimestampOf(command.recorded_at);
    in_flight.set_attempts(command.attempts.begun);
    if (!command.attempts.error.ok()) *in_flight.mutable_error() = ToStatusMessage(command.attempts.error);
    in_flight.set_accepted(command.accepted);
  }
  for (const auto& [ref, activity] : instance.activities) {
    v1::RunningActivity& running = *message.add_activities();
    running.set_key(activity.key);
    running.set_name(activity.name);
    *running.mutable_deadline_time() = TimestampOf(activity.deadline);
    running.set_attempts(activity.attempts.begun);
    if (!activity.attempts.error.ok()) *running.mutable_error() = ToStatusMessage(activity.attempts.error);
    running.set_waits_for_turn(activity.waits_for_turn);
  }
  for (const auto& [name, timer] : instance.timers) *message.add_timers() = timer;
  return message;
}

absl::Status AddSteps(const EventStore& store, const StreamId& stream, std::size_t max_steps,
                      v1::GetProcessInstanceResponse& response) {
  return store.ReadStream(stream, {.direction = Direction::kBackwards, .limit = max_steps},
                          [&response](const RecordedEvent& event) -> absl::Status {
                            EVERFOLD_ASSIGN_OR_RETURN(v1::ProcessStep step, StepOfEvent(event));
                            step.clear_state();
                            v1::RecordedProcessStep& recorded = *response.add_steps();
                            recorded.set_version(event.version.value());
                            *recorded.mutable_recorded_time() = TimestampOf(event.commit.recorded_at);
                            recorded.set_causation_id(event.commit.metadata.causation_id);
                            recorded.set_correlation_id(event.commit.metadata.correlation_id);
                            *recorded.mutable_step() = std::move(step);
                            return absl::OkStatus();
                          });
}

}  // namespace everfold

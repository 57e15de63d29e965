#include "everfold/rpc/reactor_message.h"

#include "everfold/base/timestamp.h"
#include "everfold/rpc/duration_message.h"
#include "everfold/rpc/status.h"

namespace everfold {

v1::ReactorState StateMessage(ReactorState state) {
  switch (state) {
    case ReactorState::kRunning:
      return v1::REACTOR_STATE_RUNNING;
    case ReactorState::kPaused:
      return v1::REACTOR_STATE_PAUSED;
    case ReactorState::kStopped:
      return v1::REACTOR_STATE_STOPPED;
  }
  return v1::REACTOR_STATE_UNSPECIFIED;
}

v1::ReactorInfo ReactorMessage(const ReactorStatus& status) {
  v1::ReactorInfo message;
  message.set_name(status.name);
  message.set_state(StateMessage(status.state));
  if (!status.error.ok()) *message.mutable_error() = ToStatusMessage(status.error);
  message.set_lag_events(status.lag_events);
  *message.mutable_lag() = DurationMessage(status.lag);
  message.set_done_events(status.done);
  message.set_taken_keys(status.taken_keys);
  message.set_waiting_keys(status.waiting_keys);
  message.set_parked_keys(status.parked_keys);
  return message;
}

v1::WaitingReaction WaitingReactionMessage(const ReactorKey& key) {
  v1::WaitingReaction message;
  message.set_key(key.key);
  message.set_tenant(key.at.stream.tenant);
  message.set_stream(key.at.stream.ToString());
  message.set_version(key.at.version.value());
  message.set_sequence(key.at.sequence.value());
  message.set_attempts(key.attempts);
  message.set_error(key.error);
  message.set_parked(key.parked);
  if (!key.parked) *message.mutable_next_attempt_time() = TimestampOf(key.next_attempt);
  return message;
}

}  // namespace everfold

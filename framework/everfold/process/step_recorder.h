// What a React orders, written down: the part of a step that user code decides.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "everfold/base/random.h"
#include "everfold/decide/event_context.h"
#include "everfold/event/stream_id.h"
#include "everfold/v1/process_step.pb.h"
#include "google/protobuf/message.h"

namespace everfold {

// Of one instance at a time, each: what is open is held in memory, and named in every step.
inline constexpr std::size_t kMaxOpenCommands = 100;
inline constexpr std::size_t kMaxOpenActivities = 100;
inline constexpr std::size_t kMaxOpenTimers = 100;
inline constexpr std::size_t kMaxTimerNameBytes = 200;

// Threading: one thread. Lifetime: one call of React.
class StepRecorder {
 public:
  // `event` is null if the input is none.
  StepRecorder(absl::Time now, const StreamId& instance, const EventContext* event, RandomSource& random)
      : now_(now), instance_(instance), event_(event), random_(random) {}

  absl::Time now() const { return now_; }
  const StreamId& instance() const { return instance_; }
  const EventContext* event() const { return event_; }
  std::string NewId();

  void Send(const google::protobuf::Message& command);
  void Run(const std::string& activity, const google::protobuf::Message& request, absl::Duration timeout);
  // `command` is null for a timer that the process is asked about.
  void SetTimer(const std::string& name, absl::Time at, const google::protobuf::Message* command);
  void CancelTimer(const std::string& name);
  void Done() { done_ = true; }

  // What was recorded. A timer that is set and cancelled is cancelled, and the other way round: the last one counts.
  const std::vector<v1::ProcessCommand>& commands() const { return commands_; }
  std::vector<v1::ProcessCommand> take_commands() { return std::move(commands_); }
  std::vector<v1::ProcessActivity> take_activities() { return std::move(activities_); }
  const std::vector<v1::ProcessTimer>& timers_set() const { return timers_set_; }
  const std::vector<std::string>& timers_cancelled() const { return timers_cancelled_; }
  bool done() const { return done_; }
  // INVALID_ARGUMENT for the first thing that cannot be.
  const absl::Status& status() const { return status_; }

 private:
  bool CheckTimerName(const std::string& name);

  const absl::Time now_;
  const StreamId& instance_;
  const EventContext* const event_;
  RandomSource& random_;
  std::vector<v1::ProcessCommand> commands_;
  std::vector<v1::ProcessActivity> activities_;
  std::vector<v1::ProcessTimer> timers_set_;
  std::vector<std::string> timers_cancelled_;
  bool done_ = false;
  absl::Status status_;
};

}  // namespace everfold

#include "everfold/app/process_text.h"

#include <google/protobuf/util/json_util.h>

#include <memory>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "everfold/app/progress_bar.h"
#include "everfold/app/reactors.h"
#include "everfold/base/counted.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/stream_id.h"

namespace everfold {
namespace {

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime(absl::RFC3339_sec, TimeOf(time), absl::UTCTimeZone());
}

// As a shell takes it: a key begins with a $, which it would take for a variable's in double quotes.
std::string ShellText(const std::string& key) {
  if (!IsPrintableUtf8(key)) return ShownText(key);
  return "'" + absl::StrReplaceAll(key, {{"'", "'\\''"}}) + "'";
}

// As JSON where the message is known. A prototype is null where it is not.
std::string TextOfMessage(const google::protobuf::Message* prototype, const std::string& bytes) {
  if (prototype != nullptr) {
    const std::unique_ptr<google::protobuf::Message> message(prototype->New());
    std::string json;
    google::protobuf::util::JsonPrintOptions options;
    options.preserve_proto_field_names = true;
    if (message->ParseFromString(bytes) && google::protobuf::util::MessageToJsonString(*message, &json, options).ok()) {
      return json;
    }
  }
  return Counted(bytes.size(), "byte");
}

std::string NameOf(const v1::ProcessReference& reference) {
  return absl::StrFormat("%d/%d", reference.version(), reference.index());
}

// The text of an instance, whose messages `type` knows, if it is not null.
class InstanceText {
 public:
  InstanceText(const v1::GetProcessInstanceResponse& instance, const ProcessType* type)
      : instance_(instance), type_(type) {}

  std::string Format() {
    Add("version %d%s\n", instance_.version(), instance_.done() ? ", ended" : "");
    AddState();
    for (const v1::ParkedProcessInstance& parked : instance_.parked()) AddParked(parked);
    for (const v1::CommandInFlight& command : instance_.commands()) AddCommand(command);
    for (const v1::RunningActivity& activity : instance_.activities()) AddActivity(activity);
    for (const v1::ProcessTimer& timer : instance_.timers()) {
      Add("timer: %s, due %s%s\n", timer.name(), TimeText(timer.due_time()),
          timer.has_command() ? ", sends " + TextOfCommand(timer.command()) : "");
    }
    Add("steps, the newest first:\n");
    for (const v1::RecordedProcessStep& step : instance_.steps()) AddStep(step);
    return std::move(text_);
  }

 private:
  template <class... Args>
  void Add(const absl::FormatSpec<Args...>& format, const Args&... args) {
    absl::StrAppendFormat(&text_, format, args...);
  }

  void AddState() {
    const std::string& bytes = instance_.state().value();
    const std::string text = TextOfMessage(type_ != nullptr ? type_->initial_state : nullptr, bytes);
    Add("state %s%s\n", type_ != nullptr ? "" : instance_.state().type_url() + ", ", text);
  }
  void AddParked(const v1::ParkedProcessInstance& parked) {
    Add("%s: %s: %s\n", parked.parked() ? "parked" : "again at " + TimeText(parked.next_attempt_time()), parked.input(),
        parked.error());
  }
  void AddCommand(const v1::CommandInFlight& command) {
    Add("in flight: %s, since %s, request id %s%s\n", command.type(), TimeText(command.recorded_time()),
        command.request_id(), command.accepted() ? ", accepted, to be put on record" : TextOfAttempts("sent", command));
  }
  void AddActivity(const v1::RunningActivity& activity) {
    Add("running: %s until %s, key %s%s%s\n", activity.name(), TimeText(activity.deadline_time()), activity.key(),
        TextOfAttempts("tried", activity), activity.waits_for_turn() ? ", waits for its turn" : "");
  }
  // ", tried 3 times, in vain: down" of a command in flight or an activity that runs.
  template <class Open>
  static std::string TextOfAttempts(const char* verb, const Open& open) {
    std::string text;
    if (open.attempts() > 0) text = absl::StrFormat(", %s %s", verb, Counted(open.attempts(), "time"));
    if (open.has_error()) absl::StrAppendFormat(&text, ", in vain: %s", open.error().message());
    return text;
  }

  // What came in, and what came of it.
  void AddStep(const v1::RecordedProcessStep& recorded) {
    const v1::ProcessStep& step = recorded.step();
    Add("  %d  %s  %s\n", recorded.version(), TimeText(recorded.recorded_time()), TextOfInput(step));
    if (step.has_dropped()) Add("       left out: %s\n", step.dropped().reason());
    AddAccepted(step);
    for (const v1::ProcessCommand& command : step.commands()) Add("       sends %s\n", TextOfCommand(command));
    for (const v1::ProcessActivity& activity : step.activities()) {
      const ProcessActivityType* const known = Find(activity.name());
      Add("       runs %s %s\n", activity.name(),
          TextOfMessage(known != nullptr ? known->request : nullptr, activity.request()));
    }
    for (const v1::ProcessTimer& timer : step.open().timers()) {
      if (timer.version() != recorded.version()) continue;
      Add("       sets timer %s, due %s\n", timer.name(), TimeText(timer.due_time()));
    }
    for (const std::string& name : step.timers_cancelled()) Add("       cancels timer %s\n", name);
    if (step.done()) Add("       ends\n");
  }

  // Of a drop without an input, the last one is what was dropped.
  void AddAccepted(const v1::ProcessStep& step) {
    const bool drops_last = step.has_dropped() && step.input_case() == v1::ProcessStep::INPUT_NOT_SET;
    std::vector<std::string> names;
    for (int i = 0; i < step.accepted_size() - (drops_last ? 1 : 0); ++i) names.push_back(NameOf(step.accepted(i)));
    if (!names.empty()) Add("       accepted: command %s\n", absl::StrJoin(names, ", "));
  }

  // "event shop.v1.OrderPlaced of order/o1 version 1".
  std::string TextOfInput(const v1::ProcessStep& step) const {
    switch (step.input_case()) {
      case v1::ProcessStep::kEvent:
        return absl::StrFormat("event %s of %s version %d", step.event().type(), step.event().stream(),
                               step.event().version());
      case v1::ProcessStep::kRefusal:
        return absl::StrFormat("refusal of command %s: %s", NameOf(step.refusal().command()), step.refusal().message());
      case v1::ProcessStep::kOutcome:
        return absl::StrFormat("outcome of activity %s: %s", NameOf(step.outcome().activity()),
                               TextOfOutcome(step.outcome()));
      case v1::ProcessStep::kTimer:
        return "timer " + step.timer().name();
      case v1::ProcessStep::INPUT_NOT_SET:
        return step.has_dropped() && step.accepted_size() > 0
                   ? absl::StrFormat("command %s is dropped", NameOf(*step.accepted().rbegin()))
                   : "commands are accepted";
    }
    return "";
  }
  std::string TextOfOutcome(const v1::ProcessOutcome& outcome) const {
    if (outcome.kind() == v1::PROCESS_OUTCOME_KIND_FAILED) return "failed: " + outcome.message();
    if (outcome.kind() == v1::PROCESS_OUTCOME_KIND_UNKNOWN) return "unknown: " + outcome.message();
    const ProcessActivityType* const known = Find(NameOfActivity(outcome.activity()));
    return "result " + TextOfMessage(known != nullptr ? known->result : nullptr, outcome.result());
  }
  std::string TextOfCommand(const v1::ProcessCommand& command) const {
    const google::protobuf::Message* prototype = nullptr;
    if (type_ != nullptr) {
      const auto found = type_->commands.find(command.type());
      if (found != type_->commands.end()) prototype = found->second.prototype;
    }
    return command.type() + " " + TextOfMessage(prototype, command.payload());
  }

  const ProcessActivityType* Find(const std::string& activity) const {
    if (type_ == nullptr) return nullptr;
    const auto found = type_->activities.find(activity);
    return found != type_->activities.end() ? &found->second : nullptr;
  }
  // Empty if the step that ran it is not among those that are shown.
  std::string NameOfActivity(const v1::ProcessReference& activity) const {
    for (const v1::RecordedProcessStep& step : instance_.steps()) {
      const bool is_it = step.version() == activity.version() &&
                         activity.index() < static_cast<std::uint32_t>(step.step().activities_size());
      if (is_it) return step.step().activities(static_cast<int>(activity.index())).name();
    }
    return "";
  }

  const v1::GetProcessInstanceResponse& instance_;
  const ProcessType* const type_;
  std::string text_;
};

}  // namespace

std::string FormatProcesses(const std::vector<v1::ProcessInfo>& processes) {
  std::string text = absl::StrFormat("%-24s %-8s %12s %12s %10s %10s %12s %8s\n", "process", "state", "behind",
                                     "instances", "in flight", "again", "timers", "parked");
  std::string notes;
  for (const v1::ProcessInfo& info : processes) {
    absl::StrAppendFormat(&text, "%-24s %-8s %12s %12s %10s %10s %12s %8s\n", info.name(), NameOf(info.state()),
                          Grouped(info.lag_events()), Grouped(info.instances()), Grouped(info.in_flight()),
                          Grouped(info.waiting_sends() + info.activities_in_vain()), Grouped(info.timers()),
                          Grouped(info.parked()));
    if (info.has_error()) absl::StrAppendFormat(&notes, "  %s: %s\n", info.name(), info.error().message());
    if (info.waiting_sends() > 0) {
      absl::StrAppendFormat(&notes, "  %s: commands are sent again: %s\n", info.name(), info.send_error().message());
    }
    if (info.activities_in_vain() > 0) {
      absl::StrAppendFormat(&notes, "  %s: activities are tried again: %s\n", info.name(),
                            info.activity_error().message());
    }
  }
  return text + notes;
}

std::string FormatInstances(const v1::ListProcessInstancesResponse& page) {
  if (page.instances().empty()) return "no instance is open\n";
  std::string text;
  for (const v1::OpenProcessInstance& instance : page.instances()) {
    absl::StrAppendFormat(&text, "%s: version %d, %d in flight, %s, since %s\n", ShellText(instance.key()),
                          instance.version(), instance.in_flight(), Counted(instance.timers(), "timer"),
                          TimeText(instance.recorded_time()));
  }
  if (!page.next_page_token().empty())
    absl::StrAppendFormat(&text, "more: --after %s\n", ShellText(page.next_page_token()));
  return text;
}

std::string FormatInstance(const v1::GetProcessInstanceResponse& instance, const ProcessType* type) {
  return InstanceText(instance, type).Format();
}

std::string FormatParkedInstances(const std::vector<v1::ParkedProcessInstance>& parked) {
  if (parked.empty()) return "no instance waits\n";
  std::string text;
  for (const v1::ParkedProcessInstance& one : parked) {
    const std::string next = one.parked() ? "parked" : "again at " + TimeText(one.next_attempt_time());
    absl::StrAppendFormat(&text, "%s: %s, %s\n  %s\n", ShellText(one.instance()), one.input(), next, one.error());
  }
  return text;
}

}  // namespace everfold

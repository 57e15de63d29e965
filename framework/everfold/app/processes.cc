#include "everfold/app/processes.h"

#include <google/protobuf/util/json_util.h>

#include <memory>

#include "absl/strings/str_format.h"
#include "everfold/app/print_error.h"
#include "everfold/app/progress_bar.h"
#include "everfold/app/reactors.h"
#include "everfold/base/counted.h"
#include "everfold/base/duration.h"
#include "everfold/base/status.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/stream_id.h"
#include "everfold/rpc/process_client.h"

namespace everfold {
namespace {

std::string TimeText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime(absl::RFC3339_sec, TimeOf(time), absl::UTCTimeZone());
}

std::string JsonOf(const google::protobuf::Message& message) {
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  const auto written = google::protobuf::util::MessageToJsonString(message, &json, options);
  return written.ok() ? json : message.ShortDebugString();
}

// What it orders, too: "event shop.v1.OrderPlaced of order/o1 version 1".
std::string InputOf(const v1::ProcessStep& step) {
  switch (step.input_case()) {
    case v1::ProcessStep::kEvent:
      return absl::StrFormat("event %s of %s version %d", step.event().type(), step.event().stream(),
                             step.event().version());
    case v1::ProcessStep::kRefusal:
      return absl::StrFormat("refusal of command %d/%d: %s", step.refusal().command().version(),
                             step.refusal().command().index(), step.refusal().message());
    case v1::ProcessStep::kOutcome:
      return absl::StrFormat(
          "outcome of activity %d/%d: %s", step.outcome().activity().version(), step.outcome().activity().index(),
          step.outcome().kind() == v1::PROCESS_OUTCOME_KIND_RESULT   ? "a result"
          : step.outcome().kind() == v1::PROCESS_OUTCOME_KIND_FAILED ? "failed: " + step.outcome().message()
                                                                     : "unknown: " + step.outcome().message());
    case v1::ProcessStep::kTimer:
      return "timer " + step.timer().name();
    case v1::ProcessStep::INPUT_NOT_SET:
      return step.has_dropped() ? "drop of a command" : "acceptance of commands";
  }
  return "";
}

std::string FormatStep(const v1::RecordedProcessStep& recorded) {
  const v1::ProcessStep& step = recorded.step();
  std::string text =
      absl::StrFormat("  %d  %s  %s\n", recorded.version(), TimeText(recorded.recorded_time()), InputOf(step));
  if (step.has_dropped()) absl::StrAppendFormat(&text, "       left out: %s\n", step.dropped().reason());
  for (const v1::ProcessCommand& command : step.commands())
    absl::StrAppendFormat(&text, "       sends %s\n", command.type());
  for (const v1::ProcessActivity& activity : step.activities()) {
    absl::StrAppendFormat(&text, "       runs %s\n", activity.name());
  }
  for (const v1::ProcessTimer& timer : step.open().timers()) {
    if (timer.version() != recorded.version()) continue;
    absl::StrAppendFormat(&text, "       sets timer %s, due %s\n", timer.name(), TimeText(timer.due_time()));
  }
  for (const std::string& name : step.timers_cancelled())
    absl::StrAppendFormat(&text, "       cancels timer %s\n", name);
  if (step.done()) text += "       ends\n";
  return text;
}

// ", tried 3 times, the last in vain: down" of a command in flight or an activity that runs.
template <class Open>
std::string AttemptsOf(const char* verb, const Open& open) {
  std::string text;
  if (open.attempts() > 0) text = absl::StrFormat(", %s %s", verb, Counted(open.attempts(), "time"));
  if (open.has_error()) absl::StrAppendFormat(&text, ", in vain: %s", open.error().message());
  return text;
}

// As JSON, if this binary knows the process.
std::string StateOf(const Parts& parts, const std::string& process, const v1::GetProcessInstanceResponse& instance) {
  for (const ProcessType& type : parts.processes) {
    if (type.name != process) continue;
    const std::unique_ptr<google::protobuf::Message> state(type.initial_state->New());
    if (state->ParseFromString(instance.state().value())) return JsonOf(*state);
  }
  return absl::StrFormat("%s, %s", instance.state().type_url(), Counted(instance.state().value().size(), "byte"));
}

absl::Status Print(const std::string& text) {
  absl::PrintF("%s", text);
  return absl::OkStatus();
}

absl::Status RunOn(ProcessClient& client, const Parts& parts, const CommandLine& line) {
  const std::string& name = line.process;
  switch (line.process_action) {
    case ProcessAction::kList: {
      EVERFOLD_ASSIGN_OR_RETURN(const std::vector<v1::ProcessInfo> processes, client.List());
      return Print(FormatProcesses(processes));
    }
    case ProcessAction::kPause:
      EVERFOLD_RETURN_IF_ERROR(client.Pause(name));
      return Print(name + ": paused\n");
    case ProcessAction::kResume:
      EVERFOLD_RETURN_IF_ERROR(client.Resume(name));
      return Print(name + ": resumed\n");
    case ProcessAction::kReset: {
      const auto to = line.to_head ? v1::REACTOR_RESET_TO_HEAD : v1::REACTOR_RESET_TO_AS_IT_WAS;
      EVERFOLD_RETURN_IF_ERROR(client.Reset(name, to, line.reason));
      return Print(name + (line.to_head ? ": goes on at the head of the log\n" : ": goes on where it was\n"));
    }
    case ProcessAction::kInstances: {
      EVERFOLD_ASSIGN_OR_RETURN(const v1::ListProcessInstancesResponse page, client.Instances(name, line.after));
      return Print(FormatInstances(page));
    }
    case ProcessAction::kShow: {
      EVERFOLD_ASSIGN_OR_RETURN(const v1::GetProcessInstanceResponse instance,
                                client.Get(name, line.tenant, line.instance));
      return Print(FormatInstance(instance, StateOf(parts, name, instance)));
    }
    case ProcessAction::kParked: {
      EVERFOLD_ASSIGN_OR_RETURN(const std::vector<v1::ParkedProcessInstance> parked, client.Parked(name));
      return Print(FormatParkedInstances(parked));
    }
    case ProcessAction::kRetry:
      EVERFOLD_RETURN_IF_ERROR(client.Retry(name, line.instance));
      return Print((line.all ? "all" : line.instance) + ": tried again; `processes parked` tells what comes of it\n");
    case ProcessAction::kDrop:
      EVERFOLD_RETURN_IF_ERROR(client.Drop(name, line.instance, line.input, line.reason));
      return Print(absl::StrFormat("%s: %s is dropped\n", line.instance, line.input));
  }
  return absl::OkStatus();
}

}  // namespace

std::string FormatProcesses(const std::vector<v1::ProcessInfo>& processes) {
  std::string text = absl::StrFormat("%-24s %-8s %12s %12s %10s %10s %12s %8s\n", "process", "state", "behind",
                                     "instances", "in flight", "again", "timers", "parked");
  std::string notes;
  for (const v1::ProcessInfo& info : processes) {
    absl::StrAppendFormat(&text, "%-24s %-8s %12s %12s %10s %10s %12s %8s\n", info.name(), NameOf(info.state()),
                          Grouped(info.lag_events()), Grouped(info.instances()), Grouped(info.in_flight()),
                          Grouped(info.waiting_sends()), Grouped(info.timers()), Grouped(info.parked()));
    if (info.has_error()) absl::StrAppendFormat(&notes, "  %s: %s\n", info.name(), info.error().message());
    if (info.waiting_sends() > 0) {
      absl::StrAppendFormat(&notes, "  %s: commands are sent again: %s\n", info.name(), info.send_error().message());
    }
  }
  return text + notes;
}

std::string FormatInstances(const v1::ListProcessInstancesResponse& page) {
  if (page.instances().empty()) return "no instance is open\n";
  std::string text;
  for (const v1::OpenProcessInstance& instance : page.instances()) {
    absl::StrAppendFormat(&text, "%s: version %d, %d in flight, %s, since %s\n", ShownText(instance.key()),
                          instance.version(), instance.in_flight(), Counted(instance.timers(), "timer"),
                          TimeText(instance.recorded_time()));
  }
  if (!page.next_page_token().empty()) absl::StrAppendFormat(&text, "more: --after '%s'\n", page.next_page_token());
  return text;
}

std::string FormatInstance(const v1::GetProcessInstanceResponse& instance, const std::string& state) {
  std::string text =
      absl::StrFormat("version %d%s\nstate %s\n", instance.version(), instance.done() ? ", ended" : "", state);
  for (const v1::CommandInFlight& command : instance.commands()) {
    absl::StrAppendFormat(&text, "in flight: %s, since %s, request id %s%s\n", command.type(),
                          TimeText(command.recorded_time()), command.request_id(),
                          command.accepted() ? ", accepted, to be put on record" : AttemptsOf("sent", command));
  }
  for (const v1::RunningActivity& activity : instance.activities()) {
    absl::StrAppendFormat(&text, "running: %s until %s, key %s%s\n", activity.name(),
                          TimeText(activity.deadline_time()), activity.key(),
                          AttemptsOf("tried", activity) + (activity.waits_for_turn() ? ", waits for its turn" : ""));
  }
  for (const v1::ProcessTimer& timer : instance.timers()) {
    absl::StrAppendFormat(&text, "timer: %s, due %s%s\n", timer.name(), TimeText(timer.due_time()),
                          timer.has_command() ? ", sends " + timer.command().type() : "");
  }
  text += "steps, the newest first:\n";
  for (const v1::RecordedProcessStep& step : instance.steps()) text += FormatStep(step);
  return text;
}

std::string FormatParkedInstances(const std::vector<v1::ParkedProcessInstance>& parked) {
  if (parked.empty()) return "no instance waits\n";
  std::string text;
  for (const v1::ParkedProcessInstance& one : parked) {
    const std::string next = one.parked() ? "parked" : "again at " + TimeText(one.next_attempt_time());
    absl::StrAppendFormat(&text, "%s: %s, %s\n  %s\n", ShownText(one.instance()), one.input(), next, one.error());
  }
  return text;
}

ExitCode Processes(const std::string& app, const Parts& parts, const CommandLine& line) {
  const auto client = ProcessClient::Open(line.address);
  const absl::Status status = client.ok() ? RunOn(**client, parts, line) : client.status();
  if (status.ok()) return ExitCode::kOk;
  PrintError(app, status);
  return ExitCodeOf(status);
}

}  // namespace everfold

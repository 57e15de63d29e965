#include "everfold/app/processes.h"

#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/app/print_error.h"
#include "everfold/app/process_text.h"
#include "everfold/app/reactors.h"
#include "everfold/base/status.h"
#include "everfold/rpc/process_client.h"

namespace everfold {
namespace {

// Null if this binary does not know the process.
const ProcessType* TypeOf(const Parts& parts, const std::string& process) {
  for (const ProcessType& type : parts.processes) {
    if (type.name == process) return &type;
  }
  return nullptr;
}

absl::Status Print(const std::string& text) {
  absl::PrintF("%s", text);
  return absl::OkStatus();
}

absl::Status Retry(ProcessClient& client, const std::string& process, const std::string& instance) {
  EVERFOLD_RETURN_IF_ERROR(client.Retry(process, instance));
  return Print(instance + ": tried again; `processes parked` tells what comes of it\n");
}

absl::Status RetryAll(ProcessClient& client, const std::string& process) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::vector<v1::ParkedProcessInstance> parked, client.Parked(process));
  EVERFOLD_RETURN_IF_ERROR(client.Retry(process, ""));
  if (parked.empty()) return Print("nothing waits\n");
  return Print("all: tried again, or when it is resumed if it is stopped; `processes parked` tells what comes of it\n");
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
      return Print(FormatInstance(instance, TypeOf(parts, name)));
    }
    case ProcessAction::kParked: {
      EVERFOLD_ASSIGN_OR_RETURN(const std::vector<v1::ParkedProcessInstance> parked, client.Parked(name));
      return Print(FormatParkedInstances(parked));
    }
    case ProcessAction::kRetry:
      return line.all ? RetryAll(client, name) : Retry(client, name, line.instance);
    case ProcessAction::kDrop:
      EVERFOLD_RETURN_IF_ERROR(client.Drop(name, line.instance, line.input, line.reason));
      return Print(absl::StrFormat("%s: %s is dropped\n", line.instance, line.input));
  }
  return absl::OkStatus();
}

}  // namespace

ExitCode Processes(const std::string& app, const Parts& parts, const CommandLine& line) {
  const auto client = ProcessClient::Open(line.address);
  const absl::Status status = client.ok() ? RunOn(**client, parts, line) : client.status();
  if (status.ok()) return ExitCode::kOk;
  PrintError(app, status);
  return ExitCodeOf(status);
}

}  // namespace everfold

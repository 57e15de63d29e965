// The verb `processes`: what an application that runs says of its processes, and is asked to do.
#pragma once

#include <string>
#include <vector>

#include "everfold/app/command_line.h"
#include "everfold/app/exit_code.h"
#include "everfold/app/parts.h"
#include "everfold/v1/process_service.pb.h"

namespace everfold {

// `parts` know the states of the instances, which are shown as JSON.
ExitCode Processes(const std::string& app, const Parts& parts, const CommandLine& line);

// A table, one line a process, and what there is to say of each below.
std::string FormatProcesses(const std::vector<v1::ProcessInfo>& processes);
std::string FormatInstances(const v1::ListProcessInstancesResponse& page);
// `state` is the state as text.
std::string FormatInstance(const v1::GetProcessInstanceResponse& instance, const std::string& state);
std::string FormatParkedInstances(const std::vector<v1::ParkedProcessInstance>& parked);

}  // namespace everfold

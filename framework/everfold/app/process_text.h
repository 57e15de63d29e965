// What operators read of processes and their instances.
#pragma once

#include <string>
#include <vector>

#include "everfold/process/process_type.h"
#include "everfold/v1/process_service.pb.h"

namespace everfold {

// A table, one line a process, and what there is to say of each below.
std::string FormatProcesses(const std::vector<v1::ProcessInfo>& processes);
std::string FormatInstances(const v1::ListProcessInstancesResponse& page);
// `type` knows its messages, which are shown as JSON; null: as the number of their bytes.
std::string FormatInstance(const v1::GetProcessInstanceResponse& instance, const ProcessType* type);
std::string FormatParkedInstances(const std::vector<v1::ParkedProcessInstance>& parked);

}  // namespace everfold

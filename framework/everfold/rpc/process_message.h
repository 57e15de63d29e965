// What processes say, as messages of everfold.v1.ProcessService.
#pragma once

#include "absl/status/status.h"
#include "everfold/process/process_directory.h"
#include "everfold/process/process_instance.h"
#include "everfold/process/process_status.h"
#include "everfold/store/event_store.h"
#include "everfold/v1/process_service.pb.h"

namespace everfold {

v1::ProcessInfo ProcessMessage(const ProcessStatus& status);
v1::OpenProcessInstance OpenInstanceMessage(const OpenInstance& instance);
v1::ParkedProcessInstance ParkedInstanceMessage(const ParkedInstance& parked);
// All but the steps.
v1::GetProcessInstanceResponse InstanceMessage(const ProcessInstance& instance);
// Adds the newest steps, at most so many. Errors of the store.
absl::Status AddSteps(const EventStore& store, const StreamId& stream, std::size_t max_steps,
                      v1::GetProcessInstanceResponse& response);

}  // namespace everfold

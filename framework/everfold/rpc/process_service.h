// everfold.v1.ProcessService: where processes stand, their instances, what is parked, and answers of activities, for
// callers on the same machine.
#pragma once

#include <memory>
#include <vector>

#include "everfold/process/process.h"
#include "everfold/rpc/rpc_service.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Lifetime: processes and store outlive it, and its calls.
std::unique_ptr<RpcService> MakeProcessService(std::vector<Process*> processes, const EventStore& store);

}  // namespace everfold

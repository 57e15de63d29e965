// everfold.v1.ProjectionService: where projections stand, rebuilds and parked events, for callers on the same machine.
#pragma once

#include <memory>
#include <vector>

#include "everfold/projection/projection.h"
#include "everfold/rpc/rpc_service.h"
#include "everfold/store/event_store.h"

namespace everfold {

// Lifetime: projections and store outlive it, and its calls.
std::unique_ptr<RpcService> MakeProjectionService(std::vector<Projection*> projections, const EventStore& store);

}  // namespace everfold

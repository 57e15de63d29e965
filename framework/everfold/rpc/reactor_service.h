// everfold.v1.ReactorService: where reactors stand, and what waits, for callers on the same machine.
#pragma once

#include <memory>
#include <vector>

#include "everfold/reaction/reactor.h"
#include "everfold/rpc/rpc_service.h"

namespace everfold {

// Lifetime: reactors outlive it, and its calls.
std::unique_ptr<RpcService> MakeReactorService(std::vector<Reactor*> reactors);

}  // namespace everfold

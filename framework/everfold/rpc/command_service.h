// everfold.v1.CommandService: commands to all aggregates, one a call or many.
#pragma once

#include <memory>

#include "everfold/command/command_handler.h"
#include "everfold/rpc/rpc_service.h"

namespace everfold {

// Lifetime: the handler outlives it.
std::unique_ptr<RpcService> MakeCommandService(CommandHandler& handler);

}  // namespace everfold

// everfold.v1.QueryService: SQL of callers on read models.
#pragma once

#include <memory>

#include "everfold/query/query_engine.h"
#include "everfold/rpc/rpc_service.h"

namespace everfold {

// Lifetime: the engine outlives it.
std::unique_ptr<RpcService> MakeSqlService(QueryEngine& queries);

}  // namespace everfold

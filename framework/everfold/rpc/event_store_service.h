// everfold.v1.EventStoreService: the event store for programs in other languages.
#pragma once

#include <memory>

#include "everfold/log/embedded/embedded_log.h"
#include "everfold/rpc/rpc_service.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"
#include "everfold/store/raw_append_guard.h"

namespace everfold {

// Reads run on the executor. Lifetime: store, log and executor outlive it.
std::unique_ptr<RpcService> MakeEventStoreService(EventStore& store, const EmbeddedLog& log, Executor& executor,
                                                  RawAppendRules rules);

}  // namespace everfold

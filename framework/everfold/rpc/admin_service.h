// everfold.v1.AdminService: verification and backups of a store at work, for callers on the same machine.
#pragma once

#include <memory>

#include "everfold/base/clock.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/rpc/rpc_service.h"
#include "everfold/store/event_store.h"

namespace everfold {

// One verification at a time, on a thread of its own. A call that is cancelled ends soon. Lifetime: store, log and
// clock outlive it.
std::unique_ptr<RpcService> MakeAdminService(const EventStore& store, EmbeddedLog& log, const Clock& clock);

}  // namespace everfold

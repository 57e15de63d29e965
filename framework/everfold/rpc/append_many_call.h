// Many appends over one call, each answered under its own id.
#pragma once

#include "everfold/rpc/many_call.h"
#include "everfold/store/event_store.h"
#include "everfold/store/raw_append_guard.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold {

using AppendManyCall = ManyCall<v1::AppendManyRequest, v1::AppendManyResponse>;

// Starts a call that owns itself. Lifetime: all of them outlive it.
AppendManyCall* StartAppendMany(grpc::CallbackServerContext& context, EventStore& store, const RawAppendGuard& guard,
                                LongCalls& calls);

}  // namespace everfold

// Many appends over one call, each answered under its own id.
#pragma once

#include <grpcpp/support/server_callback.h>

#include "everfold/rpc/long_calls.h"
#include "everfold/store/event_store.h"
#include "everfold/store/raw_append_guard.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold {

using AppendManyReactor = grpc::ServerBidiReactor<v1::AppendManyRequest, v1::AppendManyResponse>;

// No further request is read while so many appends, or bytes of them, wait for their answers or to be sent back: gRPC
// then stops the caller.
inline constexpr std::size_t kMaxAppendsUnderWay = 4096;
inline constexpr std::size_t kMaxBytesUnderWay = 16 << 20;

// Starts a call that owns itself. Lifetime: all of them outlive it.
AppendManyReactor* StartAppendMany(EventStore& store, const RawAppendGuard& guard, LongCalls& calls);

}  // namespace everfold

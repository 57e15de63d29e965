// A subscription over gRPC: what is there, then what comes, as fast as its caller reads.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "everfold/rpc/long_calls.h"
#include "everfold/runtime/executor.h"
#include "everfold/store/event_store.h"

namespace everfold {

using SubscribeReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

inline constexpr std::uint32_t kMaxEventsAResponse = 10'000;

// Starts a call that owns itself. Lifetime: store, executor and `calls` outlive it; the context is that of the call.
SubscribeReactor* StartSubscribe(EventStore& store, Executor& executor, LongCalls& calls,
                                 grpc::CallbackServerContext& context);

}  // namespace everfold

// The ceiling of the event store's gRPC service: a server that has the same messages and does nothing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "everfold/rpc/grpc_server.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold::bench {

// Threading: as RpcService. Append answers at once, with an answer of the usual size; ReadAll with the responses that
// it was given.
std::unique_ptr<RpcService> MakeEchoService(std::vector<v1::ReadAllResponse> responses);

}  // namespace everfold::bench

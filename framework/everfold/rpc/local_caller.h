// Services for operators are for callers on the server's machine: they are not authenticated.
#pragma once

#include <grpcpp/server_context.h>

#include "absl/status/status.h"

namespace everfold {

// PERMISSION_DENIED unless the call came over a Unix socket or the loopback interface.
absl::Status CheckLocalCaller(const grpc::CallbackServerContext& context);

}  // namespace everfold

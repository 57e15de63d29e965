// The errors of gRPC calls as a client sees them, with their google.rpc details.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "grpcpp/support/status.h"

namespace everfold {

// Keeps code, message and details; FindDetail and ReasonOf (everfold/base/error.h) read them.
absl::Status FromGrpc(const grpc::Status& status);

// One line for people: the fields and rules that were broken, for example
// "command.amount_minor must be greater than 0, is 0 (int64.gt)", or code and message where there are none.
std::string Describe(const absl::Status& status);

}  // namespace everfold

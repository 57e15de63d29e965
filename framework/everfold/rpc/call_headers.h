// What a caller says in the headers of a call, beside its request.
#pragma once

#include <grpcpp/server_context.h>

#include <string>

#include "absl/status/statusor.h"
#include "everfold/event/commit.h"

namespace everfold {

struct CallHeaders {
  std::string idempotency_key;
  Metadata metadata;
};

// INVALID_ARGUMENT (REQUEST_INVALID) for a header that is given twice or is not printable text; UNIMPLEMENTED for a
// tenant.
absl::StatusOr<CallHeaders> ReadCallHeaders(const grpc::CallbackServerContext& context);

}  // namespace everfold

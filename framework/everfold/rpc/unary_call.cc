#include "everfold/rpc/unary_call.h"

#include <chrono>

#include "everfold/rpc/status.h"

namespace everfold {

void UnaryCall::End(const absl::Status& status) { Finish(ToGrpcStatus(status)); }

absl::Time DeadlineOf(const grpc::CallbackServerContext& context) {
  const std::chrono::system_clock::time_point deadline = context.deadline();
  if (deadline == std::chrono::system_clock::time_point::max()) return absl::InfiniteFuture();
  return absl::FromChrono(deadline);
}

}  // namespace everfold

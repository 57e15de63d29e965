#include "everfold/rpc/local_caller.h"

#include <string>

#include "absl/strings/match.h"

namespace everfold {

absl::Status CheckLocalCaller(const grpc::CallbackServerContext& context) {
  const std::string peer = context.peer();
  for (const char* const prefix : {"unix:", "ipv4:127.", "ipv6:[::1]", "ipv6:%5B::1%5D"}) {
    if (absl::StartsWith(peer, prefix)) return absl::OkStatus();
  }
  return absl::PermissionDeniedError("this service is for callers on the server's machine");
}

}  // namespace everfold

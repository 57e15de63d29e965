// One unary call on its way to an answer.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace everfold {

// Owns itself: gRPC keeps request, response and this reactor until the answer was sent (or could not be), and then
// calls OnDone. A client that cancels changes nothing about that, so whoever works on the call may use them until End.
//
// Threading: End from any thread, exactly once; nothing of the call may be touched afterwards.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  static UnaryCall* Start() { return new UnaryCall; }

  void End(const absl::Status& status);
  // Set once the caller has gone. Lives until End.
  const std::atomic<bool>& abandoned() const { return abandoned_; }

 private:
  UnaryCall() = default;
  void OnCancel() override { abandoned_ = true; }
  void OnDone() override { delete this; }
  // gRPC may call these wherever it comes to them, for they do as little as those of its own DefaultReactor. It would
  // wake up another of its threads for each call otherwise (docs/decisions/0033).
  bool InternalInlineable() override { return true; }

  std::atomic<bool> abandoned_ = false;
};

// The caller's deadline; InfiniteFuture if it has none.
absl::Time DeadlineOf(const grpc::CallbackServerContext& context);

}  // namespace everfold

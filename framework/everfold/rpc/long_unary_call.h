// A unary call that may take long: the server does not wait for it when it shuts down.
#pragma once

#include <atomic>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/unary_call.h"

namespace everfold {

// Ended by whoever is first: the work, or the server. Threading: thread-safe.
class LongUnaryCall {
 public:
  // What ends the call when its work is done. The call may have ended before: nothing of it may be touched any more.
  static absl::AnyInvocable<void(absl::Status)> Begin(const std::shared_ptr<LongCalls>& calls, UnaryCall* call) {
    const auto long_call = std::make_shared<LongUnaryCall>(call);
    const std::uint64_t number = calls->Add({.end = [long_call] { long_call->End(ShuttingDown()); }});
    return [calls, number, long_call](const absl::Status& status) {
      calls->Remove(number);
      long_call->End(status);
    };
  }

  explicit LongUnaryCall(UnaryCall* call) : call_(call) {}
  void End(const absl::Status& status) {
    if (UnaryCall* const call = call_.exchange(nullptr); call != nullptr) call->End(status);
  }

 private:
  std::atomic<UnaryCall*> call_;
};

}  // namespace everfold

// A unary call that may take long: the server does not wait for it when it shuts down.
#pragma once

#include <atomic>
#include <memory>

#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/unary_call.h"

namespace everfold {

// Ended by whoever is first: the work, or the server. Threading: thread-safe.
class LongUnaryCall {
 public:
  // Ends the call when its work is done. The call may have ended before: nothing of it may be touched any more, so that
  // the response is written by `respond`, which is called if this is the end.
  using End = absl::AnyInvocable<void(const absl::Status&, absl::FunctionRef<void()> respond)>;
  static End Begin(const std::shared_ptr<LongCalls>& calls, UnaryCall* call) {
    const auto long_call = std::make_shared<LongUnaryCall>(call);
    const std::uint64_t number = calls->Add({.end = [long_call] { long_call->EndOnce(ShuttingDown(), [] {}); }});
    return [calls, number, long_call](const absl::Status& status, absl::FunctionRef<void()> respond) {
      calls->Remove(number);
      long_call->EndOnce(status, respond);
    };
  }

  explicit LongUnaryCall(UnaryCall* call) : call_(call) {}

 private:
  void EndOnce(const absl::Status& status, absl::FunctionRef<void()> respond) {
    UnaryCall* const call = call_.exchange(nullptr);
    if (call == nullptr) return;
    respond();
    call->End(status);
  }

  std::atomic<UnaryCall*> call_;
};

}  // namespace everfold

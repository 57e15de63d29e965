// A unary call that waits for something, for as long as its caller does.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "everfold/base/mutex.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/status.h"

namespace everfold {

// Owns itself, until gRPC is done with it. It is ended by whoever is first: what is waited for, the caller, or the
// server. Where that is not what is waited for, the wait is cancelled, so that nothing is left of it.
//
// Threading: thread-safe.
class WaitCall final : public grpc::ServerUnaryReactor {
 public:
  using Done = absl::AnyInvocable<void(absl::Status)>;
  // Begins to wait, calls back once at most, and returns a number for `cancel`.
  using Begin = absl::FunctionRef<std::uint64_t(Done)>;
  // Drops the wait, which may have ended. Must not call back.
  using Cancel = std::function<void(std::uint64_t)>;

  static WaitCall* Start(const std::shared_ptr<LongCalls>& calls, Begin begin, Cancel cancel) {
    const auto wait = std::make_shared<Wait>(std::move(cancel));
    auto* const call = new WaitCall(calls, wait);
    wait->Begin(call);
    const std::uint64_t number = calls->Add({.end = [wait] { wait->Abandon(ShuttingDown()); }});
    call->number_ = number;
    wait->Keep(begin([calls, number, wait](const absl::Status& status) {
      calls->Remove(number);
      wait->End(status);
    }));
    return call;
  }

 private:
  // Lives until nobody may call back any more; the call does not.
  class Wait {
   public:
    explicit Wait(Cancel cancel) : cancel_(std::move(cancel)) {}

    void Begin(WaitCall* call) {
      MutexLock lock(&mutex_);
      call_ = call;
    }
    void Keep(std::uint64_t number) {
      {
        MutexLock lock(&mutex_);
        if (!abandoned_) {
          number_ = number;
          return;
        }
      }
      cancel_(number);
    }
    // What was waited for is there, or will not come.
    void End(const absl::Status& status) {
      WaitCall* call = nullptr;
      {
        MutexLock lock(&mutex_);
        call = std::exchange(call_, nullptr);
      }
      if (call != nullptr) call->Finish(ToGrpcStatus(status));
    }
    // Nobody waits any more.
    void Abandon(const absl::Status& why) {
      std::optional<std::uint64_t> number;
      {
        MutexLock lock(&mutex_);
        abandoned_ = true;
        number = std::exchange(number_, std::nullopt);
      }
      if (number.has_value()) cancel_(*number);
      End(why);
    }

   private:
    const Cancel cancel_;
    Mutex mutex_;
    WaitCall* call_ ABSL_GUARDED_BY(mutex_) = nullptr;             // null once it was ended
    std::optional<std::uint64_t> number_ ABSL_GUARDED_BY(mutex_);  // of the wait, once that has begun
    bool abandoned_ ABSL_GUARDED_BY(mutex_) = false;
  };

  WaitCall(std::shared_ptr<LongCalls> calls, std::shared_ptr<Wait> wait)
      : calls_(std::move(calls)), wait_(std::move(wait)) {}

  // Not before it was returned to gRPC.
  void OnCancel() override {
    calls_->Remove(number_);
    wait_->Abandon(absl::CancelledError("the caller has gone"));
  }
  void OnDone() override { delete this; }

  const std::shared_ptr<LongCalls> calls_;
  const std::shared_ptr<Wait> wait_;
  std::uint64_t number_ = 0;  // among the calls
};

}  // namespace everfold

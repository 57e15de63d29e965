// A call that works for a while, says how far it is, and then what it came to.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "everfold/base/mutex.h"
#include "everfold/rpc/status.h"

namespace everfold {

// Owns itself, until it has ended and gRPC is done with it. Threading: Tell and End from one thread.
template <class Response>
class WorkCall final : public grpc::ServerWriteReactor<Response> {
 public:
  static WorkCall* Start() { return new WorkCall; }

  // Cancelled, once the caller has gone. Progress is left out while the one before is on its way.
  absl::Status Tell(Response progress) {
    MutexLock lock(&mutex_);
    if (cancelled_) return absl::CancelledError("the caller has gone");
    if (!writing_) Write(std::move(progress));
    return absl::OkStatus();
  }

  // Nothing of the call may be touched afterwards.
  void End(absl::StatusOr<Response> last) {
    MutexLock lock(&mutex_);
    status_ = ToGrpcStatus(last.status());
    if (last.ok()) last_ = *std::move(last);
    ended_ = true;
    if (!writing_) GoOn();
  }

 private:
  WorkCall() = default;

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    cancelled_ = cancelled_ || !ok;
    if (ended_) GoOn();
  }
  void OnCancel() override {
    MutexLock lock(&mutex_);
    cancelled_ = true;
  }
  void OnDone() override {
    { MutexLock lock(&mutex_); }  // whoever has ended the call has left it
    delete this;
  }

  void Write(Response response) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    response_ = std::move(response);
    writing_ = true;
    this->StartWrite(&response_);
  }

  void GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!last_.has_value()) return this->Finish(status_);
    Write(*std::exchange(last_, std::nullopt));
  }

  Mutex mutex_;
  Response response_ ABSL_GUARDED_BY(mutex_);
  std::optional<Response> last_ ABSL_GUARDED_BY(mutex_);
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace everfold

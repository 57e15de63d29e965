// A call that answers with a row of responses, as fast as its caller reads them.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <memory>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "everfold/base/mutex.h"
#include "everfold/rpc/status.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Where the responses come from. Threading: one call at a time. May block on a disk.
template <class Response>
class ResponseSource {
 public:
  virtual ~ResponseSource() = default;
  // Fills the response, which is empty. False, and nothing is to be sent, at the end.
  virtual absl::StatusOr<bool> Next(Response& response) = 0;
};

// Two responses, each reused: while one is on its way, the next one is filled, and no more than that.
// Owns itself, until it has ended and gRPC is done with it. Lifetime: the executor outlives it.
template <class Response>
class ReadCall final : public grpc::ServerWriteReactor<Response> {
 public:
  using Source = ResponseSource<Response>;

  static ReadCall* Start(Executor& executor, absl::StatusOr<std::unique_ptr<Source>> source) {
    auto* const call = new ReadCall(executor);
    MutexLock lock(&call->mutex_);
    if (source.ok()) call->source_ = *std::move(source);
    if (!source.ok()) call->End(source.status());
    call->GoOn();
    return call;
  }

 private:
  explicit ReadCall(Executor& executor) : executor_(executor) {}

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) End(absl::CancelledError("the caller has gone"));
    GoOn();
  }
  void OnCancel() override {
    MutexLock lock(&mutex_);
    End(absl::CancelledError("the caller has gone"));
    GoOn();
  }
  void OnDone() override {
    { MutexLock lock(&mutex_); }  // whoever has ended the call has left it
    delete this;
  }

  void End(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!ended_) status_ = ToGrpcStatus(status);
    ended_ = true;
    if (!status.ok()) filled_ = false;  // what is filled and not sent is of no use
  }

  void GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (filled_ && !writing_) {
      filled_ = false;
      writing_ = true;
      std::swap(next_, sent_);
      this->StartWrite(&sent_);
    }
    if (!ended_ && !filled_ && !filling_) {
      filling_ = true;
      executor_.Post([this] { FillNext(); });
    }
    if (ended_ && !filled_ && !filling_ && !writing_ && !finished_) {
      finished_ = true;
      this->Finish(status_);
    }
  }

  // Nobody else is at source and next response while `filling_`.
  void FillNext() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    next_.Clear();
    const absl::StatusOr<bool> filled = source_->Next(next_);
    MutexLock lock(&mutex_);
    filling_ = false;
    filled_ = filled.ok() && *filled && !ended_;
    if (!filled.ok() || !*filled) End(filled.status());
    GoOn();
  }

  Executor& executor_;
  Mutex mutex_;
  std::unique_ptr<Source> source_ ABSL_GUARDED_BY(mutex_);
  Response next_ ABSL_GUARDED_BY(mutex_);
  Response sent_ ABSL_GUARDED_BY(mutex_);
  bool filling_ ABSL_GUARDED_BY(mutex_) = false;
  bool filled_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

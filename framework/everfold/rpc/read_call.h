// A call that answers with a row of responses, as fast as its caller reads them.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "everfold/base/mutex.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/status.h"
#include "everfold/runtime/executor.h"

namespace everfold {

// Where the responses come from. Threading: one call at a time. May block on a disk.
class ResponseSource {
 public:
  virtual ~ResponseSource() = default;
  // The next response, serialized. Nothing at the end.
  virtual absl::StatusOr<std::optional<grpc::ByteBuffer>> Next() = 0;
};

// While one response is on its way, others are made, but no further one once there are so many, or bytes of them.
inline constexpr std::size_t kResponsesMadeAhead = 8;
inline constexpr std::size_t kBytesMadeAhead = 1 << 20;

// Owns itself, until it has ended and gRPC is done with it. Lifetime: the executor outlives it, and so do the calls.
// When the server shuts down it goes on as long as its caller reads.
class ReadCall final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  static ReadCall* Start(Executor& executor, LongCalls& calls, grpc::CallbackServerContext& context,
                         absl::StatusOr<std::unique_ptr<ResponseSource>> source) {
    auto* const call = new ReadCall(executor, calls, context);
    MutexLock lock(&call->mutex_);
    if (source.ok()) call->source_ = *std::move(source);
    if (!source.ok()) call->End(source.status());
    call->GoOn();
    return call;
  }

 private:
  ReadCall(Executor& executor, LongCalls& calls, grpc::CallbackServerContext& context)
      : executor_(executor), calls_(calls) {
    number_ = calls_.Add({.end = [this] { StalledSinceLastLook(); },
                          .cancel =
                              [this, &context] {
                                if (StalledSinceLastLook()) context.TryCancel();
                              }});
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    ++written_;
    sent_.Clear();
    if (!ok) Gone();
    GoOn();
  }
  void OnCancel() override {
    MutexLock lock(&mutex_);
    Gone();
    GoOn();
  }
  void OnDone() override {
    calls_.Remove(number_);
    { MutexLock lock(&mutex_); }  // whoever has ended the call has left it
    delete this;
  }

  // Whatever has been made is sent before that.
  void End(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!ended_) status_ = ToGrpcStatus(status);
    ended_ = true;
  }

  void Gone() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    End(absl::CancelledError("the caller has gone"));
    next_.clear();
    next_bytes_ = 0;
  }

  // Whether its caller has not taken what was on its way at the last look; this is the next one.
  bool StalledSinceLastLook() {
    MutexLock lock(&mutex_);
    const std::optional<std::uint64_t> on_its_way = writing_ ? std::optional(written_) : std::nullopt;
    return std::exchange(on_its_way_, on_its_way) == on_its_way && on_its_way.has_value();
  }

  void GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!next_.empty() && !writing_) {
      writing_ = true;
      sent_ = std::move(next_.front());
      next_.pop_front();
      next_bytes_ -= sent_.Length();
      StartWrite(&sent_);
    }
    const bool has_enough = next_.size() >= kResponsesMadeAhead || next_bytes_ >= kBytesMadeAhead;
    if (!ended_ && !has_enough && !making_) {
      making_ = true;
      executor_.Post([this] { MakeNext(); });
    }
    if (ended_ && next_.empty() && !making_ && !writing_ && !finished_) {
      finished_ = true;
      Finish(status_);
    }
  }

  // Nobody else is at the source while `making_`.
  void MakeNext() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    absl::StatusOr<std::optional<grpc::ByteBuffer>> made = source_->Next();
    MutexLock lock(&mutex_);
    making_ = false;
    if (!made.ok() || !made->has_value()) {
      End(made.status());
    } else if (!ended_) {
      next_bytes_ += (*made)->Length();
      next_.push_back(**std::move(made));
    }
    GoOn();
  }

  Executor& executor_;
  LongCalls& calls_;
  std::uint64_t number_ = 0;  // among them
  Mutex mutex_;
  std::unique_ptr<ResponseSource> source_ ABSL_GUARDED_BY(mutex_);
  std::deque<grpc::ByteBuffer> next_ ABSL_GUARDED_BY(mutex_);
  std::size_t next_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  grpc::ByteBuffer sent_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t written_ ABSL_GUARDED_BY(mutex_) = 0;                // responses
  std::optional<std::uint64_t> on_its_way_ ABSL_GUARDED_BY(mutex_);  // its number, at the last look
  bool making_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

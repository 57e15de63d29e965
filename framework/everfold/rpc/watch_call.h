// A call that answers a query, and again whenever the answer has become another one, until its caller or the server
// ends it.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "everfold/base/digest.h"
#include "everfold/base/mutex.h"
#include "everfold/query/query_engine.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/status.h"

namespace everfold {

// Every response is the whole answer as of some commit. One is read when rows may have changed, and not before the one
// before was sent: whoever reads slowly gets the latest answer, not all that were, and nothing piles up.
// Owns itself, until it has ended and gRPC is done with it. Lifetime: engine, schema and calls outlive it.
template <class Response>
class WatchCall final : public grpc::ServerWriteReactor<Response> {
 public:
  // Fills the response, which is empty, and then calls `done`, never within the call.
  using Done = absl::AnyInvocable<void(absl::Status)>;
  using Read = std::function<void(Response& response, Done done)>;

  static WatchCall* Start(QueryEngine& engine, const ReadModelSchema& schema, LongCalls& calls,
                          grpc::CallbackServerContext& context, Read read) {
    auto* const call = new WatchCall(calls, std::move(read));
    call->Begin(engine, schema, context);
    return call;
  }

 private:
  WatchCall(LongCalls& calls, Read read) : calls_(calls), read_(std::move(read)) {}

  void Begin(QueryEngine& engine, const ReadModelSchema& schema, grpc::CallbackServerContext& context) {
    // Watches before it reads for the first time: what is committed in between is in the answer or hinted at.
    auto watch = engine.WatchChanges(schema, [this](const absl::Status& status) { Hint(status); });
    const absl::Status refused = watch.status();
    if (watch.ok()) watch_ = *std::move(watch);
    number_ = calls_.Add({.end = [this] { End(ShuttingDown()); }, .cancel = [&context] { context.TryCancel(); }});
    MutexLock lock(&mutex_);
    began_ = true;
    if (!refused.ok()) EndLocked(refused);
    GoOn();
  }

  void Hint(const absl::Status& status) {
    MutexLock lock(&mutex_);
    stale_ = true;
    if (!status.ok()) EndLocked(status);
    GoOn();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    sent_.Clear();
    if (!ok) EndLocked(absl::CancelledError("the caller has gone"));
    GoOn();
  }

  void OnCancel() override { End(absl::CancelledError("the caller has gone")); }

  void OnDone() override {
    { MutexLock lock(&mutex_); }  // whoever has ended the call has left it
    calls_.Remove(number_);
    watch_.reset();
    delete this;
  }

  void End(const absl::Status& status) {
    MutexLock lock(&mutex_);
    EndLocked(status);
    GoOn();
  }

  void EndLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!ended_) status_ = ToGrpcStatus(status);
    ended_ = true;
  }

  void GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!began_ || reading_ || writing_ || finished_) return;
    if (ended_) {
      finished_ = true;
      this->Finish(status_);
    } else if (stale_) {
      stale_ = false;
      reading_ = true;
      read_(next_, [this](const absl::Status& status) { Took(status); });
    }
  }

  void Took(const absl::Status& status) {
    MutexLock lock(&mutex_);
    reading_ = false;
    if (!status.ok()) EndLocked(status);
    if (!ended_ && IsNew()) {
      std::swap(sent_, next_);
      writing_ = true;
      this->StartWrite(&sent_);
    }
    next_.Clear();
    GoOn();
  }

  // Of the answer before nothing is kept but its digest.
  bool IsNew() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::string digest = Sha256(next_.SerializeAsString());
    return std::exchange(digest_, digest) != digest;
  }

  LongCalls& calls_;
  const Read read_;
  std::unique_ptr<QueryEngine::ChangeWatch> watch_;
  std::uint64_t number_ = 0;

  Mutex mutex_;
  Response next_ ABSL_GUARDED_BY(mutex_);  // the read's while `reading_`
  Response sent_ ABSL_GUARDED_BY(mutex_);  // gRPC's while `writing_`
  std::string digest_ ABSL_GUARDED_BY(mutex_);
  bool began_ ABSL_GUARDED_BY(mutex_) = false;
  bool stale_ ABSL_GUARDED_BY(mutex_) = true;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace everfold

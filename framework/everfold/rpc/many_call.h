// A call on which many requests are under way at once, each answered under its own id.
//
// Request is { repeated Item items }, where an item has an id; Response likewise, with the answers.
#pragma once

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/rpc/event_sources.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/status.h"

namespace everfold {

// No further request is read while so many, or bytes of them, wait for their answers or to be sent back: gRPC then
// stops the caller.
inline constexpr std::size_t kMaxUnderWay = 4096;
inline constexpr std::size_t kMaxBytesUnderWay = 16 << 20;

// A message with more items than that ends the call with INVALID_ARGUMENT (LIMIT_EXCEEDED), after the answers to those
// before it.
//
// Owns itself. Threading: gRPC's, and whoever answers. Lifetime: `calls` outlives it.
template <class Request, class Response>
class ManyCall final : public grpc::ServerBidiReactor<Request, Response> {
 public:
  using Item = typename Request::Item;
  using Answer = typename Response::Item;

  // The place of one answer. To be used once, from any thread.
  class Reply {
   public:
    // The answer's id is filled in.
    void Send(Answer answer) const { call_->Answered(id_, bytes_, std::move(answer)); }
    // Set once the caller has gone: nobody will read the answer, which is to be sent all the same. Lives until then.
    const std::atomic<bool>& abandoned() const { return call_->abandoned_; }

   private:
    friend class ManyCall;
    Reply(ManyCall* call, std::uint64_t id, std::size_t bytes) : call_(call), id_(id), bytes_(bytes) {}
    ManyCall* call_;
    std::uint64_t id_;
    std::size_t bytes_;
  };
  // Begins what an item asks for, one after the other, in the order of the call. The item lives until it returns.
  using Work = std::function<void(const Item&, Reply)>;

  static ManyCall* Start(grpc::CallbackServerContext& context, Work work, LongCalls& calls) {
    return new ManyCall(context, std::move(work), calls);
  }

 private:
  ManyCall(grpc::CallbackServerContext& context, Work work, LongCalls& calls) : work_(std::move(work)), calls_(calls) {
    number_ = calls_.Add({.end = [this] { End(); }, .cancel = [&context] { context.TryCancel(); }});
    MutexLock lock(&mutex_);
    GoOn();
  }

  // What was read before the server began to end is taken, too.
  void OnReadDone(bool ok) override {
    bool takes;
    {
      MutexLock lock(&mutex_);
      reading_ = false;
      no_more_ = no_more_ || !ok;
      takes = taking_ = ok && !finished_;
      if (takes && static_cast<std::size_t>(request_.items_size()) > kMaxUnderWay) {
        takes = taking_ = false;
        no_more_ = true;
        failure_ = TooManyItems(static_cast<std::size_t>(request_.items_size()));
      }
    }
    if (takes) Take();
    MutexLock lock(&mutex_);
    taking_ = false;
    GoOn();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) Abandon();
    GoOn();
  }

  void OnCancel() override {
    MutexLock lock(&mutex_);
    Abandon();
    GoOn();
  }

  void OnDone() override {
    calls_.Remove(number_);
    { MutexLock lock(&mutex_); }  // whoever has ended the call has left it
    delete this;
  }

  void Abandon() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    gone_ = true;
    abandoned_ = true;
  }

  void End() {
    MutexLock lock(&mutex_);
    ending_ = true;
    GoOn();
  }

  // Nobody else is at `request_` while it is being read.
  void Take() {
    for (const Item& item : request_.items()) {
      const std::size_t bytes = item.ByteSizeLong();
      {
        MutexLock lock(&mutex_);
        ++under_way_;
        bytes_under_way_ += bytes;
      }
      work_(item, Reply(this, item.id(), bytes));
    }
  }

  void Answered(std::uint64_t id, std::size_t bytes, Answer answer) {
    MutexLock lock(&mutex_);
    answer.set_id(id);
    answers_.push_back(std::move(answer));
    --under_way_;
    bytes_under_way_ -= bytes;
    GoOn();
  }

  static absl::Status TooManyItems(std::size_t items) {
    return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
                 absl::StrFormat("items of a message: at most %d, there are %d", kMaxUnderWay, items),
                 {{"limit", std::to_string(kMaxUnderWay)}, {"actual", std::to_string(items)}});
  }

  bool has_room() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return under_way_ + answers_.size() < kMaxUnderWay && bytes_under_way_ < kMaxBytesUnderWay;
  }

  // As many answers as a client takes in one message.
  void Send() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    sent_.Clear();
    for (std::size_t bytes = 0; !answers_.empty() && bytes < kBytesAResponse; answers_.pop_front()) {
      bytes += answers_.front().ByteSizeLong();
      sent_.add_items()->Swap(&answers_.front());
    }
    writing_ = true;
    this->StartWrite(&sent_);
  }

  void GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return;
    if (!answers_.empty() && !writing_ && !gone_) Send();
    if (!reading_ && !taking_ && !no_more_ && !gone_ && !ending_ && has_room()) {
      reading_ = true;
      request_.Clear();
      this->StartRead(&request_);
    }
    MaybeFinish();
  }

  // A caller who has gone is done with; one who sends nothing any more, and one who is sent away, gets its answers.
  void MaybeFinish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool answered = (no_more_ || ending_) && answers_.empty();
    const bool read = !reading_ || ending_;
    if (!(answered || gone_) || !read || taking_ || under_way_ > 0 || writing_) return;
    finished_ = true;
    this->Finish(gone_ ? grpc::Status::CANCELLED : ToGrpcStatus(no_more_ ? failure_ : ShuttingDown()));
  }

  const Work work_;
  LongCalls& calls_;
  std::uint64_t number_ = 0;
  Request request_;
  std::atomic<bool> abandoned_ = false;  // gone_, for those who work on the call
  Mutex mutex_;
  std::deque<Answer> answers_ ABSL_GUARDED_BY(mutex_);  // not sent yet
  Response sent_ ABSL_GUARDED_BY(mutex_);
  std::size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool taking_ ABSL_GUARDED_BY(mutex_) = false;  // what was read
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool no_more_ ABSL_GUARDED_BY(mutex_) = false;  // requests
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;     // the caller
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;   // the server
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // of the call, once nothing more is read
};

}  // namespace everfold

#include "everfold/rpc/append_many_call.h"

#include <deque>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/rpc/append_message.h"
#include "everfold/rpc/event_sources.h"
#include "everfold/rpc/status.h"

namespace everfold {
namespace {

class AppendManyCall final : public AppendManyReactor {
 public:
  AppendManyCall(EventStore& store, const RawAppendGuard& guard, LongCalls& calls)
      : store_(store), guard_(guard), calls_(calls) {
    number_ = calls_.Add({.end = [this] { End(); }});
    MutexLock lock(&mutex_);
    GoOn();
  }

 private:
  using Answer = v1::AppendManyResponse::Item;

  // What was read before the server began to end is taken, too.
  void OnReadDone(bool ok) override {
    bool takes;
    {
      MutexLock lock(&mutex_);
      reading_ = false;
      no_more_ = no_more_ || !ok;
      takes = taking_ = ok && !finished_;
    }
    if (takes) Take();
    MutexLock lock(&mutex_);
    taking_ = false;
    GoOn();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok) gone_ = true;
    GoOn();
  }

  void OnCancel() override {
    MutexLock lock(&mutex_);
    gone_ = true;
    GoOn();
  }

  void OnDone() override {
    calls_.Remove(number_);
    { MutexLock lock(&mutex_); }  // whoever has ended the call has left it
    delete this;
  }

  void End() {
    MutexLock lock(&mutex_);
    ending_ = true;
    GoOn();
  }

  // Appends are in the order of the call. Nobody else is at `request_` while it is being read.
  void Take() {
    for (const v1::AppendManyRequest::Item& item : request_.items()) {
      const std::size_t bytes = item.ByteSizeLong();
      {
        MutexLock lock(&mutex_);
        ++under_way_;
        bytes_under_way_ += bytes;
      }
      Append(item.id(), bytes, item.append());
    }
  }

  void Append(std::uint64_t id, std::size_t bytes, const v1::AppendRequest& message) {
    absl::StatusOr<AppendRequest> request = Checked(message);
    if (!request.ok()) return Answered(id, bytes, request.status());
    store_.Append(*std::move(request),
                  [this, id, bytes](const absl::StatusOr<AppendResult>& result) { Answered(id, bytes, result); });
  }

  absl::StatusOr<AppendRequest> Checked(const v1::AppendRequest& message) const {
    EVERFOLD_ASSIGN_OR_RETURN(AppendRequest request, AppendRequestOf(message, store_));
    EVERFOLD_RETURN_IF_ERROR(guard_.Check(request));
    return request;
  }

  void Answered(std::uint64_t id, std::size_t bytes, const absl::StatusOr<AppendResult>& result) {
    MutexLock lock(&mutex_);
    Answer& answer = answers_.emplace_back();
    answer.set_id(id);
    if (result.ok()) {
      Fill(*result, store_, *answer.mutable_appended());
    } else {
      *answer.mutable_error() = ToStatusMessage(result.status());
    }
    --under_way_;
    bytes_under_way_ -= bytes;
    GoOn();
  }

  bool has_room() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return under_way_ + answers_.size() < kMaxAppendsUnderWay && bytes_under_way_ < kMaxBytesUnderWay;
  }

  // As many answers as a client takes in one message.
  void Send() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    sent_.Clear();
    for (std::size_t bytes = 0; !answers_.empty() && bytes < kBytesAResponse; answers_.pop_front()) {
      bytes += answers_.front().ByteSizeLong();
      sent_.add_items()->Swap(&answers_.front());
    }
    writing_ = true;
    StartWrite(&sent_);
  }

  void GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return;
    if (!answers_.empty() && !writing_ && !gone_) Send();
    if (!reading_ && !taking_ && !no_more_ && !gone_ && !ending_ && has_room()) {
      reading_ = true;
      request_.Clear();
      StartRead(&request_);
    }
    MaybeFinish();
  }

  // A caller who has gone is done with; one who sends nothing any more, and one who is sent away, gets its answers.
  void MaybeFinish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const bool answered = (no_more_ || ending_) && answers_.empty();
    const bool read = !reading_ || ending_;
    if (!(answered || gone_) || !read || taking_ || under_way_ > 0 || writing_) return;
    finished_ = true;
    Finish(gone_ ? grpc::Status::CANCELLED : no_more_ ? grpc::Status::OK : ToGrpcStatus(ShuttingDown()));
  }

  EventStore& store_;
  const RawAppendGuard& guard_;
  LongCalls& calls_;
  std::uint64_t number_ = 0;
  v1::AppendManyRequest request_;
  Mutex mutex_;
  std::deque<Answer> answers_ ABSL_GUARDED_BY(mutex_);  // not sent yet
  v1::AppendManyResponse sent_ ABSL_GUARDED_BY(mutex_);
  std::size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool taking_ ABSL_GUARDED_BY(mutex_) = false;  // what was read
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool no_more_ ABSL_GUARDED_BY(mutex_) = false;  // requests
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;     // the caller
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;   // the server
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

AppendManyReactor* StartAppendMany(EventStore& store, const RawAppendGuard& guard, LongCalls& calls) {
  return new AppendManyCall(store, guard, calls);
}

}  // namespace everfold

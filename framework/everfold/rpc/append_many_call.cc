#include "everfold/rpc/append_many_call.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/rpc/append_message.h"
#include "everfold/rpc/status.h"

namespace everfold {
namespace {

class AppendManyCall final : public AppendManyReactor {
 public:
  AppendManyCall(EventStore& store, const RawAppendGuard& guard) : store_(store), guard_(guard) {
    MutexLock lock(&mutex_);
    GoOn();
  }

 private:
  using Answer = v1::AppendManyResponse::Item;

  void OnReadDone(bool ok) override {
    if (ok) Take();
    MutexLock lock(&mutex_);
    reading_ = false;
    if (!ok) no_more_ = true;
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

  void OnDone() override { delete this; }

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
    Answer& answer = *answers_.add_items();
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
    return under_way_ + static_cast<std::size_t>(answers_.items_size()) < kMaxAppendsUnderWay &&
           bytes_under_way_ < kMaxBytesUnderWay;
  }

  void GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (answers_.items_size() > 0 && !writing_ && !gone_) {
      writing_ = true;
      sent_.Clear();
      sent_.Swap(&answers_);
      StartWrite(&sent_);
    }
    if (!reading_ && !no_more_ && !gone_ && has_room()) {
      reading_ = true;
      request_.Clear();
      StartRead(&request_);
    }
    const bool all_sent = no_more_ && answers_.items_size() == 0;
    if ((all_sent || gone_) && under_way_ == 0 && !reading_ && !writing_ && !finished_) {
      finished_ = true;
      Finish(gone_ ? grpc::Status::CANCELLED : grpc::Status::OK);
    }
  }

  EventStore& store_;
  const RawAppendGuard& guard_;
  v1::AppendManyRequest request_;
  Mutex mutex_;
  v1::AppendManyResponse answers_ ABSL_GUARDED_BY(mutex_);  // not sent yet
  v1::AppendManyResponse sent_ ABSL_GUARDED_BY(mutex_);
  std::size_t under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  std::size_t bytes_under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool no_more_ ABSL_GUARDED_BY(mutex_) = false;  // requests
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;     // the caller
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

AppendManyReactor* StartAppendMany(EventStore& store, const RawAppendGuard& guard) {
  return new AppendManyCall(store, guard);
}

}  // namespace everfold

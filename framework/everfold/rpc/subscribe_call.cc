#include "everfold/rpc/subscribe_call.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/rpc/event_bytes.h"
#include "everfold/rpc/event_message.h"
#include "everfold/rpc/event_sources.h"
#include "everfold/rpc/request_bytes.h"
#include "everfold/rpc/status.h"
#include "everfold/subscription/group_checkpoint.h"
#include "everfold/subscription/subscription.h"
#include "everfold/v1/event_store.pb.h"

namespace everfold {
namespace {

absl::Status Invalid(const std::string& message) {
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid, message);
}

absl::Status PageIsFull() { return absl::CancelledError("the response is full"); }

absl::StatusOr<std::size_t> EventsAResponse(const v1::SubscribeRequest::Start& start) {
  if (start.max_events() == 0) return kEventsAResponse;
  if (start.max_events() <= kMaxEventsAResponse) return start.max_events();
  return Error(absl::StatusCode::kInvalidArgument, reason::kLimitExceeded,
               absl::StrFormat("max_events: at most %d, %d are asked for", kMaxEventsAResponse, start.max_events()),
               {{"limit", std::to_string(kMaxEventsAResponse)}, {"actual", std::to_string(start.max_events())}});
}

// What the caller follows, once it has said so. Threading: one thread at a time.
struct Followed {
  std::unique_ptr<GroupCheckpoint> group;  // nullptr: it is none
  std::unique_ptr<Subscription> subscription;
  std::size_t max_events = 0;
};

absl::StatusOr<Checkpoint> BeginOf(const EventStore& store, const v1::SubscribeRequest::Start& start, Followed& to) {
  const int ways = !start.checkpoint().empty() + start.from_end() + !start.group().empty();
  if (ways > 1) return Invalid("a subscription begins at a checkpoint, at the end, or where its group is: one of them");
  if (to.group != nullptr) return to.group->Load();
  if (start.from_end()) return store.DurableHead();
  return DecodeCheckpointBytes(start.checkpoint());
}

absl::StatusOr<Followed> Follow(EventStore& store, Executor& executor, const v1::SubscribeRequest& request) {
  if (!request.has_start()) return Invalid("the first message of a subscription is its start");
  const v1::SubscribeRequest::Start& start = request.start();
  Followed followed;
  EVERFOLD_ASSIGN_OR_RETURN(followed.max_events, EventsAResponse(start));
  if (!start.group().empty()) {
    EVERFOLD_ASSIGN_OR_RETURN(followed.group, GroupCheckpoint::Open(store, start.group()));
  }
  EVERFOLD_ASSIGN_OR_RETURN(const Checkpoint from, BeginOf(store, start, followed));
  SubscriptionOptions options{.selection = EventSelectionOf(start.selection()),
                              .partition = PartitionOf(start.selection()),
                              .read_ahead = &executor};
  EVERFOLD_ASSIGN_OR_RETURN(followed.subscription, Subscription::Start(store, from, std::move(options)));
  return followed;
}

// Pulls on the executor, one pull at a time; a response is filled while the one before is on its way. A hint that more
// is durable, one that comes during a pull as well, leads to another pull.
class SubscribeCall final : public SubscribeReactor {
 public:
  SubscribeCall(EventStore& store, Executor& executor, LongCalls& calls, grpc::CallbackServerContext& context)
      : store_(store), executor_(executor), calls_(calls), hints_(std::make_shared<Hints>()) {
    {
      MutexLock lock(&hints_->mutex);
      hints_->call = this;
    }
    // What was sent and not read is sent again from the last checkpoint on.
    number_ = calls_.Add({.end = [this] { End(ShuttingDown()); }, .cancel = [&context] { context.TryCancel(); }});
    MutexLock lock(&mutex_);
    if (!ended_) Read();
  }

 private:
  // Hints may come while the call ends, and afterwards.
  struct Hints {
    Mutex mutex;
    SubscribeCall* call ABSL_GUARDED_BY(mutex) = nullptr;
  };

  void OnReadDone(bool ok) override {
    MutexLock lock(&mutex_);
    if (!ok && !started_) EndLocked(Invalid("the first message of a subscription is its start; there is none"));
    taking_ = ok && !ended_;
    // Loading and saving read the store.
    if (taking_) executor_.Post([this] { TakeRequest(); });
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
    calls_.Remove(number_);
    {
      MutexLock lock(&hints_->mutex);
      hints_->call = nullptr;
    }
    { MutexLock lock(&mutex_); }  // whoever has ended the call has left it
    delete this;
  }

  void End(const absl::Status& status) {
    MutexLock lock(&mutex_);
    EndLocked(status);
    GoOn();
  }

  void Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    request_bytes_.Clear();
    StartRead(&request_bytes_);
  }

  // Nobody else is at the request's bytes while `taking_`.
  void TakeRequest() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const absl::StatusOr<v1::SubscribeRequest> request = RequestOf<v1::SubscribeRequest>(request_bytes_);
    const absl::Status taken = !request.ok() ? request.status() : started_ ? Save(*request) : Start(*request);
    MutexLock lock(&mutex_);
    taking_ = false;
    if (!taken.ok()) EndLocked(taken);
    if (!ended_) Read();
    GoOn();
  }

  absl::Status Start(const v1::SubscribeRequest& request) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    EVERFOLD_ASSIGN_OR_RETURN(followed_, Follow(store_, executor_, request));
    // Before the first pull: what becomes durable from now on hints.
    watch_ = store_.WatchDurable([hints = hints_] {
      MutexLock lock(&hints->mutex);
      if (hints->call != nullptr) hints->call->Hint();
    });
    MutexLock lock(&mutex_);
    started_ = true;
    hinted_ = true;
    return absl::OkStatus();
  }

  void Hint() {
    MutexLock lock(&mutex_);
    hinted_ = true;
    GoOn();
  }

  absl::Status Save(const v1::SubscribeRequest& request) {
    if (!request.has_save()) return Invalid("a subscription has started already; all further messages are saves");
    if (followed_.group == nullptr) return Invalid("only a subscription of a group saves checkpoints");
    if (request.save().empty()) return Invalid("the checkpoint to be saved is empty; save one of a response");
    EVERFOLD_ASSIGN_OR_RETURN(Checkpoint checkpoint, DecodeCheckpointBytes(request.save()));
    {
      MutexLock lock(&mutex_);
      ++saving_;
    }
    followed_.group->Save(std::move(checkpoint),
                          [this, bytes = request.save()](const absl::Status& saved) { Saved(bytes, saved); });
    return absl::OkStatus();
  }

  void Saved(const std::string& checkpoint, const absl::Status& saved) {
    MutexLock lock(&mutex_);
    --saving_;
    if (saved.ok()) {
      saved_ = checkpoint;
    } else {
      EndLocked(saved);
    }
    GoOn();
  }

  void EndLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!ended_) status_ = ToGrpcStatus(status);
    ended_ = true;
  }

  void GoOn() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!ended_ && !writing_ && (filled_ || !saved_.empty())) Send();
    if (!failure_.ok() && !filled_) EndLocked(failure_);
    if (ended_) return MaybeFinish();
    if (started_ && hinted_ && !filled_ && !pulling_) {
      hinted_ = false;
      pulling_ = true;
      executor_.Post([this] { Pull(); });
    }
  }

  void Send() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    EventBytes none;
    EventBytes& response = filled_ ? next_ : none;  // while the next one is pulled, it is the pull's
    v1::SubscribeResponse rest;
    if (filled_) rest.Swap(&next_rest_);
    filled_ = false;
    rest.set_saved(std::exchange(saved_, {}));
    response.Add(rest);
    sent_ = response.Release();
    writing_ = true;
    StartWrite(&sent_);
  }

  void MaybeFinish() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (taking_ || pulling_ || writing_ || saving_ > 0 || finished_) return;
    finished_ = true;
    Finish(status_);
  }

  // Nobody else is at the subscription and the next response while `pulling_`.
  void Pull() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    const absl::StatusOr<PullResult> pulled =
        followed_.subscription->Pull(followed_.max_events, [&](const RecordedEvent& event) {
          if (next_.size() >= kBytesAResponse) return PageIsFull();
          next_.Add(event);
          return absl::OkStatus();
        });
    const bool full = next_.size() >= kBytesAResponse;
    MutexLock lock(&mutex_);
    pulling_ = false;
    if (!pulled.ok() && !full) failure_ = pulled.status();
    if (!failure_.ok() && next_.events() == 0) {
      EndLocked(failure_);
    } else {
      Pulled(pulled.ok() && pulled->caught_up);
    }
    GoOn();
  }

  void Pulled(bool caught_up) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    next_rest_.set_checkpoint(EncodeCheckpointBytes(followed_.subscription->checkpoint()));
    next_rest_.set_caught_up(caught_up);
    // Also without events, so that a caller whose selection meets little knows how far it has come.
    filled_ = next_.events() > 0 || !caught_up || !caught_up_;
    caught_up_ = caught_up;
    if (!caught_up) hinted_ = true;
  }

  EventStore& store_;
  Executor& executor_;
  LongCalls& calls_;
  const std::shared_ptr<Hints> hints_;
  std::uint64_t number_ = 0;
  grpc::ByteBuffer request_bytes_;
  Followed followed_;
  std::unique_ptr<EventStore::Watch> watch_;

  Mutex mutex_;
  EventBytes next_ ABSL_GUARDED_BY(mutex_);
  v1::SubscribeResponse next_rest_ ABSL_GUARDED_BY(mutex_);  // what it says besides
  grpc::ByteBuffer sent_ ABSL_GUARDED_BY(mutex_);
  std::string saved_ ABSL_GUARDED_BY(mutex_);  // what the caller is to be told
  int saving_ ABSL_GUARDED_BY(mutex_) = 0;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool taking_ ABSL_GUARDED_BY(mutex_) = false;  // a request
  bool hinted_ ABSL_GUARDED_BY(mutex_) = false;  // there may be more to pull
  bool pulling_ ABSL_GUARDED_BY(mutex_) = false;
  bool filled_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool caught_up_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);  // of a pull: to be told once what it had before has been sent
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

SubscribeReactor* StartSubscribe(EventStore& store, Executor& executor, LongCalls& calls,
                                 grpc::CallbackServerContext& context) {
  return new SubscribeCall(store, executor, calls, context);
}

}  // namespace everfold

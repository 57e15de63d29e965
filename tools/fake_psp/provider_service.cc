#include "tools/fake_psp/provider_service.h"

#include <grpcpp/alarm.h>

#include <deque>
#include <optional>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"

namespace psp {
namespace {

grpc::Status StatusOf(const absl::Status& status) {
  return {static_cast<grpc::StatusCode>(status.code()), std::string(status.message())};
}

// Deletes itself when the call is over.
class CallAnswer final : public grpc::ServerUnaryReactor {
 public:
  void Lose(bool hang) {
    if (hang) return;  // until the caller gives up
    EndOnce({grpc::StatusCode::UNAVAILABLE, "the connection broke"});
  }
  void Give(const absl::Status& status, absl::Duration delay) {
    if (delay == absl::ZeroDuration()) return EndOnce(StatusOf(status));
    {
      absl::MutexLock lock(&mutex_);
      waits_ = true;
    }
    alarm_.Set(absl::ToChronoTime(absl::Now() + delay), [this, status](bool) { EndOnce(StatusOf(status)); });
  }

 private:
  void EndOnce(const grpc::Status& status) {
    {
      absl::MutexLock lock(&mutex_);
      if (std::exchange(ended_, true)) return;
    }
    Finish(status);
  }
  void OnCancel() override {
    bool waits = false;
    {
      absl::MutexLock lock(&mutex_);
      waits = waits_;
    }
    // The alarm refers to this: so it is what ends the call, now.
    waits ? alarm_.Cancel() : EndOnce(grpc::Status::CANCELLED);
  }
  void OnDone() override { delete this; }

  absl::Mutex mutex_;
  bool waits_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::Alarm alarm_;
};

// Writes one notification at a time. Its state is guarded by the provider's mutex. Deletes itself.
class NotificationStream final : public grpc::ServerWriteReactor<v1::Notification>, public Watcher {
 public:
  NotificationStream(Provider& provider, std::int64_t after, std::uint64_t number)
      : provider_(provider), number_(number), last_(after) {}

  void OnNews(const Books& books) override {
    if (writing_ || ended_) return;
    Fill(books);
    if (queue_.empty()) return;
    current_ = std::move(queue_.front());
    queue_.pop_front();
    writing_ = true;
    StartWrite(&current_);
  }

 private:
  void Fill(const Books& books) {
    while (queue_.empty()) {
      absl::StatusOr<std::optional<v1::Notification>> next = books.After(last_);
      if (!next.ok()) return End(StatusOf(next.status()));
      if (!next->has_value()) return Flush();
      last_ = (*next)->number();
      Take(*std::move(*next));
    }
  }

  void Take(v1::Notification notification) {
    const NotificationFaults faults = provider_.faults().OfNotification(notification.number(), number_);
    if (faults.reorder && !held_.has_value()) {
      held_ = std::move(notification);
      return;
    }
    if (faults.twice) queue_.push_back(notification);
    queue_.push_back(std::move(notification));
    Flush();
  }

  void Flush() {
    if (held_.has_value()) queue_.push_back(*std::exchange(held_, std::nullopt));
  }

  void End(const grpc::Status& status) {
    if (!std::exchange(ended_, true)) Finish(status);
  }

  void OnWriteDone(bool ok) override {
    provider_.Locked([&](const Books& books) {
      writing_ = false;
      if (!ok || canceled_) return End(grpc::Status::CANCELLED);
      OnNews(books);
    });
  }
  void OnCancel() override {
    provider_.Locked([&](const Books&) {
      canceled_ = true;
      if (!writing_) End(grpc::Status::CANCELLED);
    });
  }
  void OnDone() override {
    provider_.Remove(*this);
    delete this;
  }

  Provider& provider_;
  const std::uint64_t number_;
  std::int64_t last_;
  std::deque<v1::Notification> queue_;
  std::optional<v1::Notification> held_;
  v1::Notification current_;
  bool writing_ = false;
  bool canceled_ = false;
  bool ended_ = false;
};

}  // namespace

grpc::ServerUnaryReactor* ProviderService::Answer(const std::string& key, v1::Operation* response, const Work& work) {
  auto* const answer = new CallAnswer();
  const CallFaults faults = provider_.NextCall(key);
  if (faults.drop_request) {
    answer->Lose(faults.hang);
    return answer;
  }
  absl::StatusOr<v1::Operation> operation = work();
  if (faults.twice) operation = work();
  if (faults.drop_answer) {
    answer->Lose(faults.hang);
    return answer;
  }
  if (operation.ok()) *response = *operation;
  answer->Give(operation.status(), faults.delay);
  return answer;
}

grpc::ServerUnaryReactor* ProviderService::Authorize(grpc::CallbackServerContext*, const v1::AuthorizeRequest* request,
                                                     v1::Operation* response) {
  return Answer(request->key(), response, [&] { return provider_.Authorize(*request); });
}

grpc::ServerUnaryReactor* ProviderService::Capture(grpc::CallbackServerContext*, const v1::CaptureRequest* request,
                                                   v1::Operation* response) {
  return Answer(request->key(), response, [&] { return provider_.Capture(*request); });
}

grpc::ServerUnaryReactor* ProviderService::Release(grpc::CallbackServerContext*, const v1::ReleaseRequest* request,
                                                   v1::Operation* response) {
  return Answer(request->key(), response, [&] { return provider_.Release(*request); });
}

grpc::ServerUnaryReactor* ProviderService::Refund(grpc::CallbackServerContext*, const v1::RefundRequest* request,
                                                  v1::Operation* response) {
  return Answer(request->key(), response, [&] { return provider_.Refund(*request); });
}

grpc::ServerUnaryReactor* ProviderService::GetOperation(grpc::CallbackServerContext*,
                                                        const v1::GetOperationRequest* request,
                                                        v1::Operation* response) {
  return Answer(request->key(), response, [&] { return provider_.Get(request->key()); });
}

grpc::ServerWriteReactor<v1::Notification>* ProviderService::WatchOperations(
    grpc::CallbackServerContext*, const v1::WatchOperationsRequest* request) {
  auto* const stream = new NotificationStream(provider_, request->after(), ++watchers_);
  provider_.Add(*stream);
  return stream;
}

}  // namespace psp

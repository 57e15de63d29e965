#include "everfold/rpc/remote_feed.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"
#include "everfold/rpc/application_calls.h"
#include "everfold/rpc/application_stub.h"
#include "everfold/rpc/event_message.h"
#include "everfold/rpc/listen_address.h"
#include "everfold/rpc/received_event.h"
#include "everfold/rpc/subscribe_call.h"
#include "everfold/subscription/reading_checks.h"
#include "everfold/v1/event_store.grpc.pb.h"

namespace everfold {
namespace {

using Stub = v1::EventStoreService::Stub;

// One call of Subscribe. Ends it, whatever is on its way, when it is destroyed.
class Call {
 public:
  Call(Stub& stub, const v1::SubscribeRequest& request) : stream_(stub.Subscribe(&context_)) {
    stream_->Write(request);  // that it failed is told by the first read
  }
  ~Call() {
    if (ended_) return;
    context_.TryCancel();
    for (v1::SubscribeResponse late; stream_->Read(&late);) late.Clear();
    stream_->Finish();
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // False at its end.
  bool Read(v1::SubscribeResponse& response) { return stream_->Read(&response); }
  // Why that was. Once.
  grpc::Status End() {
    ended_ = true;
    return stream_->Finish();
  }

 private:
  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientReaderWriter<v1::SubscribeRequest, v1::SubscribeResponse>> stream_;
  bool ended_ = false;
};

class RemoteSubscription final : public Subscription {
 public:
  RemoteSubscription(Stub& stub, std::string address, Checkpoint from, SubscriptionOptions options)
      : stub_(stub), address_(std::move(address)), options_(std::move(options)), checkpoint_(std::move(from)) {}

  absl::StatusOr<PullResult> Pull(std::size_t max_events, Visit visit) override {
    EVERFOLD_RETURN_IF_ERROR(CheckPull(max_events));
    const Checkpoint before = checkpoint_;
    PullResult result;
    while (result.events < max_events && !result.caught_up) {
      if (next_ == response_.events_size()) EVERFOLD_RETURN_IF_ERROR(Receive(max_events));
      for (; next_ < response_.events_size() && result.events < max_events; ++next_, ++result.events) {
        EVERFOLD_RETURN_IF_ERROR(HandOut(response_.events(next_), visit));
      }
      if (next_ < response_.events_size()) break;  // there are max_events
      EVERFOLD_ASSIGN_OR_RETURN(result.caught_up, EndResponse());
    }
    result.moved = checkpoint_ != before;
    return result;
  }

  const Checkpoint& checkpoint() const override { return checkpoint_; }

 private:
  absl::Status Receive(std::size_t max_events) {
    if (call_ == nullptr) call_ = std::make_unique<Call>(stub_, StartOf(max_events));
    response_.Clear();
    next_ = 0;
    if (call_->Read(response_)) return absl::OkStatus();
    const absl::Status ended = AnswerOf(address_, call_->End());
    call_.reset();
    return ended.ok() ? absl::InternalError("the application at " + address_ + " ended a subscription") : ended;
  }

  v1::SubscribeRequest StartOf(std::size_t max_events) const {
    v1::SubscribeRequest request;
    v1::SubscribeRequest::Start& start = *request.mutable_start();
    *start.mutable_selection() = EventSelectionMessage(options_.selection, options_.partition);
    start.set_checkpoint(EncodeCheckpointBytes(checkpoint_));
    start.set_max_events(static_cast<std::uint32_t>(std::min<std::size_t>(max_events, kMaxEventsAResponse)));
    return request;
  }

  absl::Status HandOut(const v1::RecordedEvent& event, Visit visit) {
    if (event.partition() >= checkpoint_.offsets.size()) {
      return absl::InternalError(
          absl::StrFormat("the application at %s has sent an event of partition %d; there are %d", address_,
                          event.partition(), checkpoint_.offsets.size()));
    }
    EVERFOLD_RETURN_IF_ERROR(VisitReceived(event, visit));
    checkpoint_.offsets[event.partition()] = Offset(event.offset());
    return absl::OkStatus();
  }

  // All of its events were handed out. True if that was all the application had.
  absl::StatusOr<bool> EndResponse() {
    EVERFOLD_ASSIGN_OR_RETURN(Checkpoint behind, DecodeCheckpointBytes(response_.checkpoint()));
    if (behind.epoch != checkpoint_.epoch || behind.offsets.size() != checkpoint_.offsets.size()) {
      return Error(absl::StatusCode::kFailedPrecondition, reason::kOtherHistory,
                   "the application at " + address_ + " has sent a checkpoint of another history");
    }
    checkpoint_ = std::move(behind);
    const bool caught_up = response_.caught_up();
    response_.Clear();
    next_ = 0;
    // It would say nothing more until there is more, and a pull does not wait for that.
    if (caught_up) call_.reset();
    return caught_up;
  }

  Stub& stub_;
  const std::string address_;
  const SubscriptionOptions options_;
  Checkpoint checkpoint_;
  std::unique_ptr<Call> call_;  // null before the first pull, and once all was sent
  v1::SubscribeResponse response_;
  int next_ = 0;  // of its events, to hand out
};

class GrpcRemoteFeed final : public RemoteFeed {
 public:
  explicit GrpcRemoteFeed(std::string address) : calls_(std::move(address)) {}

  absl::StatusOr<Checkpoint> Head() const override {
    v1::GetHeadResponse response;
    EVERFOLD_RETURN_IF_ERROR(calls_.Call(&Stub::GetHead, v1::GetHeadRequest(), response));
    return DecodeCheckpointBytes(response.checkpoint());
  }

  absl::StatusOr<std::unique_ptr<Subscription>> Subscribe(const Checkpoint& from,
                                                          SubscriptionOptions options) const override {
    const bool has_end = !options.upto.offsets.empty() || options.upto_sequence != Sequence();
    if (from.offsets.empty() || has_end) {
      return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                   "a subscription to another application begins at a checkpoint, and has no end");
    }
    return std::make_unique<RemoteSubscription>(calls_.stub(), calls_.address(), from, std::move(options));
  }

  absl::StatusOr<DroppedEvents> DroppedFrom(const std::string& projection) const override {
    v1::ReadStreamRequest request;
    request.set_stream(StreamOfDrops(projection).ToString());
    grpc::ClientContext context;
    const auto responses = calls_.stub().ReadStream(&context, request);
    DroppedEvents dropped;
    absl::Status added;
    for (v1::ReadStreamResponse response; responses->Read(&response);) {
      for (const v1::RecordedEvent& event : response.events()) {
        if (!added.ok()) break;
        added = VisitReceived(event, [&dropped](const RecordedEvent& e) { return AddDropped(e, dropped); });
      }
    }
    EVERFOLD_RETURN_IF_ERROR(AnswerOf(calls_.address(), responses->Finish()));
    EVERFOLD_RETURN_IF_ERROR(added);
    return dropped;
  }

 private:
  const ApplicationCalls<v1::EventStoreService> calls_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RemoteFeed>> RemoteFeed::Open(const std::string& address) {
  EVERFOLD_RETURN_IF_ERROR(CheckAddress(address));
  return std::make_unique<GrpcRemoteFeed>(address);
}

}  // namespace everfold

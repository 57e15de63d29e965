#include "everfold/rpc/projection_service.h"

#include <grpcpp/server_context.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "everfold/base/status.h"
#include "everfold/event/stream_id.h"
#include "everfold/rpc/local_caller.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/long_unary_call.h"
#include "everfold/rpc/projection_message.h"
#include "everfold/rpc/unary_call.h"
#include "everfold/rpc/wait_call.h"
#include "everfold/rpc/work_call.h"
#include "everfold/runtime/disk_thread.h"
#include "everfold/store/export/message_json.h"
#include "everfold/subscription/subscription.h"
#include "everfold/v1/projection_service.grpc.pb.h"
#include "google/protobuf/descriptor.h"

namespace everfold {
namespace {

constexpr int kDefaultEvents = 10;
constexpr int kMaxEvents = 100;

// What the log has of it, and its JSON where this binary knows it.
absl::Status AddPayload(const EventStore& store, const ParkedEvent& event, v1::ParkedEvent& message) {
  EVERFOLD_RETURN_IF_ERROR(store.ReadStream(
      event.stream, {.after = Version(event.version.value() - 1), .upto = event.version}, [&](const RecordedEvent& e) {
        message.set_payload(std::string(e.event.payload));
        return absl::OkStatus();
      }));
  const auto* const descriptor = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(event.type);
  if (descriptor == nullptr) return absl::OkStatus();
  const auto* const prototype = google::protobuf::MessageFactory::generated_factory()->GetPrototype(descriptor);
  const std::unique_ptr<google::protobuf::Message> decoded(prototype->New());
  if (!decoded->ParseFromString(message.payload())) return absl::OkStatus();  // that may be why it is parked
  MessageJson json;
  if (const absl::StatusOr<std::string> text = json.Write(*decoded); text.ok()) message.set_json(*text);
  return absl::OkStatus();
}

class ProjectionService final : public RpcService, public v1::ProjectionService::CallbackService {
  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

 public:
  ProjectionService(std::vector<Projection*> projections, const EventStore& store)
      : projections_(std::move(projections)), store_(store) {}

  const char* name() const override { return v1::ProjectionService::service_full_name(); }
  grpc::Service& service() override { return *this; }
  void EndLongCalls() override { long_calls_->EndAll(); }

  Reactor* ListProjections(Context* context, const v1::ListProjectionsRequest*,
                           v1::ListProjectionsResponse* response) override {
    UnaryCall* const call = UnaryCall::Start();
    const absl::Status allowed = CheckLocalCaller(*context);
    if (allowed.ok()) {
      for (const Projection* const projection : projections_) {
        *response->add_projections() = ProjectionMessage(projection->Describe());
      }
    }
    call->End(allowed);
    return call;
  }

  Reactor* PauseProjection(Context* context, const v1::PauseProjectionRequest* request,
                           v1::PauseProjectionResponse*) override {
    return Ask(*context, request->projection(), &Projection::Pause);
  }
  Reactor* ResumeProjection(Context* context, const v1::ResumeProjectionRequest* request,
                            v1::ResumeProjectionResponse*) override {
    return Ask(*context, request->projection(), &Projection::Resume);
  }
  Reactor* RebuildProjection(Context* context, const v1::RebuildProjectionRequest* request,
                             v1::RebuildProjectionResponse* response) override {
    return Follow(*context, request->projection(), &Projection::Rebuild, *response);
  }
  Reactor* CompareProjection(Context* context, const v1::CompareProjectionRequest* request,
                             v1::CompareProjectionResponse* response) override {
    return With(*context, request->projection(), [this, response](Projection& projection, UnaryCall* call) {
      projection.Compare([end = LongUnaryCall::Begin(long_calls_, call),
                          response](const absl::StatusOr<VersionComparison>& comparison) mutable {
        end(comparison.status(), [&] {
          if (comparison.ok()) *response = ComparisonMessage(*comparison);
        });
      });
    });
  }
  Reactor* ResetProjection(Context* context, const v1::ResetProjectionRequest* request,
                           v1::ResetProjectionResponse*) override {
    return Ask(*context, request->projection(), &Projection::Reset);
  }
  grpc::ServerWriteReactor<v1::VerifyProjectionResponse>* VerifyProjection(
      Context* context, const v1::VerifyProjectionRequest* request) override {
    auto* const call = WorkCall<v1::VerifyProjectionResponse>::Start();
    const absl::Status allowed = CheckLocalCaller(*context);
    const absl::StatusOr<Projection*> projection = allowed.ok() ? Find(request->projection()) : allowed;
    if (!projection.ok()) {
      call->End(projection.status());
      return call;
    }
    verifying_.Post([this, call, &projection = **projection] { call->End(RunVerify(*call, projection)); });
    return call;
  }
  Reactor* WaitForProjection(Context* context, const v1::WaitForProjectionRequest* request,
                             v1::WaitForProjectionResponse*) override {
    const absl::Status allowed = CheckLocalCaller(*context);
    const absl::StatusOr<Projection*> found = allowed.ok() ? Find(request->projection()) : allowed;
    if (!found.ok()) {
      UnaryCall* const call = UnaryCall::Start();
      call->End(found.status());
      return call;
    }
    std::vector<Position> positions;
    const Checkpoint head = store_.DurableHead();
    for (std::uint32_t i = 0; i < head.offsets.size(); ++i) positions.push_back({PartitionId(i), head.offsets[i]});
    return WaitCall::Start(
        long_calls_, [&](WaitCall::Done done) { return (*found)->WaitFor(std::move(positions), std::move(done)); },
        [projection = *found](std::uint64_t wait) { projection->CancelWait(wait); });
  }
  Reactor* RollbackProjection(Context* context, const v1::RollbackProjectionRequest* request,
                              v1::RollbackProjectionResponse* response) override {
    return Follow(*context, request->projection(), &Projection::Rollback, *response);
  }
  Reactor* CancelRebuild(Context* context, const v1::CancelRebuildRequest* request,
                         v1::CancelRebuildResponse*) override {
    return Ask(*context, request->projection(), &Projection::CancelRebuild);
  }

  Reactor* ListParkedKeys(Context* context, const v1::ListParkedKeysRequest* request,
                          v1::ListParkedKeysResponse* response) override {
    return With(*context, request->projection(), [response](Projection& projection, UnaryCall* call) {
      projection.ListParked([response, call](const absl::StatusOr<std::vector<ParkedKey>>& keys) {
        for (const ParkedKey& key : keys.value_or(std::vector<ParkedKey>())) {
          *response->add_keys() = ParkedKeyMessage(key);
        }
        call->End(keys.status());
      });
    });
  }

  Reactor* ListParkedEvents(Context* context, const v1::ListParkedEventsRequest* request,
                            v1::ListParkedEventsResponse* response) override {
    return With(*context, request->projection(), [this, request, response](Projection& projection, UnaryCall* call) {
      if (request->limit() < 0) {
        return call->End(
            Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                  absl::StrFormat("limit is %d; it must be 0 (for %d) or more", request->limit(), kDefaultEvents)));
      }
      const int limit = request->limit() == 0 ? kDefaultEvents : std::min(request->limit(), kMaxEvents);
      projection.ListParkedEvents(request->key(), static_cast<std::size_t>(limit),
                                  [this, response, call](const absl::StatusOr<std::vector<ParkedEvent>>& events) {
                                    call->End(events.ok() ? AddEvents(*events, *response) : events.status());
                                  });
    });
  }

  Reactor* RetryParkedKey(Context* context, const v1::RetryParkedKeyRequest* request,
                          v1::RetryParkedKeyResponse* response) override {
    return With(*context, request->projection(), [request, response](Projection& projection, UnaryCall* call) {
      projection.RetryParked(request->key(), [&projection, key = request->key(), response,
                                              call](const absl::StatusOr<std::uint64_t>& left) {
        EndTried(projection, key, left, *response, call);
      });
    });
  }

  Reactor* DropParkedEvent(Context* context, const v1::DropParkedEventRequest* request,
                           v1::DropParkedEventResponse* response) override {
    return With(*context, request->projection(), [request, response](Projection& projection, UnaryCall* call) {
      std::optional<StreamId> stream;
      if (!request->stream().empty()) {
        absl::StatusOr<StreamId> parsed = ParseStreamId(request->stream(), request->tenant());
        if (!parsed.ok()) return call->End(parsed.status());
        stream = *std::move(parsed);
      }
      projection.DropParked(
          request->key(), std::move(stream), Version(request->version()), request->reason(),
          [&projection, key = request->key(), response, call](const absl::StatusOr<std::uint64_t>& left) {
            EndTried(projection, key, left, *response, call);
          });
    });
  }

 private:
  absl::StatusOr<Projection*> Find(const std::string& name) const {
    for (Projection* const projection : projections_) {
      if (projection->type().name == name) return projection;
    }
    const auto add_name = [](std::string* out, const Projection* p) { out->append(p->type().name); };
    return Error(absl::StatusCode::kNotFound, reason::kRequestInvalid,
                 absl::StrFormat("there is no projection %s; there is: %s", ShownText(name),
                                 absl::StrJoin(projections_, ", ", add_name)));
  }

  // Calls `use` with the projection, or ends the call.
  template <class Use>
  Reactor* With(const Context& context, const std::string& name, Use use) {
    UnaryCall* const call = UnaryCall::Start();
    const absl::Status allowed = CheckLocalCaller(context);
    const absl::StatusOr<Projection*> projection = allowed.ok() ? Find(name) : allowed;
    if (projection.ok()) {
      use(**projection, call);
    } else {
      call->End(projection.status());
    }
    return call;
  }

  Reactor* Ask(const Context& context, const std::string& name, void (Projection::*operation)(Projection::Done)) {
    return With(context, name, [operation](Projection& projection, UnaryCall* call) {
      (projection.*operation)([call](const absl::Status& status) { call->End(status); });
    });
  }

  // As Ask, for what may take long.
  template <class Response>
  Reactor* Follow(const Context& context, const std::string& name, void (Projection::*operation)(Projection::Done),
                  Response& response) {
    return With(context, name, [this, operation, &response](Projection& projection, UnaryCall* call) {
      (projection.*operation)(
          [end = LongUnaryCall::Begin(long_calls_, call), &projection, &response](const absl::Status& status) mutable {
            end(status, [&projection, &response] {
              const ProjectionStatus now = projection.Describe();
              response.set_version(now.version);
              response.set_previous_version(now.previous);
            });
          });
    });
  }

  absl::StatusOr<v1::VerifyProjectionResponse> RunVerify(WorkCall<v1::VerifyProjectionResponse>& call,
                                                         const Projection& projection) const {
    const ProjectionStatus now = projection.Describe();
    VerifiedReadModel verified{.projection = now.name, .version = now.version};
    verified.other_code = now.tallies.empty();
    if (!verified.other_code) {
      const std::uint64_t total = EventsBefore(now.checkpoint);
      const auto tell = [&call, total](std::uint64_t events) {
        v1::VerifyProjectionResponse response;
        response.mutable_progress()->set_events(events);
        response.mutable_progress()->set_total(total);
        return call.Tell(std::move(response));
      };
      EVERFOLD_ASSIGN_OR_RETURN(verified.findings,
                                VerifyTallies(projection.type(), store_, now.checkpoint, now.tallies, tell));
    }
    for (const PartitionTally& tally : now.tallies) {
      verified.tally.applied += tally.applied;
      verified.tally.parked += tally.parked;
      verified.tally.dropped += tally.dropped;
    }
    v1::VerifyProjectionResponse response;
    *response.mutable_verified() = VerifiedMessage(verified);
    return response;
  }

  // What has come of a try, and of what still waits, why.
  template <class Response>
  static void EndTried(Projection& projection, const std::string& key, const absl::StatusOr<std::uint64_t>& left,
                       Response& response, UnaryCall* call) {
    response.set_waiting_events(left.value_or(0));
    if (left.value_or(0) == 0) return call->End(left.status());
    projection.ListParked([key, &response, call](const absl::StatusOr<std::vector<ParkedKey>>& parked) {
      for (const ParkedKey& each : parked.value_or(std::vector<ParkedKey>())) {
        if (each.key == key) response.set_error(each.error);
      }
      call->End(absl::OkStatus());
    });
  }

  absl::Status AddEvents(const std::vector<ParkedEvent>& events, v1::ListParkedEventsResponse& response) const {
    for (const ParkedEvent& event : events) {
      v1::ParkedEvent& message = *response.add_events();
      message = ParkedEventMessage(event);
      EVERFOLD_RETURN_IF_ERROR(AddPayload(store_, event, message));
    }
    return absl::OkStatus();
  }

  const std::vector<Projection*> projections_;
  const EventStore& store_;
  const std::shared_ptr<LongCalls> long_calls_ = std::make_shared<LongCalls>();
  DiskThread verifying_{"everfold-rmverf", DiskThread::Priority::kLow};  // ends first
};

}  // namespace

std::unique_ptr<RpcService> MakeProjectionService(std::vector<Projection*> projections, const EventStore& store) {
  return std::make_unique<ProjectionService>(std::move(projections), store);
}

}  // namespace everfold

#include "everfold/rpc/reactor_service.h"

#include <grpcpp/server_context.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "everfold/event/stream_id.h"
#include "everfold/rpc/local_caller.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/long_unary_call.h"
#include "everfold/rpc/reactor_message.h"
#include "everfold/rpc/unary_call.h"
#include "everfold/v1/reactor_service.grpc.pb.h"

namespace everfold {
namespace {

class ReactorService final : public RpcService, public v1::ReactorService::CallbackService {
  using Context = grpc::CallbackServerContext;
  using Call = grpc::ServerUnaryReactor;

 public:
  explicit ReactorService(std::vector<Reactor*> reactors) : reactors_(std::move(reactors)) {}

  const char* name() const override { return v1::ReactorService::service_full_name(); }
  grpc::Service& service() override { return *this; }
  void EndLongCalls() override { long_calls_->EndAll(); }

  Call* ListReactors(Context* context, const v1::ListReactorsRequest*, v1::ListReactorsResponse* response) override {
    UnaryCall* const call = UnaryCall::Start();
    const absl::Status allowed = CheckLocalCaller(*context);
    if (allowed.ok()) {
      for (const Reactor* const reactor : reactors_) *response->add_reactors() = ReactorMessage(reactor->Describe());
    }
    call->End(allowed);
    return call;
  }

  Call* PauseReactor(Context* context, const v1::PauseReactorRequest* request, v1::PauseReactorResponse*) override {
    return Ask(*context, request->reactor(),
               [](Reactor& reactor, Reactor::Done done) { reactor.Pause(std::move(done)); });
  }
  Call* ResumeReactor(Context* context, const v1::ResumeReactorRequest* request, v1::ResumeReactorResponse*) override {
    return Ask(*context, request->reactor(),
               [](Reactor& reactor, Reactor::Done done) { reactor.Resume(std::move(done)); });
  }
  Call* ResetReactor(Context* context, const v1::ResetReactorRequest* request, v1::ResetReactorResponse*) override {
    return Ask(*context, request->reactor(), [request = *request](Reactor& reactor, Reactor::Done done) {
      reactor.Reset(request.to(), request.reason(), std::move(done));
    });
  }
  Call* RetryReactions(Context* context, const v1::RetryReactionsRequest* request,
                       v1::RetryReactionsResponse*) override {
    return Ask(*context, request->reactor(), [request = *request](Reactor& reactor, Reactor::Done done) {
      if (request.key().empty()) return reactor.RetryAll(std::move(done));
      reactor.Retry(request.key(), std::move(done));
    });
  }
  Call* DropReaction(Context* context, const v1::DropReactionRequest* request, v1::DropReactionResponse*) override {
    return Ask(*context, request->reactor(), [request = *request](Reactor& reactor, Reactor::Done done) {
      absl::StatusOr<StreamId> stream = ParseStreamId(request.stream(), request.tenant());
      if (!stream.ok()) return done(stream.status());
      reactor.Drop(request.key(), *std::move(stream), Version(request.version()), request.reason(), std::move(done));
    });
  }

  Call* ListWaitingReactions(Context* context, const v1::ListWaitingReactionsRequest* request,
                             v1::ListWaitingReactionsResponse* response) override {
    return With(*context, request->reactor(), [response](Reactor& reactor, UnaryCall* call) {
      reactor.ListKeys([response, call](const absl::StatusOr<std::vector<ReactorKey>>& keys) {
        for (const ReactorKey& key : keys.value_or(std::vector<ReactorKey>())) {
          *response->add_reactions() = WaitingReactionMessage(key);
        }
        call->End(keys.status());
      });
    });
  }

 private:
  absl::StatusOr<Reactor*> Find(const std::string& name) const {
    for (Reactor* const reactor : reactors_) {
      if (reactor->type().name == name) return reactor;
    }
    const auto add_name = [](std::string* out, const Reactor* r) { out->append(r->type().name); };
    return Error(absl::StatusCode::kNotFound, reason::kRequestInvalid,
                 absl::StrFormat("there is no reactor %s; there is: %s", ShownText(name),
                                 absl::StrJoin(reactors_, ", ", add_name)));
  }

  // Calls `use` with the reactor, or ends the call.
  template <class Use>
  Call* With(const Context& context, const std::string& name, Use use) {
    UnaryCall* const call = UnaryCall::Start();
    const absl::Status allowed = CheckLocalCaller(context);
    const absl::StatusOr<Reactor*> reactor = allowed.ok() ? Find(name) : allowed;
    if (reactor.ok()) {
      use(**reactor, call);
    } else {
      call->End(reactor.status());
    }
    return call;
  }

  // A reset waits for handlers, and all of it for the log: the server does not wait for it when it shuts down.
  template <class Operation>
  Call* Ask(const Context& context, const std::string& name, Operation operation) {
    return With(context, name, [this, operation](Reactor& reactor, UnaryCall* call) {
      operation(reactor, [end = LongUnaryCall::Begin(long_calls_, call)](const absl::Status& status) mutable {
        end(status, [] {});
      });
    });
  }

  const std::vector<Reactor*> reactors_;
  const std::shared_ptr<LongCalls> long_calls_ = std::make_shared<LongCalls>();
};

}  // namespace

std::unique_ptr<RpcService> MakeReactorService(std::vector<Reactor*> reactors) {
  return std::make_unique<ReactorService>(std::move(reactors));
}

}  // namespace everfold

#include "everfold/rpc/process_service.h"

#include <grpcpp/server_context.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "everfold/base/error.h"
#include "everfold/event/event_key.h"
#include "everfold/event/stream_id.h"
#include "everfold/rpc/local_caller.h"
#include "everfold/rpc/long_calls.h"
#include "everfold/rpc/long_unary_call.h"
#include "everfold/rpc/process_message.h"
#include "everfold/rpc/unary_call.h"
#include "everfold/v1/process_service.grpc.pb.h"

namespace everfold {
namespace {

constexpr int kDefaultPage = 100;
constexpr int kMaxPage = 1000;

// INVALID_ARGUMENT for what is no size of a page.
absl::StatusOr<std::size_t> SizeOf(const char* field, int asked) {
  if (asked == 0) return kDefaultPage;
  if (asked > 0 && asked <= kMaxPage) return static_cast<std::size_t>(asked);
  return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
               absl::StrFormat("%s is 1 to %d, not %d", field, kMaxPage, asked));
}

class ProcessService final : public RpcService, public v1::ProcessService::CallbackService {
  using Context = grpc::CallbackServerContext;
  using Call = grpc::ServerUnaryReactor;

 public:
  ProcessService(std::vector<Process*> processes, const EventStore& store)
      : processes_(std::move(processes)), store_(store) {}

  const char* name() const override { return v1::ProcessService::service_full_name(); }
  grpc::Service& service() override { return *this; }
  void EndLongCalls() override { long_calls_->EndAll(); }

  Call* ListProcesses(Context* context, const v1::ListProcessesRequest*, v1::ListProcessesResponse* response) override {
    UnaryCall* const call = UnaryCall::Start();
    const absl::Status allowed = CheckLocalCaller(*context);
    if (allowed.ok()) {
      for (const Process* const process : processes_) *response->add_processes() = ProcessMessage(process->Describe());
    }
    call->End(allowed);
    return call;
  }

  Call* PauseProcess(Context* context, const v1::PauseProcessRequest* request, v1::PauseProcessResponse*) override {
    return Ask(*context, request->process(),
               [](Process& process, Process::Done done) { process.Pause(std::move(done)); });
  }
  Call* ResumeProcess(Context* context, const v1::ResumeProcessRequest* request, v1::ResumeProcessResponse*) override {
    return Ask(*context, request->process(),
               [](Process& process, Process::Done done) { process.Resume(std::move(done)); });
  }
  Call* ResetProcess(Context* context, const v1::ResetProcessRequest* request, v1::ResetProcessResponse*) override {
    return Ask(*context, request->process(), [request = *request](Process& process, Process::Done done) {
      process.Reset(request.to(), request.reason(), std::move(done));
    });
  }
  Call* RetryParkedInstance(Context* context, const v1::RetryParkedInstanceRequest* request,
                            v1::RetryParkedInstanceResponse*) override {
    return Ask(*context, request->process(), [request = *request](Process& process, Process::Done done) {
      if (request.instance().empty()) return process.RetryAll(std::move(done));
      process.Retry(request.instance(), std::move(done));
    });
  }
  Call* DropParkedInput(Context* context, const v1::DropParkedInputRequest* request,
                        v1::DropParkedInputResponse*) override {
    return Ask(*context, request->process(), [request = *request](Process& process, Process::Done done) {
      process.Drop(request.instance(), request.input(), request.reason(), std::move(done));
    });
  }
  Call* AnswerActivity(Context* context, const v1::AnswerActivityRequest* request,
                       v1::AnswerActivityResponse*) override {
    return Ask(*context, request->process(), [request = *request](Process& process, Process::Done done) {
      if (const absl::Status valid = CheckAnswer(request); !valid.ok()) return done(valid);
      process.Answer(request.activity_key(), request.answer_id(), AnswerOf(request), std::move(done));
    });
  }

  Call* ListProcessInstances(Context* context, const v1::ListProcessInstancesRequest* request,
                             v1::ListProcessInstancesResponse* response) override {
    return With(*context, request->process(), [request, response](Process& process, UnaryCall* call) {
      const absl::StatusOr<std::size_t> size = SizeOf("page_size", request->page_size());
      if (!size.ok()) return call->End(size.status());
      process.ListInstances(request->page_token(), *size,
                            [response, call, size = *size](const absl::StatusOr<std::vector<OpenInstance>>& page) {
                              for (const OpenInstance& one : page.value_or(std::vector<OpenInstance>())) {
                                *response->add_instances() = OpenInstanceMessage(one);
                              }
                              if (page.ok() && page->size() == size) {
                                response->set_next_page_token(page->back().key);
                              }
                              call->End(page.status());
                            });
    });
  }

  Call* GetProcessInstance(Context* context, const v1::GetProcessInstanceRequest* request,
                           v1::GetProcessInstanceResponse* response) override {
    return With(*context, request->process(), [this, request, response](Process& process, UnaryCall* call) {
      const absl::StatusOr<std::size_t> steps = SizeOf("max_steps", request->max_steps());
      if (!steps.ok()) return call->End(steps.status());
      process.Get(request->tenant(), request->id(),
                  [this, &process, response, call, steps = *steps](const absl::StatusOr<ProcessInstance>& instance) {
                    if (!instance.ok()) return call->End(instance.status());
                    *response = InstanceMessage(*instance);
                    const absl::Status added = AddSteps(store_, instance->stream, steps, *response);
                    if (!added.ok()) return call->End(added);
                    AddParked(process, KeyOfStream(instance->stream), *response, *call);
                  });
    });
  }

  Call* ListParkedInstances(Context* context, const v1::ListParkedInstancesRequest* request,
                            v1::ListParkedInstancesResponse* response) override {
    return With(*context, request->process(), [response](Process& process, UnaryCall* call) {
      process.ListParked([response, call](const absl::StatusOr<std::vector<ParkedInstance>>& parked) {
        for (const ParkedInstance& one : parked.value_or(std::vector<ParkedInstance>())) {
          *response->add_instances() = ParkedInstanceMessage(one);
        }
        call->End(parked.status());
      });
    });
  }

 private:
  static void AddParked(Process& process, const std::string& instance, v1::GetProcessInstanceResponse& response,
                        UnaryCall& call) {
    process.ListParked([instance, &response, &call](const absl::StatusOr<std::vector<ParkedInstance>>& parked) {
      for (const ParkedInstance& one : parked.value_or(std::vector<ParkedInstance>())) {
        if (one.instance == instance) *response.add_parked() = ParkedInstanceMessage(one);
      }
      call.End(parked.status());
    });
  }
  static absl::Status CheckAnswer(const v1::AnswerActivityRequest& request) {
    if (request.has_result() || (request.has_failure() && request.failure().code() != 0)) return absl::OkStatus();
    return Error(absl::StatusCode::kInvalidArgument, reason::kRequestInvalid,
                 "an answer is a result, or a failure with a status code that is not OK");
  }
  static absl::StatusOr<std::string> AnswerOf(const v1::AnswerActivityRequest& request) {
    if (request.has_result()) return request.result();
    return absl::Status(static_cast<absl::StatusCode>(request.failure().code()), request.failure().message());
  }

  absl::StatusOr<Process*> Find(const std::string& name) const {
    for (Process* const process : processes_) {
      if (process->type().name == name) return process;
    }
    const auto add_name = [](std::string* out, const Process* p) { out->append(p->type().name); };
    return Error(absl::StatusCode::kNotFound, reason::kRequestInvalid,
                 absl::StrFormat("there is no process %s; there is: %s", ShownText(name),
                                 absl::StrJoin(processes_, ", ", add_name)));
  }

  // Calls `use` with the process, or ends the call.
  template <class Use>
  Call* With(const Context& context, const std::string& name, Use use) {
    UnaryCall* const call = UnaryCall::Start();
    const absl::Status allowed = CheckLocalCaller(context);
    const absl::StatusOr<Process*> process = allowed.ok() ? Find(name) : allowed;
    if (process.ok()) {
      use(**process, call);
    } else {
      call->End(process.status());
    }
    return call;
  }

  // What waits for the log, or for what is under way: the server does not wait for it when it shuts down.
  template <class Operation>
  Call* Ask(const Context& context, const std::string& name, Operation operation) {
    return With(context, name, [this, operation](Process& process, UnaryCall* call) {
      operation(process, [end = LongUnaryCall::Begin(long_calls_, call)](const absl::Status& status) mutable {
        end(status, [] {});
      });
    });
  }

  const std::vector<Process*> processes_;
  const EventStore& store_;
  const std::shared_ptr<LongCalls> long_calls_ = std::make_shared<LongCalls>();
};

}  // namespace

std::unique_ptr<RpcService> MakeProcessService(std::vector<Process*> processes, const EventStore& store) {
  return std::make_unique<ProcessService>(std::move(processes), store);
}

}  // namespace everfold

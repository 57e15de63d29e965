#include "everfold/rpc/process_client.h"

#include <grpcpp/client_context.h>

#include <utility>

#include "everfold/base/status.h"
#include "everfold/rpc/application_stub.h"
#include "everfold/rpc/listen_address.h"
#include "everfold/v1/process_service.grpc.pb.h"

namespace everfold {
namespace {

class GrpcProcessClient final : public ProcessClient {
  using Stub = v1::ProcessService::Stub;

 public:
  explicit GrpcProcessClient(std::string address)
      : address_(std::move(address)), stub_(v1::ProcessService::NewStub(ChannelTo(address_))) {}

  absl::StatusOr<std::vector<v1::ProcessInfo>> List() override {
    v1::ListProcessesResponse response;
    EVERFOLD_RETURN_IF_ERROR(Call(&Stub::ListProcesses, v1::ListProcessesRequest(), response));
    return std::vector<v1::ProcessInfo>(response.processes().begin(), response.processes().end());
  }
  absl::Status Pause(const std::string& process) override {
    v1::PauseProcessResponse response;
    return Call(&Stub::PauseProcess, Of<v1::PauseProcessRequest>(process), response);
  }
  absl::Status Resume(const std::string& process) override {
    v1::ResumeProcessResponse response;
    return Call(&Stub::ResumeProcess, Of<v1::ResumeProcessRequest>(process), response);
  }
  absl::Status Reset(const std::string& process, v1::ReactorResetTo to, const std::string& reason) override {
    auto request = Of<v1::ResetProcessRequest>(process);
    request.set_to(to);
    request.set_reason(reason);
    v1::ResetProcessResponse response;
    return Call(&Stub::ResetProcess, request, response);
  }
  absl::StatusOr<v1::ListProcessInstancesResponse> Instances(const std::string& process,
                                                             const std::string& after) override {
    auto request = Of<v1::ListProcessInstancesRequest>(process);
    request.set_page_token(after);
    v1::ListProcessInstancesResponse response;
    EVERFOLD_RETURN_IF_ERROR(Call(&Stub::ListProcessInstances, request, response));
    return response;
  }
  absl::StatusOr<v1::GetProcessInstanceResponse> Get(const std::string& process, const std::string& tenant,
                                                     const std::string& id) override {
    auto request = Of<v1::GetProcessInstanceRequest>(process);
    request.set_tenant(tenant);
    request.set_id(id);
    v1::GetProcessInstanceResponse response;
    EVERFOLD_RETURN_IF_ERROR(Call(&Stub::GetProcessInstance, request, response));
    return response;
  }
  absl::StatusOr<std::vector<v1::ParkedProcessInstance>> Parked(const std::string& process) override {
    v1::ListParkedInstancesResponse response;
    EVERFOLD_RETURN_IF_ERROR(Call(&Stub::ListParkedInstances, Of<v1::ListParkedInstancesRequest>(process), response));
    return std::vector<v1::ParkedProcessInstance>(response.instances().begin(), response.instances().end());
  }
  absl::Status Retry(const std::string& process, const std::string& instance) override {
    auto request = Of<v1::RetryParkedInstanceRequest>(process);
    request.set_instance(instance);
    v1::RetryParkedInstanceResponse response;
    return Call(&Stub::RetryParkedInstance, request, response);
  }
  absl::Status Drop(const std::string& process, const std::string& instance, const std::string& input,
                    const std::string& reason) override {
    auto request = Of<v1::DropParkedInputRequest>(process);
    request.set_instance(instance);
    request.set_input(input);
    request.set_reason(reason);
    v1::DropParkedInputResponse response;
    return Call(&Stub::DropParkedInput, request, response);
  }

 private:
  template <class Request>
  static Request Of(const std::string& process) {
    Request request;
    request.set_process(process);
    return request;
  }

  template <class Request, class Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*),
                    const Request& request, Response& response) {
    grpc::ClientContext context;
    return AnswerOf(address_, ((*stub_).*method)(&context, request, &response));
  }

  const std::string address_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ProcessClient>> ProcessClient::Open(const std::string& address) {
  EVERFOLD_RETURN_IF_ERROR(CheckAddress(address));
  return std::make_unique<GrpcProcessClient>(address);
}

}  // namespace everfold

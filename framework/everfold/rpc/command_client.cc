#include "everfold/rpc/command_client.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "everfold/base/random.h"
#include "everfold/base/uuid.h"
#include "everfold/rpc/status.h"
#include "everfold/v1/command_service.grpc.pb.h"
#include "google/rpc/error_details.pb.h"

namespace everfold {
namespace {

bool MayEndBetter(const absl::Status& status) {
  if (absl::IsUnknown(status)) return ReasonOf(status) == reason::kOutcomeUnknown;
  return absl::IsUnavailable(status) || absl::IsResourceExhausted(status);
}

// Half of it at least, so that many who were refused together do not come back together.
absl::Duration Jittered(absl::Duration pause, RandomSource& random) {
  return pause / 2 + pause / 2 * (static_cast<double>(random.Below(1000)) / 1000);
}

absl::Duration PauseAfter(const absl::Status& status, absl::Duration usual) {
  google::rpc::RetryInfo retry;
  if (!FindDetail(status, retry)) return usual;
  return std::max(usual, absl::Seconds(retry.retry_delay().seconds()) + absl::Nanoseconds(retry.retry_delay().nanos()));
}

}  // namespace

struct CommandClient::Stub {
  std::unique_ptr<v1::CommandService::Stub> service;
  SystemRandom random;

  absl::Status Attempt(const v1::ExecuteRequest& request, const ExecuteOptions& options, absl::Time deadline,
                       v1::ExecuteResponse& response) const {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(deadline));
    if (!options.actor.empty()) context.AddMetadata("everfold-actor", options.actor);
    return FromGrpcStatus(service->Execute(&context, request, &response));
  }
};

CommandClient::CommandClient(std::shared_ptr<grpc::Channel> channel, CommandClientOptions options)
    : stub_(new Stub{v1::CommandService::NewStub(std::move(channel)), {}}), options_(options) {}

CommandClient::~CommandClient() = default;

absl::StatusOr<v1::CommandReceipt> CommandClient::ExecuteAny(const google::protobuf::Message& command,
                                                             const ExecuteOptions& options) {
  const absl::Time deadline = absl::Now() + options_.timeout;
  v1::ExecuteRequest request;
  request.mutable_command()->PackFrom(command);
  request.set_request_id(options.request_id.empty() ? NewUuid(absl::Now(), stub_->random) : options.request_id);
  if (options.expected_version.has_value()) request.set_expected_version(*options.expected_version);
  absl::Duration usual = options_.first_pause;
  while (true) {
    v1::ExecuteResponse response;
    absl::Status status = stub_->Attempt(request, options, deadline, response);
    if (status.ok()) return std::move(*response.mutable_receipt());
    const absl::Duration pause = Jittered(PauseAfter(status, usual), stub_->random);
    if (!MayEndBetter(status) || absl::Now() + pause >= deadline) return status;
    absl::SleepFor(pause);
    usual = std::min(usual * 2, options_.longest_pause);
  }
}

}  // namespace everfold

#include "everfold/rpc/command_client.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/clock.h"
#include "everfold/base/error_message.h"
#include "everfold/base/mutex.h"
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

// Never earlier than the application asks for.
absl::Duration PauseAfter(const absl::Status& status, absl::Duration usual, RandomSource& random) {
  const absl::Duration pause = Jittered(usual, random);
  google::rpc::RetryInfo retry;
  if (!FindDetail(status, retry)) return pause;
  return pause + absl::Seconds(retry.retry_delay().seconds()) + absl::Nanoseconds(retry.retry_delay().nanos());
}

// Whether the command may have been done, though the attempt failed: its answer was lost, or nobody knows it.
bool MayHaveHappened(const absl::Status& status) {
  if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) return ReasonOf(status).empty();
  return absl::IsUnknown(status) || absl::IsCancelled(status);
}

// With the id under which it can be asked for again.
absl::Status LastError(const absl::Status& status, bool may_have_happened, const std::string& request_id) {
  const std::string id = absl::StrFormat(" (request_id %s)", request_id);
  if (may_have_happened && (MayHaveHappened(status) || MayEndBetter(status))) {
    return Error(absl::StatusCode::kUnknown, reason::kOutcomeUnknown,
                 absl::StrFormat("the command may have happened or not; repeat it under its request id: %s%s",
                                 std::string(status.message()), id),
                 {{"request_id", request_id}});
  }
  return WithMore(status, id);
}

}  // namespace

struct CommandClient::Stub {
  std::unique_ptr<v1::CommandService::Stub> service;
  SystemClock clock;
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
    : stub_(new Stub{v1::CommandService::NewStub(std::move(channel)), {}, {}}), options_(options) {}

CommandClient::~CommandClient() = default;

absl::StatusOr<v1::CommandReceipt> CommandClient::ExecuteAny(const google::protobuf::Message& command,
                                                             const ExecuteOptions& options) {
  const absl::Time deadline = stub_->clock.Now() + options_.timeout;
  v1::ExecuteRequest request;
  request.mutable_command()->PackFrom(command);
  request.set_request_id(options.request_id.empty() ? NewUuid(stub_->clock.Now(), stub_->random) : options.request_id);
  if (options.expected_version.has_value()) request.set_expected_version(*options.expected_version);
  absl::Duration usual = options_.first_pause;
  bool may_have_happened = false;
  while (true) {
    v1::ExecuteResponse response;
    absl::Status status = stub_->Attempt(request, options, deadline, response);
    if (status.ok()) return std::move(*response.mutable_receipt());
    may_have_happened = may_have_happened || MayHaveHappened(status);
    const absl::Duration pause = PauseAfter(status, usual, stub_->random);
    if (!MayEndBetter(status) || stub_->clock.Now() + pause >= deadline) {
      return LastError(status, may_have_happened, request.request_id());
    }
    Notification().WaitForNotificationWithTimeout(pause);  // nobody notifies: the caller waits
    usual = std::min(usual * 2, options_.longest_pause);
  }
}

}  // namespace everfold

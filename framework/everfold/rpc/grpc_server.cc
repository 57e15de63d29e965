#include "everfold/rpc/grpc_server.h"

#include <grpc/grpc.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/rpc/calls_under_way.h"
#include "everfold/rpc/health_service.h"
#include "everfold/rpc/listen_address.h"
#include "everfold/rpc/reflection_service.h"
#include "everfold/runtime/disk_thread.h"

namespace everfold {
namespace {

constexpr absl::Duration kLookInterval = absl::Milliseconds(20);  // at the calls under way
constexpr absl::Duration kQuiet = absl::Milliseconds(100);        // without a call: answers have been read by then
// For calls that were told to end, and cannot be, because their callers do not read what they were sent before. They
// are looked at again and again, as long as that: one may stall later.
constexpr absl::Duration kStalledGrace = absl::Seconds(1);

absl::StatusOr<std::vector<std::string>> NamesOf(const std::vector<RpcService*>& services) {
  std::vector<std::string> names;
  for (const RpcService* const service : services) {
    if (std::find(names.begin(), names.end(), service->name()) != names.end()) {
      return absl::InvalidArgumentError(absl::StrFormat("two services are called %s", service->name()));
    }
    names.emplace_back(service->name());
  }
  return names;
}

void SetLimits(const GrpcServerOptions& options, grpc::ServerBuilder& builder) {
  grpc::ResourceQuota quota("everfold");
  quota.Resize(options.max_buffer_bytes);
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(options.max_request_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, options.max_metadata_bytes);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.max_calls_per_connection);
  // Two servers that share a port would each get some of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

// gRPC polls for up to ten seconds more where a write had to wait for its connection, and whoever lets go of the
// library last waits for that. So the process does not let go of it: what is on its way to nobody ends with the
// process.
void KeepGrpc() {
  static const bool kept = [] {
    grpc_init();
    return true;
  }();
  static_cast<void>(kept);
}

}  // namespace

GrpcServer::GrpcServer() : calls_(std::make_unique<CallsUnderWay>()) {}

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const GrpcServerOptions& options,
                                                              const std::vector<RpcService*>& services) {
  if (options.addresses.empty()) return absl::InvalidArgumentError("no address to listen on");
  EVERFOLD_ASSIGN_OR_RETURN(std::vector<std::string> names, NamesOf(services));
  std::unique_ptr<GrpcServer> server(new GrpcServer);
  server->health_ = std::make_unique<HealthService>(names);
  names.push_back(grpc::health::v1::Health::service_full_name());
  names.push_back(kReflectionService);
  server->reflection_ = std::make_unique<ReflectionService>(std::move(names));
  EVERFOLD_RETURN_IF_ERROR(server->Listen(options, services));
  return server;
}

absl::Status GrpcServer::Listen(const GrpcServerOptions& options, const std::vector<RpcService*>& services) {
  KeepGrpc();
  grpc::ServerBuilder builder;
  SetLimits(options, builder);
  std::vector<int> ports(options.addresses.size());
  for (std::size_t i = 0; i < ports.size(); ++i) {
    EVERFOLD_RETURN_IF_ERROR(CheckListenAddress(options.addresses[i]));
    builder.AddListeningPort(options.addresses[i], grpc::InsecureServerCredentials(), &ports[i]);
  }
  services_ = services;
  for (RpcService* const service : services) builder.RegisterService(&service->service());
  builder.RegisterService(health_.get());
  builder.RegisterCallbackGenericService(reflection_.get());
  builder.SetContextAllocator(CountingContexts(*calls_));
  server_ = builder.BuildAndStart();
  for (std::size_t i = 0; i < ports.size(); ++i) {
    if (ports[i] == 0) return absl::UnavailableError("cannot listen on " + options.addresses[i]);
    addresses_.push_back(WithPort(options.addresses[i], ports[i]));
  }
  return server_ == nullptr ? absl::InternalError("gRPC did not start") : absl::OkStatus();
}

GrpcServer::~GrpcServer() {
  if (server_ != nullptr) Shutdown(absl::InfinitePast());
}

void GrpcServer::SetServing(bool serving) { health_->SetServing(serving); }

// gRPC waits until all connections are closed. An idle client may not even read that it is to close its own: where no
// call is under way any more nothing is waited for, and connections are cut.
void GrpcServer::Shutdown(absl::Time deadline) {
  health_->Retire();
  reflection_->Retire();
  for (RpcService* const service : services_) service->EndLongCalls();
  Notification ended;
  DiskThread waiting("everfold-stop");
  waiting.Post([&] {
    // gRPC waits forever for a time far in the past.
    server_->Shutdown(absl::ToChronoTime(std::max(deadline, absl::UnixEpoch())));
    ended.Notify();
  });
  absl::Duration waited, quiet;
  for (; !ended.WaitForNotificationWithTimeout(kLookInterval); waited += kLookInterval) {
    quiet = calls_->none() ? quiet + kLookInterval : absl::ZeroDuration();
    if (quiet >= kQuiet) grpc_server_cancel_all_calls(server_->c_server());
    if (waited < kStalledGrace || waited % kStalledGrace != absl::ZeroDuration()) continue;
    for (RpcService* const service : services_) service->CancelLongCalls();
  }
}

}  // namespace everfold

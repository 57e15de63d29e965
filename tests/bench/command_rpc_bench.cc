// Commands over gRPC, durable, beside a server of the same service that answers at once.
#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "bench/v1/account_api.grpc.pb.h"
#include "everfold/base/status.h"
#include "everfold/command/command_handler.h"
#include "everfold/rpc/grpc_server.h"
#include "tests/bench/account.h"
#include "tests/bench/account_commands.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/command_target.h"
#include "tests/bench/grpc_target.h"
#include "tests/bench/machine.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

using AccountService = ::bench::v1::AccountCommandService;

constexpr std::size_t kOutstanding[] = {1, 16, 64, 256};
constexpr std::uint32_t kStreams = 10'000;
constexpr int kExecutorThreads = 2;

class EchoService final : public RpcService, public AccountService::CallbackService {
 public:
  const char* name() const override { return AccountService::service_full_name(); }
  grpc::Service& service() override { return *this; }

  grpc::ServerUnaryReactor* AddEntry(grpc::CallbackServerContext* context, const ::bench::v1::AddEntryRequest* request,
                                     ::bench::v1::AddEntryResponse* response) override {
    v1::CommandReceipt& receipt = *response->mutable_receipt();
    receipt.set_stream("account/" + request->command().account_id());
    receipt.set_version(1000);
    receipt.set_consistency_token(std::string(36, 'A'));
    receipt.set_sequence(1'000'000);
    receipt.mutable_recorded_at()->set_seconds(1'700'000'000);
    receipt.mutable_recorded_at()->set_nanos(123'456'000);
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

class CallTarget final : public AppendTarget {
 public:
  CallTarget(const std::string& address, const Payloads& payloads)
      : stub_(AccountService::NewStub(Connect(address))), payloads_(payloads), slots_(kMostCallers) {
    SystemRandom random;
    for (Slot& slot : slots_) slot.noise = Noise(random.Next());
  }

  void Append(std::size_t number, Caller& caller) override {
    Slot& slot = slots_[number];
    slot.context = std::make_unique<grpc::ClientContext>();
    FillCommand(slot.noise, payloads_, kStreams, *slot.request.mutable_command());
    stub_->async()->AddEntry(slot.context.get(), &slot.request, &slot.response, [&caller](const grpc::Status& status) {
      caller.OnDurable(absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()));
    });
  }
  std::size_t events_a_commit() const override { return 1; }

 private:
  struct Slot {
    Noise noise{0};
    std::unique_ptr<grpc::ClientContext> context;
    ::bench::v1::AddEntryRequest request;
    ::bench::v1::AddEntryResponse response;
  };

  const std::unique_ptr<AccountService::Stub> stub_;
  const Payloads& payloads_;
  std::vector<Slot> slots_;
};

absl::StatusOr<std::unique_ptr<GrpcServer>> Listen(RpcService& service, const std::string& path) {
  GrpcServerOptions options;
  options.addresses = {"127.0.0.1:0", "unix:" + path};
  return GrpcServer::Start(options, {&service});
}

absl::Status MeasureTransport(Run& run, const char* name, const std::string& ours_at, const std::string& echo_at) {
  for (const std::size_t calls : kOutstanding) {
    CallTarget ours(ours_at, run.payloads);
    CallTarget echo(echo_at, run.payloads);
    const LoopOptions loop{.callers = calls, .max_time = run.options.round};
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns, TakeTurns(ours, echo, loop, run.options));
    AddTurns(run.figures, absl::StrFormat("%s, commands, %d outstanding", name, calls), turns, RatioAtLeast(0.8));
  }
  return absl::OkStatus();
}

absl::Status MeasureCalls(Run& run, Arena& arena) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::string sockets, run.scratch.MakeDirectory("command-sockets"));
  AccountCommands commands(arena.store(), {});
  commands.LoadStates(kStreams);
  const std::unique_ptr<RpcService> service = AggregateOf<::bench::v1::Account>::MakeCommandService(commands.handler());
  EchoService echoes;
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> ours, Listen(*service, sockets + "/ours"));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> echo, Listen(echoes, sockets + "/echo"));
  EVERFOLD_RETURN_IF_ERROR(MeasureTransport(run, "TCP", ours->addresses()[0], echo->addresses()[0]));
  return MeasureTransport(run, "Unix socket", ours->addresses()[1], echo->addresses()[1]);
}

}  // namespace

absl::Status BenchCommandRpc(Run& run) {
  run.figures.Section("commands over gRPC, client and server in one process");
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Arena> arena, Arena::Open(run, "command-rpc"));
  EVERFOLD_RETURN_IF_ERROR(arena->Reopen(kExecutorThreads));
  EVERFOLD_RETURN_IF_ERROR(MeasureCalls(run, *arena));
  WaitUntilQuiet();
  return arena->Close();
}

}  // namespace everfold::bench

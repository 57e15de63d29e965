// The event store's gRPC service beside a server that only echoes, over TCP and over a Unix socket.
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/rpc/event_store_service.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/echo_service.h"
#include "tests/bench/grpc_target.h"
#include "tests/bench/machine.h"
#include "tests/bench/store_target.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

constexpr std::size_t kOutstanding[] = {1, 16, 64, 256};
constexpr std::size_t kEventsACall[] = {1, 10, 100};
constexpr std::size_t kExecutorThreads = 2;
constexpr std::uint64_t kEventsToRead = 500'000;

// Reads everything; how many events there were, and what they came in.
absl::StatusOr<std::vector<v1::ReadAllResponse>> ReadEverything(v1::EventStoreService::Stub& stub) {
  grpc::ClientContext context;
  const auto reader = stub.ReadAll(&context, v1::ReadAllRequest());
  std::vector<v1::ReadAllResponse> responses;
  v1::ReadAllResponse response;
  while (reader->Read(&response)) responses.push_back(response);
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return absl::InternalError(status.error_message());
  return responses;
}

// Events a second of one call that reads everything.
absl::StatusOr<double> TimeReading(v1::EventStoreService::Stub& stub) {
  WaitUntilQuiet();
  grpc::ClientContext context;
  std::uint64_t events = 0;
  v1::ReadAllResponse response;
  const std::int64_t began = NowNanos();
  const auto reader = stub.ReadAll(&context, v1::ReadAllRequest());
  while (reader->Read(&response)) events += static_cast<std::uint64_t>(response.events_size());
  const grpc::Status status = reader->Finish();
  const std::int64_t ended = NowNanos();
  if (!status.ok()) return absl::InternalError(status.error_message());
  return static_cast<double>(events) * 1e9 / static_cast<double>(ended - began);
}

struct Transport {
  const char* name;
  std::string ours;
  std::string echo;
};

class RpcBench {
 public:
  RpcBench(Run& run, Arena& arena) : run_(run), arena_(arena) {}

  absl::Status Measure() {
    EVERFOLD_RETURN_IF_ERROR(Start());
    for (const Transport& transport : {Transport{"TCP", ours_->addresses()[0], echo_->addresses()[0]},
                                       Transport{"Unix socket", ours_->addresses()[1], echo_->addresses()[1]}}) {
      for (const std::size_t events : kEventsACall) {
        for (const std::size_t calls : kOutstanding) EVERFOLD_RETURN_IF_ERROR(MeasureAppends(transport, events, calls));
      }
      EVERFOLD_RETURN_IF_ERROR(MeasureReading(transport));
    }
    echo_ = nullptr;
    ours_ = nullptr;
    return absl::OkStatus();
  }

 private:
  absl::Status Start() {
    EVERFOLD_ASSIGN_OR_RETURN(const std::string sockets, run_.scratch.MakeDirectory("sockets"));
    service_ = MakeEventStoreService(arena_.store().store(), arena_.store().log(), arena_.store().executor(), {});
    EVERFOLD_ASSIGN_OR_RETURN(ours_, Listen(*service_, sockets + "/ours"));
    EVERFOLD_ASSIGN_OR_RETURN(std::vector<v1::ReadAllResponse> responses, FillAndRead());
    echoes_ = MakeEchoService(std::move(responses));
    EVERFOLD_ASSIGN_OR_RETURN(echo_, Listen(*echoes_, sockets + "/echo"));
    return absl::OkStatus();
  }

  static absl::StatusOr<std::unique_ptr<GrpcServer>> Listen(RpcService& service, const std::string& path) {
    GrpcServerOptions options;
    options.addresses = {"127.0.0.1:0", "unix:" + path};
    return GrpcServer::Start(options, {&service});
  }

  // What is read later, from the log's files and from an echo.
  absl::StatusOr<std::vector<v1::ReadAllResponse>> FillAndRead() {
    const std::uint64_t events = std::min(run_.options.events, kEventsToRead);
    StoreTarget target(arena_.store().store(), arena_.streams(), run_.payloads, {.exact_versions = false});
    EVERFOLD_RETURN_IF_ERROR(RunClosedLoop(target, {.callers = 256, .max_events = events}).status());
    const auto stub = v1::EventStoreService::NewStub(Connect(ours_->addresses()[0]));
    return ReadEverything(*stub);
  }

  absl::Status MeasureAppends(const Transport& transport, std::size_t events, std::size_t calls) {
    GrpcTarget ours(transport.ours, run_.payloads, events);
    GrpcTarget echo(transport.echo, run_.payloads, events);
    const LoopOptions loop{.callers = calls, .max_time = run_.options.round};
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns, TakeTurns(ours, echo, loop, run_.options));
    AddTurns(run_.figures,
             absl::StrFormat("%s, append of %d event%s, %d outstanding", transport.name, events, events == 1 ? "" : "s",
                             calls),
             turns, RatioAtLeast(0.8));
    return absl::OkStatus();
  }

  absl::Status MeasureReading(const Transport& transport) {
    const auto ours = v1::EventStoreService::NewStub(Connect(transport.ours));
    const auto echo = v1::EventStoreService::NewStub(Connect(transport.echo));
    std::vector<double> our_rates;
    std::vector<double> echo_rates;
    for (int i = 0; i < run_.options.rounds; ++i) {
      EVERFOLD_ASSIGN_OR_RETURN(echo_rates.emplace_back(), TimeReading(*echo));
      EVERFOLD_ASSIGN_OR_RETURN(our_rates.emplace_back(), TimeReading(*ours));
    }
    run_.figures.Add({.name = absl::StrFormat("%s, read all", transport.name),
                      .value = MedianOf(our_rates),
                      .unit = "events/s",
                      .ceiling = MedianOf(echo_rates),
                      .goal = RatioAtLeast(0.8)});
    return absl::OkStatus();
  }

  Run& run_;
  Arena& arena_;
  std::unique_ptr<RpcService> service_;
  std::unique_ptr<RpcService> echoes_;
  std::unique_ptr<GrpcServer> ours_;
  std::unique_ptr<GrpcServer> echo_;
};

}  // namespace

absl::Status BenchRpc(Run& run) {
  run.figures.Section("the event store over gRPC, client and server in one process");
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Arena> arena, Arena::Open(run, "rpc"));
  EVERFOLD_RETURN_IF_ERROR(arena->Reopen(kExecutorThreads));
  EVERFOLD_RETURN_IF_ERROR(RpcBench(run, *arena).Measure());
  return arena->Close();
}

}  // namespace everfold::bench

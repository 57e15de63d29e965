// Commands over gRPC, durable, beside a server of the same service that answers at once.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/command/command_handler.h"
#include "everfold/rpc/command_service.h"
#include "everfold/rpc/grpc_server.h"
#include "tests/bench/account.h"
#include "tests/bench/account_calls.h"
#include "tests/bench/account_commands.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/command_target.h"
#include "tests/bench/machine.h"
#include "tests/bench/streamed_commands.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

constexpr std::size_t kOutstanding[] = {1, 16, 64, 256};
constexpr std::uint32_t kStreams = 10'000;
constexpr int kExecutorThreads = 2;

// Beside a server that answers at once, and beside one that does so when the request is durable in a bare ring: what
// the transport and the disk cost together.
absl::Status MeasureTransport(Run& run, const char* name, const std::string& ours_at, const std::string& echo_at,
                              const std::string& synced_at) {
  for (const std::size_t calls : kOutstanding) {
    CallTarget ours(ours_at, run.payloads, kStreams);
    CallTarget echo(echo_at, run.payloads, kStreams);
    const LoopOptions loop{.callers = calls, .max_time = run.options.round};
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns, TakeTurns(ours, echo, loop, run.options));
    AddTurns(run.figures, absl::StrFormat("%s, commands, %d outstanding", name, calls), turns, RatioAtLeast(0.8));
    CallTarget synced(synced_at, run.payloads, kStreams);
    EVERFOLD_ASSIGN_OR_RETURN(const Turns beside, TakeTurns(ours, synced, loop, run.options));
    AddTurns(run.figures, absl::StrFormat("%s, commands, %d outstanding, beside an echo that syncs", name, calls),
             beside, std::nullopt);
  }
  return absl::OkStatus();
}

// Beside the same number of callers in process, and beside calls of one command each.
absl::Status MeasureStreamed(Run& run, const char* name, const std::string& address, CommandHandler& handler) {
  const LoopOptions loop{.callers = 256, .max_time = run.options.round};
  std::vector<double> streamed;
  std::vector<double> in_process;
  std::vector<double> unary;
  for (int i = 0; i < run.options.rounds; ++i) {
    CommandTarget callers(handler, run.payloads, kStreams);
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult called, RunClosedLoop(callers, loop));
    in_process.push_back(called.events_a_second());
    WaitUntilQuiet();
    CallTarget calls(address, run.payloads, kStreams);
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult one_by_one, RunClosedLoop(calls, loop));
    unary.push_back(one_by_one.events_a_second());
    WaitUntilQuiet();
    StreamedCommands stream(address, run.payloads, {.streams = kStreams});
    EVERFOLD_ASSIGN_OR_RETURN(streamed.emplace_back(), stream.RunFor(run.options.round));
    WaitUntilQuiet();
  }
  const auto add = [&](const char* beside, const std::vector<double>& ceiling, double goal) {
    run.figures.Add({.name = absl::StrFormat("%s, streamed in batches of 100, beside %s", name, beside),
                     .value = MedianOf(streamed),
                     .unit = "commands/s",
                     .ceiling = MedianOf(ceiling),
                     .goal = RatioAtLeast(goal)});
  };
  add("callers in process", in_process, 0.6);
  add("256 unary calls", unary, 5);
  return absl::OkStatus();
}

absl::Status MeasureCalls(Run& run, Arena& arena) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::string sockets, run.scratch.MakeDirectory("command-sockets"));
  AccountCommands commands(arena.store(), {});
  commands.LoadStates(kStreams);
  const std::unique_ptr<RpcService> service = AggregateOf<::bench::v1::Account>::MakeCommandService(commands.handler());
  const std::unique_ptr<RpcService> echoes = MakeAccountEcho();
  BareRing ring(arena.ring_files(), /*executor=*/nullptr);
  const std::unique_ptr<RpcService> synced_echoes = MakeAccountEcho(&ring);
  const std::unique_ptr<RpcService> many = MakeCommandService(commands.handler());
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> ours,
                            ListenTwice({service.get(), many.get()}, sockets + "/ours"));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> echo, ListenTwice({echoes.get()}, sockets + "/echo"));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> synced,
                            ListenTwice({synced_echoes.get()}, sockets + "/synced"));
  for (const std::size_t i : {0, 1}) {
    const char* const name = i == 0 ? "TCP" : "Unix socket";
    EVERFOLD_RETURN_IF_ERROR(
        MeasureTransport(run, name, ours->addresses()[i], echo->addresses()[i], synced->addresses()[i]));
    EVERFOLD_RETURN_IF_ERROR(MeasureStreamed(run, name, ours->addresses()[i], commands.handler()));
  }
  return absl::OkStatus();
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

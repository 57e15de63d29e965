// How long a command over gRPC takes while there is room: at half of what the server takes at most, beside an echo at
// the same rate.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/account.h"
#include "tests/bench/account_calls.h"
#include "tests/bench/account_commands.h"
#include "tests/bench/bare_ring.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/machine.h"
#include "tests/bench/open_loop.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

constexpr std::size_t kOutstandingAtPeak = 256;
constexpr double kLoad = 0.5;  // of the peak
constexpr std::uint32_t kStreams = 10'000;
constexpr int kExecutorThreads = 2;

struct Latency {
  std::vector<double> rate, p50_us, p99_us;

  void Add(const OpenLoopResult& result) {
    rate.push_back(result.commits_a_second());
    p50_us.push_back(result.p50_us);
    p99_us.push_back(result.p99_us);
  }
};

absl::StatusOr<double> PeakOf(AppendTarget& ours, const RunOptions& options) {
  const LoopOptions loop{.callers = kOutstandingAtPeak, .max_time = options.round};
  std::vector<double> rates;
  for (int i = 0; i < options.rounds; ++i) {
    WaitUntilQuiet();
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult result, RunClosedLoop(ours, loop));
    rates.push_back(result.events_a_second());
  }
  return MedianOf(std::move(rates));
}

absl::Status AddTurnOf(AppendTarget& target, const OpenLoopOptions& loop, Latency& latency) {
  WaitUntilQuiet();
  EVERFOLD_ASSIGN_OR_RETURN(const OpenLoopResult result, RunOpenLoop(target, loop));
  latency.Add(result);
  return absl::OkStatus();
}

absl::Status MeasureTransport(Run& run, Arena& arena, const char* name, const std::string& ours_at,
                              const std::string& echo_at) {
  CallTarget ours(ours_at, run.payloads, kStreams);
  CallTarget echo(echo_at, run.payloads, kStreams);
  EVERFOLD_ASSIGN_OR_RETURN(const double peak, PeakOf(ours, run.options));
  const OpenLoopOptions loop{.rate = peak * kLoad, .time = run.options.round};
  std::vector<double> syncs;
  Latency echoed, commands;
  for (int i = 0; i < run.options.rounds; ++i) {
    EVERFOLD_ASSIGN_OR_RETURN(syncs.emplace_back(),
                              MedianOfBareSyncs(arena.ring_files(), run.payloads, run.options.round / 10));
    EVERFOLD_RETURN_IF_ERROR(AddTurnOf(echo, loop, echoed));
    EVERFOLD_RETURN_IF_ERROR(AddTurnOf(ours, loop, commands));
  }
  const auto add = [&](const char* what, double value, const char* unit, double ceiling, std::optional<Goal> goal) {
    run.figures.Add({.name = absl::StrFormat("%s, half load, %s", name, what),
                     .value = value,
                     .unit = unit,
                     .ceiling = ceiling,
                     .goal = goal});
  };
  const double sync = MedianOf(syncs);
  const double echo_p99 = MedianOf(echoed.p99_us);
  const double p99 = MedianOf(commands.p99_us);
  add("commands, beside the peak", MedianOf(commands.rate), "commands/s", peak, std::nullopt);
  add("p50, beside an echo", MedianOf(commands.p50_us), "us", MedianOf(echoed.p50_us), std::nullopt);
  add("p99, beside an echo", p99, "us", echo_p99, std::nullopt);
  add("p99, beside 2 x echo + a sync", p99, "us", 2 * echo_p99 + sync, RatioAtMost(1));
  run.figures.Add({.name = absl::StrFormat("%s, half load, a bare sync", name), .value = sync, .unit = "us"});
  return absl::OkStatus();
}

absl::Status MeasureCalls(Run& run, Arena& arena) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::string sockets, run.scratch.MakeDirectory("latency-sockets"));
  AccountCommands commands(arena.store(), {});
  commands.LoadStates(kStreams);
  const std::unique_ptr<RpcService> service = AggregateOf<::bench::v1::Account>::MakeCommandService(commands.handler());
  const std::unique_ptr<RpcService> echoes = MakeAccountEcho();
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> ours, ListenTwice({service.get()}, sockets + "/ours"));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<GrpcServer> echo, ListenTwice({echoes.get()}, sockets + "/echo"));
  for (const std::size_t i : {0, 1}) {
    EVERFOLD_RETURN_IF_ERROR(
        MeasureTransport(run, arena, i == 0 ? "TCP" : "Unix socket", ours->addresses()[i], echo->addresses()[i]));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status BenchCommandLatency(Run& run) {
  run.figures.Section("commands over gRPC at half of the peak, by a schedule");
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Arena> arena, Arena::Open(run, "command-latency"));
  EVERFOLD_RETURN_IF_ERROR(arena->Reopen(kExecutorThreads));
  EVERFOLD_RETURN_IF_ERROR(MeasureCalls(run, *arena));
  WaitUntilQuiet();
  return arena->Close();
}

}  // namespace everfold::bench

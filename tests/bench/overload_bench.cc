// Three times as many commands as can be made durable: what still gets through, what it takes, and how soon it is over.
#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "everfold/base/status.h"
#include "tests/bench/account_commands.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/closed_loop.h"
#include "tests/bench/command_target.h"
#include "tests/bench/machine.h"

namespace everfold::bench {
namespace {

constexpr std::uint32_t kStreams = 10'000;
constexpr double kOverload = 3;
// Commands are sent by a schedule, in bursts: who sends shares the processors, and must not take more than it needs.
constexpr absl::Duration kBetweenBursts = absl::Microseconds(200);

// Commands that come at a rate of their own, whatever becomes of those before them.
class OpenLoop {
 public:
  OpenLoop(CommandHandler& handler, const Payloads& payloads) : handler_(handler), payloads_(payloads) {}

  // Commands a second that were accepted.
  absl::StatusOr<double> RunFor(absl::Duration time, double rate) {
    const std::int64_t began = NowNanos();
    const std::int64_t end = began + absl::ToInt64Nanoseconds(time);
    std::uint64_t sent = 0;
    for (std::int64_t now = began; now < end; now = NowNanos()) {
      const auto due = static_cast<std::uint64_t>(rate * static_cast<double>(now - began) / 1e9);
      for (; sent < due; ++sent) Send();
      absl::SleepFor(kBetweenBursts);
    }
    const std::uint64_t accepted = accepted_.load();
    const double seconds = static_cast<double>(NowNanos() - began) / 1e9;
    while (outstanding_.load() > 0) std::this_thread::yield();
    if (others_.load() > 0) {
      return absl::InternalError(absl::StrFormat("%d commands ended in another way", others_.load()));
    }
    return static_cast<double>(accepted) / seconds;
  }
  std::uint64_t refused() const { return refused_.load(); }

 private:
  void Send() {
    auto command = std::make_unique<::bench::v1::AddEntry>();
    FillCommand(noise_, payloads_, kStreams, *command);
    CommandRequest request;
    request.command = command.get();
    outstanding_.fetch_add(1);
    handler_.Handle(std::move(request),
                    [this, command = std::move(command)](const absl::StatusOr<CommandOutcome>& outcome) {
                      Count(outcome.status());
                      outstanding_.fetch_sub(1);
                    });
  }
  void Count(const absl::Status& status) {
    std::atomic<std::uint64_t>& count = status.ok()                         ? accepted_
                                        : absl::IsResourceExhausted(status) ? refused_
                                                                            : others_;
    count.fetch_add(1, std::memory_order_relaxed);
  }

  CommandHandler& handler_;
  const Payloads& payloads_;
  Noise noise_{7};
  std::atomic<std::uint64_t> accepted_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::atomic<std::uint64_t> others_ = 0;
  std::atomic<std::uint64_t> outstanding_ = 0;
};

absl::Status MeasureOverload(Run& run, OpenStore& store) {
  AccountCommands commands(store, {});
  commands.LoadStates(kStreams);
  CommandTarget target(commands.handler(), run.payloads, kStreams);
  const LoopOptions calm{.callers = 256, .max_time = run.options.round};
  EVERFOLD_ASSIGN_OR_RETURN(const LoopResult peak, RunClosedLoop(target, calm));
  WaitUntilQuiet();
  const double before = static_cast<double>(ResidentBytes()) / 1e6;
  OpenLoop storm(commands.handler(), run.payloads);
  EVERFOLD_ASSIGN_OR_RETURN(const double goodput,
                            storm.RunFor(run.options.round * 3, kOverload * peak.events_a_second()));
  const double after = static_cast<double>(ResidentBytes()) / 1e6;
  const std::int64_t ended = NowNanos();
  EVERFOLD_ASSIGN_OR_RETURN(const LoopResult again, RunClosedLoop(target, calm));
  run.figures.Add({.name = "overload, 3 times what it takes, accepted",
                   .value = goodput,
                   .unit = "commands/s",
                   .ceiling = peak.events_a_second(),
                   .goal = RatioAtLeast(0.8)});
  run.figures.Add({.name = "overload, refused", .value = static_cast<double>(storm.refused()), .unit = "commands"});
  run.figures.Add({.name = "overload, memory it took",
                   .value = std::max(0.0, after - before),
                   .unit = "MB",
                   .goal = ValueAtMost(500)});
  run.figures.Add({.name = "overload, rate right after it",
                   .value = again.events_a_second(),
                   .unit = "commands/s",
                   .ceiling = peak.events_a_second()});
  run.figures.Add({.name = "overload, over after",
                   .value = static_cast<double>(NowNanos() - ended) / 1e9 - absl::ToDoubleSeconds(again.elapsed) +
                            again.p99_us / 1e6,
                   .unit = "s",
                   .goal = ValueAtMost(5)});
  return absl::OkStatus();
}

}  // namespace

absl::Status BenchOverload(Run& run) {
  run.figures.Section("overload");
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, run.scratch.MakeDirectory("overload"));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> store, OpenStore::Open(directory));
  EVERFOLD_RETURN_IF_ERROR(MeasureOverload(run, *store));
  WaitUntilQuiet();
  return store->Close();
}

}  // namespace everfold::bench

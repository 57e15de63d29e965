// The author's two functions alone, as the command side calls them: on one thread, without a store.
#include "everfold/base/clock.h"
#include "everfold/base/random.h"
#include "everfold/base/status.h"
#include "tests/bench/account.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/command_target.h"
#include "tests/bench/machine.h"

namespace everfold::bench {
namespace {

constexpr std::uint64_t kCommands = 1'000'000;

struct Decided {
  double through_framework = 0;  // commands a second
  double direct = 0;
};

// Through the tables of functions that the framework makes of a decider.
absl::StatusOr<double> DecideThroughFramework(const ::bench::v1::AddEntry& command, std::uint64_t commands) {
  const AggregateType aggregate = MakeAggregateType<::bench::v1::AccountDecider>();
  const CommandType& type = aggregate.commands.at("bench.v1.AddEntry");
  const auto state = aggregate.NewState();
  const StreamId stream = {"", "account", command.account_id()};
  const Metadata metadata;
  SystemRandom random;
  const std::int64_t began = NowNanos();
  for (std::uint64_t i = 0; i < commands; ++i) {
    Context context(absl::UnixEpoch(), stream, Version(i), metadata, random);
    EVERFOLD_ASSIGN_OR_RETURN(const AnyDecision decision, aggregate.Decide(type, *state, command, context));
    for (const EmittedEvent& event : decision.events) EVERFOLD_RETURN_IF_ERROR(aggregate.Evolve(*state, *event));
  }
  return static_cast<double>(commands) * 1e9 / static_cast<double>(NowNanos() - began);
}

// The same functions, called as a program without a framework would.
double DecideDirectly(const ::bench::v1::AddEntry& command, std::uint64_t commands) {
  ::bench::v1::Account state;
  const StreamId stream = {"", "account", command.account_id()};
  const Metadata metadata;
  SystemRandom random;
  const std::int64_t began = NowNanos();
  for (std::uint64_t i = 0; i < commands; ++i) {
    Context context(absl::UnixEpoch(), stream, Version(i), metadata, random);
    const AnyDecision decision = ::bench::v1::AccountDecider::Decide(state, command, context).Release();
    for (const EmittedEvent& event : decision.events) {
      ::bench::v1::AccountDecider::Evolve(state, static_cast<const ::bench::v1::EntryAdded&>(*event));
    }
  }
  return static_cast<double>(commands) * 1e9 / static_cast<double>(NowNanos() - began);
}

}  // namespace

absl::Status BenchDecide(Run& run) {
  run.figures.Section("decide and evolve alone, one thread, no store");
  const std::uint64_t commands = run.options.quick ? kCommands / 10 : kCommands;
  Noise noise(1);
  ::bench::v1::AddEntry command;
  FillCommand(noise, run.payloads, 1, command);
  std::vector<double> ours;
  std::vector<double> bare;
  for (int i = 0; i < run.options.rounds; ++i) {
    bare.push_back(DecideDirectly(command, commands));
    EVERFOLD_ASSIGN_OR_RETURN(ours.emplace_back(), DecideThroughFramework(command, commands));
  }
  run.figures.Add({.name = "decide and evolve, beside direct calls",
                   .value = MedianOf(ours),
                   .unit = "commands/s",
                   .ceiling = MedianOf(bare)});
  return absl::OkStatus();
}

}  // namespace everfold::bench

#include "tests/bench/turns.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/machine.h"

namespace everfold::bench {
namespace {

// Of a turn that counts.
constexpr double kWarmUp = 0.2;

absl::StatusOr<LoopResult> RunQuietly(AppendTarget& target, const LoopOptions& loop) {
  WaitUntilQuiet();
  return RunClosedLoop(target, loop);
}

absl::Status WarmUp(AppendTarget& ours, AppendTarget& bare, const LoopOptions& loop) {
  EVERFOLD_RETURN_IF_ERROR(RunQuietly(bare, loop).status());
  return RunQuietly(ours, loop).status();
}

LoopOptions WarmUpOf(LoopOptions loop, absl::Duration turn) {
  loop.max_time = turn * kWarmUp;
  return loop;
}

}  // namespace

absl::StatusOr<Turns> TakeTurns(AppendTarget& ours, AppendTarget& bare, const LoopOptions& loop,
                                const RunOptions& run) {
  if (!run.quick) EVERFOLD_RETURN_IF_ERROR(WarmUp(ours, bare, WarmUpOf(loop, run.round)));
  Turns turns;
  for (int i = 0; i < run.rounds; ++i) {
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult bare_result, RunQuietly(bare, loop));
    turns.bare.push_back(bare_result);
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult our_result, RunQuietly(ours, loop));
    turns.ours.push_back(our_result);
  }
  return turns;
}

void AddTurns(Figures& figures, const std::string& name, const Turns& turns, std::optional<Goal> rate_goal) {
  const auto add = [&](const char* what, const char* unit, auto number, std::optional<Goal> goal) {
    figures.Add({.name = name + what,
                 .value = MedianOver(turns.ours, number),
                 .unit = unit,
                 .ceiling = MedianOver(turns.bare, number),
                 .goal = goal});
  };
  add(
      "", "events/s", [](const LoopResult& r) { return r.events_a_second(); }, rate_goal);
  add(
      ", p50", "us", [](const LoopResult& r) { return r.p50_us; }, std::nullopt);
  add(
      ", p99", "us", [](const LoopResult& r) { return r.p99_us; }, std::nullopt);
  add(
      ", CPU", "us/event", [](const LoopResult& r) { return r.cpu_us_an_event(); }, std::nullopt);
}

absl::StatusOr<std::unique_ptr<Arena>> Arena::Open(Run& run, const std::string& name) {
  std::unique_ptr<Arena> arena(new Arena);
  EVERFOLD_ASSIGN_OR_RETURN(const std::string ring, run.scratch.MakeDirectory("ring"));
  EVERFOLD_ASSIGN_OR_RETURN(arena->store_directory_, run.scratch.MakeDirectory(name));
  EVERFOLD_ASSIGN_OR_RETURN(arena->ring_files_, RingFiles::Make(ring));
  EVERFOLD_RETURN_IF_ERROR(arena->Reopen(1));
  return arena;
}

absl::StatusOr<Turns> Arena::Measure(Run& run, AppendTarget& ours, const Payloads& payloads, const LoopOptions& loop) {
  BareRing ring(*ring_files_, loop.blocking ? nullptr : ring_executor_.get());
  RingTarget bare(ring, payloads, ours.events_a_commit());
  return TakeTurns(ours, bare, loop, run.options);
}

absl::StatusOr<LoopResult> Arena::RunBare(const Payloads& payloads, std::size_t events_a_commit,
                                          const LoopOptions& loop) {
  BareRing ring(*ring_files_, loop.blocking ? nullptr : ring_executor_.get());
  RingTarget bare(ring, payloads, events_a_commit);
  return RunQuietly(bare, loop);
}

absl::Status Arena::Reopen(int executor_threads) {
  if (store_ != nullptr) EVERFOLD_RETURN_IF_ERROR(store_->Close());
  store_ = nullptr;
  EVERFOLD_ASSIGN_OR_RETURN(store_, OpenStore::Open(store_directory_, executor_threads));
  ring_executor_ = std::make_unique<AsioExecutor>(executor_threads);
  return absl::OkStatus();
}

absl::Status Arena::Close() {
  const absl::Status closed = store_->Close();
  store_ = nullptr;
  return closed;
}

}  // namespace everfold::bench

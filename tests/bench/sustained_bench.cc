// Durable appends for as long as it takes that everything else is at work, too: sealing, and writing of the index.
#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/machine.h"
#include "tests/bench/store_target.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

constexpr char kStore[] = "main";
constexpr std::size_t kCallers = 256;
constexpr std::uint64_t kEventsATurn = 2'000'000;
constexpr std::uint64_t kLeastTurns = 3;

// Of several turns put together.
struct Total {
  std::uint64_t events = 0;
  absl::Duration elapsed;  // appending
  absl::Duration after;    // until the process was quiet again: sealing goes on, then merging
  absl::Duration cpu;
  std::uint64_t written = 0;  // to disks

  double rate() const { return static_cast<double>(events) / absl::ToDoubleSeconds(elapsed); }
  double rate_with_after() const { return static_cast<double>(events) / absl::ToDoubleSeconds(elapsed + after); }
  double cpu_us() const { return absl::ToDoubleMicroseconds(cpu) / static_cast<double>(events); }
  double written_a_byte() const {
    return static_cast<double>(written) / static_cast<double>(events) / static_cast<double>(kEventBytes);
  }
};

absl::StatusOr<LoopResult> RunInto(Total& total, AppendTarget& target, std::uint64_t events) {
  const absl::Duration cpu = CpuTime();
  const std::uint64_t written = BytesWritten();
  EVERFOLD_ASSIGN_OR_RETURN(const LoopResult result,
                            RunClosedLoop(target, {.callers = kCallers, .max_events = events}));
  total.after += WaitUntilQuiet(kUntilMerged);
  total.events += result.events;
  total.elapsed += result.elapsed;
  total.cpu += CpuTime() - cpu;
  total.written += BytesWritten() - written;
  return result;
}

void AddFigures(Figures& figures, const Turns& turns, const Total& ours, const Total& bare) {
  const auto rate = [](const LoopResult& result) { return result.events_a_second(); };
  const auto p50 = [](const LoopResult& result) { return result.p50_us; };
  const auto p99 = [](const LoopResult& result) { return result.p99_us; };
  const auto slower = [&](const LoopResult& a, const LoopResult& b) { return rate(a) < rate(b); };
  const double slowest = rate(*std::min_element(turns.ours.begin(), turns.ours.end(), slower));
  figures.Add({"sustained, 256 callbacks", MedianOver(turns.ours, rate), "events/s", MedianOver(turns.bare, rate),
               RatioAtLeast(0.5)});
  figures.Add({"sustained, 256 callbacks, what we aim for", MedianOver(turns.ours, rate), "events/s",
               MedianOver(turns.bare, rate), RatioAtLeast(0.7)});
  figures.Add({"sustained, all turns together", ours.rate(), "events/s", bare.rate(), RatioAtLeast(0.5)});
  figures.Add({"sustained, slowest turn", slowest, "events/s", MedianOver(turns.bare, rate), std::nullopt});
  figures.Add({"sustained, until all is sealed and merged", ours.rate_with_after(), "events/s", bare.rate_with_after(),
               std::nullopt});
  figures.Add({"sustained, p50", MedianOver(turns.ours, p50), "us", MedianOver(turns.bare, p50), std::nullopt});
  figures.Add({"sustained, p99", MedianOver(turns.ours, p99), "us", MedianOver(turns.bare, p99), std::nullopt});
  figures.Add({"sustained, CPU with sealing and merging", ours.cpu_us(), "us/event", bare.cpu_us(), std::nullopt});
  figures.Add({"sustained, written a byte appended", ours.written_a_byte(), "B", bare.written_a_byte(), std::nullopt});
}

absl::Status RunTurns(Run& run, Arena& arena) {
  StoreTarget target(arena.store().store(), arena.streams(), run.payloads);
  AsioExecutor executor(1);
  BareRing ring(arena.ring_files(), &executor);
  RingTarget bare_target(ring, run.payloads);
  const std::uint64_t count = std::max(kLeastTurns, run.options.events / kEventsATurn);
  const std::uint64_t events = run.options.events / count;
  Turns turns;
  Total ours;
  Total bare;
  for (std::uint64_t i = 0; i < count; ++i) {
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult bare_result, RunInto(bare, bare_target, events));
    turns.bare.push_back(bare_result);
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult our_result, RunInto(ours, target, events));
    turns.ours.push_back(our_result);
    Progress(absl::StrFormat("sustained, turn %d of %d: %s events/s, ceiling %s", i + 1, count,
                             ShowNumber(our_result.events_a_second()), ShowNumber(bare_result.events_a_second())));
  }
  AddFigures(run.figures, turns, ours, bare);
  run.figures.Remark(
      absl::StrFormat("%d events in %d turns; %d conflicts of versions", ours.events, count, target.conflicts()));
  return absl::OkStatus();
}

absl::Status FillUp(Run& run, OpenStore& store, std::uint64_t events) {
  const std::uint64_t there = store.CountEvents();
  if (there >= events) return absl::OkStatus();
  Progress(absl::StrFormat("filling a store with %s events", ShowNumber(static_cast<double>(events))));
  Streams streams;
  StoreTarget target(store.store(), streams, run.payloads, {.exact_versions = false});
  return RunClosedLoop(target, {.callers = kCallers, .max_events = events - there}).status();
}

}  // namespace

absl::Status BenchSustained(Run& run) {
  run.figures.Section("sustained appends, with sealing and index");
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Arena> arena, Arena::Open(run, kStore));
  EVERFOLD_RETURN_IF_ERROR(RunTurns(run, *arena));
  return arena->Close();
}

absl::StatusOr<std::string> FilledStore(Run& run, std::uint64_t events) {
  EVERFOLD_ASSIGN_OR_RETURN(std::string directory, run.scratch.MakeDirectory(kStore));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> store, OpenStore::Open(directory));
  EVERFOLD_RETURN_IF_ERROR(FillUp(run, *store, events));
  EVERFOLD_RETURN_IF_ERROR(store->SealAll());
  EVERFOLD_RETURN_IF_ERROR(store->Close());
  return directory;
}

}  // namespace everfold::bench

// Durable appends: how many callers, as callbacks and as threads that wait; batches; larger events.
#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/machine.h"
#include "tests/bench/store_target.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

constexpr std::size_t kCallers[] = {1, 16, 64, 256, 1024};
constexpr std::size_t kBatches[] = {8, 64, 512};
constexpr std::size_t kBatchCallers = 64;
constexpr std::size_t kLargeEventBytes = 1024;

class AppendBench {
 public:
  AppendBench(Run& run, Arena& arena) : run_(run), arena_(arena) {}

  absl::Status Measure() {
    for (const bool blocking : {false, true}) {
      for (const std::size_t callers : kCallers) EVERFOLD_RETURN_IF_ERROR(MeasureCallers(callers, blocking));
    }
    EVERFOLD_RETURN_IF_ERROR(MeasureOneCaller());
    for (const std::size_t batch : kBatches) EVERFOLD_RETURN_IF_ERROR(MeasureBatches(batch));
    EVERFOLD_RETURN_IF_ERROR(MeasureAgainstPlain());
    EVERFOLD_RETURN_IF_ERROR(MeasureLargeEvents());
    EVERFOLD_RETURN_IF_ERROR(MeasureAfterStart());
    return MeasureTwoThreads();
  }

 private:
  LoopOptions LoopOf(std::size_t callers, bool blocking) const {
    return {.callers = callers, .blocking = blocking, .max_time = run_.options.round};
  }

  absl::StatusOr<Turns> Turn(const Payloads& payloads, StoreWork work, const LoopOptions& loop) {
    StoreTarget ours(arena_.store().store(), arena_.streams(), payloads, work);
    EVERFOLD_ASSIGN_OR_RETURN(Turns turns, arena_.Measure(run_, ours, payloads, loop));
    Progress(absl::StrFormat("%d callers, %d events a commit: %d conflicts of versions", loop.callers,
                             work.events_a_commit, ours.conflicts()));
    return turns;
  }

  absl::Status MeasureCallers(std::size_t callers, bool blocking) {
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns, Turn(run_.payloads, {}, LoopOf(callers, blocking)));
    const std::string name =
        absl::StrFormat("append, %d %s%s", callers, blocking ? "thread" : "callback", callers == 1 ? "" : "s");
    AddTurns(run_.figures, name, turns, std::nullopt);
    return absl::OkStatus();
  }

  // The ring has a change of threads each way. What one caller is compared with has none.
  absl::Status MeasureOneCaller() {
    std::vector<double> ours;
    std::vector<double> bare;
    StoreTarget target(arena_.store().store(), arena_.streams(), run_.payloads);
    for (int i = 0; i < run_.options.rounds; ++i) {
      WaitUntilQuiet();
      EVERFOLD_ASSIGN_OR_RETURN(const double sync,
                                MedianOfBareSyncs(arena_.ring_files(), run_.payloads, run_.options.round));
      bare.push_back(sync);
      EVERFOLD_ASSIGN_OR_RETURN(const LoopResult result, RunClosedLoop(target, LoopOf(1, false)));
      ours.push_back(result.p50_us);
    }
    run_.figures.Add({.name = "append, 1 callback against a bare sync, p50",
                      .value = MedianOf(ours),
                      .unit = "us",
                      .ceiling = MedianOf(bare),
                      .goal = RatioAtMost(1.3)});
    return absl::OkStatus();
  }

  // Against the same store before it was closed. It reads heads of streams meanwhile, and has then read them.
  absl::Status MeasureAfterStart() {
    EVERFOLD_ASSIGN_OR_RETURN(const double before, EventsASecond());
    EVERFOLD_RETURN_IF_ERROR(arena_.Reopen(1));
    EVERFOLD_ASSIGN_OR_RETURN(const double at_once, EventsASecond());
    WaitUntilQuiet();
    EVERFOLD_ASSIGN_OR_RETURN(const double later, EventsASecond());
    const auto add = [&](const char* name, double value) {
      run_.figures.Add({.name = name, .value = value, .unit = "events/s", .ceiling = before});
    };
    add("append, 256 callbacks, as soon as the store is open", at_once);
    add("append, 256 callbacks, when it has read what there is", later);
    return absl::OkStatus();
  }
  absl::StatusOr<double> EventsASecond() {
    StoreTarget target(arena_.store().store(), arena_.streams(), run_.payloads);
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult result, RunClosedLoop(target, LoopOf(256, false)));
    return result.events_a_second();
  }

  absl::Status MeasureTwoThreads() {
    EVERFOLD_RETURN_IF_ERROR(arena_.Reopen(2));
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns, Turn(run_.payloads, {}, LoopOf(256, false)));
    AddTurns(run_.figures, "append, 256 callbacks on 2 executor threads", turns, std::nullopt);
    return absl::OkStatus();
  }

  absl::Status MeasureBatches(std::size_t batch) {
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns,
                              Turn(run_.payloads, {.events_a_commit = batch}, LoopOf(kBatchCallers, false)));
    AddTurns(run_.figures, absl::StrFormat("append, %d events a commit, %d callbacks", batch, kBatchCallers), turns,
             std::nullopt);
    return absl::OkStatus();
  }

  // What more an append can ask for, against one that asks for nothing but a version.
  absl::Status MeasureAgainstPlain() {
    const StoreWork tagged{.tags = true};
    EVERFOLD_RETURN_IF_ERROR(MeasureAgainst({}, "with command ids", {.command_ids = true}, std::nullopt));
    EVERFOLD_RETURN_IF_ERROR(MeasureAgainst({}, "several streams a commit", {.streams_a_commit = 4}, std::nullopt));
    EVERFOLD_RETURN_IF_ERROR(MeasureAgainst({}, "with a tag", tagged, std::nullopt));
    const StoreWork conditional{.exact_versions = false, .tags = true, .condition = true};
    EVERFOLD_RETURN_IF_ERROR(
        MeasureAgainst(tagged, "with a condition on a tag, against a tag", conditional, std::nullopt));
    return MeasureAgainst({}, "with a condition on a tag", conditional, RatioAtLeast(0.7));
  }

  absl::Status MeasureAgainst(const StoreWork& plain, const char* what, const StoreWork& work,
                              std::optional<Goal> goal) {
    StoreTarget ceiling(arena_.store().store(), arena_.streams(), run_.payloads, plain);
    StoreTarget ours(arena_.store().store(), arena_.streams(), run_.payloads, work);
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns, TakeTurns(ours, ceiling, LoopOf(256, false), run_.options));
    Progress(absl::StrFormat("%s: %d conflicts", what, ours.conflicts()));
    AddTurns(run_.figures, absl::StrFormat("append, %s, 256 callbacks", what), turns, goal);
    return absl::OkStatus();
  }

  absl::Status MeasureLargeEvents() {
    const Payloads payloads(kLargeEventBytes);
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns, Turn(payloads, {}, LoopOf(256, false)));
    AddTurns(run_.figures, "append, 1 KiB events, 256 callbacks", turns, std::nullopt);
    return absl::OkStatus();
  }

  Run& run_;
  Arena& arena_;
};

}  // namespace

absl::Status BenchAppends(Run& run) {
  run.figures.Section("durable appends, 200 B, one event a commit");
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Arena> arena, Arena::Open(run, "appends"));
  EVERFOLD_RETURN_IF_ERROR(AppendBench(run, *arena).Measure());
  return arena->Close();
}

}  // namespace everfold::bench

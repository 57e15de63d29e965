// Commands from callers in this process, to the disk and back: beside the appends of a store alone.
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/account_commands.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/command_target.h"
#include "tests/bench/machine.h"
#include "tests/bench/store_target.h"
#include "tests/bench/turns.h"

namespace everfold::bench {
namespace {

constexpr std::size_t kCallers = 256;
constexpr std::uint32_t kCachedStreams = 10'000;
constexpr std::size_t kCacheForAll = std::size_t{1} << 30;  // of a million states

class PipelineBench {
 public:
  PipelineBench(Run& run, OpenStore& ours, OpenStore& bare) : run_(run), ours_(ours), bare_(bare) {}

  absl::Status Measure() {
    EVERFOLD_RETURN_IF_ERROR(MeasureCached("cached, 10,000 streams, 256 callers"));
    EVERFOLD_RETURN_IF_ERROR(MeasureAgainstStore("the same with request ids", kCachedStreams, true, std::nullopt));
    return MeasureHotStream();
  }

  // In a store without the ten thousand streams of the others, which have a hundred commits each by then.
  absl::Status MeasureMany() {
    return MeasureAgainstStore("a million streams at random", Streams::kStreams, false, std::nullopt);
  }

  absl::Status MeasureWithThreads() { return MeasureCached("cached, and two executor threads for each"); }

 private:
  absl::Status MeasureCached(const std::string& name) { return MeasureAgainstStore(name, kCachedStreams, false, 0.8); }

  absl::Status MeasureAgainstStore(const std::string& name, std::uint32_t streams, bool ids,
                                   std::optional<double> goal) {
    AccountCommands commands(ours_, {.max_cached_bytes = kCacheForAll});
    if (streams <= kCachedStreams) commands.LoadStates(streams);
    CommandTarget ours(commands.handler(), run_.payloads, streams, ids);
    StoreTarget bare(bare_.store(), bare_streams_, run_.payloads, {.command_ids = ids, .streams = streams});
    return Compare(name, ours, bare, goal);
  }

  absl::Status MeasureHotStream() {
    AccountCommands commands(ours_, {});
    commands.LoadStates(kCachedStreams);
    CommandTarget ours(commands.handler(), run_.payloads, 1);
    CommandTarget many(commands.handler(), run_.payloads, kCachedStreams);
    return Compare("one hot stream, beside 10,000", ours, many, 0.7);
  }

  absl::Status Compare(const std::string& name, AppendTarget& ours, AppendTarget& bare, std::optional<double> goal) {
    const LoopOptions loop{.callers = kCallers, .max_time = run_.options.round};
    EVERFOLD_ASSIGN_OR_RETURN(const Turns turns, TakeTurns(ours, bare, loop, run_.options));
    AddTurns(run_.figures, "commands, " + name, turns,
             goal.has_value() ? std::optional(RatioAtLeast(*goal)) : std::nullopt);
    WaitUntilQuiet();
    return absl::OkStatus();
  }

  Run& run_;
  OpenStore& ours_;
  OpenStore& bare_;
  Streams bare_streams_;
};

// In stores of its own.
absl::Status MeasureIn(Run& run, const std::string& name, int threads, absl::Status (PipelineBench::*measure)()) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::string commands, run.scratch.MakeDirectory("commands-" + name));
  EVERFOLD_ASSIGN_OR_RETURN(const std::string appends, run.scratch.MakeDirectory("appends-" + name));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> ours, OpenStore::Open(commands, threads));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> bare, OpenStore::Open(appends, threads));
  PipelineBench bench(run, *ours, *bare);
  EVERFOLD_RETURN_IF_ERROR((bench.*measure)());
  EVERFOLD_RETURN_IF_ERROR(ours->Close());
  return bare->Close();
}

}  // namespace

// Lanes of commands share the executor's threads, which the store alone needs for its callers only.
absl::Status BenchPipeline(Run& run) {
  run.figures.Section("commands in process, durable, beside the appends of a store alone");
  EVERFOLD_RETURN_IF_ERROR(MeasureIn(run, "cached", 1, &PipelineBench::Measure));
  EVERFOLD_RETURN_IF_ERROR(MeasureIn(run, "many", 1, &PipelineBench::MeasureMany));
  return MeasureIn(run, "threads", 2, &PipelineBench::MeasureWithThreads);
}

}  // namespace everfold::bench

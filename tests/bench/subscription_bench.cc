// A subscription over the whole sealed log, merged by sequence: everything, and one type in twenty; and how fast it is
// told of what is appended.
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/subscription/subscription.h"
#include "tests/bench/bare_scan.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/closed_loop.h"
#include "tests/bench/live_delivery.h"
#include "tests/bench/log_replay.h"
#include "tests/bench/machine.h"
#include "tests/bench/open_store.h"

namespace everfold::bench {
namespace {

constexpr std::size_t kEventsAPull = 4096;
constexpr std::uint64_t kLiveCommits = 2'000;  // of each caller but the many, who share ten times as many
constexpr std::size_t kManyCallers = 64;

SubscriptionOptions OptionsOf(Replay replay, Executor* read_ahead) {
  SubscriptionOptions options{.read_ahead = read_ahead};
  if (replay == Replay::kParseOne) options.selection.query.items = {{.types = {WantedType().name}, .tags = {}}};
  return options;
}

absl::StatusOr<ReplayResult> CatchUp(const EventStore& store, Replay replay, Executor* read_ahead) {
  ReplaySink sink(replay);
  const std::int64_t began = NowNanos();
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<Subscription> subscription,
                            Subscription::Start(store, {}, OptionsOf(replay, read_ahead)));
  const auto take = [&sink](const RecordedEvent& event) { return sink.TakeEvent(event.event.payload); };
  for (bool caught_up = false; !caught_up;) {
    EVERFOLD_ASSIGN_OR_RETURN(const PullResult pulled, subscription->Pull(kEventsAPull, take));
    caught_up = pulled.caught_up;
  }
  ReplayResult result = sink.result();
  result.elapsed = absl::Nanoseconds(NowNanos() - began);
  return result;
}

class CatchUpBench {
 public:
  CatchUpBench(Run& run, OpenStore& store, const BareScan& bare)
      : run_(run), store_(store), bare_(bare), events_(static_cast<double>(store.CountEvents())) {}

  absl::Status Measure() {
    EVERFOLD_RETURN_IF_ERROR(MeasureWay(Replay::kEvents, "events visited"));
    EVERFOLD_RETURN_IF_ERROR(MeasureWay(Replay::kParseAll, "all parsed"));
    EVERFOLD_RETURN_IF_ERROR(MeasureWay(Replay::kParseOne, "one type in 20 parsed"));
    run_.figures.Remark(
        "events of the log a second, whether they are handed out or passed over; chunks are read ahead on the store's "
        "executor but where it says one thread; the ceiling is one thread's");
    return absl::OkStatus();
  }

 private:
  absl::Status MeasureWay(Replay replay, const char* name) {
    std::vector<double> ahead;
    std::vector<double> alone;
    std::vector<double> bare;
    for (int i = 0; i < run_.options.rounds; ++i) {
      EVERFOLD_ASSIGN_OR_RETURN(const ReplayResult scanned, bare_.Scan(replay, 1));
      bare.push_back(Speed(scanned));
      EVERFOLD_ASSIGN_OR_RETURN(double speed, CatchUpSpeed(replay, &store_.executor(), scanned));
      ahead.push_back(speed);
      EVERFOLD_ASSIGN_OR_RETURN(speed, CatchUpSpeed(replay, nullptr, scanned));
      alone.push_back(speed);
    }
    run_.figures.Add({.name = absl::StrFormat("subscription, catch-up, %s", name),
                      .value = MedianOf(ahead),
                      .unit = "events/s",
                      .ceiling = MedianOf(bare),
                      .goal = RatioAtLeast(0.8)});
    run_.figures.Add({.name = absl::StrFormat("subscription, catch-up, %s, one thread", name),
                      .value = MedianOf(alone),
                      .unit = "events/s",
                      .ceiling = MedianOf(bare)});
    return absl::OkStatus();
  }

  double Speed(const ReplayResult& result) const { return events_ / absl::ToDoubleSeconds(result.elapsed); }

  absl::StatusOr<double> CatchUpSpeed(Replay replay, Executor* read_ahead, const ReplayResult& expected) {
    EVERFOLD_ASSIGN_OR_RETURN(const ReplayResult read, CatchUp(store_.store(), replay, read_ahead));
    if (read.events == expected.events && read.payload_bytes == expected.payload_bytes) return Speed(read);
    return absl::InternalError(
        absl::StrFormat("the subscription gave %d events, the files %d", read.events, expected.events));
  }

  Run& run_;
  OpenStore& store_;
  const BareScan& bare_;
  const double events_;
};

absl::Status MeasureCatchUp(Run& run) {
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, FilledStore(run, run.options.events));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> store, OpenStore::Open(directory));
  if (!run.options.quick) WaitUntilQuiet(kUntilMerged);  // both read the same files
  EVERFOLD_ASSIGN_OR_RETURN(
      const std::unique_ptr<BareScan> bare,
      BareScan::Learn(LogDirectory(directory), store->log().identity().partitions, store->store().types()));
  EVERFOLD_RETURN_IF_ERROR(CatchUpBench(run, *store, *bare).Measure());
  return store->Close();
}

absl::Status MeasureLive(Run& run, OpenStore& store, std::size_t callers) {
  const std::uint64_t commits = (callers == 1 ? 1 : 10) * kLiveCommits / (run.options.quick ? 10 : 1);
  const Sequence before = store.store().DurableSequence();
  DeliveryTimes times(before, commits + callers);
  TimedTarget target(store.store(), run.payloads, times);
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<LiveReader> reader, LiveReader::Start(store.store(), times));
  EVERFOLD_RETURN_IF_ERROR(RunClosedLoop(target, {.callers = callers, .max_events = commits}).status());
  EVERFOLD_RETURN_IF_ERROR(reader->WaitFor(store.store().DurableSequence()));
  WaitUntilQuiet();  // a hint may still be running
  const auto latencies = std::make_unique<Latencies>();
  times.Collect(*latencies);
  const std::string name =
      absl::StrFormat("subscription, live, %d caller%s, acknowledged until visited", callers, callers == 1 ? "" : "s");
  run.figures.Add({.name = name + ", p50", .value = latencies->Percentile(50), .unit = "us"});
  run.figures.Add({.name = name + ", p99", .value = latencies->Percentile(99), .unit = "us"});
  return absl::OkStatus();
}

}  // namespace

absl::Status BenchSubscriptions(Run& run) {
  run.figures.Section("subscriptions");
  EVERFOLD_RETURN_IF_ERROR(MeasureCatchUp(run));
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, run.scratch.MakeDirectory("live"));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> store, OpenStore::Open(directory));
  EVERFOLD_RETURN_IF_ERROR(MeasureLive(run, *store, 1));
  EVERFOLD_RETURN_IF_ERROR(MeasureLive(run, *store, kManyCallers));
  return store->Close();
}

}  // namespace everfold::bench

// Replay of a whole sealed log: raw, all payloads parsed, one type in twenty; on one thread and on two.
#include <functional>
#include <memory>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/bare_scan.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/log_replay.h"
#include "tests/bench/machine.h"
#include "tests/bench/open_store.h"

namespace everfold::bench {
namespace {

struct Way {
  Replay replay;
  const char* name;
  std::optional<Goal> goal;
};

const std::vector<Way>& Ways() {
  static const std::vector<Way> ways = {{Replay::kChunks, "chunks alone", std::nullopt},
                                        {Replay::kEvents, "events visited", RatioAtLeast(0.8)},
                                        {Replay::kParseAll, "all parsed", RatioAtLeast(0.8)},
                                        {Replay::kParseOne, "one type in 20 parsed", RatioAtLeast(0.8)}};
  return ways;
}

// In events of the log a second, whether they were looked at or not.
struct Rates {
  double ours = 0;
  double bare = 0;
};

class ReplayBench {
 public:
  ReplayBench(Run& run, OpenStore& store, const BareScan& bare)
      : run_(run), store_(store), bare_(bare), events_(static_cast<double>(store.CountEvents())) {}

  absl::Status Measure() {
    for (const int threads : {1, 2}) EVERFOLD_RETURN_IF_ERROR(MeasureOn(threads));
    run_.figures.Remark("events of the log a second, whether they are looked at or skipped");
    return absl::OkStatus();
  }

 private:
  absl::Status MeasureOn(int threads) {
    Rates all;
    for (const Way& way : Ways()) {
      EVERFOLD_ASSIGN_OR_RETURN(const Rates rates, MeasureWay(way.replay, threads));
      run_.figures.Add({.name = NameOf(way.name, threads),
                        .value = rates.ours,
                        .unit = "events/s",
                        .ceiling = rates.bare,
                        .goal = way.goal});
      if (way.replay == Replay::kParseAll) all = rates;
      if (way.replay == Replay::kParseOne) AddSkipping(threads, rates, all);
    }
    return absl::OkStatus();
  }

  void AddSkipping(int threads, const Rates& one, const Rates& all) {
    run_.figures.Add({.name = NameOf("one type in 20 against all parsed", threads),
                      .value = one.ours / all.ours,
                      .unit = "times",
                      .ceiling = one.bare / all.bare,
                      .goal = ValueAtLeast(3)});
  }

  static std::string NameOf(const char* what, int threads) {
    return absl::StrFormat("replay, %d thread%s, %s", threads, threads == 1 ? "" : "s", what);
  }

  absl::StatusOr<Rates> MeasureWay(Replay replay, int threads) {
    std::vector<double> ours;
    std::vector<double> bare;
    for (int i = 0; i < run_.options.rounds; ++i) {
      EVERFOLD_ASSIGN_OR_RETURN(const ReplayResult scanned, bare_.Scan(replay, threads));
      EVERFOLD_ASSIGN_OR_RETURN(const ReplayResult read,
                                ReplayLog(store_.log(), store_.store().types(), replay, threads));
      EVERFOLD_RETURN_IF_ERROR(CheckSame(read, scanned));
      bare.push_back(events_ / absl::ToDoubleSeconds(scanned.elapsed));
      ours.push_back(events_ / absl::ToDoubleSeconds(read.elapsed));
    }
    Progress(absl::StrFormat("replay on %d threads: %s events/s", threads, ShowNumber(ours.back())));
    return Rates{.ours = MedianOf(ours), .bare = MedianOf(bare)};
  }

  // Both must have done the same, or the comparison is worth nothing.
  static absl::Status CheckSame(const ReplayResult& read, const ReplayResult& scanned) {
    if (read.chunks == scanned.chunks && read.chunk_bytes == scanned.chunk_bytes && read.events == scanned.events &&
        read.payload_bytes == scanned.payload_bytes) {
      return absl::OkStatus();
    }
    return absl::InternalError(absl::StrFormat("the log gave %d chunks with %d events, its files %d with %d",
                                               read.chunks, read.events, scanned.chunks, scanned.events));
  }

  Run& run_;
  OpenStore& store_;
  const BareScan& bare_;
  const double events_;
};

}  // namespace

absl::Status BenchReplay(Run& run) {
  run.figures.Section("replay of the whole log");
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, FilledStore(run, run.options.events));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> store, OpenStore::Open(directory));
  if (!run.options.quick) WaitUntilQuiet(kUntilMerged);  // both read the same files
  EVERFOLD_ASSIGN_OR_RETURN(
      const std::unique_ptr<BareScan> bare,
      BareScan::Learn(LogDirectory(directory), store->log().identity().partitions, store->store().types()));
  EVERFOLD_RETURN_IF_ERROR(ReplayBench(run, *store, *bare).Measure());
  return store->Close();
}

}  // namespace everfold::bench

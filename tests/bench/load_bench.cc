// How long it takes to have an aggregate's state: cached, from a snapshot and ten events, and from a hundred or ten
// thousand events; all sealed, and warm.
#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/command/state_loader.h"
#include "everfold/command/stream_table.h"
#include "tests/bench/account.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/machine.h"
#include "tests/bench/open_store.h"
#include "tests/bench/streams.h"

namespace everfold::bench {
namespace {

constexpr std::uint32_t kStreams = 100;  // of each length
constexpr std::uint64_t kShort = 100;
constexpr std::uint64_t kLong = 10'000;
constexpr std::uint64_t kBehindSnapshot = 10;
constexpr std::size_t kEventsACommit = 10;

class LoadBench {
 public:
  LoadBench(Run& run, OpenStore& store) : run_(run), store_(store) {}

  absl::Status Measure() {
    const std::uint32_t long_streams = run_.options.quick ? 1 : 5;
    EVERFOLD_RETURN_IF_ERROR(Fill(0, kStreams, kShort));
    EVERFOLD_RETURN_IF_ERROR(Fill(kStreams, long_streams, kLong));
    EVERFOLD_RETURN_IF_ERROR(store_.SealAll());
    EVERFOLD_RETURN_IF_ERROR(MeasureLoads("from 100 events", nullptr, 0, kStreams, std::nullopt));
    EVERFOLD_RETURN_IF_ERROR(MeasureLoads("from 10,000 events", nullptr, kStreams, long_streams, std::nullopt));
    EVERFOLD_RETURN_IF_ERROR(SaveSnapshots());
    EVERFOLD_RETURN_IF_ERROR(
        MeasureLoads("from a snapshot and 10 events", snapshots_.get(), 0, kStreams, ValueAtMost(40)));
    MeasureCached();
    return absl::OkStatus();
  }

 private:
  // Commits of all the streams in turns, so that no stream's events stand together.
  absl::Status Fill(std::uint32_t first, std::uint32_t streams, std::uint64_t events) {
    Noise noise(first + 1);
    for (std::uint64_t made = 0; made < events; made += kEventsACommit) {
      for (std::uint32_t i = 0; i < streams; ++i) EVERFOLD_RETURN_IF_ERROR(AppendTo(first + i, noise));
    }
    return absl::OkStatus();
  }

  absl::Status AppendTo(std::uint32_t stream, Noise& noise) {
    AppendRequest request;
    StreamAppend& append = request.streams.emplace_back();
    append.stream = Streams::NameOf(stream);
    for (std::size_t i = 0; i < kEventsACommit; ++i) append.events.push_back(EntryEvent(noise));
    absl::Status status;
    Notification done;
    store_.store().Append(std::move(request), [&](const absl::StatusOr<AppendResult>& result) {
      status = result.status();
      done.Notify();
    });
    done.WaitForNotification();
    return status;
  }

  NewEvent EntryEvent(Noise& noise) const {
    ::bench::v1::EntryAdded entry;
    entry.mutable_data()->resize(run_.payloads.bytes());
    run_.payloads.Fill(noise, entry.mutable_data()->data());
    NewEvent event;
    event.type = "bench.v1.EntryAdded";
    event.fingerprint = std::string(EventTraits<::bench::v1::EntryAdded>::Fingerprint());
    event.payload = entry.SerializeAsString();
    return event;
  }

  absl::Status SaveSnapshots() {
    StateLoader loader = LoaderWith(snapshots_.get());
    for (std::uint32_t i = 0; i < kStreams; ++i) {
      EVERFOLD_ASSIGN_OR_RETURN(
          const AggregateState state,
          loader.LoadPast(Streams::NameOf(i), aggregates_[0], {.upto = Version(kShort - kBehindSnapshot)}));
      loader.Save(Streams::NameOf(i), aggregates_[0], {state.version, state.message->SerializeAsString()});
    }
    return absl::OkStatus();
  }

  StateLoader LoaderWith(SnapshotStore* snapshots) {
    return StateLoader(store_.store(), store_.clock(), snapshots, {.check_every_loads = 0}, aggregates_, counters_);
  }

  absl::Status MeasureLoads(const std::string& name, SnapshotStore* snapshots, std::uint32_t first,
                            std::uint32_t streams, std::optional<Goal> goal) {
    StateLoader loader = LoaderWith(snapshots);
    const int turns = run_.options.quick ? 1 : 10;
    std::vector<double> micros;
    for (int turn = 0; turn <= turns; ++turn) {
      for (std::uint32_t i = first; i < first + streams; ++i) {
        const std::int64_t began = NowNanos();
        EVERFOLD_RETURN_IF_ERROR(loader.Load(Streams::NameOf(i), aggregates_[0]).status());
        if (turn > 0) micros.push_back(static_cast<double>(NowNanos() - began) / 1e3);
      }
    }
    run_.figures.Add({.name = "load, " + name, .value = MedianOf(std::move(micros)), .unit = "us", .goal = goal});
    return absl::OkStatus();
  }

  // What a command pays to find the state of one of many streams in memory.
  void MeasureCached() {
    constexpr std::uint32_t kCached = 10'000;
    StreamTable table(std::size_t{1} << 30);
    for (std::uint32_t i = 0; i < kCached; ++i) {
      StreamSlot& slot = table.Take(Streams::NameOf(i));
      slot.state = {Version(1), std::make_unique<::bench::v1::Account>(), {}};
      table.Return(slot);
    }
    Noise noise(1);
    std::vector<StreamId> names;
    for (std::uint32_t i = 0; i < kCached; ++i) names.push_back(Streams::NameOf(i));
    constexpr int kLooks = 1'000'000;
    const std::int64_t began = NowNanos();
    for (int i = 0; i < kLooks; ++i) table.Return(table.Take(names[noise.Below(kCached)]));
    run_.figures.Add({.name = "load, cached, one of 10,000",
                      .value = static_cast<double>(NowNanos() - began) / 1e3 / kLooks,
                      .unit = "us",
                      .goal = ValueAtMost(1)});
  }

  static std::vector<AggregateType> Aggregates() {
    std::vector<AggregateType> aggregates;
    aggregates.push_back(MakeAggregateType<::bench::v1::AccountDecider>());
    return aggregates;
  }

  Run& run_;
  OpenStore& store_;
  const std::vector<AggregateType> aggregates_ = Aggregates();
  CommandCounters counters_;
  const std::unique_ptr<SnapshotStore> snapshots_ = MakeMemorySnapshots();
};

}  // namespace

absl::Status BenchLoads(Run& run) {
  run.figures.Section("states of aggregates, from a sealed log that is warm");
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, run.scratch.MakeDirectory("loads"));
  EVERFOLD_ASSIGN_OR_RETURN(const std::unique_ptr<OpenStore> store, OpenStore::Open(directory));
  EVERFOLD_RETURN_IF_ERROR(LoadBench(run, *store).Measure());
  return store->Close();
}

}  // namespace everfold::bench

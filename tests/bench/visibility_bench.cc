// How soon a read model shows what was acknowledged, and what a projection costs those who append.
#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/closed_loop.h"
#include "tests/bench/latencies.h"
#include "tests/bench/machine.h"
#include "tests/bench/open_loop.h"
#include "tests/bench/open_store.h"
#include "tests/bench/order_log.h"

namespace everfold::bench {
namespace {

constexpr std::uint32_t kOrders = 10'000;
constexpr std::size_t kCallers = 256;
constexpr int kExecutorThreads = 2;

AppendRequest ChangeOf(OrderChanges& changes) {
  ::bench::v1::OrderChanged event;
  const std::uint32_t order = changes.Next(event);
  AppendRequest request;
  StreamAppend& stream = request.streams.emplace_back();
  stream.stream = {.tenant = "", .aggregate = "order", .id = OrderId(order)};
  using Traits = EventTraits<::bench::v1::OrderChanged>;
  stream.events.push_back({.type = Traits::kName,
                           .fingerprint = std::string(Traits::Fingerprint()),
                           .payload = event.SerializeAsString(),
                           .event_time = {},
                           .tags = {}});
  return request;
}

// Changes of orders, one a commit. With a projection it also tells how long after its acknowledgement each is visible,
// and a caller goes on when that is so. Threading: as AppendTarget.
class OrderTarget final : public AppendTarget {
 public:
  explicit OrderTarget(EventStore& store, Projection* projection = nullptr) : store_(store), projection_(projection) {
    for (std::size_t i = 0; i < kMostCallers; ++i) changes_.push_back(std::make_unique<OrderChanges>(kOrders, i));
  }
  void Append(std::size_t number, Caller& caller) override {
    store_.Append(ChangeOf(*changes_[number]), [this, &caller](const absl::StatusOr<AppendResult>& result) {
      if (!result.ok() || projection_ == nullptr) return caller.OnDurable(result.status());
      projection_->WaitFor({result->streams.front().position},
                           [this, &caller, acknowledged = NowNanos()](const absl::Status& reached) {
                             latencies_.Add(NowNanos() - acknowledged);
                             caller.OnDurable(reached);
                           });
    });
  }
  std::size_t events_a_commit() const override { return 1; }
  // From acknowledged to visible.
  const Latencies& latencies() const { return latencies_; }

 private:
  EventStore& store_;
  Projection* const projection_;
  std::vector<std::unique_ptr<OrderChanges>> changes_;
  Latencies latencies_;
};

absl::Status MeasureVisibility(Run& run, OpenStore& store, const std::string& directory) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto projection, FollowOrders(store, directory));
  for (const double rate : {1'000.0, 10'000.0}) {
    OrderTarget target(store.store(), projection.get());
    const absl::Duration time = run.options.quick ? absl::Milliseconds(100) : absl::Seconds(5);
    EVERFOLD_RETURN_IF_ERROR(RunOpenLoop(target, {.rate = rate, .time = time}).status());
    const std::string name = absl::StrFormat("acknowledged to visible at %d a second", static_cast<int>(rate));
    run.figures.Add({.name = name + ", p50",
                     .value = target.latencies().Percentile(50) / 1000,
                     .unit = "ms",
                     .goal = ValueAtMost(2)});
    run.figures.Add({.name = name + ", p99",
                     .value = target.latencies().Percentile(99) / 1000,
                     .unit = "ms",
                     .goal = ValueAtMost(20)});
  }
  CloseProjection(*projection);
  return absl::OkStatus();
}

// The same callers with a projection that follows, and without one, in turns.
absl::Status MeasureCost(Run& run, OpenStore& store, const std::string& directory) {
  OrderTarget target(store.store());
  std::vector<double> with, without;
  for (int i = 0; i < run.options.rounds; ++i) {
    const LoopOptions loop{.callers = kCallers, .max_time = run.options.round * (run.options.quick ? 1 : 2)};
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult alone, RunClosedLoop(target, loop));
    WaitUntilQuiet();
    EVERFOLD_ASSIGN_OR_RETURN(const auto projection, FollowOrders(store, directory));
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult followed, RunClosedLoop(target, loop));
    CloseProjection(*projection);
    WaitUntilQuiet();
    without.push_back(alone.events_a_second());
    with.push_back(followed.events_a_second());
  }
  run.figures.Add({.name = "256 callers with a projection that follows, beside none",
                   .value = MedianOf(with),
                   .unit = "events/s",
                   .ceiling = MedianOf(without),
                   .goal = RatioAtLeast(0.75)});
  return absl::OkStatus();
}

}  // namespace

absl::Status BenchVisibility(Run& run) {
  run.figures.Section("read models that follow");
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, run.scratch.MakeDirectory("live"));
  EVERFOLD_ASSIGN_OR_RETURN(const auto store, OpenStore::Open(directory, kExecutorThreads));
  EVERFOLD_RETURN_IF_ERROR(MeasureVisibility(run, *store, directory + "/read"));
  EVERFOLD_RETURN_IF_ERROR(MeasureCost(run, *store, directory + "/read"));
  return store->Close();
}

}  // namespace everfold::bench

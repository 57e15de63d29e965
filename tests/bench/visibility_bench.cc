// How soon a read model shows what was acknowledged, and what a projection costs those who append.
#include <atomic>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/mutex.h"
#include "everfold/base/status.h"
#include "everfold/event/consistency_token.h"
#include "tests/bench/bench_run.h"
#include "tests/bench/closed_loop.h"
#include "tests/bench/latencies.h"
#include "tests/bench/machine.h"
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

absl::StatusOr<std::unique_ptr<Projection>> StartProjection(OpenStore& store, const std::string& directory) {
  EVERFOLD_ASSIGN_OR_RETURN(auto projection, Projection::Open({.directory = directory}, MakeProjectionType<OrderRows>(),
                                                              store.store(), store.executor()));
  projection->Start();
  return projection;
}

void Close(Projection& projection) {
  Notification closed;
  projection.Close([&closed] { closed.Notify(); });
  closed.WaitForNotification();
}

// One append, and how long after its acknowledgement the projection has it.
class Visibility {
 public:
  Visibility(OpenStore& store, Projection& projection) : store_(store), projection_(projection) {}

  // An append each interval, whether those before are visible or not.
  absl::Status Run(double per_second, absl::Duration duration) {
    OrderChanges changes(kOrders, 11);
    const auto interval = static_cast<std::int64_t>(1e9 / per_second);
    const std::int64_t began = NowNanos(), end = began + absl::ToInt64Nanoseconds(duration);
    for (std::int64_t due = began; due < end; due += interval) {
      const std::int64_t wait = due - NowNanos();
      if (wait > 0) std::this_thread::sleep_for(std::chrono::nanoseconds(wait));
      Append(ChangeOf(changes));
    }
    const auto is_done = [this] {
      mutex_.AssertReaderHeld();
      return under_way_ == 0;
    };
    MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(&is_done));
    return status_;
  }

  const Latencies& latencies() const { return latencies_; }

 private:
  void Append(AppendRequest request) {
    {
      MutexLock lock(&mutex_);
      ++under_way_;
    }
    store_.store().Append(std::move(request), [this](const absl::StatusOr<AppendResult>& result) {
      if (!result.ok()) return Ended(result.status());
      projection_.WaitFor({result->streams.front().position}, [this, acknowledged = NowNanos()](absl::Status reached) {
        latencies_.Add(NowNanos() - acknowledged);
        Ended(reached);
      });
    });
  }
  void Ended(const absl::Status& status) {
    MutexLock lock(&mutex_);
    status_.Update(status);
    --under_way_;
  }

  OpenStore& store_;
  Projection& projection_;
  Latencies latencies_;
  Mutex mutex_;
  int under_way_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// Changes of orders, one a commit. Threading: as AppendTarget.
class OrderTarget final : public AppendTarget {
 public:
  explicit OrderTarget(EventStore& store) : store_(store) {
    for (std::size_t i = 0; i < kMostCallers; ++i) changes_.push_back(std::make_unique<OrderChanges>(kOrders, i));
  }
  void Append(std::size_t number, Caller& caller) override {
    store_.Append(ChangeOf(*changes_[number]),
                  [&caller](const absl::StatusOr<AppendResult>& result) { caller.OnDurable(result.status()); });
  }
  std::size_t events_a_commit() const override { return 1; }

 private:
  EventStore& store_;
  std::vector<std::unique_ptr<OrderChanges>> changes_;
};

absl::Status MeasureVisibility(Run& run, OpenStore& store, const std::string& directory) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto projection, StartProjection(store, directory));
  for (const double rate : {1'000.0, 10'000.0}) {
    Visibility visibility(store, *projection);
    EVERFOLD_RETURN_IF_ERROR(visibility.Run(rate, run.options.quick ? absl::Milliseconds(100) : absl::Seconds(5)));
    const std::string name = absl::StrFormat("acknowledged to visible at %d a second", static_cast<int>(rate));
    run.figures.Add({.name = name + ", p50",
                     .value = visibility.latencies().Percentile(50) / 1000,
                     .unit = "ms",
                     .goal = ValueAtMost(2)});
    run.figures.Add({.name = name + ", p99",
                     .value = visibility.latencies().Percentile(99) / 1000,
                     .unit = "ms",
                     .goal = ValueAtMost(20)});
  }
  Close(*projection);
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
    EVERFOLD_ASSIGN_OR_RETURN(const auto projection, StartProjection(store, directory));
    Notification caught_up;
    std::vector<Position> head;
    const Checkpoint durable = store.store().DurableHead();
    for (std::uint32_t p = 0; p < durable.offsets.size(); ++p) head.push_back({PartitionId(p), durable.offsets[p]});
    projection->WaitFor(std::move(head), [&caught_up](const absl::Status&) { caught_up.Notify(); });
    caught_up.WaitForNotification();
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult followed, RunClosedLoop(target, loop));
    Close(*projection);
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

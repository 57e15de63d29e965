// process_bench: how many timers a process sets and fires, what a million of them cost in memory and at a restart, and
// how many orders are fulfilled beside the commands alone. `--help` tells the rest.
#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/status.h"
#include "everfold/command/command_handler.h"
#include "everfold/process/process.h"
#include "tests/bench/bench_main.h"
#include "tests/bench/closed_loop.h"
#include "tests/bench/machine.h"
#include "tests/bench/open_store.h"
#include "tests/bench/streams.h"
#include "tests/unit/process/fulfilment.h"

namespace everfold::bench {
namespace {

using namespace fulfil::v1;  // NOLINT: the benchmark's domain

constexpr std::uint64_t kTimers = 1'000'000;
constexpr std::uint64_t kOrders = 50'000;
constexpr std::size_t kCallers = 256;
constexpr int kExecutorThreads = 2;
constexpr absl::Duration kPatience = absl::Minutes(20);

// Sets a timer a day ahead for each order, and ends when it fires.
struct ReminderProcess {
  static constexpr ProcessOptions kOptions{.start = ReactorStart::kBeginning};
  using Process = Fulfilment;
  using Events = EventsOf<Order>;
  using Steps = everfold::Steps<ReminderProcess>;

  static everfold::Route Route(const OrderPlaced&, const EventContext& c) { return everfold::Route::Start(c.id); }
  static void React(Fulfilment&, const OrderPlaced&, Steps& steps) { steps.SetTimer("reminder", absl::Hours(24)); }
  static void React(Fulfilment&, const TimerFired&, Steps& steps) { steps.Done(); }
};

// Orders without number, one a call.
class OrderCommands final : public AppendTarget {
 public:
  explicit OrderCommands(CommandHandler& handler) : handler_(handler) {}

  void Append(std::size_t, Caller& caller) override {
    auto command =
        std::make_unique<PlaceOrder>(MakePlaceOrder({.order_id = absl::StrFormat("order-%012d", next_.fetch_add(1)),
                                                     .item_id = absl::StrFormat("item-%d", next_.load() % 1000),
                                                     .quantity = 1}));
    CommandRequest request;
    request.command = command.get();
    request.request_id = command->order_id();
    handler_.Handle(std::move(request),
                    [kept = std::move(command), &caller](const absl::StatusOr<CommandOutcome>& answer) {
                      caller.OnDurable(answer.status());
                    });
  }
  std::size_t events_a_commit() const override { return 1; }

 private:
  CommandHandler& handler_;
  std::atomic<std::uint64_t> next_ = 0;
};

// A store with its commands. Threading: one thread.
class Shop {
 public:
  explicit Shop(OpenStore& store) : store_(store) {
    std::vector<AggregateType> aggregates;
    aggregates.push_back(MakeAggregateType<OrderDecider>());
    aggregates.push_back(MakeAggregateType<ItemDecider>());
    commands_ = CommandHandler::Create({}, std::move(aggregates), store.store(), store.executor(), store.clock(),
                                       store.random());
  }
  ~Shop() {
    if (process_ != nullptr) CloseProcess();
    Notification closed;
    commands_->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
  }

  CommandHandler& commands() { return *commands_; }
  Process& process() { return *process_; }

  absl::Status OpenProcess(ProcessType type, const std::string& directory, const Clock& clock) {
    ProcessRunnerOptions options;
    options.directory = directory;
    options.clock = &clock;
    options.random = &store_.random();
    EVERFOLD_ASSIGN_OR_RETURN(
        process_, Process::Open(std::move(options), std::move(type), store_.store(), *commands_, store_.executor()));
    process_->Start();
    return absl::OkStatus();
  }
  void CloseProcess() {
    Notification closed;
    process_->Close([&closed] { closed.Notify(); });
    closed.WaitForNotification();
    process_.reset();
  }
  // Looks every 10 ms: a benchmark may.
  absl::Status WaitUntil(const char* what, const std::function<bool(const ProcessStatus&)>& holds) {
    const std::int64_t until = NowNanos() + absl::ToInt64Nanoseconds(kPatience);
    while (true) {
      const ProcessStatus status = process_->Describe();
      if (holds(status)) return absl::OkStatus();
      EVERFOLD_RETURN_IF_ERROR(status.error);
      if (NowNanos() > until) return absl::DeadlineExceededError(absl::StrFormat("%s: it takes too long", what));
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

 private:
  OpenStore& store_;
  std::unique_ptr<CommandHandler> commands_;
  std::unique_ptr<Process> process_;
};

double SecondsSince(std::int64_t nanos) { return static_cast<double>(NowNanos() - nanos) / 1e9; }

absl::Status PlaceOrders(Shop& shop, std::uint64_t orders, LoopResult* result = nullptr) {
  OrderCommands target(shop.commands());
  EVERFOLD_ASSIGN_OR_RETURN(const LoopResult loop, RunClosedLoop(target, {.callers = kCallers, .max_events = orders}));
  if (result != nullptr) *result = loop;
  return absl::OkStatus();
}

absl::Status BenchTimers(Run& run) {
  const std::uint64_t timers = run.options.quick ? 2000 : kTimers;
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, run.scratch.MakeDirectory("timers"));
  EVERFOLD_ASSIGN_OR_RETURN(const auto store, OpenStore::Open(directory, kExecutorThreads));
  ManualClock clock(absl::Now());
  {
    Shop shop(*store);
    EVERFOLD_RETURN_IF_ERROR(PlaceOrders(shop, timers));
    WaitUntilQuiet();
    const std::uint64_t memory = ResidentBytes();
    const std::int64_t began = NowNanos();
    EVERFOLD_RETURN_IF_ERROR(shop.OpenProcess(MakeProcessType<ReminderProcess>(), directory + "/process", clock));
    EVERFOLD_RETURN_IF_ERROR(
        shop.WaitUntil("setting timers", [&](const ProcessStatus& status) { return status.timers == timers; }));
    run.figures.Add({.name = "timers set", .value = static_cast<double>(timers) / SecondsSince(began), .unit = "/s"});
    WaitUntilQuiet();
    const double grown = static_cast<double>(ResidentBytes()) - static_cast<double>(memory);
    run.figures.Add({.name = absl::StrFormat("memory with %d timers pending", timers),
                     .value = grown / 1e6,
                     .unit = "MB more",
                     .goal = ValueAtMost(256)});
    shop.CloseProcess();
    const std::int64_t reopened = NowNanos();
    EVERFOLD_RETURN_IF_ERROR(shop.OpenProcess(MakeProcessType<ReminderProcess>(), directory + "/process", clock));
    EVERFOLD_RETURN_IF_ERROR(
        shop.WaitUntil("a restart", [&](const ProcessStatus& status) { return status.timers == timers; }));
    run.figures.Add({.name = absl::StrFormat("restart with %d timers pending", timers),
                     .value = SecondsSince(reopened) * 1e3,
                     .unit = "ms",
                     .goal = ValueAtMost(1000)});
    clock.Advance(absl::Hours(25));
    EVERFOLD_RETURN_IF_ERROR(
        shop.WaitUntil("the first timer", [](const ProcessStatus& status) { return status.timers_fired > 0; }));
    const std::int64_t first = NowNanos();
    const std::uint64_t fired = shop.process().Describe().timers_fired;
    EVERFOLD_RETURN_IF_ERROR(
        shop.WaitUntil("firing timers", [&](const ProcessStatus& status) { return status.timers_fired == timers; }));
    run.figures.Add(
        {.name = "timers fired", .value = static_cast<double>(timers - fired) / SecondsSince(first), .unit = "/s"});
  }
  return store->Close();
}

// An order is placed, its item reserved, its payment authorized, and it is completed: 3 commits of commands, 4 of
// steps.
absl::Status BenchFulfilment(Run& run) {
  constexpr double kCommitsAnOrder = 7;
  const std::uint64_t orders = run.options.quick ? 500 : kOrders;
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, run.scratch.MakeDirectory("fulfilment"));
  EVERFOLD_ASSIGN_OR_RETURN(const auto store, OpenStore::Open(directory, kExecutorThreads));
  SystemClock clock;
  {
    Shop shop(*store);
    for (int item = 0; item < 1000; ++item) {
      const StockItem stock = MakeStockItem({.item_id = absl::StrFormat("item-%d", item), .quantity = 1'000'000'000});
      Notification stocked;
      CommandRequest request;
      request.command = &stock;
      shop.commands().Handle(std::move(request), [&](const absl::StatusOr<CommandOutcome>&) { stocked.Notify(); });
      stocked.WaitForNotification();
    }
    LoopResult alone;
    EVERFOLD_RETURN_IF_ERROR(PlaceOrders(shop, orders, &alone));
    Provider provider;
    provider.take = [](const PaymentRequest&, const ActivityCall& call, auto answer) {
      answer(MakePaymentAuthorization({.authorization_id = call.key}));
    };
    const std::int64_t began = NowNanos();
    EVERFOLD_RETURN_IF_ERROR(shop.OpenProcess(MakeProcessType<FulfilmentProcess>(AuthorizePayment{&provider}),
                                              directory + "/process", clock));
    EVERFOLD_RETURN_IF_ERROR(shop.WaitUntil("fulfilment", [&](const ProcessStatus& status) {
      return status.steps >= 4 * orders && status.instances == 0 && status.lag_events == 0;
    }));
    // The orders were placed before: 6 commits of each are made here.
    const double commits = static_cast<double>(orders) * (kCommitsAnOrder - 1) / SecondsSince(began);
    run.figures.Add({.name = "commits of fulfilments",
                     .value = commits,
                     .unit = "/s",
                     .ceiling = alone.events_a_second(),
                     .goal = RatioAtLeast(0.5)});
    run.figures.Add({.name = "orders fulfilled", .value = commits / (kCommitsAnOrder - 1), .unit = "/s"});
  }
  return store->Close();
}

int Main(int argc, char** argv) {
  const BenchProgram program{
      .name = "tools/bench process",
      .description = "Measures processes: a million timers, and fulfilments beside the commands alone in the same run.",
      .parts = {{"timers", BenchTimers}, {"fulfilment", BenchFulfilment}}};
  return BenchMain(program, argc, argv);
}

}  // namespace
}  // namespace everfold::bench

int main(int argc, char** argv) { return everfold::bench::Main(argc, argv); }

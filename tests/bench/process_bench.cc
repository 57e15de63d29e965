// process_bench: how many timers a process sets and fires, what a million of them cost in memory and at a restart, and
// how many orders are fulfilled beside the commands alone. `--help` tells the rest.
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/strings/str_format.h"
#include "everfold/base/mutex.h"
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
constexpr std::uint64_t kOrders = 100'000;
constexpr std::size_t kCallers = 256;
constexpr std::size_t kOrdersUnderWay = 1000;
constexpr std::uint64_t kItems = 1000;
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

void Place(CommandHandler& handler, std::string order, std::uint64_t item,
           absl::AnyInvocable<void(const absl::Status&)> done) {
  auto command = std::make_unique<PlaceOrder>(
      MakePlaceOrder({.order_id = std::move(order), .item_id = absl::StrFormat("item-%d", item), .quantity = 1}));
  CommandRequest request;
  request.command = command.get();
  request.request_id = command->order_id();
  handler.Handle(std::move(request),
                 [kept = std::move(command), done = std::move(done)](
                     const absl::StatusOr<CommandOutcome>& answer) mutable { done(answer.status()); });
}

// Orders without number, one a call.
class OrderCommands final : public AppendTarget {
 public:
  explicit OrderCommands(CommandHandler& handler) : handler_(handler) {}

  void Append(std::size_t, Caller& caller) override {
    const std::uint64_t number = next_.fetch_add(1);
    Place(handler_, absl::StrFormat("order-%012d", number), number % kItems,
          [&caller](const absl::Status& answer) { caller.OnDurable(answer); });
  }
  std::size_t events_a_commit() const override { return 1; }

 private:
  CommandHandler& handler_;
  std::atomic<std::uint64_t> next_ = 0;
};

// Orders that are fulfilled: a call has ended when its order is completed. The process sends its commands through it.
class FulfilledOrders final : public AppendTarget, public CommandHandler {
 public:
  explicit FulfilledOrders(CommandHandler& inner) : inner_(inner) {}

  void Append(std::size_t, Caller& caller) override {
    const std::uint64_t number = next_.fetch_add(1);
    const std::string order = absl::StrFormat("fulfilled-%012d", number);
    {
      MutexLock lock(&mutex_);
      callers_[order] = &caller;
    }
    Place(inner_, order, number % kItems, [this, order](const absl::Status& answer) {
      if (!answer.ok()) End(order, answer);
    });
  }
  std::size_t events_a_commit() const override { return 1; }

  void Handle(CommandRequest request, Done done) override {
    const auto* const complete = dynamic_cast<const CompleteOrder*>(request.command);
    const auto* const cancel = dynamic_cast<const CancelOrder*>(request.command);
    if (cancel != nullptr) End(cancel->order_id(), absl::InternalError("an order was cancelled: " + cancel->reason()));
    if (complete == nullptr) return inner_.Handle(std::move(request), std::move(done));
    inner_.Handle(std::move(request), [this, order = complete->order_id(),
                                       done = std::move(done)](absl::StatusOr<CommandOutcome> answer) mutable {
      const absl::Status status = answer.status();
      done(std::move(answer));
      End(order, status);
    });
  }
  void GetState(StateRequest request, StateDone done) override { inner_.GetState(std::move(request), std::move(done)); }
  std::optional<CommandTarget> FindTarget(const std::string& command) const override {
    return inner_.FindTarget(command);
  }
  CommandStats stats() const override { return inner_.stats(); }
  void Close(Task done) override { inner_.Close(std::move(done)); }

 private:
  void End(const std::string& order, const absl::Status& status) {
    Caller* caller = nullptr;
    {
      MutexLock lock(&mutex_);
      const auto found = callers_.find(order);
      if (found == callers_.end()) return;
      caller = found->second;
      callers_.erase(found);
    }
    caller->OnDurable(status);
  }

  CommandHandler& inner_;
  std::atomic<std::uint64_t> next_ = 0;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Caller*> callers_ ABSL_GUARDED_BY(mutex_);
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
    return OpenProcess(std::move(type), directory, clock, *commands_);
  }
  absl::Status OpenProcess(ProcessType type, const std::string& directory, const Clock& clock,
                           CommandHandler& commands) {
    ProcessRunnerOptions options;
    options.directory = directory;
    options.clock = &clock;
    options.random = &store_.random();
    EVERFOLD_ASSIGN_OR_RETURN(
        process_, Process::Open(std::move(options), std::move(type), store_.store(), commands, store_.executor()));
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

absl::Status BenchTimers(Run& run) {
  const std::uint64_t timers = run.options.quick ? 2000 : kTimers;
  EVERFOLD_ASSIGN_OR_RETURN(const std::string directory, run.scratch.MakeDirectory("timers"));
  EVERFOLD_ASSIGN_OR_RETURN(const auto store, OpenStore::Open(directory, kExecutorThreads));
  ManualClock clock(absl::Now());
  {
    Shop shop(*store);
    OrderCommands orders(shop.commands());
    EVERFOLD_RETURN_IF_ERROR(RunClosedLoop(orders, {.callers = kCallers, .max_events = timers}).status());
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
constexpr double kCommitsAnOrder = 7;

absl::Status FillStock(CommandHandler& commands) {
  for (std::uint64_t item = 0; item < kItems; ++item) {
    const StockItem stock = MakeStockItem({.item_id = absl::StrFormat("item-%d", item), .quantity = 1'000'000'000});
    absl::Status stocked;
    Notification done;
    CommandRequest request;
    request.command = &stock;
    commands.Handle(std::move(request), [&](const absl::StatusOr<CommandOutcome>& answer) {
      stocked = answer.status();
      done.Notify();
    });
    done.WaitForNotification();
    EVERFOLD_RETURN_IF_ERROR(stocked);
  }
  return absl::OkStatus();
}

absl::StatusOr<LoopResult> Fulfil(Shop& shop, const std::string& directory, std::uint64_t orders) {
  Provider provider;
  provider.take = [](const PaymentRequest&, const ActivityCall& call, auto answer) {
    answer(MakePaymentAuthorization({.authorization_id = call.key}));
  };
  // Those that were placed without it are not its own.
  ProcessType type = MakeProcessType<FulfilmentProcess>(AuthorizePayment{&provider});
  type.start = ReactorStart::kHead;
  SystemClock clock;
  FulfilledOrders fulfilled(shop.commands());
  EVERFOLD_RETURN_IF_ERROR(shop.OpenProcess(std::move(type), directory, clock, fulfilled));
  absl::StatusOr<LoopResult> loop =
      RunClosedLoop(fulfilled, {.callers = std::min<std::size_t>(kOrdersUnderWay, orders), .max_events = orders});
  shop.CloseProcess();
  return loop;
}

// A figure of fulfilments, and the same of commands alone: one of each a round.
struct Beside {
  std::vector<double> ours;
  std::vector<double> commands;
};

struct FulfilmentRounds {
  Beside commits_a_second;
  Beside cpu_us_a_commit;
  std::vector<double> p50_ms, p99_ms;

  void Add(const LoopResult& commands, const LoopResult& fulfilled) {
    commits_a_second.ours.push_back(fulfilled.events_a_second() * kCommitsAnOrder);
    commits_a_second.commands.push_back(commands.events_a_second());
    cpu_us_a_commit.ours.push_back(fulfilled.cpu_us_an_event() / kCommitsAnOrder);
    cpu_us_a_commit.commands.push_back(commands.cpu_us_an_event());
    p50_ms.push_back(fulfilled.p50_us / 1e3);
    p99_ms.push_back(fulfilled.p99_us / 1e3);
  }
};

// In a store of its own, and as many commits of each.
absl::Status AddRound(const std::string& directory, std::uint64_t orders, FulfilmentRounds& rounds) {
  EVERFOLD_ASSIGN_OR_RETURN(const auto store, OpenStore::Open(directory, kExecutorThreads));
  {
    Shop shop(*store);
    EVERFOLD_RETURN_IF_ERROR(FillStock(shop.commands()));
    OrderCommands placed(shop.commands());
    const auto commits = static_cast<std::uint64_t>(kCommitsAnOrder * static_cast<double>(orders));
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult commands,
                              RunClosedLoop(placed, {.callers = kCallers, .max_events = commits}));
    WaitUntilQuiet();
    EVERFOLD_ASSIGN_OR_RETURN(const LoopResult fulfilled, Fulfil(shop, directory + "/process", orders));
    rounds.Add(commands, fulfilled);
  }
  return store->Close();
}

absl::Status BenchFulfilment(Run& run) {
  const std::uint64_t orders = run.options.quick ? 500 : kOrders;
  FulfilmentRounds rounds;
  for (int round = 1; round <= run.options.rounds; ++round) {
    EVERFOLD_ASSIGN_OR_RETURN(const std::string directory,
                              run.scratch.MakeDirectory(absl::StrFormat("fulfilment-%d", round)));
    EVERFOLD_RETURN_IF_ERROR(AddRound(directory, orders, rounds));
  }
  const double commits = MedianOf(rounds.commits_a_second.ours);
  run.figures.Add({.name = absl::StrFormat("commits of fulfilments, %d orders under way", kOrdersUnderWay),
                   .value = commits,
                   .unit = "/s",
                   .ceiling = MedianOf(rounds.commits_a_second.commands),
                   .goal = RatioAtLeast(0.5)});
  run.figures.Add({.name = "orders fulfilled", .value = commits / kCommitsAnOrder, .unit = "/s"});
  run.figures.Add({.name = "an order from placed to completed, p50", .value = MedianOf(rounds.p50_ms), .unit = "ms"});
  run.figures.Add({.name = "an order from placed to completed, p99", .value = MedianOf(rounds.p99_ms), .unit = "ms"});
  run.figures.Add({.name = "CPU of a commit",
                   .value = MedianOf(rounds.cpu_us_a_commit.ours),
                   .unit = "us",
                   .ceiling = MedianOf(rounds.cpu_us_a_commit.commands)});
  return absl::OkStatus();
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

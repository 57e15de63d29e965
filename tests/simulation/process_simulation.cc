#include "tests/simulation/process_simulation.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "everfold/base/timestamp.h"
#include "everfold/event/event_key.h"
#include "everfold/process/process_instance.h"
#include "everfold/projection/sqlite.h"
#include "everfold/subscription/subscription.h"
#include "tests/simulation/random_faults.h"

namespace everfold {
namespace {

using fulfil::v1::MakeCancelOrder;
using fulfil::v1::MakePlaceOrder;
using fulfil::v1::MakeStockItem;
using fulfil::v1::PaymentAuthorization;
using fulfil::v1::Provider;
using testing::TestApp;
using testing::TestAppOptions;

constexpr int kActions = 120;
constexpr absl::Duration kLatest = absl::Minutes(1);  // that a timer fires where nothing holds it up

constexpr LogFaults kMostFaults = {.refused_per_mille = 100,
                                   .unknown_but_appended_per_mille = 20,
                                   .unknown_and_lost_per_mille = 20,
                                   .end_delayed_per_mille = 500,
                                   .hint_delayed_per_mille = 500,
                                   .hint_spurious_per_mille = 500};

std::string OrderId(std::uint64_t number) { return absl::StrFormat("o%d", number); }

// Sends each command under an id that no other has.
class ForgetfulCommands final : public CommandHandler {
 public:
  explicit ForgetfulCommands(CommandHandler& commands) : commands_(commands) {}
  void Handle(CommandRequest request, Done done) override {
    request.request_id += absl::StrFormat(" again %d", ++sent_);
    commands_.Handle(std::move(request), std::move(done));
  }
  void GetState(StateRequest request, StateDone done) override {
    commands_.GetState(std::move(request), std::move(done));
  }
  std::optional<CommandTarget> FindTarget(const std::string& command) const override {
    return commands_.FindTarget(command);
  }
  CommandStats stats() const override { return commands_.stats(); }
  void Close(Task done) override { commands_.Close(std::move(done)); }

 private:
  CommandHandler& commands_;
  std::uint64_t sent_ = 0;
};

// What became of one order, as the log has it.
struct OrderStory {
  int placed = 0, completed = 0, cancelled = 0, reserved = 0, released = 0;
  bool has_ended() const { return completed + cancelled == 1; }
};

}  // namespace

ProcessSimulation::ProcessSimulation(std::uint64_t seed, Planted planted) : planted_(planted), random_(seed) {
  // On the heap, or GCC 12 takes a part of it for uninitialized.
  const auto made = std::make_unique<TestAppOptions>();
  TestAppOptions& options = *made;
  options.seed = seed;
  options.partitions = static_cast<std::uint32_t>(1 + random_.Below(16));
  options.wrap_log = [this](PartitionLog& log, Executor& executor) -> std::unique_ptr<PartitionLog> {
    return std::make_unique<FaultyLog>(log, faults_, random_, executor);
  };
  ProcessRunnerOptions& processes = options_;
  processes.max_events_under_way = 1 + random_.Below(20);
  processes.max_in_flight = 1 + random_.Below(10);
  processes.max_timers_in_memory = 1 + random_.Below(10);
  processes.max_idle_instances = random_.Below(10);
  processes.max_accepted_unrecorded = random_.Below(10);
  processes.record_accepted_after = absl::Seconds(1 + random_.Below(600));
  options.engine.processes = options_;
  Parts parts = fulfil::v1::FulfilmentParts(provider_);
  if (planted_ == Planted::kNewIdForEachSend) parts.processes.clear();
  app_ = std::make_unique<TestApp>(std::move(parts), std::move(options));
  OpenOwn();
  app_->Settle();  // where it begins, which a log that fails may refuse to take, is in the log
  app_->Accepted(MakeStockItem({.item_id = "pen", .quantity = 1 + static_cast<std::int64_t>(random_.Below(30))}));
  faults_ = RandomFaults(random_, kMostFaults);
  CrashAndOpen();
}

ProcessSimulation::~ProcessSimulation() { Crash(); }

void ProcessSimulation::Run() {
  for (int i = 0; i < kActions && !::testing::Test::HasFailure(); ++i) Act();
  CheckEnd();
}

void ProcessSimulation::Act() {
  const std::uint64_t choice = random_.Below(100);
  if (choice < 20) {
    Place();
  } else if (choice < 27) {
    Cancel();
  } else if (choice < 45) {
    AnswerOne();
  } else if (choice < 75) {
    RunSteps(random_.Below(60));
  } else if (choice < 87) {
    app_->Advance(random_.Below(3) == 0 ? absl::Seconds(random_.Below(120)) : absl::Milliseconds(random_.Below(1500)));
  } else if (choice < 91) {
    Operate();
  } else if (choice < 94) {
    StopAndOpen();
  } else {
    CrashAndOpen();
  }
  // The log failed in the middle: the application ends, and is started again.
  if (!app_->engine().store().health().ok()) CrashAndOpen();
}

void ProcessSimulation::Place() {
  app_->Start(MakePlaceOrder({.order_id = OrderId(placed_++), .item_id = "pen", .quantity = 1}));
}

void ProcessSimulation::Cancel() {
  if (placed_ == 0) return;
  app_->Start(MakeCancelOrder({.order_id = OrderId(random_.Below(placed_)), .reason = "customer"}));
}

// Any call that ever was, so that answers come twice, late, and after a crash; many are lost.
void ProcessSimulation::AnswerOne() {
  if (provider_.calls.empty()) return;
  const Provider::Call& call = provider_.calls[random_.Below(provider_.calls.size())];
  const std::uint64_t choice = random_.Below(10);
  if (choice < 2) return (*call.answer)(absl::UnavailableError("down"));
  if (choice < 3) return (*call.answer)(absl::FailedPreconditionError("declined"));
  const std::string& authorization = authorizations_.emplace(call.key, "auth of " + call.order_id).first->second;
  const PaymentAuthorization result = fulfil::v1::MakePaymentAuthorization({.authorization_id = authorization});
  if (choice < 7) return (*call.answer)(result);
  process().Answer(call.key, absl::StrFormat("webhook of %s", call.key), result.SerializeAsString(),
                   [](const absl::Status&) {});
}

void ProcessSimulation::Operate() {
  const auto ignore = [](const absl::Status&) {};
  if (random_.Below(2) == 0) {
    process().Pause(ignore);
    RunSteps(random_.Below(30));
  }
  process().Resume(ignore);
}

void ProcessSimulation::RunSteps(std::uint64_t count) {
  while (count-- > 0 && app_->executor().RunOne()) continue;
}

// In half of the cases the log takes what it is given: then nothing is in flight that has been answered.
void ProcessSimulation::StopAndOpen() {
  const LogFaults faults = faults_;
  if (random_.Below(2) == 0) {
    faults_ = {};
    CrashAndOpen();
    RunSteps(random_.Below(100));
  }
  if (own_ != nullptr) {
    bool closed = false;
    own_->Close([&closed] { closed = true; });
    EXPECT_TRUE(app_->executor().RunUntil([&closed] { return closed; }));
    own_.reset();
  }
  app_->Stop();
  faults_ = faults;
  Open();
}

void ProcessSimulation::Open() {
  ASSERT_EQ(app_->Open(), absl::OkStatus());
  OpenOwn();
}

void ProcessSimulation::OpenOwn() {
  if (planted_ != Planted::kNewIdForEachSend) return;
  ProcessRunnerOptions options = options_;
  options.directory = DirectoryFolder();
  options.clock = &app_->executor().clock();
  options.random = &random_;
  forgetful_ = std::make_unique<ForgetfulCommands>(app_->engine().commands());
  auto opened = Process::Open(std::move(options),
                              MakeProcessType<fulfil::v1::FulfilmentProcess>(fulfil::v1::AuthorizePayment{&provider_}),
                              app_->engine().store(), *forgetful_, app_->executor());
  ASSERT_TRUE(opened.ok()) << opened.status();
  own_ = *std::move(opened);
  own_->Start();
}

void ProcessSimulation::Crash() {
  app_->executor().DropAll();
  own_.reset();
  forgetful_.reset();
  app_->Crash();
}

void ProcessSimulation::ForgetTimers() {
  const auto database = sqlite::Database::Open(DirectoryFolder() + "/fulfilment.db", sqlite::Access::kReadWrite);
  ASSERT_TRUE(database.ok()) << database.status();
  ASSERT_EQ((*database)->Execute("DELETE FROM timer"), absl::OkStatus());
}

void ProcessSimulation::CrashAndOpen() {
  Crash();
  if (planted_ == Planted::kTimersForgotten) ForgetTimers();
  if (random_.Below(10) == 0) {
    EXPECT_EQ(ProcessDirectory::Remove(DirectoryFolder() + "/fulfilment.db"), absl::OkStatus());
  }
  Open();
}

// With nothing that fails any more.
void ProcessSimulation::CheckEnd() {
  faults_ = {};
  CrashAndOpen();
  process().Resume([](const absl::Status&) {});
  undisturbed_since_ = app_->executor().clock().Now();
  for (int i = 0; i < 30; ++i) app_->Advance(absl::Minutes(1));
  const ProcessStatus status = process().Describe();
  EXPECT_EQ(status.error, absl::OkStatus());
  EXPECT_EQ(status.lag_events, 0u);
  EXPECT_EQ(status.instances, 0u);
  EXPECT_EQ(status.in_flight, 0u);
  EXPECT_EQ(status.timers, 0u);
  EXPECT_EQ(status.parked, 0u);
  EXPECT_EQ(status.waiting_sends, 0u);
  CheckOrders();
  CheckSteps();
}

// Each command was decided once: an order ends once, and what was reserved for it is sold or given back.
void ProcessSimulation::CheckOrders() {
  std::map<std::string, OrderStory> orders;
  std::set<std::string> command_ids;
  const auto subscription = Subscription::Start(app_->engine().store(), {});
  ASSERT_TRUE(subscription.ok()) << subscription.status();
  const auto pulled = (*subscription)->Pull(1'000'000, [&](const RecordedEvent& event) {
    const std::string& type = event.event.type;
    const std::string& id = event.commit.command.id;
    EXPECT_TRUE(id.empty() || command_ids.insert(id).second) << type << ": a command was decided twice";
    const auto parse = [&](auto message) {
      EXPECT_TRUE(message.ParseFromArray(event.event.payload.data(), static_cast<int>(event.event.payload.size())));
      return message;
    };
    if (type == "fulfil.v1.OrderPlaced") ++orders[event.stream.stream.id].placed;
    if (type == "fulfil.v1.OrderCompleted") ++orders[event.stream.stream.id].completed;
    if (type == "fulfil.v1.OrderCancelled") ++orders[event.stream.stream.id].cancelled;
    if (type == "fulfil.v1.ItemReserved") ++orders[parse(fulfil::v1::ItemReserved()).order_id()].reserved;
    if (type == "fulfil.v1.ItemReleased") ++orders[parse(fulfil::v1::ItemReleased()).order_id()].released;
    return absl::OkStatus();
  });
  ASSERT_TRUE(pulled.ok()) << pulled.status();
  for (const auto& [id, order] : orders) {
    EXPECT_EQ(order.placed, 1) << id;
    EXPECT_TRUE(order.has_ended()) << id << " was completed " << order.completed << " times, and cancelled "
                                   << order.cancelled << " times";
    EXPECT_LE(order.reserved, 1) << id;
    EXPECT_EQ(order.released, order.reserved - order.completed) << id;
  }
}

// Each input counts once, and each timer that is set fires once, or is cancelled. In the end nothing holds one up.
void ProcessSimulation::CheckSteps() {
  const EventStore& store = app_->engine().store();
  for (std::uint64_t number = 0; number < placed_; ++number) {
    const StreamId stream{"", "$process_fulfilment", OrderId(number)};
    EventOrder last;
    std::set<std::string> inputs;
    std::map<std::string, absl::Time> set;  // when they are due
    bool done = false;
    const absl::Status read = store.ReadStream(stream, {}, [&](const RecordedEvent& event) {
      const v1::ProcessStep step = StepOfEvent(event).value();
      const std::string at = absl::StrFormat("%s@%d", stream.id, event.version.value());
      std::string input;
      if (step.has_event()) {
        const v1::ProcessPlace& place = step.event().place();
        const EventOrder order{Sequence(place.sequence()), {PartitionId(place.partition()), Offset(place.offset())}};
        EXPECT_LT(last, order) << at << " took an event again";
        EXPECT_FALSE(done) << at << " took an event after its end";
        last = order;
      } else if (step.has_refusal()) {
        input = absl::StrFormat("refusal %s", step.refusal().command().ShortDebugString());
      } else if (step.has_outcome()) {
        input = absl::StrFormat("outcome %s", step.outcome().activity().ShortDebugString());
      } else if (step.has_timer()) {
        input = absl::StrFormat("timer %s %d", step.timer().name(), step.timer().version());
        EXPECT_EQ(set.erase(input), 1u) << at << ": " << input << " was not set";
        EXPECT_GE(event.commit.recorded_at, TimeOf(step.timer().due_time())) << at << " fired too early";
      }
      EXPECT_TRUE(input.empty() || inputs.insert(input).second) << at << ": " << input << " counted twice";
      done = done || step.done();
      std::map<std::string, absl::Time> open;
      for (const v1::ProcessTimer& timer : step.open().timers()) {
        open.emplace(absl::StrFormat("timer %s %d", timer.name(), timer.version()), TimeOf(timer.due_time()));
      }
      for (const auto& [timer, due] : set) {
        EXPECT_TRUE(open.contains(timer) || done || step.timers_cancelled_size() > 0) << at << " has lost " << timer;
        EXPECT_LE(event.commit.recorded_at, std::max(due, undisturbed_since_) + kLatest)
            << at << " comes before " << timer;
      }
      set = std::move(open);
      return absl::OkStatus();
    });
    EXPECT_EQ(read, absl::OkStatus());
    EXPECT_TRUE(set.empty()) << stream.id << " has a timer that never fired";
  }
}

}  // namespace everfold

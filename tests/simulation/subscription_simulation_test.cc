// A reader that follows a log while others append to it, stops, crashes and starts again from what it has saved: at
// every moment that a seed can think of it goes from catching up to live, and misses or doubles nothing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "everfold/event/event_query.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/subscription/subscription.h"

namespace everfold {
namespace {

constexpr std::uint64_t kSwitches = 10'000;

struct SeenEvent {
  Sequence sequence;
  Position position;
  std::string payload;  // another one in every event
  friend bool operator==(const SeenEvent&, const SeenEvent&) = default;
};

SeenEvent SeenOf(const RecordedEvent& event) {
  return {event.commit.sequence, event.position, std::string(event.event.payload)};
}

std::string PickOne(const char* prefix, std::uint64_t below, RandomSource& random) {
  return absl::StrCat(prefix, random.Below(below));
}

EventQuery SomeQuery(RandomSource& random) {
  EventQuery query;
  for (std::uint64_t left = random.Below(3); left > 0; --left) {
    QueryItem& item = query.items.emplace_back();
    item.types = {PickOne("Type", 6, random)};
    if (random.Below(3) == 0) item.tags = {PickOne("tag", 3, random)};
  }
  return query;
}

// What a reader keeps in its own database: what it has handled, and in the same transaction how far that goes.
struct Saved {
  Checkpoint checkpoint;
  std::vector<SeenEvent> handled;
};

class SubscriptionSimulation {
 public:
  explicit SubscriptionSimulation(std::uint64_t seed)
      : executor_(seed),
        random_(seed),
        log_(std::make_shared<MemoryLogStorage>(
                 LogIdentity{{"0123456789abcdef"}, 1 + static_cast<std::uint32_t>(random_.Below(16)), "key"}),
             executor_),
        store_(EventStore::Open({}, log_, executor_, executor_.clock(), random_).value()) {
    options_.selection.query = SomeQuery(random_);
    if (random_.Below(3) == 0) options_.max_bytes_a_pull = 1 + random_.Below(3000);
    Restart();
  }

  void Run() {
    for (int step = 0; step < 1500; ++step) TakeStep();
    executor_.RunUntilIdle();  // the hints alone have it come to the end
    SaveAll();
    Check();
  }

  std::uint64_t switches() const { return switches_; }
  std::uint64_t appended() const { return appended_; }

 private:
  void TakeStep() {
    switch (random_.Below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Append();
      case 4:
        return Restart();
      case 5:
        return SaveAll();
      case 6:
        return Pull();
      default:
        executor_.RunOne();
    }
  }

  void Append() {
    AppendRequest request;
    request.of_framework = true;
    for (std::uint64_t i = 0; i <= random_.Below(3); ++i) {
      StreamAppend& stream = request.streams.emplace_back();
      stream.stream = {"", random_.Below(8) == 0 ? "$ops" : "s", absl::StrFormat("%d-%d", i, random_.Below(9))};
      for (std::uint64_t left = 1 + random_.Below(3); left > 0; --left) stream.events.push_back(SomeEvent());
    }
    store_->Append(std::move(request), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
  }

  NewEvent SomeEvent() {
    NewEvent event{.type = PickOne("Type", 6, random_),
                   .fingerprint = {},
                   .payload = std::to_string(++appended_),
                   .event_time = {},
                   .tags = {}};
    if (random_.Below(2) == 0) event.tags = {PickOne("tag", 3, random_)};
    return event;
  }

  // What was handled and not saved is forgotten.
  void Restart() {
    watch_.reset();
    subscription_ = Subscription::Start(*store_, saved_.checkpoint, options_).value();
    handled_ = saved_.handled;
    catching_up_ = true;
    ++reader_;
    watch_ = store_->WatchDurable([this] { Wake(); });
    Wake();
  }

  void Wake() {
    executor_.Post([this, reader = reader_] {
      if (reader == reader_) Pull();
    });
  }

  void Pull() {
    const bool behind = subscription_->checkpoint() != store_->DurableHead();
    const auto pulled = subscription_->Pull(1 + random_.Below(12), [this](const RecordedEvent& event) {
      handled_.push_back(SeenOf(event));
      return absl::OkStatus();
    });
    ASSERT_TRUE(pulled.ok()) << pulled.status();
    if (!pulled->caught_up) return Wake();
    if (catching_up_ && behind) ++switches_;
    catching_up_ = false;
  }

  void SaveAll() { saved_ = {subscription_->checkpoint(), handled_}; }

  // Against everything that was appended, filtered here.
  void Check() {
    SubscriptionOptions everything;
    everything.selection.framework_streams = everything.selection.group_streams = true;
    const auto all = Subscription::Start(*store_, {}, everything).value();
    std::vector<SeenEvent> expected;
    Sequence last;
    const auto pulled = all->Pull(1'000'000, [&](const RecordedEvent& event) {
      const bool hidden = event.stream.stream.aggregate == "$ops";
      const bool met = Matches(options_.selection.query, event.event.type, event.event.tags);
      EXPECT_GE(event.commit.sequence, last);
      last = event.commit.sequence;
      if (met && !hidden) expected.push_back(SeenOf(event));
      return absl::OkStatus();
    });
    ASSERT_TRUE(pulled.ok()) << pulled.status();
    ASSERT_EQ(pulled->events, appended_);
    ASSERT_EQ(saved_.handled, expected);
    ASSERT_EQ(saved_.checkpoint, store_->DurableHead());
  }

  ManualExecutor executor_;
  SeededRandom random_;
  MemoryLog log_;
  std::unique_ptr<EventStore> store_;
  SubscriptionOptions options_;
  std::unique_ptr<Subscription> subscription_;
  std::unique_ptr<EventStore::Watch> watch_;
  int reader_ = 0;
  Saved saved_;
  std::vector<SeenEvent> handled_;
  bool catching_up_ = false;
  std::uint64_t appended_ = 0;
  std::uint64_t switches_ = 0;
};

TEST(SubscriptionSimulation, NoSwitchFromCatchingUpToLiveMissesOrDoublesAnEvent) {
  std::uint64_t seed = 1;
  std::uint64_t switches = 0;
  if (const char* const text = std::getenv("EVERFOLD_SEED"); text != nullptr) {
    ASSERT_TRUE(absl::SimpleAtoi(text, &seed));
    switches = kSwitches - 1;
  }
  do {
    SCOPED_TRACE(absl::StrFormat("EVERFOLD_SEED=%d", seed));
    SubscriptionSimulation simulation(seed++);
    simulation.Run();
    if (HasFatalFailure()) return;
    ASSERT_GT(simulation.appended(), 100u);
    switches += simulation.switches();
  } while (switches < kSwitches);
}

}  // namespace
}  // namespace everfold

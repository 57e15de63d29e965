#include "everfold/subscription/subscription.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "everfold/base/error.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SubscriptionTest : public ::testing::Test {
 protected:
  explicit SubscriptionTest(std::uint32_t partitions = 16)
      : storage_(std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, partitions, "key"})),
        log_(std::make_unique<MemoryLog>(storage_, executor_)),
        store_(EventStore::Open({}, *log_, executor_, executor_.clock(), random_).value()) {}

  // One commit with an event in each of the streams.
  void StartAppend(const std::vector<std::string>& ids, int events = 1) {
    AppendRequest request;
    for (const std::string& id : ids) {
      StreamAppend& stream = request.streams.emplace_back();
      stream.stream = {"", "wallet", id};
      for (int i = 0; i < events; ++i) {
        stream.events.push_back({.type = "T", .fingerprint = {}, .payload = id, .event_time = {}, .tags = {}});
      }
    }
    store_->Append(std::move(request), [](absl::StatusOr<AppendResult> result) { ASSERT_TRUE(result.ok()); });
  }
  void Append(const std::vector<std::string>& ids, int events = 1) {
    StartAppend(ids, events);
    executor_.RunUntilIdle();
  }

  std::unique_ptr<Subscription> Start(const Checkpoint& from = {}) {
    auto subscription = Subscription::Start(*store_, from);
    EXPECT_TRUE(subscription.ok()) << subscription.status();
    return *std::move(subscription);
  }
  static std::vector<std::string> Pull(Subscription& subscription, std::size_t max = 1000) {
    std::vector<std::string> ids;
    const auto count = subscription.Pull(max, [&ids](const RecordedEvent& event) {
      ids.push_back(
          absl::StrFormat("%d:%s@%d", event.commit.sequence.value(), event.stream.stream.id, event.version.value()));
      return absl::OkStatus();
    });
    EXPECT_TRUE(count.ok()) << count.status();
    EXPECT_EQ(*count, ids.size());
    return ids;
  }

  ManualExecutor executor_{3};
  SeededRandom random_{3};
  std::shared_ptr<MemoryLogStorage> storage_;
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(SubscriptionTest, HandsOutAllPartitionsMergedBySequence) {
  for (const char* id : {"d", "a", "c", "b", "a"}) Append({id});
  EXPECT_THAT(Pull(*Start()), ElementsAre("1:d@1", "2:a@1", "3:c@1", "4:b@1", "5:a@2"));
}

TEST_F(SubscriptionTest, GoesOnWhereItEndedAsMoreComes) {
  const auto subscription = Start();
  EXPECT_THAT(Pull(*subscription), IsEmpty());
  Append({"a"});
  EXPECT_THAT(Pull(*subscription), ElementsAre("1:a@1"));
  EXPECT_THAT(Pull(*subscription), IsEmpty());
  Append({"b"});
  Append({"a"});
  EXPECT_THAT(Pull(*subscription), ElementsAre("2:b@1", "3:a@2"));
}

TEST_F(SubscriptionTest, StopsAtTheLimitEvenInsideACommit) {
  Append({"a", "b"}, 3);
  const auto subscription = Start();
  std::vector<std::string> all;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto some = Pull(*subscription, 2);
    EXPECT_EQ(some.size(), 2u);
    all.insert(all.end(), some.begin(), some.end());
  }
  EXPECT_THAT(Pull(*subscription, 2), IsEmpty());
  EXPECT_THAT(all, ::testing::UnorderedElementsAre("1:a@1", "1:a@2", "1:a@3", "1:b@1", "1:b@2", "1:b@3"));
}

TEST_F(SubscriptionTest, ResumesFromACheckpointInsideACommit) {
  Append({"a"}, 3);
  Append({"a"}, 2);
  const auto subscription = Start();
  EXPECT_THAT(Pull(*subscription, 2), ElementsAre("1:a@1", "1:a@2"));
  EXPECT_THAT(Pull(*Start(subscription->checkpoint())), ElementsAre("1:a@3", "2:a@4", "2:a@5"));
}

TEST_F(SubscriptionTest, DoesNotMoveOverAnEventThatWasNotHandled) {
  Append({"a"}, 3);
  const auto subscription = Start();
  int seen = 0;
  const auto failed = subscription->Pull(
      10, [&seen](const RecordedEvent&) { return ++seen == 2 ? absl::InternalError("handler") : absl::OkStatus(); });
  EXPECT_EQ(failed.status(), absl::InternalError("handler"));
  EXPECT_THAT(Pull(*Start(subscription->checkpoint())), ElementsAre("1:a@2", "1:a@3"));
}

TEST_F(SubscriptionTest, SeesNothingThatIsNotDurable) {
  const auto subscription = Start();
  StartAppend({"a", "b", "c"});
  std::vector<std::string> seen;
  do {
    const std::uint64_t durable = store_->DurableSequence().value();
    seen = Pull(*subscription);
    EXPECT_EQ(seen.size(), durable == 0 ? 0u : 3u);
  } while (seen.empty() && executor_.RunOne());
  EXPECT_EQ(seen.size(), 3u);
}

TEST_F(SubscriptionTest, RefusesACheckpointOfAnotherHistory) {
  Checkpoint other = BeginningOf(*store_);
  other.epoch.bytes = "fedcba9876543210";
  const auto subscription = Subscription::Start(*store_, other);
  EXPECT_EQ(subscription.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(subscription.status()), reason::kOtherHistory);
}

TEST_F(SubscriptionTest, RefusesACheckpointBeyondTheHead) {
  Checkpoint beyond = BeginningOf(*store_);
  beyond.offsets[5] = Offset(1);
  const auto subscription = Subscription::Start(*store_, beyond);
  EXPECT_EQ(subscription.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(subscription.status().message()), HasSubstr("offset 1 of partition 5"));
}

// From catch-up to live at every possible moment: every event once, in order of sequence.
TEST(Subscription, HasNoGapAndNoDoubleUnderAnyInterleaving) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    ManualExecutor executor(seed);
    SeededRandom random(seed);
    const std::uint32_t partitions = 1 + static_cast<std::uint32_t>(random.Below(16));
    MemoryLog log(std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, partitions, "key"}), executor);
    auto store = EventStore::Open({}, log, executor, executor.clock(), random).value();
    auto subscription = Subscription::Start(*store, {}).value();
    std::uint64_t expected = 0;
    std::uint64_t last = 0;
    std::set<std::string> seen;
    const auto pull = [&] {
      const auto count = subscription->Pull(1 + random.Below(5), [&](const RecordedEvent& event) {
        EXPECT_GE(event.commit.sequence.value(), last);
        last = event.commit.sequence.value();
        EXPECT_TRUE(seen.insert(event.event.payload).second) << event.event.payload;
        return absl::OkStatus();
      });
      EXPECT_TRUE(count.ok()) << count.status();
    };
    for (int step = 0; step < 100; ++step) {
      switch (random.Below(4)) {
        case 0: {
          AppendRequest request;
          for (std::uint64_t i = 0; i <= random.Below(3); ++i) {
            StreamAppend& stream = request.streams.emplace_back();
            stream.stream = {"", "s", absl::StrFormat("%d-%d", i, random.Below(5))};
            stream.events.push_back(
                {.type = "T", .fingerprint = {}, .payload = std::to_string(++expected), .event_time = {}, .tags = {}});
          }
          store->Append(std::move(request), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
          break;
        }
        case 1:
          pull();
          break;
        case 2:
          subscription = Subscription::Start(*store, subscription->checkpoint()).value();
          break;
        default:
          executor.RunOne();
      }
    }
    executor.RunUntilIdle();
    while (seen.size() < expected) {
      const std::size_t before = seen.size();
      pull();
      ASSERT_GT(seen.size(), before);
    }
    EXPECT_EQ(seen.size(), expected);
  }
}

}  // namespace
}  // namespace everfold

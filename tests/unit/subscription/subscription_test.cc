#include "everfold/subscription/subscription.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "everfold/base/error.h"
#include "everfold/event/partitioning.h"
#include "tests/unit/subscription/store_of_tests.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SubscriptionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Subscription> Start(const Checkpoint& from = {}, SubscriptionOptions options = {}) {
    auto subscription = Subscription::Start(store_.store(), from, std::move(options));
    EXPECT_TRUE(subscription.ok()) << subscription.status();
    return *std::move(subscription);
  }
  std::vector<std::string> Pull(Subscription& subscription, std::size_t max = 1000) {
    std::vector<std::string> names;
    const auto pulled = subscription.Pull(max, [&names](const RecordedEvent& event) {
      names.push_back(NameOf(event));
      return absl::OkStatus();
    });
    EXPECT_TRUE(pulled.ok()) << pulled.status();
    EXPECT_EQ(pulled->events, names.size());
    last_ = *pulled;
    return names;
  }
  static SubscriptionOptions Of(std::vector<QueryItem> items) {
    return {.selection = {.query = {.items = std::move(items)}}};
  }
  absl::Status Refusal(const Checkpoint& from, SubscriptionOptions options = {}) {
    return Subscription::Start(store_.store(), from, std::move(options)).status();
  }
  Offset& OffsetOf(Checkpoint& checkpoint, const std::string& stream) {
    return checkpoint.offsets[PartitionOf(ParseStreamId(stream).value(), 16).value()];
  }

  StoreOfTests store_;
  PullResult last_;
};

TEST_F(SubscriptionTest, HandsOutAllPartitionsMergedBySequence) {
  for (const char* stream : {"w/d", "w/a", "w/c", "w/b", "w/a"}) store_.Append({stream});
  EXPECT_THAT(Pull(*Start()), ElementsAre("1:w/d@1", "2:w/a@1", "3:w/c@1", "4:w/b@1", "5:w/a@2"));
}

TEST_F(SubscriptionTest, GoesOnWhereItEndedAsMoreComes) {
  const auto subscription = Start();
  EXPECT_THAT(Pull(*subscription), IsEmpty());
  EXPECT_EQ(last_, (PullResult{.events = 0, .caught_up = true, .moved = false}));
  store_.Append({"w/a"});
  EXPECT_THAT(Pull(*subscription), ElementsAre("1:w/a@1"));
  EXPECT_EQ(last_, (PullResult{.events = 1, .caught_up = true, .moved = true}));
  EXPECT_THAT(Pull(*subscription), IsEmpty());
  store_.Append({"w/b"});
  store_.Append({"w/a"});
  EXPECT_THAT(Pull(*subscription), ElementsAre("2:w/b@1", "3:w/a@2"));
}

TEST_F(SubscriptionTest, StopsAtTheLimitEvenInsideACommit) {
  store_.Append({"w/a", "w/b"}, {EventOf("T"), EventOf("T"), EventOf("T")});
  const auto subscription = Start();
  std::vector<std::string> all;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto some = Pull(*subscription, 2);
    EXPECT_EQ(some.size(), 2u);
    EXPECT_EQ(last_.caught_up, i == 2);
    all.insert(all.end(), some.begin(), some.end());
  }
  EXPECT_THAT(Pull(*subscription, 2), IsEmpty());
  EXPECT_THAT(all, ::testing::UnorderedElementsAre("1:w/a@1", "1:w/a@2", "1:w/a@3", "1:w/b@1", "1:w/b@2", "1:w/b@3"));
}

TEST_F(SubscriptionTest, ResumesFromACheckpointInsideACommit) {
  store_.Append({"w/a"}, {EventOf("T"), EventOf("T"), EventOf("T")});
  store_.Append({"w/a"}, {EventOf("T"), EventOf("T")});
  const auto subscription = Start();
  EXPECT_THAT(Pull(*subscription, 2), ElementsAre("1:w/a@1", "1:w/a@2"));
  EXPECT_THAT(Pull(*Start(subscription->checkpoint())), ElementsAre("1:w/a@3", "2:w/a@4", "2:w/a@5"));
}

TEST_F(SubscriptionTest, DoesNotMoveOverAnEventThatWasNotHandled) {
  store_.Append({"w/a"}, {EventOf("T"), EventOf("T"), EventOf("T")});
  const auto subscription = Start();
  int seen = 0;
  const auto failed = subscription->Pull(
      10, [&seen](const RecordedEvent&) { return ++seen == 2 ? absl::InternalError("handler") : absl::OkStatus(); });
  EXPECT_EQ(failed.status(), absl::InternalError("handler"));
  EXPECT_THAT(Pull(*Start(subscription->checkpoint())), ElementsAre("1:w/a@2", "1:w/a@3"));
  EXPECT_THAT(Pull(*subscription), ElementsAre("1:w/a@2", "1:w/a@3"));
}

TEST_F(SubscriptionTest, SeesNothingThatIsNotDurable) {
  const auto subscription = Start();
  store_.StartAppend({"w/a", "w/b", "w/c"});
  std::vector<std::string> seen;
  do {
    const std::uint64_t durable = store_.store().DurableSequence().value();
    seen = Pull(*subscription);
    EXPECT_EQ(seen.size(), durable == 0 ? 0u : 3u);
  } while (seen.empty() && store_.executor().RunOne());
  EXPECT_EQ(seen.size(), 3u);
}

TEST_F(SubscriptionTest, HandsOutWhatTheQueryMeets) {
  store_.Append({"w/a"}, {EventOf("A", {"x", "y"}), EventOf("B", {"x"}), EventOf("C")});
  store_.Append({"w/b"}, {EventOf("A"), EventOf("B", {"y", "x"})});
  EXPECT_THAT(Pull(*Start({}, Of({{.types = {"A"}, .tags = {}}}))), ElementsAre("1:w/a@1", "2:w/b@1"));
  EXPECT_THAT(Pull(*Start({}, Of({{.types = {}, .tags = {"x", "y"}}}))), ElementsAre("1:w/a@1", "2:w/b@2"));
  EXPECT_THAT(Pull(*Start({}, Of({{.types = {"A"}, .tags = {"x"}}, {.types = {"C"}, .tags = {}}}))),
              ElementsAre("1:w/a@1", "1:w/a@3"));
  EXPECT_THAT(Pull(*Start({}, Of({{.types = {"D"}, .tags = {}}}))), IsEmpty());
}

TEST_F(SubscriptionTest, MeetsATypeThatBecomesKnownLater) {
  store_.Append({"w/a"}, {EventOf("A")});
  const auto subscription = Start({}, Of({{.types = {"Late"}, .tags = {}}}));
  EXPECT_THAT(Pull(*subscription), IsEmpty());
  store_.Append({"w/a"}, {EventOf("Late")});
  EXPECT_THAT(Pull(*subscription), ElementsAre("2:w/a@2"));
}

TEST_F(SubscriptionTest, HandsOutATenantsEvents) {
  store_.Append({"w/a"}, {EventOf("A")}, "acme");
  store_.Append({"w/a"}, {EventOf("A")});
  SubscriptionOptions options;
  options.selection.tenant = "acme";
  EXPECT_THAT(Pull(*Start({}, options)), ElementsAre("1:w/a@1"));
  options.selection.tenant = "";
  EXPECT_THAT(Pull(*Start({}, options)), ElementsAre("2:w/a@1"));
}

TEST_F(SubscriptionTest, MovesItsCheckpointOverWhatIsNotWanted) {
  for (const char* type : {"A", "B", "B", "A", "B"}) store_.Append({"w/a"}, {EventOf(type)});
  const auto subscription = Start({}, Of({{.types = {"A"}, .tags = {}}}));
  Checkpoint expected = BeginningOf(store_.store());
  EXPECT_THAT(Pull(*subscription, 1), ElementsAre("1:w/a@1"));
  OffsetOf(expected, "w/a") = Offset(3);
  EXPECT_EQ(subscription->checkpoint(), expected);
  EXPECT_THAT(Pull(*subscription, 1), ElementsAre("4:w/a@4"));
  EXPECT_EQ(subscription->checkpoint(), store_.store().DurableHead());
  store_.Append({"w/b"}, {EventOf("B")});
  EXPECT_THAT(Pull(*subscription), IsEmpty());
  EXPECT_EQ(last_, (PullResult{.events = 0, .caught_up = true, .moved = true}));
  EXPECT_EQ(subscription->checkpoint(), store_.store().DurableHead());
}

// Chunk by chunk, with pulls that do not know yet where the log goes on.
TEST_F(SubscriptionTest, APullReadsNoMoreThanItMay) {
  for (int i = 0; i < 20; ++i) store_.Append({"w/a"}, {EventOf("B")});
  store_.Append({"w/a"}, {EventOf("A")});
  SubscriptionOptions options = Of({{.types = {"A"}, .tags = {}}});
  options.max_bytes_a_pull = 1;
  auto subscription = Start({}, options);
  Checkpoint expected = BeginningOf(store_.store());
  for (int i = 1; i <= 20; ++i) {
    EXPECT_THAT(Pull(*subscription), IsEmpty());
    EXPECT_EQ(last_, (PullResult{.events = 0, .caught_up = false, .moved = true}));
    OffsetOf(expected, "w/a") = Offset(static_cast<std::uint64_t>(i));
    EXPECT_EQ(subscription->checkpoint(), expected);
    if (i == 10) subscription = Start(subscription->checkpoint(), options);
  }
  EXPECT_THAT(Pull(*subscription), ElementsAre("21:w/a@21"));
  EXPECT_TRUE(last_.caught_up);
}

TEST_F(SubscriptionTest, HidesTheFrameworksStreamsUnlessAskedFor) {
  store_.Append({"$ops/a"});
  store_.Append({"$group/a"});
  store_.Append({"w/a"});
  const auto subscription = Start();
  EXPECT_THAT(Pull(*subscription), ElementsAre("3:w/a@1"));
  EXPECT_EQ(subscription->checkpoint(), store_.store().DurableHead());
  SubscriptionOptions options;
  options.selection.framework_streams = true;
  EXPECT_THAT(Pull(*Start({}, options)), ElementsAre("1:$ops/a@1", "3:w/a@1"));
  options.selection.group_streams = true;
  EXPECT_THAT(Pull(*Start({}, options)), ElementsAre("1:$ops/a@1", "2:$group/a@1", "3:w/a@1"));
}

TEST_F(SubscriptionTest, ReadsOnePartition) {
  for (const char* stream : {"w/a", "w/b", "w/c", "w/a"}) store_.Append({stream});
  const PartitionId partition = PartitionOf(ParseStreamId("w/a").value(), 16);
  const auto subscription = Start({}, {.partition = partition});
  EXPECT_THAT(Pull(*subscription), ElementsAre("1:w/a@1", "4:w/a@2"));
  Checkpoint expected = BeginningOf(store_.store());
  OffsetOf(expected, "w/a") = Offset(2);
  EXPECT_EQ(subscription->checkpoint(), expected);
}

TEST_F(SubscriptionTest, EndsWhereItIsToldTo) {
  store_.Append({"w/a"}, {EventOf("T"), EventOf("T"), EventOf("T")});
  store_.Append({"w/b"});
  Checkpoint end = store_.store().DurableHead();
  OffsetOf(end, "w/a") = Offset(2);
  store_.Append({"w/c"});
  const auto subscription = Start({}, {.upto = end});
  EXPECT_THAT(Pull(*subscription), ElementsAre("1:w/a@1", "1:w/a@2", "2:w/b@1"));
  EXPECT_TRUE(last_.caught_up);
  EXPECT_EQ(subscription->checkpoint(), end);
  EXPECT_THAT(Pull(*Start(end)), ElementsAre("1:w/a@3", "3:w/c@1"));
}

TEST_F(SubscriptionTest, EndsAtASequence) {
  for (const char* stream : {"w/a", "w/b", "w/c"}) store_.Append({stream});
  const auto subscription = Start({}, {.upto_sequence = Sequence(2)});
  EXPECT_THAT(Pull(*subscription), ElementsAre("1:w/a@1", "2:w/b@1"));
  EXPECT_TRUE(last_.caught_up);
}

TEST_F(SubscriptionTest, RefusesAnEndBeyondTheHead) {
  store_.Append({"w/a"});
  Checkpoint end = store_.store().DurableHead();
  OffsetOf(end, "w/a") = Offset(2);
  absl::Status status = Refusal({}, {.upto = end});
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(ReasonOf(status), reason::kBeyondHead);
  EXPECT_THAT(std::string(status.message()), HasSubstr("at offset 2 of partition"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("whose durable head is 1"));
  status = Refusal({}, {.upto_sequence = Sequence(7)});
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_EQ(std::string(status.message()), "the end is at sequence 7 of the store, whose durable head is 1");
}

TEST_F(SubscriptionTest, RefusesWhatThereIsNot) {
  absl::Status status = Refusal({}, {.partition = PartitionId(16)});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(std::string(status.message()), "there are 16 partitions, numbered from 0, and no partition 16");
  status = Refusal({}, Of(std::vector<QueryItem>(101, {.types = {"A"}, .tags = {}})));
  EXPECT_EQ(ReasonOf(status), reason::kLimitExceeded);
  EXPECT_EQ(std::string(status.message()), "items of a query: at most 100, there are 101");
  SubscriptionOptions options;
  options.max_bytes_a_pull = 0;
  EXPECT_EQ(ReasonOf(Refusal({}, options)), reason::kRequestInvalid);
}

TEST_F(SubscriptionTest, RefusesAPullForNothing) {
  const auto pulled = Start()->Pull(0, [](const RecordedEvent&) { return absl::OkStatus(); });
  EXPECT_EQ(pulled.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(pulled.status()), reason::kRequestInvalid);
}

// Long enough to be read ahead, and as it would be without that, however the steps fall between pulls and appends.
TEST(SubscriptionReadAheadTest, HandsOutTheSameWhoeverReads) {
  StoreOfTests store(5, 3);
  const auto append = [&store](int commits) {
    for (int i = 0; i < commits; ++i) {
      store.Append({absl::StrCat("w/", i % 7), absl::StrCat("v/", i % 5)}, std::vector<NewEvent>(40, EventOf("T")));
    }
  };
  append(400);
  for (std::uint64_t seed = 0; seed < 6; ++seed) {
    SeededRandom random(seed);
    std::vector<std::string> alone;
    std::vector<std::string> ahead;
    Checkpoint at = BeginningOf(store.store());
    auto subscription = Subscription::Start(store.store(), at, {.read_ahead = &store.executor()}).value();
    for (bool caught_up = false; !caught_up;) {
      for (std::uint64_t steps = random.Below(4); steps > 0; --steps) store.executor().RunOne();
      if (random.Below(50) == 0) append(1);
      if (random.Below(20) == 0) {
        at = subscription->checkpoint();
        subscription = Subscription::Start(store.store(), at, {.read_ahead = &store.executor()}).value();
      }
      const auto take = [&ahead](const RecordedEvent& event) {
        ahead.push_back(NameOf(event));
        return absl::OkStatus();
      };
      caught_up = subscription->Pull(1 + random.Below(1'000), take)->caught_up;
    }
    const auto take = [&alone](const RecordedEvent& event) {
      alone.push_back(NameOf(event));
      return absl::OkStatus();
    };
    const auto all = Subscription::Start(store.store(), {}).value()->Pull(1'000'000, take);
    ASSERT_TRUE(all->caught_up);
    ASSERT_EQ(ahead, alone) << "seed " << seed;
  }
}

TEST(SubscriptionReadAheadTest, ReadsAheadWhereThereIsMuchToCome) {
  StoreOfTests store(5, 1);
  for (int i = 0; i < 100; ++i) store.Append({"w/a"}, std::vector<NewEvent>(50, EventOf("T")));
  const auto steps_after_a_pull = [&store](Checkpoint from, Checkpoint upto) {
    const auto subscription =
        Subscription::Start(store.store(), from, {.upto = std::move(upto), .read_ahead = &store.executor()}).value();
    EXPECT_TRUE(subscription->Pull(1, [](const RecordedEvent&) { return absl::OkStatus(); }).ok());
    return store.executor().RunUntilIdle();
  };
  Checkpoint near = BeginningOf(store.store());
  near.offsets[0] = Offset(5'000 - 4'095);
  Checkpoint soon = near;
  soon.offsets[0] = Offset(4'095);
  EXPECT_GT(steps_after_a_pull({}, {}), 0u);
  EXPECT_EQ(steps_after_a_pull(near, {}), 0u);
  EXPECT_EQ(steps_after_a_pull({}, soon), 0u);
}

TEST_F(SubscriptionTest, RefusesACheckpointOfAnotherHistory) {
  Checkpoint other = BeginningOf(store_.store());
  other.epoch.bytes = "fedcba9876543210";
  EXPECT_EQ(Refusal(other).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(Refusal(other)), reason::kOtherHistory);
  other = BeginningOf(store_.store());
  other.offsets.pop_back();
  EXPECT_EQ(ReasonOf(Refusal(other)), reason::kOtherHistory);
}

TEST_F(SubscriptionTest, RefusesACheckpointBeyondTheHead) {
  Checkpoint beyond = BeginningOf(store_.store());
  beyond.offsets[5] = Offset(1);
  EXPECT_EQ(Refusal(beyond).code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(Refusal(beyond).message()), HasSubstr("offset 1 of partition 5"));
}

}  // namespace
}  // namespace everfold

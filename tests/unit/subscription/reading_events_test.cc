// The code of docs/guides/reading-events.md.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/status.h"
#include "everfold/runtime/task_scope.h"
#include "everfold/subscription/group_checkpoint.h"
#include "everfold/subscription/latest_events.h"
#include "everfold/subscription/subscription.h"
#include "tests/unit/subscription/store_of_tests.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> lines;

absl::Status Print(const RecordedEvent& event) {
  lines.push_back(
      absl::StrFormat("%s version %d: %s", event.stream.stream.ToString(), event.version.value(), event.event.type));
  return absl::OkStatus();
}

absl::Status PrintLastTen(const EventStore& store, const StreamId& stream) {
  return store.ReadStream(stream, {.direction = Direction::kBackwards, .limit = 10}, Print);
}

absl::Status PrintAsOf(const EventStore& store, const StreamId& stream, absl::Time time) {
  return store.ReadStream(stream, {.as_of = time}, Print);
}

// Everything that concerns one order, whichever stream it is in.
absl::Status PrintOrder(const EventStore& store, const std::string& order_id) {
  SubscriptionOptions options;
  options.selection.query.items = {{.types = {}, .tags = {"order:" + order_id}},
                                   {.types = {"shop.v1.PricesChanged"}, .tags = {}}};
  options.upto = store.DurableHead();
  EVERFOLD_ASSIGN_OR_RETURN(const auto subscription, Subscription::Start(store, {}, options));
  while (true) {
    EVERFOLD_ASSIGN_OR_RETURN(const PullResult pulled, subscription->Pull(1000, Print));
    if (pulled.caught_up) return absl::OkStatus();
  }
}

absl::Status PrintLatest(const EventStore& store, LatestResult& page) {
  EVERFOLD_ASSIGN_OR_RETURN(page, ReadLatest(store, {.upto = page.rest, .limit = 2}, Print));
  return absl::OkStatus();
}

// Sends a mail for every order, at least once.
class Mailer {
 public:
  static absl::StatusOr<std::unique_ptr<Mailer>> Start(EventStore& store, Executor& executor) {
    EVERFOLD_ASSIGN_OR_RETURN(auto group, GroupCheckpoint::Open(store, "mailer"));
    EVERFOLD_ASSIGN_OR_RETURN(const Checkpoint from, group->Load());
    SubscriptionOptions options;
    options.selection.query.items = {{.types = {"shop.v1.OrderPlaced"}, .tags = {}}};
    EVERFOLD_ASSIGN_OR_RETURN(auto subscription, Subscription::Start(store, from, options));
    return std::make_unique<Mailer>(store, executor, std::move(group), std::move(subscription));
  }

  Mailer(EventStore& store, Executor& executor, std::unique_ptr<GroupCheckpoint> group,
         std::unique_ptr<Subscription> subscription)
      : strand_(executor.MakeStrand()), group_(std::move(group)), subscription_(std::move(subscription)) {
    // Watches first, then pulls: what becomes durable in between is in the pull or hinted at.
    watch_ = store.WatchDurable([this, scope = scope_]() mutable { Wake(scope.Enter()); });
    Wake(scope_.Enter());
  }

  // Calls `done` when no pull is under way and none will come.
  void Close(Task done) {
    watch_.reset();
    scope_.Close(std::move(done));
  }

 private:
  void Wake(std::optional<TaskScope::Guard> guard) {
    if (guard.has_value()) strand_->Post([this, guard = std::move(guard)] { Pull(); });
  }

  void Pull() {
    const auto pulled = subscription_->Pull(100, Print);
    if (!pulled.ok()) return;  // a real one says so, and tries again later
    if (pulled->events > 0) group_->Save(subscription_->checkpoint(), [](const absl::Status&) {});
    if (!pulled->caught_up) Wake(scope_.Enter());
  }

  TaskScope scope_;
  const std::unique_ptr<Strand> strand_;
  const std::unique_ptr<GroupCheckpoint> group_;
  const std::unique_ptr<Subscription> subscription_;
  std::unique_ptr<EventStore::Watch> watch_;
};

class ReadingEventsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    lines.clear();
    store_.Append({"order/o1"}, {EventOf("shop.v1.OrderPlaced", {"order:o1"})});
    store_.Append({"payment/p1"}, {EventOf("shop.v1.PaymentCaptured", {"order:o1"})});
    store_.Append({"order/o2"}, {EventOf("shop.v1.OrderPlaced", {"order:o2"})});
    store_.Append({"order/o1"}, {EventOf("shop.v1.OrderShipped", {"order:o1"})});
  }
  StoreOfTests store_;
};

TEST_F(ReadingEventsTest, OfAStream) {
  EXPECT_EQ(PrintLastTen(store_.store(), {"", "order", "o1"}), absl::OkStatus());
  EXPECT_THAT(lines,
              ElementsAre("order/o1 version 2: shop.v1.OrderShipped", "order/o1 version 1: shop.v1.OrderPlaced"));
  lines.clear();
  EXPECT_EQ(PrintAsOf(store_.store(), {"", "order", "o1"}, absl::InfinitePast()), absl::OkStatus());
  EXPECT_THAT(lines, IsEmpty());
}

TEST_F(ReadingEventsTest, OfAQuery) {
  EXPECT_EQ(PrintOrder(store_.store(), "o1"), absl::OkStatus());
  EXPECT_THAT(lines,
              ElementsAre("order/o1 version 1: shop.v1.OrderPlaced", "payment/p1 version 1: shop.v1.PaymentCaptured",
                          "order/o1 version 2: shop.v1.OrderShipped"));
}

TEST_F(ReadingEventsTest, TheLatest) {
  LatestResult page;
  EXPECT_EQ(PrintLatest(store_.store(), page), absl::OkStatus());
  EXPECT_EQ(PrintLatest(store_.store(), page), absl::OkStatus());
  EXPECT_TRUE(page.complete);
  EXPECT_THAT(lines,
              ElementsAre("order/o1 version 2: shop.v1.OrderShipped", "order/o2 version 1: shop.v1.OrderPlaced",
                          "payment/p1 version 1: shop.v1.PaymentCaptured", "order/o1 version 1: shop.v1.OrderPlaced"));
}

TEST_F(ReadingEventsTest, ByAGroup) {
  auto mailer = Mailer::Start(store_.store(), store_.executor()).value();
  store_.executor().RunUntilIdle();
  EXPECT_THAT(lines, ElementsAre("order/o1 version 1: shop.v1.OrderPlaced", "order/o2 version 1: shop.v1.OrderPlaced"));
  lines.clear();
  bool closed = false;
  mailer->Close([&closed] { closed = true; });
  store_.executor().RunUntilIdle();
  ASSERT_TRUE(closed);
  mailer = Mailer::Start(store_.store(), store_.executor()).value();
  store_.Append({"order/o3"}, {EventOf("shop.v1.OrderPlaced")});
  EXPECT_THAT(lines, ElementsAre("order/o3 version 1: shop.v1.OrderPlaced"));
}

}  // namespace
}  // namespace everfold

#include "everfold/subscription/latest_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "everfold/base/error.h"
#include "everfold/subscription/subscription.h"
#include "tests/unit/subscription/store_of_tests.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LatestEventsTest : public ::testing::Test {
 protected:
  std::vector<std::string> Latest(const LatestOptions& options) {
    std::vector<std::string> names;
    const auto read = ReadLatest(store_.store(), options, [&names](const RecordedEvent& event) {
      names.push_back(NameOf(event));
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read.status();
    if (!read.ok()) return names;
    EXPECT_EQ(read->events, names.size());
    EXPECT_LE(read->events, options.limit);
    last_ = *read;
    return names;
  }
  absl::Status Refusal(const LatestOptions& options) {
    return ReadLatest(store_.store(), options, [](const RecordedEvent&) { return absl::OkStatus(); }).status();
  }

  StoreOfTests store_;
  LatestResult last_;
};

TEST_F(LatestEventsTest, TheNewestIsFirst) {
  EXPECT_THAT(Latest({}), IsEmpty());
  for (const char* stream : {"w/d", "w/a", "w/c", "w/a"}) store_.Append({stream});
  store_.Append({"w/b"}, {EventOf("T"), EventOf("T")});
  EXPECT_THAT(Latest({.limit = 4}), ElementsAre("5:w/b@2", "5:w/b@1", "4:w/a@2", "3:w/c@1"));
  EXPECT_FALSE(last_.complete);
  EXPECT_THAT(Latest({.upto = last_.rest}), ElementsAre("2:w/a@1", "1:w/d@1"));
  EXPECT_TRUE(last_.complete);
}

TEST_F(LatestEventsTest, EndsWithTheVisitorsError) {
  store_.Append({"w/a"});
  const auto read = ReadLatest(store_.store(), {}, [](const RecordedEvent&) { return absl::CancelledError("enough"); });
  EXPECT_EQ(read.status(), absl::CancelledError("enough"));
}

TEST_F(LatestEventsTest, ReadsNoMoreThanItMay) {
  for (int i = 0; i < 200; ++i) store_.Append({"w/a"}, {EventOf(i == 0 ? "A" : "B")});
  LatestOptions options{.selection = {.query = {.items = {{.types = {"A"}, .tags = {}}}}}, .max_bytes = 1};
  EXPECT_THAT(Latest(options), IsEmpty());
  EXPECT_FALSE(last_.complete);
  std::vector<std::string> found;
  int reads = 1;
  for (; !last_.complete; ++reads) {
    options.upto = last_.rest;
    for (std::string& name : Latest(options)) found.push_back(std::move(name));
    ASSERT_LT(reads, 10);
  }
  EXPECT_THAT(found, ElementsAre("1:w/a@1"));
  EXPECT_EQ(reads, 4);  // pieces of 64 events
}

TEST_F(LatestEventsTest, RefusesWhatThereIsNot) {
  EXPECT_EQ(ReasonOf(Refusal({.limit = 0})), reason::kRequestInvalid);
  const absl::Status status = Refusal({.limit = 10'001});
  EXPECT_EQ(ReasonOf(status), reason::kLimitExceeded);
  EXPECT_EQ(std::string(status.message()), "the latest events are read 10000 at a time at most, the limit is 10001");
  EXPECT_EQ(ReasonOf(Refusal({.partition = PartitionId(99)})), reason::kRequestInvalid);
  Checkpoint beyond = BeginningOf(store_.store());
  beyond.offsets[2] = Offset(1);
  EXPECT_EQ(ReasonOf(Refusal({.upto = beyond})), reason::kBeyondHead);
}

// Page by page, against the subscription's order turned round.
TEST(LatestEvents, AreTheSubscriptionsInReverse) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(seed);
    SeededRandom random(seed);
    StoreOfTests store(seed, 1 + static_cast<std::uint32_t>(random.Below(8)));
    for (std::uint64_t left = random.Below(300); left > 0; --left) {
      std::vector<std::string> streams = {absl::StrFormat("w/%d", random.Below(20))};
      if (random.Below(4) == 0) streams.push_back(absl::StrFormat("v/%d", random.Below(20)));
      store.StartAppend(streams, std::vector<NewEvent>(1 + random.Below(3), EventOf(random.Below(5) == 0 ? "A" : "B")));
      if (random.Below(3) == 0) store.executor().RunUntilIdle();
    }
    store.executor().RunUntilIdle();
    EventSelection selection;
    if (random.Below(2) == 0) selection.query.items = {{.types = {"A"}, .tags = {}}};
    std::vector<std::string> expected;
    const auto subscription = Subscription::Start(store.store(), {}, {.selection = selection});
    ASSERT_TRUE((*subscription)
                    ->Pull(1'000'000,
                           [&expected](const RecordedEvent& event) {
                             expected.push_back(NameOf(event));
                             return absl::OkStatus();
                           })
                    ->caught_up);
    std::reverse(expected.begin(), expected.end());
    std::vector<std::string> read;
    LatestResult result;
    do {
      const auto page = ReadLatest(store.store(),
                                   {.selection = selection,
                                    .upto = result.rest,
                                    .limit = 1 + random.Below(50),
                                    .max_bytes = 1 + random.Below(5000)},
                                   [&read](const RecordedEvent& event) {
                                     read.push_back(NameOf(event));
                                     return absl::OkStatus();
                                   });
      ASSERT_TRUE(page.ok()) << page.status();
      result = *page;
    } while (!result.complete);
    ASSERT_EQ(read, expected);
  }
}

}  // namespace
}  // namespace everfold

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/event_store.h"
#include "everfold/v1/missed_events.pb.h"
#include "tests/unit/log/forwarding_log.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Counts reads, and refuses them on demand.
class ReadLog final : public ForwardingLog {
 public:
  using ForwardingLog::ForwardingLog;

  mutable int reads = 0;
  absl::Status refusal;

  absl::StatusOr<std::unique_ptr<ChunkCursor>> Read(PartitionId partition, Offset after) const override {
    ++reads;
    if (!refusal.ok()) return refusal;
    return ForwardingLog::Read(partition, after);
  }
};

class MissedEventsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = EventStore::Open({}, log_, executor_, executor_.clock(), random_);
    ASSERT_EQ(store.status(), absl::OkStatus());
    store_ = *std::move(store);
  }

  static AppendRequest To(const std::string& id, std::vector<std::string> payloads, std::vector<std::string> tags) {
    AppendRequest request;
    request.streams.push_back({.stream = {"", "wallet", id}, .events = {}});
    for (std::string& payload : payloads) {
      request.streams[0].events.push_back({.type = "wallet.v1.Deposited",
                                           .fingerprint = {},
                                           .payload = std::move(payload),
                                           .event_time = {},
                                           .tags = tags});
    }
    return request;
  }
  absl::Status Append(AppendRequest request) {
    std::optional<absl::Status> outcome;
    store_->Append(std::move(request), [&outcome](const absl::StatusOr<AppendResult>& it) { outcome = it.status(); });
    executor_.RunUntilIdle();
    return *outcome;
  }
  static std::vector<std::string> Payloads(const absl::Status& status, bool& more) {
    v1::MissedEvents missed;
    std::vector<std::string> payloads;
    EXPECT_TRUE(FindDetail(status, missed)) << status;
    for (const v1::MissedEvents::Event& event : missed.events()) payloads.push_back(event.payload());
    more = missed.more();
    return payloads;
  }

  ManualExecutor executor_{7};
  SeededRandom random_{7};
  MemoryLog memory_{std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 4, std::string(32, 'k')}),
                    executor_};
  ReadLog log_{memory_};
  std::unique_ptr<EventStore> store_;
  bool more_ = false;
};

TEST_F(MissedEventsTest, AreThoseAboveTheExpectedVersion) {
  ASSERT_EQ(Append(To("w1", {"a", "b"}, {"red"})), absl::OkStatus());
  ASSERT_EQ(Append(To("w1", {"c"}, {})), absl::OkStatus());
  AppendRequest stale = To("w1", {"x"}, {});
  stale.streams[0].expectation = StreamExpectation::Exact(Version(1));
  stale.missed_events = 10;
  const absl::Status conflict = Append(stale);
  EXPECT_EQ(ReasonOf(conflict), reason::kVersionConflict);
  EXPECT_THAT(Payloads(conflict, more_), ElementsAre("b", "c"));
  EXPECT_FALSE(more_);
  v1::MissedEvents missed;
  ASSERT_TRUE(FindDetail(conflict, missed));
  EXPECT_EQ(missed.events(0).stream(), "wallet/w1");
  EXPECT_EQ(missed.events(0).version(), 2u);
  EXPECT_EQ(missed.events(0).sequence(), 1u);
  EXPECT_EQ(missed.events(0).offset(), 2u);
  EXPECT_EQ(missed.events(0).type(), "wallet.v1.Deposited");
  EXPECT_THAT(missed.events(0).tags(), ElementsAre("red"));

  stale.streams[0].expectation = StreamExpectation::NoStream();
  stale.missed_events = 2;
  EXPECT_THAT(Payloads(Append(stale), more_), ElementsAre("a", "b"));
  EXPECT_TRUE(more_);
}

TEST_F(MissedEventsTest, AreNoneWhereNoneWereMissed) {
  ASSERT_EQ(Append(To("w1", {"a"}, {})), absl::OkStatus());
  AppendRequest ahead = To("w1", {"x"}, {});
  ahead.streams[0].expectation = StreamExpectation::Exact(Version::Max());
  ahead.missed_events = 10;
  EXPECT_THAT(Payloads(Append(ahead), more_), IsEmpty());
  AppendRequest missing = To("w2", {"x"}, {});
  missing.streams[0].expectation = StreamExpectation::Exists();
  missing.missed_events = 10;
  EXPECT_THAT(Payloads(Append(missing), more_), IsEmpty());
}

TEST_F(MissedEventsTest, ComeOnlyOnRequest) {
  ASSERT_EQ(Append(To("w1", {"a"}, {})), absl::OkStatus());
  AppendRequest stale = To("w1", {"x"}, {});
  stale.streams[0].expectation = StreamExpectation::NoStream();
  v1::MissedEvents missed;
  EXPECT_FALSE(FindDetail(Append(stale), missed));
  stale.missed_events = kMaxMissedEvents + 1;
  EXPECT_EQ(ReasonOf(Append(stale)), reason::kLimitExceeded);
}

TEST_F(MissedEventsTest, AreThoseThatAConditionExcludes) {
  ASSERT_EQ(Append(To("w1", {"a"}, {"red"})), absl::OkStatus());
  ASSERT_EQ(Append(To("w2", {"b", "c"}, {"red", "big"})), absl::OkStatus());
  ASSERT_EQ(Append(To("w3", {"d"}, {"blue"})), absl::OkStatus());
  ASSERT_EQ(Append(To("w4", {"e"}, {"red"})), absl::OkStatus());
  AppendRequest late = To("w5", {"x"}, {"red"});
  late.condition = AppendCondition{{{{.types = {}, .tags = {"red"}}, {.types = {}, .tags = {"big"}}}}, Sequence(1)};
  late.missed_events = 10;
  EXPECT_THAT(Payloads(Append(late), more_), ElementsAre("b", "c", "e"));
  EXPECT_FALSE(more_);
  late.missed_events = 2;
  EXPECT_THAT(Payloads(Append(late), more_), ElementsAre("b", "c"));
  EXPECT_TRUE(more_);
  late.condition->fail_if_events_match = {{{.types = {"wallet.v1.Deposited"}, .tags = {}}}};
  EXPECT_THAT(Payloads(Append(late), more_), IsEmpty());
  EXPECT_TRUE(more_);
}

TEST_F(MissedEventsTest, AChunkIsReadOnceForAllOfItsEvents) {
  ASSERT_EQ(Append(To("w1", {"a", "b", "c", "d"}, {"red"})), absl::OkStatus());
  ASSERT_EQ(Append(To("w2", {"e", "f"}, {"blue"})), absl::OkStatus());
  ASSERT_EQ(Append(To("w1", {"g", "h"}, {"red"})), absl::OkStatus());
  AppendRequest late = To("w5", {"x"}, {"red"});
  late.condition = AppendCondition{{{{.types = {}, .tags = {"red"}}}}, Sequence(0)};
  late.missed_events = 10;
  log_.reads = 0;
  EXPECT_THAT(Payloads(Append(late), more_), ElementsAre("a", "b", "c", "d", "g", "h"));
  EXPECT_EQ(log_.reads, 2);
}

TEST_F(MissedEventsTest, AConflictSaysThatTheyCouldNotBeRead) {
  ASSERT_EQ(Append(To("w1", {"a"}, {"red"})), absl::OkStatus());
  AppendRequest stale = To("w1", {"x"}, {});
  stale.streams[0].expectation = StreamExpectation::NoStream();
  stale.missed_events = 10;
  AppendRequest excluded = To("w2", {"x"}, {});
  excluded.condition = AppendCondition{{{{.types = {}, .tags = {"red"}}}}, Sequence(0)};
  excluded.missed_events = 10;
  log_.refusal = absl::InternalError("the disk said no");
  for (const AppendRequest& request : {stale, excluded}) {
    const absl::Status conflict = Append(request);
    EXPECT_EQ(conflict.code(), absl::StatusCode::kAborted);
    v1::MissedEvents missed;
    ASSERT_TRUE(FindDetail(conflict, missed)) << conflict;
    EXPECT_EQ(missed.read_error(), "the disk said no");
    EXPECT_TRUE(missed.more());
    EXPECT_EQ(missed.events_size(), 0);
  }
  log_.refusal = absl::OkStatus();
  v1::MissedEvents missed;
  ASSERT_TRUE(FindDetail(Append(stale), missed));
  EXPECT_EQ(missed.read_error(), "");
  EXPECT_EQ(missed.events_size(), 1);
}

}  // namespace
}  // namespace everfold

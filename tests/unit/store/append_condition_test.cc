#include "everfold/store/append_condition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/event_store.h"
#include "everfold/testing/faulty_log.h"
#include "google/rpc/error_details.pb.h"
#include "tests/unit/store/stored_events.h"

namespace everfold {
namespace {

using ::testing::HasSubstr;

using Outcome = absl::StatusOr<AppendResult>;
using Pending = std::shared_ptr<std::optional<Outcome>>;

EventQuery Tagged(std::vector<std::string> tags) { return {{{.types = {}, .tags = std::move(tags)}}}; }
EventQuery OfTypes(std::vector<std::string> types) { return {{{.types = std::move(types), .tags = {}}}}; }

// The decision has read, up to `read_upto`, what happened to the seat and which seats the guest has.
AppendRequest TakeSeat(const std::string& seat, const std::string& guest, Sequence read_upto) {
  NewEvent taken;
  taken.type = "seat.v1.Taken";
  taken.tags = {"seat:" + seat, "guest:" + guest};
  StreamAppend stream;
  stream.stream = {.tenant = "", .aggregate = "seat", .id = seat};
  stream.events.push_back(taken);
  AppendRequest request;
  request.streams.push_back(stream);
  const QueryItem of_seat{.types = {}, .tags = {"seat:" + seat}};
  const QueryItem of_guest{.types = {"seat.v1.Taken"}, .tags = {"guest:" + guest}};
  request.condition = AppendCondition{.fail_if_events_match = {{of_seat, of_guest}}, .after = read_upto};
  return request;
}

class AppendConditionTest : public ::testing::Test {
 protected:
  AppendConditionTest() { Open({}); }

  void Open(LogFaults faults) {
    store_.reset();
    faulty_.reset();
    log_ = std::make_unique<MemoryLog>(storage_, executor_);
    faulty_ = std::make_unique<FaultyLog>(*log_, faults, random_, executor_);
    auto store = EventStore::Open(options_, *faulty_, executor_, executor_.clock(), random_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  void CrashAndReopen(LogFaults faults) {
    executor_.DropAll();
    Open(faults);
  }

  static AppendRequest To(const std::string& id, std::vector<std::string> tags,
                          const std::string& type = "seat.v1.Taken") {
    AppendRequest request;
    StreamAppend& stream = request.streams.emplace_back();
    stream.stream = {"", "seat", id};
    stream.events.push_back(
        {.type = type, .fingerprint = {}, .payload = "x", .event_time = {}, .tags = std::move(tags)});
    return request;
  }
  static AppendRequest If(AppendRequest request, EventQuery none, std::uint64_t after) {
    request.condition = AppendCondition{std::move(none), Sequence(after)};
    return request;
  }
  static AppendRequest OfTenant(AppendRequest request, const std::string& tenant) {
    request.tenant = tenant;
    for (StreamAppend& stream : request.streams) stream.stream.tenant = tenant;
    return request;
  }

  Pending Start(AppendRequest request) {
    auto outcome = std::make_shared<std::optional<Outcome>>();
    store_->Append(std::move(request), [outcome](Outcome result) { *outcome = std::move(result); });
    return outcome;
  }
  Outcome Append(AppendRequest request) {
    const Pending outcome = Start(std::move(request));
    executor_.RunUntilIdle();
    return outcome->value();
  }
  std::string ReasonFor(AppendRequest request) { return ReasonOf(Append(std::move(request)).status()); }

  ManualExecutor executor_{7};
  SeededRandom random_{7};
  EventStoreOptions options_;
  std::shared_ptr<MemoryLogStorage> storage_ =
      std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 8, std::string(32, 'k')});
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<FaultyLog> faulty_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(AppendConditionTest, FailsIfAnEventMatchesAndTellsWhichOne) {
  ASSERT_TRUE(Append(To("a", {"row:1"})).ok());
  const Outcome taken = Append(To("b", {"row:2", "show:7"}));
  ASSERT_TRUE(taken.ok());
  const Outcome failed = Append(If(To("c", {"row:2"}), Tagged({"show:7"}), 1));
  EXPECT_EQ(failed.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(failed.status()), reason::kConditionFailed);
  EXPECT_THAT(std::string(failed.status().message()), HasSubstr("excludes after commit 1"));
  google::rpc::ErrorInfo info;
  ASSERT_TRUE(FindDetail(failed.status(), info));
  EXPECT_EQ(info.metadata().at("sequence"), "2");
  EXPECT_EQ(info.metadata().at("after"), "1");
  EXPECT_EQ(info.metadata().at("partition"), std::to_string(taken->streams[0].position.partition.value()));
  EXPECT_EQ(info.metadata().at("offset"), std::to_string(taken->streams[0].position.offset.value()));
  EXPECT_EQ(store_->VersionOf({"", "seat", "c"}).value(), Version());
}

TEST_F(AppendConditionTest, GuardsTwoRulesAtOnce) {
  ASSERT_TRUE(Append(TakeSeat("12", "anna", Sequence(0))).ok());
  EXPECT_EQ(ReasonFor(TakeSeat("12", "ben", Sequence(0))), reason::kConditionFailed);
  EXPECT_EQ(ReasonFor(TakeSeat("13", "anna", Sequence(0))), reason::kConditionFailed);
  EXPECT_TRUE(Append(TakeSeat("13", "anna", Sequence(1))).ok());
}

TEST_F(AppendConditionTest, HoldsIfNothingMatchesBehindTheSequence) {
  ASSERT_TRUE(Append(To("a", {"row:1"})).ok());
  EXPECT_TRUE(Append(If(To("b", {"row:1"}), Tagged({"row:1"}), 1)).ok());
  EXPECT_EQ(ReasonFor(If(To("c", {"row:1"}), Tagged({"row:1"}), 1)), reason::kConditionFailed);
  EXPECT_TRUE(Append(If(To("c", {"row:1"}), Tagged({"row:1"}), 2)).ok());
}

TEST_F(AppendConditionTest, WantsAllTagsAndAnyTypeOfAnItemAndAnyItem) {
  ASSERT_TRUE(Append(To("a", {"row:1", "show:7"}, "seat.v1.Taken")).ok());
  const auto holds = [this](EventQuery query) { return Append(If(To("x", {}, "other.v1.E"), query, 0)).ok(); };
  EXPECT_TRUE(holds(Tagged({"row:1", "show:8"})));
  EXPECT_FALSE(holds(Tagged({"show:7", "row:1"})));
  EXPECT_TRUE(holds(OfTypes({"seat.v1.Left"})));
  EXPECT_FALSE(holds(OfTypes({"seat.v1.Left", "seat.v1.Taken"})));
  EXPECT_TRUE(holds({{{.types = {"seat.v1.Left"}, .tags = {"row:1"}}}}));
  EXPECT_FALSE(holds({{{.types = {"seat.v1.Left"}, .tags = {"row:1"}}, {.types = {"seat.v1.Taken"}, .tags = {}}}}));
}

TEST_F(AppendConditionTest, AQueryWithoutItemsExcludesEveryEventOfTheTenant) {
  ASSERT_TRUE(Append(To("a", {})).ok());
  EXPECT_EQ(ReasonFor(If(To("b", {}), {}, 0)), reason::kConditionFailed);
  EXPECT_TRUE(Append(OfTenant(If(To("b", {}), {}, 0), "t")).ok());
  EXPECT_TRUE(Append(If(To("b", {}), {}, 1)).ok());
}

TEST_F(AppendConditionTest, OtherTenantsEventsDoNotMatter) {
  ASSERT_TRUE(Append(OfTenant(To("a", {"row:1"}), "t")).ok());
  EXPECT_TRUE(Append(If(To("a", {"row:1"}), {{{.types = {"seat.v1.Taken"}, .tags = {}}}}, 0)).ok());
  EXPECT_EQ(ReasonFor(OfTenant(If(To("b", {}), Tagged({"row:1"}), 0), "t")), reason::kConditionFailed);
}

TEST_F(AppendConditionTest, SeesCommitsOfItsOwnGroupAndThoseOnTheirWay) {
  for (const std::size_t commits : {1, 2, 100}) {
    options_.max_group_commits = commits;
    options_.min_group_commits = 1;
    storage_ = std::make_shared<MemoryLogStorage>(storage_->identity());
    CrashAndReopen({});
    const Pending first = Start(If(To("a", {"row:1"}), Tagged({"row:1"}), 0));
    const Pending other = Start(If(To("b", {"row:2"}), Tagged({"row:2"}), 0));
    const Pending second = Start(If(To("c", {"row:1"}), Tagged({"row:1"}), 0));
    const Pending by_type = Start(If(To("d", {}), OfTypes({"seat.v1.Taken"}), 0));
    const Pending any = Start(If(To("e", {}), {}, 0));
    executor_.RunUntilIdle();
    EXPECT_TRUE(first->value().ok());
    EXPECT_TRUE(other->value().ok());
    EXPECT_EQ(ReasonOf(second->value().status()), reason::kConditionFailed);
    EXPECT_EQ(ReasonOf(by_type->value().status()), reason::kConditionFailed);
    EXPECT_EQ(ReasonOf(any->value().status()), reason::kConditionFailed);
  }
}

TEST_F(AppendConditionTest, SeesWhatWasAppendedWithoutACondition) {
  const Pending first = Start(To("a", {"row:1"}));
  const Pending second = Start(If(To("b", {"row:1"}), Tagged({"row:1"}), 0));
  executor_.RunUntilIdle();
  EXPECT_TRUE(first->value().ok());
  EXPECT_EQ(ReasonOf(second->value().status()), reason::kConditionFailed);
}

TEST_F(AppendConditionTest, AnEventThatIsNeverDurableExcludesNothing) {
  CrashAndReopen({.refused_per_mille = 1000});
  EXPECT_EQ(Append(If(To("a", {"row:1"}), Tagged({"row:1"}), 0)).status().code(), absl::StatusCode::kResourceExhausted);
  CrashAndReopen({.refused_per_mille = 500});
  int won = 0;
  for (int i = 0; i < 100; ++i) won += Append(If(To("a", {"row:1"}), Tagged({"row:1"}), 0)).ok() ? 1 : 0;
  EXPECT_EQ(won, 1);
}

TEST_F(AppendConditionTest, ARepeatedCommandIsAnsweredThoughItsOwnEventsMatch) {
  AppendRequest request = If(To("a", {"row:1"}), Tagged({"row:1"}), 0);
  request.command = {.type = "seat.v1.Take", .id = "r1", .fingerprint = "f"};
  const Pending first = Start(request);
  const Pending again = Start(request);
  executor_.RunUntilIdle();
  ASSERT_TRUE(first->value().ok());
  ASSERT_TRUE(again->value().ok()) << again->value().status();
  EXPECT_TRUE(again->value()->repeated);
  const Outcome later = Append(request);
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_TRUE(later->repeated);
}

TEST_F(AppendConditionTest, GuardsACommitWithoutEvents) {
  ASSERT_TRUE(Append(To("a", {"row:1"})).ok());
  AppendRequest outcome = If(To("b", {}), Tagged({"row:1"}), 0);
  outcome.streams[0].events.clear();
  outcome.command = {.type = "seat.v1.Take", .id = "r1", .fingerprint = "f"};
  EXPECT_EQ(ReasonFor(outcome), reason::kConditionFailed);
  outcome.condition->after = Sequence(1);
  EXPECT_TRUE(Append(outcome).ok());
}

TEST_F(AppendConditionTest, HoldsBesideTheExpectationsOfTheStreams) {
  ASSERT_TRUE(Append(To("a", {"row:1"})).ok());
  AppendRequest request = If(To("a", {}), Tagged({"row:2"}), 0);
  request.streams[0].expectation = StreamExpectation::NoStream();
  EXPECT_EQ(ReasonFor(request), reason::kVersionConflict);
  request.streams[0].expectation = StreamExpectation::Exact(Version(1));
  EXPECT_TRUE(Append(request).ok());
}

TEST_F(AppendConditionTest, RefusesToStandBehindWhatIsNotDurable) {
  ASSERT_TRUE(Append(To("a", {})).ok());
  const Outcome refused = Append(If(To("b", {}), Tagged({"row:1"}), 2));
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused.status()), reason::kRequestInvalid);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("this one is after 2, the last one is 1"));
}

TEST_F(AppendConditionTest, RefusesAQueryBeyondItsLimits) {
  const Outcome long_tag = Append(If(To("b", {}), Tagged({std::string(201, 't')}), 0));
  EXPECT_EQ(long_tag.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(long_tag.status().message()),
              HasSubstr("...\" of a query must have 1 to 200 bytes, it has 201"));
  const Outcome many = Append(If(To("b", {}), Tagged(std::vector<std::string>(21, "t")), 0));
  EXPECT_EQ(ReasonOf(many.status()), reason::kLimitExceeded);
  EXPECT_EQ(store_->DurableSequence(), Sequence());
}

// Random appends, conditions and failures of the log; afterwards each answer is compared with the log as it became.
class ConditionModelTest : public AppendConditionTest {
 protected:
  struct Asked {
    AppendRequest request;
    Pending outcome;
  };

  std::string RandomTag() { return "t" + std::to_string(random_.Below(6)); }
  std::string RandomType() { return "seat.v1.E" + std::to_string(random_.Below(3)); }

  AppendRequest RandomAppend() {
    AppendRequest request;
    request.tenant = random_.Below(4) == 0 ? "t" : "";
    const std::uint64_t first = random_.Below(40);
    for (std::uint64_t i = 0; i < 1 + random_.Below(3); ++i) {
      StreamAppend& stream = request.streams.emplace_back();
      stream.stream = {request.tenant, "seat", "s" + std::to_string(first + i)};
      for (std::uint64_t events = 1 + random_.Below(2); events > 0; --events) {
        std::vector<std::string> tags;
        for (std::uint64_t count = random_.Below(3); count > 0; --count) tags.push_back(RandomTag());
        stream.events.push_back(
            {.type = RandomType(), .fingerprint = {}, .payload = "x", .event_time = {}, .tags = std::move(tags)});
      }
    }
    if (random_.Below(4) > 0) request.condition = RandomCondition();
    return request;
  }
  AppendCondition RandomCondition() {
    AppendCondition condition;
    const std::uint64_t durable = store_->DurableSequence().value();
    const std::uint64_t back = random_.Below(3) == 0 ? 0 : random_.Below(6);
    condition.after = Sequence(durable - std::min(durable, back));
    for (std::uint64_t items = random_.Below(20) == 0 ? 0 : 1 + random_.Below(2); items > 0; --items) {
      QueryItem& item = condition.fail_if_events_match.items.emplace_back();
      for (std::uint64_t tags = random_.Below(3); tags > 0; --tags) item.tags.push_back(RandomTag());
      if (item.tags.empty() || random_.Below(3) == 0) item.types.push_back(RandomType());
    }
    return condition;
  }

  void Run(int actions) {
    for (int i = 0; i < actions; ++i) {
      // Conditions come in spells, so that the window falls out of use in between.
      AppendRequest request = RandomAppend();
      if (i / 60 % 3 == 2) request.condition.reset();
      Pending outcome = Start(request);
      asked_.push_back({std::move(request), std::move(outcome)});
      if (random_.Below(3) == 0) {
        for (std::uint64_t steps = random_.Below(30); steps > 0; --steps) executor_.RunOne();
      }
      if (random_.Below(40) == 0) executor_.RunUntilIdle();
      if (random_.Below(20) == 0) executor_.Advance(absl::Milliseconds(random_.Below(60)));
    }
    executor_.Advance(absl::Seconds(100));  // ends that the log delays, one after the other
  }

  static bool Excludes(const AppendRequest& request, const StoredEvent& event) {
    return event.stream.tenant == request.tenant && event.sequence > request.condition->after &&
           Matches(request.condition->fail_if_events_match, event.type, event.tags);
  }

  void Check(const std::vector<StoredEvent>& stored) {
    for (const Asked& asked : asked_) {
      ASSERT_TRUE(asked.outcome->has_value());
      if (!asked.request.condition.has_value()) continue;
      const Outcome& outcome = asked.outcome->value();
      if (outcome.ok()) {
        ++held_;
        for (const StoredEvent& event : stored) {
          EXPECT_FALSE(event.sequence < outcome->sequence && Excludes(asked.request, event))
              << "commit " << outcome->sequence.value() << " in spite of " << event.sequence.value();
        }
      } else if (ReasonOf(outcome.status()) == reason::kConditionFailed) {
        ++failed_;
        google::rpc::ErrorInfo info;
        ASSERT_TRUE(FindDetail(outcome.status(), info));
        EXPECT_TRUE(std::any_of(stored.begin(), stored.end(), [&](const StoredEvent& event) {
          return std::to_string(event.sequence.value()) == info.metadata().at("sequence") &&
                 std::to_string(event.position.partition.value()) == info.metadata().at("partition") &&
                 std::to_string(event.position.offset.value()) == info.metadata().at("offset") &&
                 Excludes(asked.request, event);
        })) << outcome.status();
      } else {
        EXPECT_EQ(outcome.status().code(), absl::StatusCode::kResourceExhausted) << outcome.status();
      }
    }
    asked_.clear();
  }

  std::vector<Asked> asked_;
  int held_ = 0;
  int failed_ = 0;
};

TEST_F(ConditionModelTest, DecisionsAreThoseOfTheLogAsItBecame) {
  for (int round = 0; round < 60; ++round) {
    options_.max_group_commits = 1 + random_.Below(8);
    options_.max_groups_on_the_way = 1 + random_.Below(4);
    options_.min_group_commits = 1 + random_.Below(3);
    storage_ = std::make_shared<MemoryLogStorage>(storage_->identity());
    CrashAndReopen({.refused_per_mille = round % 2 == 0 ? 0u : 100u, .end_delayed_per_mille = 100});
    Run(400);
    Check(StoredEvents(*log_, store_->types()));
    ASSERT_FALSE(HasFailure()) << "round " << round;
  }
  EXPECT_GT(held_, 2000);
  EXPECT_GT(failed_, 2000);
}

}  // namespace
}  // namespace everfold

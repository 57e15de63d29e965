// Reads by tags: what a decision across streams is made on.
#include "everfold/store/tagged_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "everfold/store/event_store.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TaggedEventsTest : public ::testing::Test {
 protected:
  static constexpr std::uint64_t kAll = 1'000'000;

  TaggedEventsTest() {
    EventStoreOptions options;
    options.stored_names.Add("seat.v1.Taken", "seat.v1.Sold");
    store_ = EventStore::Open(std::move(options), log_, executor_, executor_.clock(), random_).value();
  }

  static NewEvent Event(const std::string& payload, std::vector<std::string> tags,
                        const std::string& type = "seat.v1.Taken") {
    return {.type = type, .fingerprint = {}, .payload = payload, .event_time = {}, .tags = std::move(tags)};
  }
  void Append(std::vector<std::pair<std::string, std::vector<NewEvent>>> streams, const std::string& tenant = "") {
    AppendRequest request;
    request.tenant = tenant;
    for (auto& [id, events] : streams) {
      StreamAppend& stream = request.streams.emplace_back();
      stream.stream = {tenant, "seat", id};
      stream.events = std::move(events);
    }
    store_->Append(std::move(request), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
    executor_.RunUntilIdle();
  }
  // Payloads, in order.
  std::vector<std::string> Read(EventQuery query, std::uint64_t upto = kAll, const std::string& tenant = "") {
    std::vector<std::string> read;
    Sequence last;
    const Sequence end = std::min(Sequence(upto), store_->DurableSequence());
    const absl::Status status =
        store_->ReadTagged(tenant, std::move(query), end, [&](const RecordedEvent& event) -> absl::Status {
          EXPECT_GE(event.commit.sequence, last);
          last = event.commit.sequence;
          read.emplace_back(event.event.payload);
          return absl::OkStatus();
        });
    EXPECT_EQ(status, absl::OkStatus());
    return read;
  }
  static EventQuery Tagged(const std::string& tag) { return {{{.types = {}, .tags = {tag}}}}; }

  ManualExecutor executor_{7};
  SeededRandom random_{7};
  std::shared_ptr<MemoryLogStorage> storage_ =
      std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 8, std::string(32, 'k')});
  MemoryLog log_{storage_, executor_};
  std::unique_ptr<EventStore> store_;
};

TEST_F(TaggedEventsTest, AreReadInTheOrderOfTheirCommitsWhateverTheirStreams) {
  for (int i = 0; i < 20; ++i) {
    Append({{"s" + std::to_string(i % 7), {Event(std::to_string(i), {i % 2 == 0 ? "even" : "odd"})}}});
  }
  EXPECT_THAT(Read(Tagged("even")), ElementsAre("0", "2", "4", "6", "8", "10", "12", "14", "16", "18"));
  EXPECT_THAT(Read(Tagged("neither")), IsEmpty());
}

TEST_F(TaggedEventsTest, AnEventThatMeetsSeveralItemsIsReadOnce) {
  Append({{"a", {Event("1", {"seat:1", "guest:x"}), Event("2", {"seat:1"}), Event("3", {"guest:x"})}}});
  Append({{"b", {Event("4", {"guest:y"})}}});
  const EventQuery query{{{.types = {}, .tags = {"seat:1"}}, {.types = {}, .tags = {"guest:x"}}}};
  EXPECT_THAT(Read(query), ElementsAre("1", "2", "3"));
  EXPECT_THAT(Read({{{.types = {}, .tags = {"seat:1", "guest:x"}}}}), ElementsAre("1"));
}

TEST_F(TaggedEventsTest, OfATypeAreAlsoThoseThatAreReadAsIt) {
  Append({{"a", {Event("1", {"seat:1"}, "seat.v1.Sold"), Event("2", {"seat:1"}, "seat.v1.Freed")}}});
  Append({{"a", {Event("3", {"seat:1"})}}});
  EXPECT_THAT(Read({{{.types = {"seat.v1.Taken"}, .tags = {"seat:1"}}}}), ElementsAre("1", "3"));
}

TEST_F(TaggedEventsTest, EndAtTheSequenceAndAreTheTenantsOwn) {
  Append({{"a", {Event("1", {"seat:1"})}}});
  Append({{"b", {Event("2", {"seat:1"})}}});
  Append({{"a", {Event("3", {"seat:1"})}}}, "acme");
  EXPECT_THAT(Read(Tagged("seat:1")), ElementsAre("1", "2"));
  EXPECT_THAT(Read(Tagged("seat:1"), 1), ElementsAre("1"));
  EXPECT_THAT(Read(Tagged("seat:1"), 0), IsEmpty());
  EXPECT_THAT(Read(Tagged("seat:1"), kAll, "acme"), ElementsAre("3"));
}

// More than are looked up at once, in commits that pages cut.
TEST_F(TaggedEventsTest, ThousandsAreReadWithoutGapOrDuplicate) {
  std::vector<std::string> expected;
  int next = 0;
  for (const int events : {1, 999, 1000, 1000, 7, 1000, 1000, 1}) {
    std::vector<NewEvent> commit;
    for (int i = 0; i < events; ++i) {
      expected.push_back(std::to_string(next++));
      commit.push_back(Event(expected.back(), {"all"}));
    }
    Append({{"a", std::move(commit)}});
  }
  EXPECT_EQ(Read(Tagged("all")), expected);
}

// Found by a decision that did not see an event: the chunk before it, at the same offset, held none.
TEST_F(TaggedEventsTest, AreFoundBehindChunksWithoutEvents) {
  for (const char* payload : {"1", "2"}) {
    for (const char* id : {"x", "y"}) {
      AppendRequest outcome;
      outcome.command = {.type = "seat.v1.Take", .id = id + std::string(payload), .fingerprint = {}};
      outcome.streams.emplace_back().stream = {"", "seat", "a"};
      store_->Append(std::move(outcome), [](absl::StatusOr<AppendResult> result) { EXPECT_TRUE(result.ok()); });
      executor_.RunUntilIdle();
    }
    Append({{"a", {Event(payload, {"seat:1"})}}});
  }
  EXPECT_THAT(Read(Tagged("seat:1")), ElementsAre("1", "2"));
}

TEST_F(TaggedEventsTest, EndWithTheErrorOfTheVisit) {
  Append({{"a", {Event("1", {"seat:1"}), Event("2", {"seat:1"})}}});
  int visits = 0;
  const absl::Status status = store_->ReadTagged("", Tagged("seat:1"), Sequence(1), [&](const RecordedEvent&) {
    ++visits;
    return absl::DeadlineExceededError("enough");
  });
  EXPECT_EQ(status, absl::DeadlineExceededError("enough"));
  EXPECT_EQ(visits, 1);
}

TEST_F(TaggedEventsTest, AQueryWithoutTagsIsRefused) {
  for (const EventQuery& query : {EventQuery{}, EventQuery{{{.types = {"seat.v1.Taken"}, .tags = {}}}}}) {
    const absl::Status status =
        store_->ReadTagged("", query, Sequence(), [](const RecordedEvent&) { return absl::OkStatus(); });
    EXPECT_EQ(ReasonOf(status), reason::kRequestInvalid);
    EXPECT_THAT(std::string(status.message()), HasSubstr("each item of the query names one"));
  }
  const absl::Status status = store_->ReadTagged("", Tagged(std::string(201, 'x')), Sequence(),
                                                 [](const RecordedEvent&) { return absl::OkStatus(); });
  EXPECT_EQ(ReasonOf(status), reason::kLimitExceeded);
}

}  // namespace
}  // namespace everfold

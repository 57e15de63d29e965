#include "everfold/projection/read_ahead.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "everfold/projection/event_batch.h"
#include "everfold/projection/event_handling.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

// What there is to say of an event, as a line.
std::string LineOf(const RecordedEvent& e) {
  std::string line = absl::StrFormat("%d %s %s %s|%s %s %d %d|%s %s|%d %d|", e.commit.sequence.value(),
                                     absl::FormatTime(e.commit.recorded_at), e.commit.command.id,
                                     e.commit.metadata.actor, e.stream.stream.tenant, e.stream.stream.ToString(),
                                     e.stream.first_version.value(), e.version.value(), e.event.type,
                                     e.event.fingerprint, e.position.partition.value(), e.position.offset.value());
  for (const std::string& tag : e.event.tags) line += tag + ",";
  return line + absl::FormatTime(e.event.event_time) + "|" + std::string(e.event.payload);
}

// The events of another one, up to one that the log fails at.
class FailingSubscription final : public Subscription {
 public:
  FailingSubscription(std::unique_ptr<Subscription> whole, std::size_t events)
      : whole_(std::move(whole)), left_(events) {}
  absl::StatusOr<PullResult> Pull(std::size_t max_events, Visit visit) override {
    if (left_ == 0) return absl::DataLossError("the log ends here");
    auto pulled = whole_->Pull(std::min(max_events, left_), visit);
    if (pulled.ok()) left_ -= pulled->events;
    return pulled;
  }
  const Checkpoint& checkpoint() const override { return whole_->checkpoint(); }

 private:
  const std::unique_ptr<Subscription> whole_;
  std::size_t left_;
};

class ReadAheadTest : public ::testing::Test {
 protected:
  std::unique_ptr<Subscription> Subscribe(Ledger& ledger, const Checkpoint& from) {
    auto subscription = Subscription::Start(ledger.store(), from, SubscriptionOf(type_));
    EXPECT_TRUE(subscription.ok()) << subscription.status();
    return *std::move(subscription);
  }
  ReadAhead::Post PostTo(Ledger& ledger) {
    return [this, strand = std::shared_ptr<Strand>(ledger.executor().MakeStrand())](Task step) {
      if (closed_) return false;
      strand->Post(std::move(step));
      return true;
    };
  }
  std::unique_ptr<ReadAhead> Start(Ledger& ledger, const Checkpoint& from) {
    return std::make_unique<ReadAhead>(Subscribe(ledger, from), routes_, PostTo(ledger));
  }
  void AwaitReady(Ledger& ledger, ReadAhead& events) {
    auto ready = std::make_shared<bool>(false);
    if (events.AwaitReady([ready] { *ready = true; })) return;
    ASSERT_TRUE(ledger.executor().RunUntil([ready] { return *ready; }));
    ASSERT_TRUE(events.AwaitReady([] { FAIL(); }));
  }
  std::vector<std::string> LinesOf(Ledger& ledger) {
    std::vector<std::string> lines;
    const auto pulled =
        Subscribe(ledger, BeginningOf(ledger.store()))->Pull(1 << 20, [&lines](const RecordedEvent& event) {
          lines.push_back(LineOf(event));
          return absl::OkStatus();
        });
    EXPECT_TRUE(pulled.ok() && pulled->caught_up);
    return lines;
  }

  const ProjectionType type_ = MakeProjectionType<Balances>();
  const std::shared_ptr<const EventRoutes> routes_ = std::make_shared<EventRoutes>(type_);
  bool closed_ = false;
};

// Events come while it reads, some are refused, and it is begun anew from where it was.
TEST_F(ReadAheadTest, HandsOutWhatTheSubscriptionDoes) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Ledger ledger(seed);
    SeededRandom random(seed);
    ledger.Trade(static_cast<int>(seed % 5 == 0 ? 3000 : random.Below(700)));
    auto events = Start(ledger, BeginningOf(ledger.store()));
    std::vector<std::string> lines;
    std::uint64_t handed_out = 0;
    const auto visit = [&](const PreparedEvent& event) {
      if (random.Below(200) == 0) return absl::AbortedError("for now");
      EXPECT_EQ(event.tally, TallyOf(event.event));
      EXPECT_EQ(&event.route, routes_->Find(event.event.event.type));
      if (event.message == nullptr) {
        ADD_FAILURE() << "it is not parsed";
        return absl::OkStatus();
      }
      EXPECT_EQ(event.message->SerializeAsString(), event.event.event.payload);
      lines.push_back(LineOf(event.event));
      ++handed_out;
      return absl::OkStatus();
    };
    for (bool caught_up = false; !caught_up;) {
      ASSERT_NO_FATAL_FAILURE(AwaitReady(ledger, *events));
      const Checkpoint before = events->checkpoint();
      handed_out = 0;
      const auto pulled = events->Pull(1 + random.Below(700), visit);
      if (!pulled.ok()) {
        EXPECT_EQ(pulled.status(), absl::AbortedError("for now"));
      } else {
        EXPECT_EQ(pulled->events, handed_out);
        EXPECT_EQ(pulled->moved, before != events->checkpoint());
        caught_up = pulled->caught_up;
      }
      if (random.Below(10) == 0) events = Start(ledger, Checkpoint(events->checkpoint()));
      if (random.Below(8) == 0 && seed % 3 == 0) ledger.Trade(static_cast<int>(random.Below(30)));
      for (std::uint64_t i = random.Below(4); i > 0; --i) ledger.executor().RunOne();
    }
    std::vector<std::string> all = LinesOf(ledger);
    EXPECT_LE(lines.size(), all.size());
    all.resize(std::min(all.size(), lines.size()));
    EXPECT_EQ(lines, all) << "seed " << seed;
    ledger.executor().RunUntilIdle();
  }
}

// What was reached was the head of then.
TEST_F(ReadAheadTest, ReadsOnBehindTheHead) {
  Ledger ledger;
  ledger.Trade(5);
  const auto events = Start(ledger, BeginningOf(ledger.store()));
  std::uint64_t met = 0;
  const auto count = [&met](const PreparedEvent&) {
    ++met;
    return absl::OkStatus();
  };
  for (std::uint64_t round = 1; round <= 3; ++round) {
    for (PullResult pulled; !pulled.caught_up;) {
      ASSERT_NO_FATAL_FAILURE(AwaitReady(ledger, *events));
      pulled = events->Pull(1000, count).value();
    }
    EXPECT_EQ(met, LinesOf(ledger).size());
    EXPECT_EQ(events->checkpoint(), ledger.store().DurableHead());
    ledger.Trade(5);
  }
}

TEST_F(ReadAheadTest, KeepsAllOfAnEvent) {
  Ledger ledger;
  AppendRequest request;
  request.tenant = "t";
  request.command = {.type = "ledger.v1.Trade", .id = "c1", .fingerprint = std::string(32, 'f')};
  request.metadata.actor = "someone";
  request.metadata.headers = {{"region", "eu"}};
  for (const char* const account : {"a", "b", "c"}) {
    NewEvent event = EventOf<Credited>(7);
    event.fingerprint = std::string(32, account[0]);
    event.tags = {"first", account};
    event.event_time = absl::FromUnixSeconds(1'000);
    request.streams.push_back({.stream = {.tenant = "t", .aggregate = "account", .id = account},
                               .expectation = StreamExpectation::Any(),
                               .events = {event, EventOf<Debited>(1)}});
  }
  std::optional<absl::Status> appended;
  ledger.store().Append(std::move(request),
                        [&appended](const absl::StatusOr<AppendResult>& r) { appended = r.status(); });
  ASSERT_TRUE(ledger.executor().RunUntil([&appended] { return appended.has_value(); }));
  ASSERT_TRUE(appended->ok()) << *appended;
  ledger.Trade(10);
  const auto events = Start(ledger, BeginningOf(ledger.store()));
  ASSERT_NO_FATAL_FAILURE(AwaitReady(ledger, *events));
  std::vector<std::string> lines;
  ASSERT_TRUE(events
                  ->Pull(100,
                         [&lines](const PreparedEvent& event) {
                           lines.push_back(LineOf(event.event));
                           const bool has_header = event.event.commit.metadata.headers.contains("region");
                           EXPECT_EQ(has_header, event.event.stream.stream.tenant == "t");
                           return absl::OkStatus();
                         })
                  .ok());
  EXPECT_EQ(lines, LinesOf(ledger));
}

TEST_F(ReadAheadTest, ABatchIsBoundedByBytes) {
  Ledger ledger;
  Credited event;
  event.set_value(1);
  const std::string payload = event.SerializeAsString() + std::string("\x12\x80\x80\x04", 4) + std::string(65'536, 'x');
  for (int i = 0; i < 9; ++i) {
    NewEvent large = EventOf<Credited>(1);
    large.payload = payload;
    ledger.Append("a", {large});
  }
  const auto subscription = Subscribe(ledger, BeginningOf(ledger.store()));
  EventBatch batch;
  std::size_t met = 0;
  while (!batch.caught_up()) {
    batch.Fill(*subscription, *routes_);
    ASSERT_TRUE(batch.status().ok()) << batch.status();
    EXPECT_LE(batch.size(), 1 + EventBatch::kMaxPayloadBytes / payload.size());
    for (std::size_t i = 0; i < batch.size(); ++i, ++met) {
      EXPECT_EQ(batch.event(i).event.event.payload, payload);
      EXPECT_EQ(batch.event(i).event.version, Version(met + 1));
      EXPECT_EQ(batch.event(i).message, nullptr) << "what it keeps of memory would be without bound";
    }
  }
  EXPECT_EQ(met, 9u);
}

// The handler tells.
TEST_F(ReadAheadTest, WhatDoesNotParseIsHandedOutAsItIs) {
  Ledger ledger;
  NewEvent broken = EventOf<Credited>(1);
  broken.payload = "\xff";
  ledger.Append("a", {EventOf<Credited>(1), broken, EventOf<Credited>(2)});
  const auto events = Start(ledger, BeginningOf(ledger.store()));
  ASSERT_NO_FATAL_FAILURE(AwaitReady(ledger, *events));
  std::vector<bool> parsed;
  ASSERT_TRUE(events
                  ->Pull(10,
                         [&parsed](const PreparedEvent& event) {
                           parsed.push_back(event.message != nullptr);
                           return absl::OkStatus();
                         })
                  .ok());
  EXPECT_THAT(parsed, ::testing::ElementsAre(true, false, true));
}

TEST_F(ReadAheadTest, AnErrorOfTheLogComesBehindWhatWasRead) {
  Ledger ledger;
  ledger.Trade(400);
  const std::size_t good = 300;
  ReadAhead events(std::make_unique<FailingSubscription>(Subscribe(ledger, BeginningOf(ledger.store())), good), routes_,
                   PostTo(ledger));
  std::size_t met = 0;
  absl::Status status;
  while (status.ok()) {
    ASSERT_NO_FATAL_FAILURE(AwaitReady(ledger, events));
    status = events
                 .Pull(90,
                       [&met](const PreparedEvent&) {
                         ++met;
                         return absl::OkStatus();
                       })
                 .status();
  }
  EXPECT_EQ(status, absl::DataLossError("the log ends here"));
  EXPECT_EQ(met, good);
}

TEST_F(ReadAheadTest, EndsWhileItReads) {
  Ledger ledger;
  ledger.Trade(2'000);
  for (int steps = 0; steps < 4; ++steps) {
    auto events = Start(ledger, BeginningOf(ledger.store()));
    const auto calls = std::make_shared<int>(0);
    EXPECT_FALSE(events->AwaitReady([calls] { ADD_FAILURE() << "another took its place"; }));
    EXPECT_FALSE(events->AwaitReady([calls] { ++*calls; }));
    for (int i = 0; i < steps; ++i) ledger.executor().RunOne();
    const int before = *calls;
    events.reset();
    EXPECT_EQ(calls.use_count(), 1) << "what it waited with is dropped";
    ledger.executor().RunUntilIdle();
    EXPECT_EQ(*calls, before);
  }
}

TEST_F(ReadAheadTest, IsNeverReadyWhereReadingIsClosed) {
  Ledger ledger;
  ledger.Trade(5);
  const auto events = Start(ledger, BeginningOf(ledger.store()));
  closed_ = true;
  const auto token = std::make_shared<int>();
  EXPECT_FALSE(events->AwaitReady([token] { ADD_FAILURE() << "nothing is read"; }));
  EXPECT_EQ(token.use_count(), 1);
  EXPECT_EQ(events->Pull(10, [](const PreparedEvent&) { return absl::OkStatus(); }).value(), PullResult());
}

TEST_F(ReadAheadTest, APullIsForOneEventOrMore) {
  Ledger ledger;
  const auto events = Start(ledger, BeginningOf(ledger.store()));
  EXPECT_EQ(events->Pull(0, [](const PreparedEvent&) { return absl::OkStatus(); }).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace everfold

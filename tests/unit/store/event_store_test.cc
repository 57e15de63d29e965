#include "everfold/store/event_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "everfold/base/error.h"
#include "everfold/event/partitioning.h"
#include "everfold/log/embedded/embedded_log.h"
#include "everfold/log/memory/memory_log.h"
#include "everfold/runtime/manual_executor.h"
#include "tests/contract/scratch_directory.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Outcome = absl::StatusOr<AppendResult>;

class EventStoreTest : public ::testing::Test {
 protected:
  EventStoreTest() { Open(); }

  void Open() {
    log_ = std::make_unique<MemoryLog>(storage_, executor_);
    auto store = EventStore::Open(options_, *log_, executor_, executor_.clock(), random_);
    ASSERT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  // Destroys everything but the storage, with whatever is under way.
  void CrashAndReopen() {
    executor_.DropAll();
    store_.reset();
    log_.reset();
    Open();
  }

  static StreamId Wallet(const std::string& id) { return {"", "wallet", id}; }
  static NewEvent AnEvent(const std::string& payload) {
    return {.type = "wallet.v1.Deposited", .fingerprint = {}, .payload = payload, .event_time = {}, .tags = {}};
  }
  static AppendRequest To(const StreamId& stream, StreamExpectation expectation, std::vector<std::string> payloads) {
    AppendRequest request;
    StreamAppend& append = request.streams.emplace_back();
    append.stream = stream;
    append.expectation = expectation;
    for (const std::string& payload : payloads) append.events.push_back(AnEvent(payload));
    return request;
  }
  static AppendRequest WithId(AppendRequest request, const std::string& id, const std::string& fingerprint = "f") {
    request.command = {.type = "wallet.v1.Deposit", .id = id, .fingerprint = fingerprint};
    return request;
  }

  // What another writer does to the log.
  void AppendForeign(PartitionId partition, const std::string& bytes) {
    const PartitionHead head = storage_->Head(partition);
    PartitionHead next = head;
    next.offset = head.offset.Next();
    ++next.chunk_number;
    ASSERT_TRUE(storage_->Append({{partition, head, next, std::make_shared<const std::string>(bytes)}}).ok());
  }

  // Starts an append; the outcome appears when it is there.
  std::shared_ptr<std::optional<Outcome>> Start(AppendRequest request) {
    auto outcome = std::make_shared<std::optional<Outcome>>();
    store_->Append(std::move(request), [outcome](Outcome result) { *outcome = std::move(result); });
    return outcome;
  }
  Outcome Append(AppendRequest request) {
    const auto outcome = Start(std::move(request));
    executor_.RunUntilIdle();
    return outcome->value();
  }

  std::vector<std::string> Payloads(const StreamId& stream, Version after = Version()) {
    std::vector<std::string> payloads;
    const absl::Status status = store_->ReadStream(stream, {.after = after}, [&payloads](const RecordedEvent& event) {
      payloads.emplace_back(event.event.payload);
      return absl::OkStatus();
    });
    EXPECT_EQ(status, absl::OkStatus());
    return payloads;
  }

  ManualExecutor executor_{7};
  SeededRandom random_{7};
  EventStoreOptions options_;
  std::shared_ptr<MemoryLogStorage> storage_ =
      std::make_shared<MemoryLogStorage>(LogIdentity{{"0123456789abcdef"}, 16, std::string(32, 'k')});
  std::unique_ptr<MemoryLog> log_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(EventStoreTest, AppendsAndReadsBack) {
  const Outcome outcome = Append(To(Wallet("w1"), StreamExpectation::NoStream(), {"a", "b"}));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->sequence, Sequence(1));
  EXPECT_FALSE(outcome->repeated);
  ASSERT_EQ(outcome->streams.size(), 1u);
  EXPECT_EQ(outcome->streams[0].version, Version(2));
  EXPECT_EQ(outcome->streams[0].position, (Position{PartitionOf(Wallet("w1"), 16), Offset(2)}));
  EXPECT_EQ(store_->VersionOf(Wallet("w1")).value(), Version(2));
  EXPECT_THAT(Payloads(Wallet("w1")), ElementsAre("a", "b"));
  EXPECT_THAT(Payloads(Wallet("w1"), Version(1)), ElementsAre("b"));
  EXPECT_THAT(Payloads(Wallet("w1"), Version(2)), IsEmpty());
}

TEST_F(EventStoreTest, AnswersNothingBeforeItIsDurable) {
  const auto outcome = Start(To(Wallet("w1"), StreamExpectation::Any(), {"a"}));
  const PartitionId partition = PartitionOf(Wallet("w1"), 16);
  while (!outcome->has_value()) {
    if (storage_->Head(partition).offset == Offset(0)) {
      EXPECT_EQ(store_->VersionOf(Wallet("w1")).value(), Version(0));
      EXPECT_EQ(store_->DurableSequence(), Sequence(0));
    }
    ASSERT_TRUE(executor_.RunOne());
  }
  EXPECT_EQ(storage_->Head(partition).offset, Offset(1));
}

TEST_F(EventStoreTest, RefusesAnUnexpectedVersionAndTellsTheActualOne) {
  ASSERT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Any(), {"a", "b"})).ok());
  const Outcome stale = Append(To(Wallet("w1"), StreamExpectation::Exact(Version(1)), {"c"}));
  EXPECT_EQ(stale.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(stale.status()), reason::kVersionConflict);
  EXPECT_THAT(std::string(stale.status().message()), HasSubstr("wallet/w1: expected version 1, it is at version 2"));
  EXPECT_EQ(Append(To(Wallet("w1"), StreamExpectation::NoStream(), {"c"})).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Append(To(Wallet("w2"), StreamExpectation::Exists(), {"c"})).status().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(Payloads(Wallet("w1")), ElementsAre("a", "b"));
  EXPECT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Exact(Version(2)), {"c"})).ok());
  EXPECT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Exists(), {"d"})).ok());
}

TEST_F(EventStoreTest, LetsOneOfManyRacersWin) {
  std::vector<std::shared_ptr<std::optional<Outcome>>> outcomes;
  for (int i = 0; i < 16; ++i) outcomes.push_back(Start(To(Wallet("w1"), StreamExpectation::NoStream(), {"a"})));
  executor_.RunUntilIdle();
  int winners = 0;
  for (const auto& outcome : outcomes) winners += outcome->value().ok() ? 1 : 0;
  EXPECT_EQ(winners, 1);
  EXPECT_THAT(Payloads(Wallet("w1")), ElementsAre("a"));
}

TEST_F(EventStoreTest, AppendsToSeveralStreamsAtOnceOrNotAtAll) {
  AppendRequest request = To(Wallet("w1"), StreamExpectation::Any(), {"a"});
  for (const char* id : {"w2", "w3", "w4"}) {
    request.streams.push_back(To(Wallet(id), StreamExpectation::NoStream(), {"b"}).streams[0]);
  }
  AppendRequest again = request;
  const Outcome first = Append(std::move(request));
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->streams.size(), 4u);
  EXPECT_EQ(first->sequence, Sequence(1));
  EXPECT_EQ(Append(std::move(again)).status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(store_->VersionOf(Wallet("w1")).value(), Version(1));
  EXPECT_EQ(store_->DurableSequence(), Sequence(1));
}

TEST_F(EventStoreTest, ReadsAStreamBehindOneThatWasOnlyChecked) {
  AppendRequest request = To(Wallet("{p}a"), StreamExpectation::Any(), {});
  request.streams.push_back(To(Wallet("{p}b"), StreamExpectation::Any(), {"b"}).streams[0]);
  ASSERT_TRUE(Append(std::move(request)).ok());
  std::vector<Version> versions;
  EXPECT_EQ(store_->ReadStream(Wallet("{p}b"), {},
                               [&](const RecordedEvent& event) {
                                 versions.push_back(event.version);
                                 return absl::OkStatus();
                               }),
            absl::OkStatus());
  EXPECT_THAT(versions, testing::ElementsAre(Version(1)));
}

TEST_F(EventStoreTest, AnswersAKnownCommandIdWithTheFirstResult) {
  const Outcome first = Append(WithId(To(Wallet("w1"), StreamExpectation::NoStream(), {"a"}), "r1"));
  ASSERT_TRUE(first.ok()) << first.status();
  const Outcome second = Append(WithId(To(Wallet("w1"), StreamExpectation::NoStream(), {"a"}), "r1"));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->repeated);
  EXPECT_EQ(second->sequence, first->sequence);
  EXPECT_EQ(second->streams, first->streams);
  EXPECT_EQ(second->recorded_at, first->recorded_at);
  EXPECT_EQ(store_->VersionOf(Wallet("w1")).value(), Version(1));
}

// They lie in several partitions, and the log has them in the order of those.
TEST_F(EventStoreTest, AnswersAKnownCommandIdWithItsStreamsInTheOrderOfTheRequest) {
  AppendRequest request = WithId(To(Wallet("w1"), StreamExpectation::Any(), {"a"}), "r1");
  for (const char* id : {"w2", "w3", "w4", "w5", "w6"}) {
    request.streams.push_back(To(Wallet(id), StreamExpectation::NoStream(), {"b"}).streams[0]);
  }
  const AppendRequest again = request;
  const Outcome first = Append(std::move(request));
  ASSERT_TRUE(first.ok()) << first.status();
  const Outcome second = Append(again);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(second->repeated);
  EXPECT_EQ(second->streams, first->streams);
}

TEST_F(EventStoreTest, LetsConcurrentRepeatsShareOneCommit) {
  std::vector<std::shared_ptr<std::optional<Outcome>>> outcomes;
  for (int i = 0; i < 20; ++i)
    outcomes.push_back(Start(WithId(To(Wallet("w1"), StreamExpectation::Any(), {"a"}), "r1")));
  executor_.RunUntilIdle();
  int first = 0;
  for (const auto& outcome : outcomes) {
    ASSERT_TRUE(outcome->value().ok()) << outcome->value().status();
    EXPECT_EQ(outcome->value()->sequence, Sequence(1));
    first += outcome->value()->repeated ? 0 : 1;
  }
  EXPECT_EQ(first, 1);
  EXPECT_EQ(store_->VersionOf(Wallet("w1")).value(), Version(1));
}

// Found by a simulation with two command handlers: a repeat of a rejection that was on its way was told that it was
// accepted, and had changed nothing.
TEST_F(EventStoreTest, TellsConcurrentRepeatsTheOutcome) {
  std::vector<std::shared_ptr<std::optional<Outcome>>> outcomes;
  for (int i = 0; i < 20; ++i) {
    AppendRequest rejected = WithId(To(Wallet("w1"), StreamExpectation::Any(), {}), "r1");
    rejected.outcome = "no";
    outcomes.push_back(Start(std::move(rejected)));
  }
  executor_.RunUntilIdle();
  int repeats = 0;
  for (const auto& outcome : outcomes) {
    ASSERT_TRUE(outcome->value().ok()) << outcome->value().status();
    if (!outcome->value()->repeated) continue;
    ++repeats;
    EXPECT_EQ(outcome->value()->outcome, "no");
  }
  EXPECT_EQ(repeats, 19);
}

// Found by a user: with a recorded rejection as the first commit of a partition, its first stream could not be read.
TEST_F(EventStoreTest, ReadsAStreamBehindCommitsWithoutEvents) {
  for (const char* id : {"r1", "r2"}) {
    ASSERT_TRUE(Append(WithId(To(Wallet("w1"), StreamExpectation::Any(), {}), id)).ok());
  }
  ASSERT_TRUE(Append(To(Wallet("w1"), StreamExpectation::NoStream(), {"a"})).ok());
  ASSERT_TRUE(Append(WithId(To(Wallet("w1"), StreamExpectation::Any(), {}), "r3")).ok());
  ASSERT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Any(), {"b"})).ok());
  for (int i = 0; i < 2; ++i) {
    int events = 0;
    const absl::Status read = store_->ReadStream(Wallet("w1"), {}, [&events](const RecordedEvent&) {
      ++events;
      return absl::OkStatus();
    });
    EXPECT_TRUE(read.ok()) << read;
    EXPECT_EQ(events, 2);
    CrashAndReopen();
  }
}

TEST_F(EventStoreTest, RefusesACommandIdOfAnotherRequest) {
  ASSERT_TRUE(Append(WithId(To(Wallet("w1"), StreamExpectation::Any(), {"a"}), "r1", "f1")).ok());
  const Outcome reused = Append(WithId(To(Wallet("w1"), StreamExpectation::Any(), {"b"}), "r1", "f2"));
  EXPECT_EQ(reused.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(reused.status()), reason::kIdempotencyKeyReused);
  const auto found = store_->FindCommand("", {.type = "wallet.v1.Deposit", .id = "r1", .fingerprint = "f2"});
  EXPECT_EQ(ReasonOf(found.status()), reason::kIdempotencyKeyReused);
}

TEST_F(EventStoreTest, RecordsACommandWithoutEvents) {
  ASSERT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Any(), {"a"})).ok());
  const Outcome outcome = Append(WithId(To(Wallet("w1"), StreamExpectation::Any(), {}), "r1"));
  ASSERT_TRUE(outcome.ok()) << outcome.status();
  EXPECT_EQ(outcome->streams[0].version, Version(1));
  CrashAndReopen();
  const auto found = store_->FindCommand("", {.type = "wallet.v1.Deposit", .id = "r1", .fingerprint = "f"});
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ((*found)->sequence, outcome->sequence);
  EXPECT_EQ((*found)->streams, outcome->streams);
}

TEST_F(EventStoreTest, FindsEverythingAgainAfterReopening) {
  AppendRequest request = To(Wallet("w1"), StreamExpectation::Any(), {"a", "b"});
  request.streams.push_back(To(Wallet("w2"), StreamExpectation::NoStream(), {"c"}).streams[0]);
  const Outcome first = Append(WithId(std::move(request), "r1"));
  ASSERT_TRUE(first.ok()) << first.status();
  const Checkpoint head = store_->DurableHead();
  CrashAndReopen();
  EXPECT_EQ(store_->VersionOf(Wallet("w1")).value(), Version(2));
  EXPECT_EQ(store_->VersionOf(Wallet("w2")).value(), Version(1));
  EXPECT_EQ(store_->DurableSequence(), Sequence(1));
  EXPECT_EQ(store_->DurableHead(), head);
  const auto found = store_->FindCommand("", {.type = "wallet.v1.Deposit", .id = "r1", .fingerprint = "f"});
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_THAT((*found)->streams, ::testing::UnorderedElementsAreArray(first->streams));
  EXPECT_EQ(Append(To(Wallet("w1"), StreamExpectation::Exact(Version(2)), {"d"}))->sequence, Sequence(2));
}

TEST_F(EventStoreTest, RecordedTimeNeverStepsBack) {
  const Outcome first = Append(To(Wallet("w1"), StreamExpectation::Any(), {"a"}));
  executor_.clock().Advance(-absl::Hours(1));
  const Outcome second = Append(To(Wallet("w2"), StreamExpectation::Any(), {"a"}));
  EXPECT_EQ(second->recorded_at, first->recorded_at);
  CrashAndReopen();
  EXPECT_EQ(Append(To(Wallet("w3"), StreamExpectation::Any(), {"a"}))->recorded_at, first->recorded_at);
}

TEST_F(EventStoreTest, RefusesAppendsBeyondTheQueueAndTellsWhenToRetry) {
  options_.max_waiting_appends = 3;
  CrashAndReopen();
  std::vector<std::shared_ptr<std::optional<Outcome>>> outcomes;
  for (int i = 0; i < 5; ++i) outcomes.push_back(Start(To(Wallet("w1"), StreamExpectation::Any(), {"a"})));
  executor_.RunUntilIdle();
  EXPECT_EQ(store_->VersionOf(Wallet("w1")).value(), Version(3));
  EXPECT_EQ(outcomes[4]->value().status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReasonOf(outcomes[4]->value().status()), reason::kOverloaded);
}

TEST_F(EventStoreTest, RefusesAppendsBeyondTheBytesThatMayWait) {
  options_.max_waiting_bytes = 30;
  CrashAndReopen();
  const auto first = Start(To(Wallet("w1"), StreamExpectation::Any(), {"123456"}));
  const auto second = Start(To(Wallet("w2"), StreamExpectation::Any(), {"123456"}));
  executor_.RunUntilIdle();
  EXPECT_TRUE(first->value().ok());
  EXPECT_EQ(ReasonOf(second->value().status()), reason::kOverloaded);
  EXPECT_THAT(std::string(second->value().status().message()), HasSubstr("30 bytes of appends are waiting"));
  EXPECT_TRUE(Append(To(Wallet("w2"), StreamExpectation::Any(), {"123456"})).ok());
}

TEST_F(EventStoreTest, CloseEndsWhatWaitsAndRefusesWhatComes) {
  const auto waiting = Start(To(Wallet("w1"), StreamExpectation::Any(), {"a"}));
  bool closed = false;
  store_->Close([&closed] { closed = true; });
  const Outcome late = Append(To(Wallet("w1"), StreamExpectation::Any(), {"b"}));
  EXPECT_TRUE(closed);
  EXPECT_TRUE(waiting->value().ok());
  EXPECT_EQ(late.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(late.status()), reason::kStoreClosed);
}

TEST_F(EventStoreTest, HintsAtEveryMoveUntilTheWatchEnds) {
  int hints = 0;
  auto watch = store_->WatchDurable([&hints] { ++hints; });
  ASSERT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Any(), {"a"})).ok());
  EXPECT_EQ(hints, 1);
  watch.reset();
  ASSERT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Any(), {"b"})).ok());
  EXPECT_EQ(hints, 1);
}

TEST_F(EventStoreTest, AFencedStoreClosesAndSaysWhy) {
  ASSERT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Any(), {"a"})).ok());
  const PartitionId partition = PartitionOf(Wallet("w1"), 16);
  // Another writer takes the partition over.
  AppendForeign(partition, "a chunk of another writer");
  const Outcome fenced = Append(To(Wallet("w1"), StreamExpectation::Any(), {"b"}));
  EXPECT_EQ(fenced.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(fenced.status().message()), HasSubstr("another writer has appended"));
  EXPECT_EQ(store_->health().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(Append(To(Wallet("w2"), StreamExpectation::Any(), {"b"})).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(EventStoreTest, RefusesToOpenALogThatLostTheEndOfAPartition) {
  ASSERT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Any(), {"a"})).ok());
  ASSERT_NE(PartitionOf(Wallet("w1"), 16), PartitionOf(Wallet("w2"), 16));
  const PartitionId partition = PartitionOf(Wallet("w2"), 16);
  ASSERT_TRUE(Append(To(Wallet("w2"), StreamExpectation::Any(), {"b"})).ok());
  // The same log without the first commit's partition.
  auto damaged = std::make_shared<MemoryLogStorage>(storage_->identity());
  const MemoryLogStorage::StoredChunk& kept = *storage_->ChunkAt(partition, 1);
  ASSERT_TRUE(damaged->Append({{partition, {}, kept.head, kept.bytes}}).ok());
  MemoryLog log(damaged, executor_);
  const auto store = EventStore::Open(options_, log, executor_, executor_.clock(), random_);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(store.status().message()), HasSubstr("commit 1 is missing"));
}

TEST_F(EventStoreTest, RefusesToOpenADamagedLogAndSaysWhere) {
  ASSERT_TRUE(Append(To(Wallet("w1"), StreamExpectation::Any(), {"a"})).ok());
  const PartitionId partition = PartitionOf(Wallet("w1"), 16);
  AppendForeign(partition, "no chunk at all");
  store_.reset();
  const auto store = EventStore::Open(options_, *log_, executor_, executor_.clock(), random_);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(store.status().message()),
              HasSubstr(absl::StrFormat("partition %d, behind chunk 1", partition.value())));
}

TEST(EventStoreOnDisk, GoesOnAfterAnAppendThatDoesNotFitIntoTheJournal) {
  const ScratchDirectory scratch;
  ManualExecutor executor(7);
  SeededRandom random(7);
  EmbeddedLogOptions options;
  options.directory = scratch.path() / "store";
  options.partitions = 1;
  options.reserved_bytes = 0;
  options.journal_file_bytes = 4096;
  options.make_strand = [&executor](const std::string&) { return executor.MakeStrand(); };
  auto log = EmbeddedLog::Open(options, executor, random);
  ASSERT_TRUE(log.ok()) << log.status();
  auto store = EventStore::Open({}, **log, executor, executor.clock(), random);
  ASSERT_TRUE(store.ok()) << store.status();
  const auto append = [&](std::size_t bytes) {
    AppendRequest request;
    StreamAppend& stream = request.streams.emplace_back();
    stream.stream = {"", "wallet", "w1"};
    stream.events.push_back({.type = "wallet.v1.Deposited",
                             .fingerprint = {},
                             .payload = std::string(bytes, 'p'),
                             .event_time = {},
                             .tags = {}});
    std::optional<Outcome> outcome;
    (*store)->Append(std::move(request), [&outcome](Outcome result) { outcome = std::move(result); });
    executor.RunUntilIdle();
    return outcome->status();
  };
  const absl::Status refused = append(5000);
  EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(refused), reason::kLimitExceeded);
  EXPECT_EQ((*store)->health(), absl::OkStatus());
  EXPECT_EQ(append(50), absl::OkStatus());
  executor.DropAll();
}

}  // namespace
}  // namespace everfold

#include "everfold/projection/projection.h"

#include <filesystem>

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/file_size_limit.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// With another handler of what is debited.
ProjectionType Debiting(EventHandler::OfPayload handler) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {handler};
  return type;
}

class ProjectionTest : public ::testing::Test {
 protected:
  void SetUp() override { ledger_.far_batch_events = 2'000; }
  std::string Path() { return ledger_.directory() + "/balances/1.db"; }
  std::vector<std::string> Rows() { return DumpTable(Path(), "balance"); }
  void ExpectRowsAreTheFold() {
    EXPECT_EQ(Rows(), ledger_.Fold(ledger_.store().DurableHead()));
    EXPECT_EQ(ledger_.projection().checkpoint(), ledger_.store().DurableHead());
    EXPECT_EQ(ledger_.projection().lag_events(), 0u);
    EXPECT_TRUE(ledger_.projection().status().ok()) << ledger_.projection().status();
  }

  // In a transaction that is held.
  void FoldSomeFarBehind() {
    ledger_.far_batch_events = 0;
    ledger_.Trade(400);
    ASSERT_TRUE(ledger_.OpenProjection(MakeProjectionType<Balances>(), 2).ok());
    ledger_.projection().Start();
    for (int i = 0; i < 40; ++i) ledger_.executor().RunOne();
    EXPECT_EQ(EventsBefore(ledger_.projection().checkpoint()), 0u);
  }
  void ExpectSomeAreCommitted() {
    EXPECT_GT(EventsBefore(ledger_.projection().checkpoint()), 20u);
    EXPECT_GT(ledger_.projection().lag_events(), 20u);
    EXPECT_EQ(Rows(), ledger_.Fold(ledger_.projection().checkpoint()));
  }

  Ledger ledger_;
};

TEST_F(ProjectionTest, FoldsWhatIsThereAndThenWhatComes) {
  ledger_.Trade(20);
  ledger_.RunProjection();
  ExpectRowsAreTheFold();
  ledger_.Trade(20);
  ledger_.executor().RunUntilIdle();
  ExpectRowsAreTheFold();
  EXPECT_EQ(Rows().size(), 7u);
}

TEST_F(ProjectionTest, EmptyStoreHasAFileWithEmptyTables) {
  ledger_.RunProjection();
  EXPECT_THAT(Rows(), IsEmpty());
  Alter(Path(), "PRAGMA user_version = 1");  // no transaction is left open
  EXPECT_EQ(ledger_.projection().path(), Path());
  EXPECT_EQ(ledger_.projection().checkpoint(), BeginningOf(ledger_.store()));
}

// By what is read ahead, in transactions that are held: what is seen is always as much of the log as it says.
TEST_F(ProjectionTest, CatchesUpFromFarBehind) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Ledger ledger(seed);
    SeededRandom random(seed);
    const auto rows = [&ledger] { return DumpTable(ledger.directory() + "/balances/1.db", "balance"); };
    ledger.Trade(static_cast<int>(100 + random.Below(500)));
    ASSERT_TRUE(ledger.OpenProjection(MakeProjectionType<Balances>(), 1 + random.Below(30)).ok());
    ledger.projection().Start();
    for (int round = 0; round < 6; ++round) {
      for (std::uint64_t steps = random.Below(40); steps > 0; --steps) ledger.executor().RunOne();
      switch (random.Below(4)) {
        case 0:
          ledger.Trade(static_cast<int>(random.Below(60)));
          break;
        case 1:
          ledger.executor().clock().Advance(absl::Seconds(static_cast<std::int64_t>(random.Below(8))));
          break;
        case 2:
          ledger.CloseProjection();
          ASSERT_TRUE(ledger.OpenProjection(MakeProjectionType<Balances>(), 1 + random.Below(30)).ok());
          ledger.projection().Start();
          break;
        default: {
          std::optional<absl::Status> paused;
          ledger.projection().Pause([&paused](absl::Status status) { paused = std::move(status); });
          ASSERT_TRUE(ledger.executor().RunUntil([&paused] { return paused.has_value(); }));
          ASSERT_TRUE(paused->ok()) << *paused;
          ledger.projection().Resume([](const absl::Status&) {});
        }
      }
      EXPECT_EQ(rows(), ledger.Fold(ledger.projection().checkpoint())) << "seed " << seed;
    }
    ledger.executor().RunUntilIdle();
    EXPECT_EQ(rows(), ledger.Fold(ledger.store().DurableHead())) << "seed " << seed;
    EXPECT_EQ(ledger.projection().lag_events(), 0u);
    ledger.CloseProjection();
  }
}

TEST_F(ProjectionTest, PauseCommitsWhatIsHeld) {
  FoldSomeFarBehind();
  std::optional<absl::Status> paused;
  ledger_.projection().Pause([&paused](absl::Status status) { paused = std::move(status); });
  ledger_.executor().RunUntilIdle();
  ASSERT_TRUE(paused.has_value() && paused->ok());
  ExpectSomeAreCommitted();
}

TEST_F(ProjectionTest, WhoWaitsForWhatIsHeldDoesNotWaitForMore) {
  const ConsistencyToken early = ledger_.Credit("a", 1);
  FoldSomeFarBehind();
  std::optional<absl::Status> waited;
  ledger_.projection().WaitFor(early.positions, [&waited](absl::Status status) { waited = std::move(status); });
  for (int i = 0; i < 20 && !waited.has_value(); ++i) ledger_.executor().RunOne();
  EXPECT_EQ(waited, absl::OkStatus());
  ExpectSomeAreCommitted();
}

TEST_F(ProjectionTest, FarBehindNothingIsHeldForLongerThanSeconds) {
  FoldSomeFarBehind();
  ledger_.executor().clock().Advance(absl::Seconds(5));
  for (int i = 0; i < 10; ++i) ledger_.executor().RunOne();
  ExpectSomeAreCommitted();
}

TEST_F(ProjectionTest, DoesNotRunBeforeStart) {
  ledger_.Trade(5);
  ASSERT_TRUE(ledger_.OpenProjection().ok());
  ledger_.executor().RunUntilIdle();
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(ledger_.projection().lag_events(), 8u);
}

TEST_F(ProjectionTest, EventsThatItDoesNotHandleMoveOnlyTheCheckpoint) {
  ledger_.Append("a", {{.type = kNoted, .fingerprint = "", .payload = "\xff", .event_time = {}, .tags = {}}});
  ledger_.RunProjection();
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_EQ(ledger_.projection().checkpoint(), ledger_.store().DurableHead());
}

TEST_F(ProjectionTest, HandlerSeesWhereTheEventStands) {
  static std::string seen;
  ledger_.Credit("a", 1);
  const ConsistencyToken token = ledger_.Debit("a", 2);
  ledger_.RunProjection(Debiting([](std::string_view, const EventContext& c, RowStore&) {
    seen =
        absl::StrFormat("%s %s version %d partition %d offset %d sequence %d", c.id, c.stream.ToString(),
                        c.version.value(), c.position.partition.value(), c.position.offset.value(), c.sequence.value());
    EXPECT_EQ(c.recorded_at, c.event_time);
    return true;
  }));
  EXPECT_EQ(seen, absl::StrFormat("a account/a version 2 partition %d offset 2 sequence 2",
                                  token.positions[0].partition.value()));
}

// At every step of the executor the file is the fold at its own checkpoint, whatever the size of the batches.
TEST_F(ProjectionTest, RowsAndCheckpointChangeTogether) {
  ledger_.Trade(30);
  for (const std::size_t max_batch_events : {1, 2, 3, 7, 1000}) {
    std::filesystem::remove_all(ledger_.directory() + "/balances");
    ASSERT_TRUE(ledger_.OpenProjection(MakeProjectionType<Balances>(), max_batch_events).ok());
    ledger_.projection().Start();
    do {
      EXPECT_EQ(Rows(), ledger_.Fold(ledger_.projection().checkpoint()));
    } while (ledger_.executor().RunOne());
    ExpectRowsAreTheFold();
    ledger_.CloseProjection();
  }
}

TEST_F(ProjectionTest, BatchIsNotLargerThanAllowed) {
  for (int i = 0; i < 30; ++i) ledger_.Credit(absl::StrFormat("a%d", i % 7), 1);
  ASSERT_TRUE(ledger_.OpenProjection(MakeProjectionType<Balances>(), 4).ok());
  ledger_.projection().Start();
  std::uint64_t lag = ledger_.projection().lag_events();
  const std::uint64_t all = lag;
  int batches = 0;
  while (ledger_.executor().RunOne()) {
    const std::uint64_t now = ledger_.projection().lag_events();
    if (now == lag) continue;
    EXPECT_LE(lag - now, 4u);
    lag = now;
    ++batches;
  }
  EXPECT_EQ(lag, 0u);
  EXPECT_EQ(static_cast<std::uint64_t>(batches), (all + 3) / 4);
}

TEST_F(ProjectionTest, FollowsAppendsBetweenItsSteps) {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Ledger ledger(seed);
    ledger.far_batch_events = seed % 2 == 0 ? 0 : 2'000;
    ASSERT_TRUE(ledger.OpenProjection(MakeProjectionType<Balances>(), 2).ok());
    ledger.projection().Start();
    for (int i = 0; i < 10; ++i) ledger.Credit("a", 1);
    ledger.executor().RunUntilIdle();
    ASSERT_EQ(ledger.projection().lag_events(), 0u) << "seed " << seed;
  }
}

// A store that says when its events are durable.
class PacedStore final : public EventStore {
 public:
  PacedStore(EventStore& store, Sequence durable) : store_(store), durable_(durable) {}

  void BecomeDurable(Sequence sequence) {
    durable_ = sequence;
    hint_();
  }

  Sequence DurableSequence() const override { return durable_; }
  std::unique_ptr<Watch> WatchDurable(Hint hint) override {
    hint_ = std::move(hint);
    return nullptr;
  }
  void Append(AppendRequest request, AppendDone done) override { store_.Append(std::move(request), std::move(done)); }
  absl::StatusOr<Version> VersionOf(const StreamId& stream) const override { return store_.VersionOf(stream); }
  absl::StatusOr<std::optional<AppendResult>> FindCommand(const std::string& tenant,
                                                          const CommandId& command) const override {
    return store_.FindCommand(tenant, command);
  }
  absl::Time CommandsSince() const override { return store_.CommandsSince(); }
  std::string FingerprintOfRequest(const std::string& request) const override {
    return store_.FingerprintOfRequest(request);
  }
  absl::Status ReadStream(const StreamId& stream, const StreamRange& range,
                          absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const override {
    return store_.ReadStream(stream, range, visit);
  }
  absl::Status ReadTagged(const std::string& tenant, EventQuery query, Sequence upto,
                          absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const override {
    return store_.ReadTagged(tenant, std::move(query), upto, visit);
  }
  absl::StatusOr<Sequence> ReadTaggedPart(const std::string& tenant, EventQuery query, Sequence after, Sequence upto,
                                          absl::FunctionRef<absl::Status(const RecordedEvent&)> visit) const override {
    return store_.ReadTaggedPart(tenant, std::move(query), after, upto, visit);
  }
  Checkpoint DurableHead() const override { return store_.DurableHead(); }
  absl::StatusOr<VerifyReport> Verify(const VerifyOptions& options) const override { return store_.Verify(options); }
  PartitionLog& log() const override { return store_.log(); }
  const TypeDictionary& types() const override { return store_.types(); }
  const StoredNames& stored_names() const override { return store_.stored_names(); }
  absl::Status health() const override { return store_.health(); }
  void Close(Task done) override { store_.Close(std::move(done)); }

 private:
  EventStore& store_;
  Sequence durable_;
  Hint hint_;
};

TEST_F(ProjectionTest, HintWhileABatchRunsLeadsToAnotherPull) {
  static PacedStore* paced;
  ledger_.Debit("a", 1);
  ledger_.Debit("a", 2);
  PacedStore store(ledger_.store(), Sequence(1));
  paced = &store;
  const ProjectionType type = Debiting([](std::string_view, const EventContext& c, RowStore&) {
    // The pull under way has looked at the durable sequence before, so it does not see the second event.
    if (c.sequence == Sequence(1)) paced->BecomeDurable(Sequence(2));
    return true;
  });
  const auto projection = Projection::Open({.directory = ledger_.directory()}, type, store, ledger_.executor());
  ASSERT_TRUE(projection.ok()) << projection.status();
  (*projection)->Start();
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ((*projection)->lag_events(), 0u);
}

TEST_F(ProjectionTest, RestartGoesOnWithoutDoubles) {
  ledger_.Trade(15);
  ledger_.RunProjection(MakeProjectionType<Balances>(), 4);
  ledger_.CloseProjection();
  ledger_.Trade(15);
  ledger_.RunProjection();
  ExpectRowsAreTheFold();
}

// The files as a crash leaves them, at any step; then the store and the projection are opened again.
TEST_F(ProjectionTest, CrashAtAnyStepLosesAndDoublesNothing) {
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    Ledger ledger(seed);
    ledger.far_batch_events = seed % 2 == 0 ? 0 : 2'000;
    const std::string path = ledger.directory() + "/balances/1.db";
    const std::string image = ledger.directory() + "/image";
    ledger.Trade(12);
    ASSERT_TRUE(ledger.OpenProjection(MakeProjectionType<Balances>(), 3).ok());
    ledger.projection().Start();
    for (std::uint64_t steps = 0; steps < seed; ++steps) ledger.executor().RunOne();
    const std::vector<std::string> committed = ledger.Fold(ledger.projection().checkpoint());

    std::filesystem::copy(ledger.directory() + "/balances", image);
    ledger.Crash();
    std::filesystem::remove_all(ledger.directory() + "/balances");
    std::filesystem::rename(image, ledger.directory() + "/balances");
    std::filesystem::remove(path + "-shm");
    ledger.OpenStore();

    EXPECT_EQ(DumpTable(path, "balance"), committed) << "seed " << seed;
    ledger.RunProjection();
    EXPECT_EQ(DumpTable(path, "balance"), ledger.Fold(ledger.store().DurableHead())) << "seed " << seed;
  }
}

TEST_F(ProjectionTest, FailureOfTheCommitStopsItAndLeavesBothAsTheyWere) {
  ledger_.Credit("a", 10);
  ledger_.RunProjection();
  const std::string dump = Dump(Path());
  const Checkpoint before = ledger_.projection().checkpoint();
  {
    const FileSizeLimit full(std::filesystem::file_size(Path() + "-wal"));
    ledger_.Credit("a", 1);
    ledger_.executor().RunUntilIdle();
  }
  const absl::Status status = ledger_.projection().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "projection balances stopped: SQLite: disk I/O error (extended code 778)");
  EXPECT_EQ(Dump(Path()), dump);
  EXPECT_EQ(ledger_.projection().checkpoint(), before);
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kStopped);

  ledger_.executor().Advance(absl::Milliseconds(100));  // it tries again by itself
  ExpectRowsAreTheFold();
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kRunning);
}

TEST_F(ProjectionTest, ErrorsOfTheDiskAreTriedAgainAfterLongerAndLongerPauses) {
  ledger_.Credit("a", 10);
  ledger_.RunProjection();
  std::optional<FileSizeLimit> full(1);
  ledger_.Credit("a", 1);
  ledger_.executor().RunUntilIdle();
  const auto stops = [this] { return ledger_.logger().lines().size(); };
  EXPECT_EQ(stops(), 1u);
  ledger_.executor().Advance(absl::Milliseconds(100));
  EXPECT_EQ(stops(), 2u);
  ledger_.executor().Advance(absl::Milliseconds(199));
  EXPECT_EQ(stops(), 2u);
  ledger_.executor().Advance(absl::Milliseconds(1));
  EXPECT_EQ(stops(), 3u);
  full.reset();
  ledger_.executor().Advance(absl::Seconds(30));
  EXPECT_EQ(stops(), 3u);
  ExpectRowsAreTheFold();
}

TEST_F(ProjectionTest, DeletedFileIsBuiltAnewTheSame) {
  ledger_.Trade(40);
  ledger_.RunProjection(MakeProjectionType<Balances>(), 3);
  const std::string dump = Dump(Path());
  ledger_.CloseProjection();
  std::filesystem::remove(Path());
  ledger_.RunProjection();
  EXPECT_EQ(Dump(Path()), dump);
  ExpectRowsAreTheFold();
}

TEST_F(ProjectionTest, FileOfAnotherHistoryIsRefused) {
  ledger_.Trade(3);
  ledger_.RunProjection();
  ledger_.ReplaceStore();
  const absl::Status status = ledger_.OpenProjection();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kOtherHistory);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path()));
}

TEST_F(ProjectionTest, CheckpointBeyondTheDurableHeadIsDataLoss) {
  ledger_.Trade(3);
  ledger_.RunProjection();
  ledger_.EmptyLog();
  const absl::Status status = ledger_.OpenProjection();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ReasonOf(status), reason::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path() + ": the checkpoint is at offset"));
}

TEST_F(ProjectionTest, RefusesANameThatIsNoName) {
  for (const char* name : {"", "Balances", "../balances", "1st", "bal ances"}) {
    ProjectionType type = MakeProjectionType<Balances>();
    type.name = name;
    const absl::Status status = ledger_.OpenProjection(type);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("is not of the form [a-z][a-z0-9_]*"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(ledger_.directory()));
}

TEST_F(ProjectionTest, RefusesOptionsThatCannotBe) {
  ledger_.far_batch_events = 0;
  ProjectionType type = MakeProjectionType<Balances>();
  type.revision = 0;
  EXPECT_EQ(ledger_.OpenProjection(type).message(), "projection balances: its revision is 1 or more, not 0");
  EXPECT_EQ(ledger_.OpenProjection(MakeProjectionType<Balances>(), 0).message(),
            "projection balances: max_batch_events and max_rebuild_batch_events are 1 or more, not 0 and 0");
  type = MakeProjectionType<Balances>();
  type.read_models.push_back(type.read_models[0]);
  EXPECT_EQ(ledger_.OpenProjection(type).message(), "two read models of one projection have the table \"balance\"");
}

TEST_F(ProjectionTest, WaitIsAnsweredAfterTheRowsAreCommitted) {
  ASSERT_TRUE(ledger_.OpenProjection(MakeProjectionType<Balances>(), 1).ok());
  ledger_.Trade(10);
  const ConsistencyToken token = ledger_.Credit("last", 1);
  std::optional<absl::Status> answer;
  ledger_.projection().WaitFor(token.positions, [&](absl::Status status) {
    answer = status;
    EXPECT_THAT(Rows(), ::testing::Contains("'last'|1|1"));
  });
  ledger_.executor().RunUntilIdle();
  EXPECT_FALSE(answer.has_value());
  ledger_.projection().Start();
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(answer, absl::OkStatus());
}

// Appends so many events in one commit, which the projection then takes in one batch.
ConsistencyToken Burst(Ledger& ledger, int events) {
  return ledger.Append("burst", std::vector<NewEvent>(static_cast<std::size_t>(events), EventOf<Credited>(1)));
}

TEST_F(ProjectionTest, RestsAfterABatchOfManyEventsIfNobodyWaits) {
  ledger_.RunProjection();
  Burst(ledger_, 200);
  ledger_.executor().RunUntilIdle();
  ASSERT_EQ(ledger_.projection().lag_events(), 0u);
  Burst(ledger_, 1);
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ledger_.projection().lag_events(), 1u);
  ledger_.executor().Advance(absl::Milliseconds(9));
  EXPECT_EQ(ledger_.projection().lag_events(), 1u);
  ledger_.executor().Advance(absl::Milliseconds(1));
  EXPECT_EQ(ledger_.projection().lag_events(), 0u);
  ExpectRowsAreTheFold();
}

TEST_F(ProjectionTest, RestEndsWhenSomebodyWaits) {
  ledger_.RunProjection();
  Burst(ledger_, 200);
  ledger_.executor().RunUntilIdle();
  const ConsistencyToken token = Burst(ledger_, 1);
  ledger_.executor().RunUntilIdle();
  ASSERT_EQ(ledger_.projection().lag_events(), 1u);
  std::optional<absl::Status> answer;
  ledger_.projection().WaitFor(token.positions, [&](absl::Status status) { answer = std::move(status); });
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(answer, absl::OkStatus());
  ExpectRowsAreTheFold();
}

TEST_F(ProjectionTest, DoesNotRestWhileSomebodyWaits) {
  ledger_.RunProjection();
  Position far = Burst(ledger_, 200).positions.front();
  far.offset = Offset(far.offset.value() + 1000);
  ledger_.executor().RunUntilIdle();
  ledger_.projection().WaitFor({far}, [](absl::Status) {});
  Burst(ledger_, 1);
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ledger_.projection().lag_events(), 0u);
}

TEST_F(ProjectionTest, ClosesWhileItRests) {
  ledger_.RunProjection();
  Burst(ledger_, 200);
  ledger_.executor().RunUntilIdle();
  Burst(ledger_, 1);
  ledger_.executor().RunUntilIdle();
  ledger_.CloseProjection();
}

TEST_F(ProjectionTest, CancelledWaitIsNotAnswered) {
  ASSERT_TRUE(ledger_.OpenProjection().ok());
  const ConsistencyToken token = ledger_.Credit("a", 1);
  const std::uint64_t id =
      ledger_.projection().WaitFor(token.positions, [](absl::Status) { ADD_FAILURE() << "was answered"; });
  ledger_.projection().CancelWait(id);
  ledger_.projection().Start();
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ledger_.projection().lag_events(), 0u);
}

TEST_F(ProjectionTest, StopAnswersTheWaits) {
  ledger_.Credit("a", 1);
  ledger_.RunProjection();
  std::vector<absl::Status> answers;
  const auto keep = [&answers](absl::Status status) { answers.push_back(status); };
  {
    const FileSizeLimit full(std::filesystem::file_size(Path() + "-wal"));
    const ConsistencyToken token = ledger_.Credit("a", 1);
    ledger_.projection().WaitFor(token.positions, keep);
    ledger_.executor().RunUntilIdle();
    ledger_.projection().WaitFor(token.positions, keep);
    ledger_.executor().RunUntilIdle();
  }
  ASSERT_EQ(answers.size(), 2u);
  for (const absl::Status& answer : answers) {
    EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
    EXPECT_EQ(ReasonOf(answer), reason::kReadModelStopped);
  }
}

TEST_F(ProjectionTest, CloseAnswersTheWaits) {
  ASSERT_TRUE(ledger_.OpenProjection().ok());
  const ConsistencyToken token = ledger_.Credit("a", 1);
  std::optional<absl::Status> answer;
  ledger_.projection().WaitFor(token.positions, [&answer](absl::Status status) { answer = status; });
  ledger_.CloseProjection();
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(answer->code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(*answer), reason::kShuttingDown);
}

TEST_F(ProjectionTest, CloseEndsAfterTheBatchAtHand) {
  ledger_.Trade(20);
  ASSERT_TRUE(ledger_.OpenProjection(MakeProjectionType<Balances>(), 3).ok());
  ledger_.projection().Start();
  const std::uint64_t all = ledger_.projection().lag_events();
  ASSERT_TRUE(ledger_.executor().RunUntil([&] { return ledger_.projection().lag_events() < all; }));
  ledger_.CloseProjection();
  ledger_.Credit("a", 1);  // its hint meets nobody
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(Rows(), ledger_.Fold([&] {
    Checkpoint at = BeginningOf(ledger_.store());
    for (std::uint32_t i = 0; i < Ledger::kPartitions; ++i) {
      for (const std::string& offset : Select(Path(), absl::StrFormat("SELECT CAST(\"offset\" AS TEXT) FROM "
                                                                      "everfold_checkpoint WHERE \"partition\" = %d",
                                                                      i))) {
        at.offsets[i] = Offset(std::stoull(offset));
      }
    }
    return at;
  }()));
  EXPECT_LT(Rows().size(), 7u);
}

}  // namespace
}  // namespace everfold

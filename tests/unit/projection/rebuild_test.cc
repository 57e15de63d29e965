// The next version of read models: built beside the current one, swapped in, taken back, given up.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include "everfold/base/error.h"
#include "everfold/projection/dropped_events.h"
#include "everfold/projection/next_version.h"
#include "everfold/projection/projection.h"
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

bool Throws(std::string_view, const EventContext&, RowStore&) { throw std::runtime_error("no debits"); }

ProjectionType WithRevision(int revision) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.revision = revision;
  return type;
}

class RebuildTest : public ::testing::Test {
 protected:
  using Answer = std::shared_ptr<std::optional<absl::Status>>;
  using Operation = void (Projection::*)(Projection::Done);

  std::string Path(int version) { return absl::StrFormat("%s/balances/%d.db", ledger_.directory(), version); }
  std::vector<std::string> Rows() { return DumpTable(ledger_.projection().path(), "balance"); }
  std::vector<std::string> Files() {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(ledger_.directory() + "/balances")) {
      if (file.path().extension() == ".db") names.push_back(file.path().filename());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
  Answer Begin(Operation operation) {
    auto answer = std::make_shared<std::optional<absl::Status>>();
    (ledger_.projection().*operation)([answer](absl::Status status) { *answer = std::move(status); });
    return answer;
  }
  absl::Status Do(Operation operation) {
    const Answer answer = Begin(operation);
    ledger_.executor().RunUntilIdle();
    EXPECT_TRUE(answer->has_value()) << "it was never answered";
    return answer->value_or(absl::UnknownError("no answer"));
  }
  absl::StatusOr<VersionComparison> Compare() {
    std::optional<absl::StatusOr<VersionComparison>> answer;
    ledger_.projection().Compare([&answer](auto result) { answer = std::move(result); });
    ledger_.executor().RunUntilIdle();
    EXPECT_TRUE(answer.has_value()) << "it was never answered";
    return answer.value_or(absl::UnknownError("no answer"));
  }
  void ExpectRowsAreTheFold() {
    EXPECT_EQ(Rows(), ledger_.Fold(ledger_.store().DurableHead()));
    EXPECT_EQ(ledger_.projection().checkpoint(), ledger_.store().DurableHead());
    EXPECT_TRUE(ledger_.projection().status().ok()) << ledger_.projection().status();
  }

  Ledger ledger_;
};

TEST_F(RebuildTest, NewVersionTakesThePlaceOfTheCurrentOne) {
  ledger_.Trade(30);
  ledger_.RunProjection(MakeProjectionType<Balances>(), 3);
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_TRUE(Do(&Projection::Rebuild).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  ExpectRowsAreTheFold();
  ledger_.Trade(10);
  ledger_.executor().RunUntilIdle();
  ExpectRowsAreTheFold();
  EXPECT_EQ(ledger_.projection().Describe().version, 2u);
  EXPECT_EQ(ledger_.projection().Describe().previous, 1u);
  EXPECT_TRUE(Do(&Projection::Rebuild).ok());
  EXPECT_THAT(Files(), ElementsAre("2.db", "3.db"));
}

// A row that was changed behind its back is right again.
TEST_F(RebuildTest, MendsWhatWasDamaged) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  Alter(Path(1), "UPDATE balance SET minor = minor + 1");
  EXPECT_TRUE(Do(&Projection::Rebuild).ok());
  ExpectRowsAreTheFold();
}

// At every step what is queried is the fold at its checkpoint, and its checkpoint never goes back.
TEST_F(RebuildTest, WhatIsQueriedIsNeverBehindAndNeverHalf) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Ledger ledger(seed);
    ledger.Trade(20);
    ledger.RunProjection(MakeProjectionType<Balances>(), 4);
    std::optional<absl::Status> rebuilt;
    ledger.projection().Rebuild([&rebuilt](absl::Status status) { rebuilt = std::move(status); });
    Checkpoint last = ledger.projection().checkpoint();
    for (int step = 0; !rebuilt.has_value(); ++step) {
      if (step % 5 == 0 && step < 100) ledger.Credit(absl::StrFormat("a%d", step % 7), step);
      const Checkpoint now = ledger.projection().checkpoint();
      ASSERT_EQ(DumpTable(ledger.projection().path(), "balance"), ledger.Fold(now)) << "seed " << seed;
      for (std::size_t i = 0; i < now.offsets.size(); ++i) ASSERT_GE(now.offsets[i], last.offsets[i]);
      last = now;
      ASSERT_TRUE(ledger.executor().RunOne() || rebuilt.has_value());
    }
    ASSERT_TRUE(rebuilt->ok()) << *rebuilt;
    ledger.executor().RunUntilIdle();
    ASSERT_EQ(DumpTable(ledger.projection().path(), "balance"), ledger.Fold(ledger.store().DurableHead()));
  }
}

TEST_F(RebuildTest, ProgressIsTold) {
  ledger_.Trade(30);
  ledger_.RunProjection(MakeProjectionType<Balances>(), 5);
  const Answer rebuilt = Begin(&Projection::Rebuild);
  std::uint64_t last = 0;
  bool between = false;
  while (!rebuilt->has_value() && ledger_.executor().RunOne()) {
    ledger_.executor().clock().Advance(absl::Milliseconds(10));
    const std::optional<RebuildProgress> progress = ledger_.projection().Describe().rebuild;
    if (!progress.has_value()) continue;
    EXPECT_EQ(progress->version, 2u);
    EXPECT_EQ(progress->total, EventsBefore(ledger_.store().DurableHead()));
    EXPECT_GE(progress->events, last);
    last = progress->events;
    if (last == 0 || last == progress->total) continue;
    between = true;
    EXPECT_GT(progress->events_per_second, 0);
    EXPECT_LT(progress->left, absl::Seconds(1));
  }
  EXPECT_TRUE(between);
  EXPECT_FALSE(ledger_.projection().Describe().rebuild.has_value());
}

TEST_F(RebuildTest, SecondOneWaitsForTheFirst) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  const Answer first = Begin(&Projection::Rebuild);
  const Answer second = Begin(&Projection::Rebuild);
  const Answer rollback = Begin(&Projection::Rollback);
  ledger_.executor().RunUntilIdle();
  EXPECT_TRUE((*first)->ok());
  EXPECT_TRUE((*second)->ok());
  EXPECT_FALSE((*rollback)->ok());
  EXPECT_EQ(ledger_.projection().path(), Path(2));
}

TEST_F(RebuildTest, RestartGoesOnWhereItWas) {
  ledger_.Trade(1'200);
  ledger_.RunProjection(MakeProjectionType<Balances>(), 1);
  const Answer rebuilt = Begin(&Projection::Rebuild);
  ASSERT_TRUE(ledger_.executor().RunUntil([this] {
    const auto progress = ledger_.projection().Describe().rebuild;
    return progress.has_value() && progress->events > 800;
  }));
  ledger_.CloseProjection();
  EXPECT_EQ((*rebuilt)->code(), absl::StatusCode::kUnavailable);
  ASSERT_TRUE(ledger_.OpenProjection(MakeProjectionType<Balances>(), 1).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  ledger_.projection().Start();
  ASSERT_TRUE(ledger_.executor().RunUntil([this] { return ledger_.projection().Describe().rebuild.has_value(); }));
  EXPECT_GE(ledger_.projection().Describe().rebuild->events, 500u);  // of the last transaction
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  ExpectRowsAreTheFold();
}

// Killed at any step of a rebuild, and started again: the old one or the new one, whole, and then the new one.
TEST_F(RebuildTest, CrashAtAnyStepLeavesTheOldOneOrTheNewOne) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Ledger ledger(seed);
    const std::string folder = ledger.directory() + "/balances", image = ledger.directory() + "/image";
    ledger.Trade(12);
    ledger.RunProjection(MakeProjectionType<Balances>(), 3);
    ledger.projection().Rebuild([](const absl::Status&) {});
    for (std::uint64_t step = 0; step < seed; ++step) ledger.executor().RunOne();
    std::filesystem::copy(folder, image);
    ledger.Crash();
    std::filesystem::remove_all(folder);
    std::filesystem::rename(image, folder);
    for (const int version : {1, 2}) std::filesystem::remove(absl::StrFormat("%s/%d.db-shm", folder, version));
    ledger.OpenStore();
    const absl::Status opened = ledger.OpenProjection(MakeProjectionType<Balances>(), 3);
    ASSERT_TRUE(opened.ok()) << "seed " << seed << ": " << opened;
    ASSERT_EQ(DumpTable(ledger.projection().path(), "balance"), ledger.Fold(ledger.projection().checkpoint()))
        << "seed " << seed;
    ledger.projection().Start();
    ledger.executor().RunUntilIdle();
    ASSERT_EQ(DumpTable(ledger.projection().path(), "balance"), ledger.Fold(ledger.store().DurableHead()));
    ASSERT_FALSE(ledger.projection().Describe().rebuild.has_value());
  }
}

TEST_F(RebuildTest, VersionThatParksMoreIsGivenUp) {
  ledger_.Credit("a", 1);
  ledger_.Debit("a", 2);
  ledger_.RunProjection();
  const std::vector<std::string> rows = Rows();
  ledger_.CloseProjection();
  ProjectionType worse = MakeProjectionType<Balances>();
  worse.handlers[EventTraits<Debited>::kName] = {Throws};
  ledger_.RunProjection(worse);  // nothing new to handle
  const absl::Status status = Do(&Projection::Rebuild);
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(status), reason::kReadModelParksMore);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("version 2 of projection balances parks \"account/a\", which the current one does not, at "));
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_EQ(Rows(), rows);
  EXPECT_THAT(Files(), ElementsAre("1.db"));
  EXPECT_TRUE(ledger_.projection().status().ok());
}

TEST_F(RebuildTest, VersionThatParksTheSameKeysIsSwappedIn) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {Throws};
  ledger_.Credit("a", 1);
  ledger_.Debit("a", 2);
  ledger_.RunProjection(type);
  EXPECT_TRUE(Do(&Projection::Rebuild).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_EQ(ledger_.projection().Describe().parked_keys, 1u);
}

TEST_F(RebuildTest, RollbackCatchesUpFirst) {
  ledger_.Trade(20);
  ledger_.RunProjection();
  ASSERT_TRUE(Do(&Projection::Rebuild).ok());
  ledger_.Trade(20);
  ledger_.executor().RunUntilIdle();
  EXPECT_TRUE(Do(&Projection::Rollback).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_EQ(ledger_.projection().Describe().previous, 2u);
  ExpectRowsAreTheFold();
  EXPECT_TRUE(Do(&Projection::Rollback).ok());  // and forth
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  ExpectRowsAreTheFold();
}

TEST_F(RebuildTest, RollbackNeedsAVersionOfTheSameCode) {
  ledger_.Trade(5);
  ledger_.RunProjection();
  EXPECT_EQ(Do(&Projection::Rollback).message(), "projection balances has no version before this one");
  ledger_.CloseProjection();
  ledger_.RunProjection(WithRevision(2));
  EXPECT_EQ(Do(&Projection::Rollback).message(),
            "version 1 of projection balances was built by other code; start the binary that built it");
  ExpectRowsAreTheFold();
}

// The binary of before is started again: its file is there, and only catches up.
TEST_F(RebuildTest, OlderBinaryGoesBackToItsOwnFile) {
  ledger_.Trade(10);
  ledger_.RunProjection();
  ledger_.CloseProjection();
  ledger_.RunProjection(WithRevision(2));
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  ledger_.CloseProjection();
  ledger_.Trade(10);
  ledger_.RunProjection();
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  ExpectRowsAreTheFold();
  EXPECT_EQ(ledger_.projection().Describe().previous, 2u);
}

TEST_F(RebuildTest, RebuildThatIsAskedForMeanwhileFollows) {
  ledger_.Trade(10);
  ledger_.RunProjection();
  ledger_.CloseProjection();
  ledger_.RunProjection(WithRevision(2));
  ledger_.CloseProjection();
  ASSERT_TRUE(ledger_.OpenProjection().ok());
  ledger_.projection().Start();
  EXPECT_TRUE(Do(&Projection::Rebuild).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(3));
  ExpectRowsAreTheFold();
}

TEST_F(RebuildTest, GivenUpOnRequest) {
  ledger_.Trade(60);
  ledger_.RunProjection(MakeProjectionType<Balances>(), 2);
  EXPECT_EQ(Do(&Projection::CancelRebuild).message(), "projection balances is not being built");
  const Answer rebuilt = Begin(&Projection::Rebuild);
  for (int i = 0; i < 10; ++i) ledger_.executor().RunOne();
  EXPECT_TRUE(Do(&Projection::CancelRebuild).ok());
  EXPECT_EQ((*rebuilt)->code(), absl::StatusCode::kCancelled);
  EXPECT_THAT(Files(), ElementsAre("1.db"));
  ExpectRowsAreTheFold();
  EXPECT_TRUE(Do(&Projection::Rebuild).ok());
}

// Rows of the new version that differ are told, as of the same events, and nothing is swapped.
TEST_F(RebuildTest, ComparisonTellsWhatARebuildWouldChange) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  Alter(Path(1), "UPDATE balance SET minor = minor + 1 WHERE account = (SELECT min(account) FROM balance)");
  const absl::StatusOr<VersionComparison> comparison = Compare();
  ASSERT_TRUE(comparison.ok()) << comparison.status();
  EXPECT_EQ(comparison->before, 1u);
  EXPECT_EQ(comparison->after, 2u);
  EventTally applied;
  for (const PartitionTally& tally : ledger_.projection().Describe().tallies) applied += tally.applied;
  EXPECT_EQ(comparison->events, applied.count);
  ASSERT_EQ(comparison->tables.size(), 1u);
  EXPECT_EQ(comparison->tables[0].rows, 7u);
  EXPECT_EQ(comparison->tables[0].changed, 1u);
  EXPECT_EQ(comparison->tables[0].added + comparison->tables[0].removed, 0u);
  EXPECT_EQ(comparison->tables[0].examples[0].columns[0].column, "minor");
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_FALSE(ledger_.projection().Describe().rebuild.has_value());
  // It is kept, and a restart does not swap it in.
  ledger_.CloseProjection();
  ledger_.RunProjection();
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_THAT(Files(), ElementsAre("1.db", "2.db"));
  EXPECT_TRUE(Do(&Projection::Rebuild).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  ExpectRowsAreTheFold();
  EXPECT_TRUE(Compare()->tables[0].empty());
}

// Whichever is ahead when it comes to the comparison, and whatever is appended meanwhile.
TEST_F(RebuildTest, ComparisonIsOfTheSameEvents) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    Ledger ledger(seed);
    ledger.Trade(20);
    ledger.RunProjection(MakeProjectionType<Balances>(), 3);
    std::optional<absl::StatusOr<VersionComparison>> comparison;
    ledger.projection().Compare([&comparison](auto result) { comparison = std::move(result); });
    for (int step = 0; !comparison.has_value(); ++step) {
      if (step % 3 == 0 && step < 100) ledger.Credit(absl::StrFormat("a%d", step % 7), step);
      ASSERT_TRUE(ledger.executor().RunOne() || comparison.has_value());
    }
    ASSERT_TRUE(comparison->ok()) << comparison->status();
    ASSERT_TRUE((*comparison)->tables[0].empty()) << "seed " << seed;
    ledger.executor().RunUntilIdle();
    ASSERT_EQ(DumpTable(ledger.projection().path(), "balance"), ledger.Fold(ledger.store().DurableHead()));
  }
}

TEST_F(RebuildTest, ComparisonNeedsAProjectionThatRuns) {
  ledger_.Trade(5);
  ledger_.RunProjection();
  EXPECT_TRUE(Do(&Projection::Pause).ok());
  EXPECT_EQ(Compare().status().message(), "projection balances is paused or has stopped; resume it first");
  EXPECT_TRUE(Do(&Projection::Resume).ok());
  const Answer rebuilt = Begin(&Projection::Rebuild);
  EXPECT_EQ(ReasonOf(Compare().status()), reason::kReadModelRebuilding);
  EXPECT_TRUE((*rebuilt)->ok());
}

TEST_F(RebuildTest, ComparisonThatIsCancelledLeavesNothing) {
  ledger_.Trade(30);
  ledger_.RunProjection(MakeProjectionType<Balances>(), 3);
  std::optional<absl::StatusOr<VersionComparison>> comparison;
  ledger_.projection().Compare([&comparison](auto result) { comparison = std::move(result); });
  EXPECT_TRUE(Do(&Projection::CancelRebuild).ok());
  ASSERT_TRUE(comparison.has_value());
  EXPECT_TRUE(absl::IsCancelled(comparison->status()));
  EXPECT_THAT(Files(), ElementsAre("1.db"));
}

TEST_F(RebuildTest, WhatIsKeptAfterAComparisonIsGivenUp) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  EXPECT_TRUE(Compare().ok());
  EXPECT_THAT(Files(), ElementsAre("1.db", "2.db"));
  EXPECT_TRUE(Do(&Projection::CancelRebuild).ok());
  EXPECT_THAT(Files(), ElementsAre("1.db"));
  EXPECT_FALSE(Do(&Projection::CancelRebuild).ok());
}

TEST_F(RebuildTest, ResetBeginsAtTheBeginning) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  EXPECT_TRUE(Do(&Projection::Rebuild).ok());
  Alter(Path(2), "UPDATE balance SET minor = minor + 1");
  EXPECT_TRUE(Do(&Projection::Reset).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(3));
  EXPECT_THAT(Files(), ElementsAre("3.db"));
  ExpectRowsAreTheFold();
  ledger_.Trade(10);
  ledger_.executor().RunUntilIdle();
  ExpectRowsAreTheFold();
}

// Too many keys are parked, and the code is mended.
TEST_F(RebuildTest, ResetEndsAStop) {
  for (std::size_t i = 0; i <= kMaxParkedKeys; ++i) ledger_.Debit(absl::StrFormat("d%03d", i), 1);
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {&Throws};
  ledger_.RunProjection(type);
  EXPECT_FALSE(ledger_.projection().status().ok());
  ledger_.CloseProjection();
  ledger_.RunProjection();
  EXPECT_TRUE(Do(&Projection::Reset).ok());
  ExpectRowsAreTheFold();
  EXPECT_EQ(ledger_.projection().Describe().parked_keys, 0u);
}

// A disk that is full keeps what there is.
TEST_F(RebuildTest, ResetThatFailsChangesNothing) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  const std::vector<std::string> rows = Rows();
  {
    const FileSizeLimit failing(1);
    EXPECT_FALSE(Do(&Projection::Reset).ok());
  }
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_EQ(Rows(), rows);
  ledger_.Trade(5);
  ledger_.executor().RunUntilIdle();
  ExpectRowsAreTheFold();
  EXPECT_TRUE(Do(&Projection::Reset).ok());
  ExpectRowsAreTheFold();
}

// At every step of a reset there is a file to be queried.
TEST_F(RebuildTest, ResetLeavesNoMomentWithoutAFile) {
  ledger_.Trade(30);
  ledger_.RunProjection(MakeProjectionType<Balances>(), 3);
  const Answer reset = Begin(&Projection::Reset);
  while (ledger_.executor().RunOne()) EXPECT_TRUE(std::filesystem::exists(ledger_.projection().path()));
  EXPECT_TRUE((*reset)->ok());
  ExpectRowsAreTheFold();
}

TEST_F(RebuildTest, DamageThatIsFoundWhenItIsOpenedAgainIsBuiltAnew) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  {
    const FileSizeLimit failing(1);
    ledger_.Trade(5);
    ledger_.executor().RunUntilIdle();
    EXPECT_FALSE(ledger_.projection().status().ok());
    ledger_.executor().Advance(absl::Seconds(1));  // tries again: closes the file, and cannot open it
    EXPECT_FALSE(ledger_.projection().status().ok());
  }
  std::ofstream(Path(1)) << std::string(8192, 'x');
  for (const char* beside : {"-wal", "-shm"}) std::filesystem::remove(Path(1) + beside);
  EXPECT_TRUE(Do(&Projection::Resume).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  ExpectRowsAreTheFold();
}

TEST_F(RebuildTest, PausedProjectionThatIsResetIsEmptyUntilItIsResumed) {
  ledger_.Trade(30);
  ledger_.RunProjection();
  EXPECT_TRUE(Do(&Projection::Pause).ok());
  EXPECT_TRUE(Do(&Projection::Reset).ok());
  EXPECT_THAT(Rows(), IsEmpty());
  EXPECT_TRUE(Do(&Projection::Resume).ok());
  ExpectRowsAreTheFold();
}

// Deployed with other handlers: the old rows are there until the new ones are, and are not changed by the new code.
TEST_F(RebuildTest, OtherRevisionServesTheOldRowsUntilTheNewOnesAreThere) {
  ledger_.Trade(20);
  ledger_.RunProjection();
  const std::vector<std::string> rows = Rows();
  const Checkpoint before = ledger_.projection().checkpoint();
  ledger_.CloseProjection();
  ledger_.Trade(5);
  ASSERT_TRUE(ledger_.OpenProjection(WithRevision(2), 4).ok());
  ledger_.projection().Start();
  bool stale = false;
  while (ledger_.projection().path() == Path(1)) {
    EXPECT_EQ(Rows(), rows);
    EXPECT_EQ(ledger_.projection().checkpoint(), before);
    const ProjectionStatus status = ledger_.projection().Describe();
    stale = stale || (status.state == ProjectionState::kStale && status.lag_events > 0);
    ASSERT_TRUE(ledger_.executor().RunOne());
  }
  EXPECT_TRUE(stale);
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kRunning);
  ExpectRowsAreTheFold();
}

TEST_F(RebuildTest, RowsWithoutAnAddedColumnAreQueriedUntilTheNewOnesAreThere) {
  ledger_.Trade(20);
  ledger_.RunProjection();
  ledger_.CloseProjection();
  static ReadModelSchema changed = ReadModelTraits<Balance>::Schema();
  changed.columns.push_back({"owner", ColumnType::kText});
  ProjectionType type = MakeProjectionType<Balances>();
  type.read_models = {&changed};
  type.handlers.clear();
  type.handlers[EventTraits<Credited>::kName] = {[](std::string_view, const EventContext& c, RowStore& rows) {
    rows.Upsert(changed, [&c](ColumnWriter& out) {
      out.Text(0, c.id);
      out.Integer(1, 1);
      out.Integer(2, 1);
      out.Text(3, "owner of " + c.id);
    });
    return true;
  }};
  ASSERT_TRUE(ledger_.OpenProjection(type).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kStale);
  ledger_.projection().Start();
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_EQ(Rows().size(), 7u);
  EXPECT_THAT(Rows()[0], HasSubstr("owner of"));
}

TEST_F(RebuildTest, OtherTablesAreNotQueriedBeforeTheyAreThere) {
  ledger_.Trade(20);
  ledger_.RunProjection();
  ledger_.CloseProjection();
  static ReadModelSchema changed = ReadModelTraits<Balance>::Schema();
  changed.columns[2].nullable = true;
  ProjectionType type = MakeProjectionType<Balances>();
  type.read_models = {&changed};
  type.handlers.clear();
  type.handlers[EventTraits<Credited>::kName] = {[](std::string_view, const EventContext& c, RowStore& rows) {
    rows.Upsert(changed, [&c](ColumnWriter& out) {
      out.Text(0, c.id);
      out.Integer(1, 1);
      out.Null(2);
    });
    return true;
  }};
  ASSERT_TRUE(ledger_.OpenProjection(type).ok());
  EXPECT_EQ(ledger_.projection().path(), "");
  EXPECT_EQ(ledger_.projection().Describe().version, 0u);
  ledger_.projection().Start();
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_EQ(Rows().size(), 7u);
  EXPECT_EQ(ledger_.logger().lines()[0],
            (RecordingLogger::Line{LogLevel::kInfo,
                                   "projection is built anew",
                                   {{"projection", "balances"}, {"why", "its read models have changed"}}}));
}

// The new code fails at what the old one could handle: the old rows stay.
TEST_F(RebuildTest, WorseRevisionLeavesTheOldRows) {
  ledger_.Debit("a", 2);
  ledger_.RunProjection();
  const std::vector<std::string> rows = Rows();
  ledger_.CloseProjection();
  ProjectionType worse = WithRevision(2);
  worse.handlers[EventTraits<Debited>::kName] = {Throws};
  ledger_.RunProjection(worse);
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_EQ(Rows(), rows);
  EXPECT_EQ(ReasonOf(ledger_.projection().status()), reason::kReadModelParksMore);
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kStopped);
  EXPECT_TRUE(Do(&Projection::Resume).ok());  // in vain
  EXPECT_EQ(Rows(), rows);
  EXPECT_EQ(ReasonOf(ledger_.projection().status()), reason::kReadModelParksMore);
  ledger_.CloseProjection();
  ledger_.RunProjection(WithRevision(3));
  ExpectRowsAreTheFold();
}

// What came after the old rows, and neither code can handle, is no reason to stay with them.
TEST_F(RebuildTest, KeysThatTheOldOneHasNotMetDoNotCount) {
  ledger_.Credit("a", 2);
  ledger_.RunProjection();
  ledger_.CloseProjection();
  ledger_.Debit("b", 2);
  ProjectionType type = WithRevision(2);
  type.handlers[EventTraits<Debited>::kName] = {Throws};
  ledger_.RunProjection(type);
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_EQ(ledger_.projection().Describe().parked_keys, 1u);
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kRunning);
}

TEST_F(RebuildTest, StaleOneIsBuiltAnewThoughThatWasInterrupted) {
  ledger_.Trade(20);
  ledger_.RunProjection();
  ledger_.CloseProjection();
  ASSERT_TRUE(ledger_.OpenProjection(WithRevision(2), 3).ok());
  ledger_.projection().Start();
  ASSERT_TRUE(ledger_.executor().RunUntil([this] { return ledger_.projection().Describe().rebuild.has_value(); }));
  EXPECT_TRUE(Do(&Projection::Pause).ok() && Do(&Projection::Resume).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  ExpectRowsAreTheFold();
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kRunning);
}

TEST_F(RebuildTest, DamagedFileOfWhatWasBegunIsBegunAnew) {
  ledger_.Trade(60);
  ledger_.RunProjection(MakeProjectionType<Balances>(), 3);
  Begin(&Projection::Rebuild);
  ASSERT_TRUE(ledger_.executor().RunUntil([this] { return ledger_.projection().Describe().rebuild.has_value(); }));
  ledger_.CloseProjection();
  std::ofstream(Path(2)) << std::string(8192, 'x');
  ledger_.RunProjection();
  EXPECT_EQ(ledger_.projection().path(), Path(3));
  ExpectRowsAreTheFold();
}

// What every damaged file of a read model comes to: it is built anew, and kept until that is done.
class DamageTest : public RebuildTest {
 protected:
  // Opened on what is damaged, and followed to the end. `kept` is there until the new version is queried.
  void ExpectBuiltAnew(const std::string& why, const std::string& kept, int version) {
    ASSERT_TRUE(ledger_.OpenProjection(MakeProjectionType<Balances>(), 4).ok());
    EXPECT_EQ(ledger_.projection().path(), "");
    EXPECT_EQ(ledger_.projection().Describe().version, 0u);
    EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kDamaged);
    EXPECT_THAT(ledger_.projection().Describe().built_anew_because, HasSubstr(why));
    ledger_.projection().Start();
    while (ledger_.projection().path().empty()) {
      EXPECT_TRUE(std::filesystem::exists(kept));
      EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kDamaged);
      ASSERT_TRUE(ledger_.executor().RunOne());
    }
    ledger_.executor().RunUntilIdle();
    EXPECT_FALSE(std::filesystem::exists(kept));
    EXPECT_EQ(ledger_.projection().path(), Path(version));
    EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kRunning);
    EXPECT_EQ(ledger_.projection().Describe().built_anew_because, "");
    ExpectRowsAreTheFold();
    int told = 0;
    for (const RecordingLogger::Line& line : ledger_.logger().lines()) {
      if (line.level != LogLevel::kError) continue;
      EXPECT_EQ(line.message, "projection is built anew");
      EXPECT_THAT(line.fields.at(1).value, HasSubstr(why));
      ++told;
    }
    EXPECT_EQ(told, 1);
  }
  std::string Manifest() { return ledger_.directory() + "/balances/MANIFEST"; }
  void Fill() {
    ledger_.Trade(20);
    ledger_.RunProjection();
    ASSERT_TRUE(Do(&Projection::Rebuild).ok());  // 2.db, and 1.db before it
    ledger_.CloseProjection();
    ledger_.Trade(5);
  }
};

TEST_F(DamageTest, FileThatIsNoDatabaseIsBuiltAnew) {
  Fill();
  std::ofstream(Path(2)) << std::string(8192, 'x');
  ExpectBuiltAnew(Path(2) + ": SQLite: file is not a database (extended code 26)", Path(2), 3);
  EXPECT_EQ(ledger_.projection().Describe().previous, 1u) << "the version before it is whole";
  EXPECT_TRUE(Do(&Projection::Rollback).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  ExpectRowsAreTheFold();
}

TEST_F(DamageTest, FileThatWasCutIsBuiltAnew) {
  Fill();
  std::filesystem::resize_file(Path(2), std::filesystem::file_size(Path(2)) / 2);
  ExpectBuiltAnew(Path(2), Path(2), 3);
}

TEST_F(DamageTest, CheckpointThatCannotBeIsBuiltAnew) {
  Fill();
  Alter(Path(2), "UPDATE everfold_checkpoint SET \"offset\" = -1");
  ExpectBuiltAnew(Path(2) + ": checkpoint of partition", Path(2), 3);
}

TEST_F(DamageTest, ManifestIsBegunAnew) {
  Fill();
  std::ofstream(Manifest()) << "damaged";
  ExpectBuiltAnew(Manifest() + " is damaged", Manifest() + ".damaged", 3);
  EXPECT_THAT(Files(), ElementsAre("3.db")) << "which of the others was whole nobody knows";
}

TEST_F(DamageTest, RestartGoesOnBuilding) {
  Fill();
  std::ofstream(Manifest()) << "damaged";
  ASSERT_TRUE(ledger_.OpenProjection(MakeProjectionType<Balances>(), 1).ok());
  ledger_.projection().Start();
  ASSERT_TRUE(ledger_.executor().RunUntil([this] { return ledger_.projection().Describe().rebuild.has_value(); }));
  ledger_.CloseProjection();
  ledger_.RunProjection();
  EXPECT_EQ(ledger_.projection().path(), Path(3));
  EXPECT_THAT(Files(), ElementsAre("3.db"));
  ExpectRowsAreTheFold();
}

TEST_F(DamageTest, WaitsAndRebuildsAreAnsweredWhenItIsThere) {
  Fill();
  const ConsistencyToken token = ledger_.Credit("a", 1);
  std::ofstream(Path(2)) << std::string(8192, 'x');
  ASSERT_TRUE(ledger_.OpenProjection().ok());
  std::optional<absl::Status> reached;
  ledger_.projection().WaitFor(token.positions, [&reached](absl::Status status) { reached = std::move(status); });
  ledger_.projection().Start();
  const Answer rebuilt = Begin(&Projection::Rebuild);
  const Answer given_up = Begin(&Projection::CancelRebuild);
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(*reached, absl::OkStatus());
  EXPECT_EQ(**rebuilt, absl::OkStatus());
  EXPECT_EQ((*given_up)->message(), "projection balances cannot go on without what is being built");
  EXPECT_EQ(ledger_.projection().path(), Path(3));
}

TEST_F(DamageTest, PausedOneStaysPaused) {
  Fill();
  ledger_.RunProjection();
  ASSERT_TRUE(Do(&Projection::Pause).ok());
  ledger_.CloseProjection();
  std::ofstream(Path(2)) << std::string(8192, 'x');
  ledger_.RunProjection();
  EXPECT_EQ(ledger_.projection().path(), Path(3));
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kPaused);
}

// The new version has all that there was, and then takes in nothing.
TEST_F(RebuildTest, PausedProjectionStaysPausedWhenItIsRebuilt) {
  ledger_.Trade(10);
  ledger_.RunProjection();
  ASSERT_TRUE(Do(&Projection::Pause).ok());
  ledger_.Trade(10);
  for (const Operation operation : {&Projection::Rebuild, &Projection::Rollback}) {
    ASSERT_TRUE(Do(operation).ok());
    EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kPaused);
    ExpectRowsAreTheFold();
    const std::vector<std::string> rows = Rows();
    const ConsistencyToken token = ledger_.Credit("a1", 1);
    std::optional<absl::Status> waited;
    ledger_.projection().WaitFor(token.positions, [&waited](absl::Status status) { waited = std::move(status); });
    ledger_.executor().RunUntilIdle();
    EXPECT_EQ(Rows(), rows);
    EXPECT_EQ(ReasonOf(waited.value_or(absl::OkStatus())), reason::kReadModelPaused);
  }
  ledger_.CloseProjection();
  ledger_.RunProjection();
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kPaused) << "after a restart, too";
  EXPECT_TRUE(Do(&Projection::Resume).ok());
  ExpectRowsAreTheFold();
}

TEST_F(RebuildTest, WaitIsAnsweredAcrossTheSwap) {
  ledger_.Trade(20);
  ledger_.RunProjection();
  ledger_.CloseProjection();
  const ConsistencyToken token = ledger_.Credit("a", 1);
  ASSERT_TRUE(ledger_.OpenProjection(WithRevision(2)).ok());
  std::optional<absl::Status> reached;
  ledger_.projection().WaitFor(token.positions, [&](absl::Status status) {
    reached = std::move(status);
    EXPECT_EQ(ledger_.projection().path(), Path(2));
  });
  ledger_.projection().Start();
  ledger_.executor().RunUntilIdle();
  EXPECT_EQ(reached, absl::OkStatus());
}

TEST_F(RebuildTest, PausedProjectionTakesInNothingUntilItIsResumed) {
  ledger_.Credit("a", 1);
  ledger_.RunProjection();
  EXPECT_TRUE(Do(&Projection::Pause).ok());
  const ConsistencyToken token = ledger_.Credit("a", 1);
  std::optional<absl::Status> waited;
  ledger_.projection().WaitFor(token.positions, [&waited](absl::Status status) { waited = std::move(status); });
  ledger_.executor().RunUntilIdle();
  EXPECT_THAT(Rows(), ElementsAre("'a'|1|1"));
  EXPECT_EQ(ReasonOf(*waited), reason::kReadModelPaused);
  ledger_.CloseProjection();
  ledger_.RunProjection();  // after a restart, too
  EXPECT_THAT(Rows(), ElementsAre("'a'|1|1"));
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kPaused);
  EXPECT_TRUE(Do(&Projection::Resume).ok());
  ExpectRowsAreTheFold();
  EXPECT_EQ(ledger_.projection().Describe().state, ProjectionState::kRunning);
}

TEST_F(RebuildTest, DropDuringARebuildHoldsForBoth) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {Throws};
  for (int i = 0; i < 30; ++i) ledger_.Credit("b", 1);
  ledger_.Debit("a", 2);
  ledger_.Credit("a", 1);
  ledger_.RunProjection(type, 2);
  const Answer rebuilt = Begin(&Projection::Rebuild);
  for (int i = 0; i < 6; ++i) ledger_.executor().RunOne();
  ASSERT_FALSE(rebuilt->has_value());
  std::optional<absl::StatusOr<std::uint64_t>> left;
  ledger_.projection().DropParked("account/a", std::nullopt, Version(1), "a test",
                                  [&left](absl::StatusOr<std::uint64_t> l) { left = l; });
  ledger_.executor().RunUntilIdle();
  ASSERT_TRUE(left.has_value() && left->ok());
  EXPECT_EQ(**left, 0u);
  EXPECT_TRUE((*rebuilt)->ok()) << **rebuilt;
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_THAT(Rows(), ElementsAre("'a'|1|1", "'b'|30|30"));
  EXPECT_EQ(ledger_.projection().Describe().parked_keys, 0u);
}

// The next version has the key parked already when its event is dropped.
TEST_F(RebuildTest, DropFreesTheKeyInWhatIsBuiltToo) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {Throws};
  ledger_.Debit("a", 2);
  ledger_.Credit("a", 1);
  for (int i = 0; i < 30; ++i) ledger_.Credit("b", 1);
  ledger_.RunProjection(type, 2);
  const Answer rebuilt = Begin(&Projection::Rebuild);
  ASSERT_TRUE(ledger_.executor().RunUntil([this] {
    const auto progress = ledger_.projection().Describe().rebuild;
    return progress.has_value() && progress->events > 5;
  }));
  ledger_.projection().DropParked("account/a", std::nullopt, Version(1), "a test",
                                  [](const absl::StatusOr<std::uint64_t>&) {});
  ledger_.executor().RunUntilIdle();
  EXPECT_TRUE((*rebuilt)->ok()) << **rebuilt;
  EXPECT_THAT(Rows(), ElementsAre("'a'|1|1", "'b'|30|30"));
}

TEST_F(RebuildTest, DropHoldsAfterARollback) {
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Debited>::kName] = {Throws};
  ledger_.Debit("a", 2);
  ledger_.Credit("a", 1);
  ledger_.RunProjection(type);
  ASSERT_TRUE(Do(&Projection::Rebuild).ok());
  ledger_.projection().DropParked("account/a", std::nullopt, Version(1), "a test",
                                  [](const absl::StatusOr<std::uint64_t>&) {});
  ledger_.executor().RunUntilIdle();
  EXPECT_TRUE(Do(&Projection::Rollback).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  EXPECT_THAT(Rows(), ElementsAre("'a'|1|1"));
}

// Fails at debits of one amount: code that is mended, and broken elsewhere, without another revision.
std::uint64_t bad_amount;

bool FailsAtBadAmount(std::string_view payload, const EventContext& c, RowStore& rows) {
  Debited event;
  if (event.ParseFromString(std::string(payload)) && event.value() == bad_amount) throw std::runtime_error("bad");
  return internal::Handle<Balances, Debited>(payload, c, rows);
}

class HeedDropsTest : public RebuildTest {
 protected:
  void SetUp() override { type_.handlers[EventTraits<Debited>::kName] = {FailsAtBadAmount}; }
  void Drop(Version version) {
    std::optional<absl::StatusOr<std::uint64_t>> left;
    ledger_.projection().DropParked("account/a", std::nullopt, version, "a test",
                                    [&left](absl::StatusOr<std::uint64_t> l) { left = l; });
    ASSERT_TRUE(ledger_.executor().RunUntil([&left] { return left.has_value(); }));
    ASSERT_TRUE(left->ok()) << left->status();
  }
  std::vector<std::string> BuiltAnewBecause() {
    std::vector<std::string> causes;
    for (const RecordingLogger::Line& line : ledger_.logger().lines()) {
      if (line.message == "projection is built anew") causes.push_back(line.fields.at(1).value);
    }
    return causes;
  }

  ProjectionType type_ = MakeProjectionType<Balances>();
};

TEST_F(HeedDropsTest, WhatIsBuiltIsPastTheEventThatIsDropped) {
  bad_amount = 2;
  ledger_.Debit("a", 2);
  ledger_.Credit("a", 1);
  for (int i = 0; i < 30; ++i) ledger_.Credit("b", 1);
  ledger_.RunProjection(type_, 2);
  bad_amount = 0;
  const Answer rebuilt = Begin(&Projection::Rebuild);
  ASSERT_TRUE(ledger_.executor().RunUntil([this] {
    const auto progress = ledger_.projection().Describe().rebuild;
    return progress.has_value() && progress->events > 5;
  }));
  Drop(Version(1));
  ledger_.executor().RunUntilIdle();
  EXPECT_TRUE((*rebuilt)->ok()) << **rebuilt;
  EXPECT_EQ(ledger_.projection().path(), Path(3));
  EXPECT_THAT(Rows(), ElementsAre("'a'|1|1", "'b'|30|30"));
  EXPECT_THAT(BuiltAnewBecause(), ElementsAre("its file leaves out 0 of 1 dropped event"));
  EXPECT_TRUE(Do(&Projection::Rebuild).ok());  // which is enough
  EXPECT_EQ(ledger_.projection().path(), Path(4));
  EXPECT_EQ(BuiltAnewBecause().size(), 1u);
}

// Nobody queries them before.
TEST_F(RebuildTest, IndexesAreMadeAtTheEnd) {
  ledger_.Trade(600);
  ledger_.RunProjection(MakeProjectionType<Balances>(), /*max_batch_events=*/1);
  const Answer rebuilt = Begin(&Projection::Rebuild);
  ASSERT_TRUE(ledger_.executor().RunUntil([this] {
    const auto progress = ledger_.projection().Describe().rebuild;
    return progress.has_value() && progress->events > 600;  // of which 500 are committed
  }));
  EXPECT_THAT(DumpTable(Path(2), "balance"), Not(::testing::IsEmpty()));
  EXPECT_THAT(IndexesOf(Path(2), "balance"), ::testing::IsEmpty());
  ASSERT_TRUE(ledger_.executor().RunUntil([&] { return ledger_.projection().path() == Path(2); }));
  EXPECT_THAT(IndexesOf(Path(2), "balance"), ElementsAre("balance.minor"));
  ledger_.executor().RunUntilIdle();
  EXPECT_TRUE(rebuilt->has_value() && (*rebuilt)->ok());
  ExpectRowsAreTheFold();
}

// It is told like any other error of what is built, which stays where it is.
TEST_F(RebuildTest, IndexThatCannotBeMadeIsTold) {
  ledger_.Trade(60);
  ledger_.RunProjection(MakeProjectionType<Balances>(), /*max_batch_events=*/1);
  const Answer rebuilt = Begin(&Projection::Rebuild);
  ASSERT_TRUE(ledger_.executor().RunUntil([this] { return ledger_.projection().Describe().rebuild.has_value(); }));
  Alter(Path(2), "CREATE TABLE \"balance.minor\" (a)");
  absl::Status error;
  ASSERT_TRUE(ledger_.executor().RunUntil([&] {
    const auto progress = ledger_.projection().Describe().rebuild;
    if (progress.has_value()) error = progress->error;
    return !error.ok();
  }));
  EXPECT_EQ(error.message(), Path(2) +
                                 ": index balance.minor: SQLite: there is already a table named balance.minor "
                                 "(extended code 1)");
  EXPECT_EQ(ledger_.projection().path(), Path(1));
  Alter(Path(2), "DROP TABLE \"balance.minor\"");
  ASSERT_TRUE(ledger_.executor().RunUntil([&] { return rebuilt->has_value(); }));
  EXPECT_TRUE((*rebuilt)->ok()) << **rebuilt;
  EXPECT_EQ(ledger_.projection().path(), Path(2));
}

// The operator's decision comes to the log before the swap, and to the projection after it, in some of the orders.
TEST(DropAtASwap, IsHeededByWhatWasSwappedIn) {
  int met = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Ledger ledger(seed);
    ProjectionType type = MakeProjectionType<Balances>();
    type.handlers[EventTraits<Debited>::kName] = {FailsAtBadAmount};
    bad_amount = 2;
    ledger.Debit("a", 2);
    for (int i = 0; i < 6; ++i) ledger.Credit("b", 1);
    ledger.RunProjection(type, /*max_batch_events=*/1);
    bad_amount = 0;
    ledger.projection().Rebuild([](const absl::Status&) {});
    ASSERT_TRUE(ledger.executor().RunUntil([&] {
      const auto progress = ledger.projection().Describe().rebuild;
      return progress.has_value() && progress->events >= seed % 6;
    }));
    std::optional<absl::StatusOr<std::uint64_t>> left;
    ledger.projection().DropParked("account/a", std::nullopt, Version(1), "a test",
                                   [&left](absl::StatusOr<std::uint64_t> l) { left = l; });
    const std::string second = ledger.directory() + "/balances/2.db";
    ASSERT_TRUE(ledger.executor().RunUntil([&] { return ledger.projection().path() == second; }));
    const bool had_heard = left.has_value() || ledger.projection().Describe().rebuild.has_value();
    ledger.executor().RunUntilIdle();
    ASSERT_TRUE(left.has_value());
    if (!left->ok()) {
      EXPECT_EQ(ReasonOf(left->status()), reason::kNotParked) << "swapped in before anybody asked";
      continue;
    }
    met += had_heard ? 0 : 1;
    EXPECT_THAT(DumpTable(ledger.projection().path(), "balance"), ElementsAre("'b'|6|6")) << "seed " << seed;
  }
  EXPECT_GT(met, 0) << "the order that this is about";
}

// The version of before had applied it; both have the key parked, so that one is as good as the other.
TEST_F(HeedDropsTest, RollbackGoesToAVersionThatHadAppliedIt) {
  bad_amount = 2;
  for (const int amount : {2, 3}) ledger_.Debit("a", amount);
  ledger_.Credit("b", 1);
  ledger_.RunProjection(type_);
  bad_amount = 3;
  ASSERT_TRUE(Do(&Projection::Rebuild).ok());
  EXPECT_THAT(Rows(), ElementsAre("'a'|-2|1", "'b'|1|1"));
  ASSERT_TRUE(Do(&Projection::Rollback).ok());
  Drop(Version(1));
  EXPECT_THAT(Rows(), ElementsAre("'b'|1|1"));
  EXPECT_TRUE(Do(&Projection::Rollback).ok());
  EXPECT_EQ(ledger_.projection().path(), Path(3));
  EXPECT_THAT(Rows(), ElementsAre("'b'|1|1"));
  EXPECT_EQ(ledger_.projection().Describe().parked_keys, 1u);
  EXPECT_THAT(BuiltAnewBecause(), ElementsAre("its file leaves out 0 of 1 dropped event"));
}

// On record since the projection ran, as after an end between the swap and what follows it.
TEST_F(HeedDropsTest, StartFindsThatOneIsNotLeftOut) {
  bad_amount = 0;
  ledger_.Debit("a", 2);
  for (int i = 0; i < 3; ++i) ledger_.Credit("b", 1);
  ledger_.RunProjection(type_);
  ledger_.CloseProjection();
  const StreamId stream{.tenant = "", .aggregate = "account", .id = "a"};
  bool dropped = false;
  ledger_.store().Append(DropOf("balances",
                                {.position = {},
                                 .sequence = {},
                                 .key = "account/a",
                                 .type = "",
                                 .stream = stream,
                                 .version = Version(1),
                                 .tally = {}},
                                "an error", "a test"),
                         [&dropped](const absl::StatusOr<AppendResult>& appended) { dropped = appended.ok(); });
  ledger_.executor().RunUntilIdle();
  ASSERT_TRUE(dropped);
  ledger_.RunProjection(type_);
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_THAT(Rows(), ElementsAre("'b'|3|3"));
  EXPECT_THAT(BuiltAnewBecause(), ElementsAre("its file leaves out 0 of 1 dropped event"));
  ledger_.CloseProjection();
  ledger_.RunProjection(type_);
  EXPECT_EQ(ledger_.projection().path(), Path(2));
}

TEST_F(HeedDropsTest, AsManyOthersAreNotTheSame) {
  bad_amount = 2;
  ledger_.Debit("a", 2);
  ledger_.Credit("b", 1);
  ledger_.RunProjection(type_);
  Drop(Version(1));
  ledger_.CloseProjection();
  Alter(Path(1), "UPDATE everfold_checkpoint SET dropped_low = dropped_low + 1 WHERE dropped_count > 0");
  ledger_.RunProjection(type_);
  EXPECT_EQ(ledger_.projection().path(), Path(2));
  EXPECT_THAT(Rows(), ElementsAre("'b'|1|1"));
  EXPECT_THAT(BuiltAnewBecause(), ElementsAre("its file leaves out other events than those dropped"));
}

// A handler that does not come back for a while: somebody is told, once, and that it goes on again.
TEST_F(RebuildTest, StandstillIsTold) {
  static ManualExecutor* executor;
  static Projection* projection;
  static bool stalled;
  stalled = false;
  ProjectionType type = MakeProjectionType<Balances>();
  type.handlers[EventTraits<Credited>::kName] = {[](std::string_view payload, const EventContext& c, RowStore& rows) {
    if (c.version == Version(2)) {
      executor->Advance(absl::Minutes(2));  // the others' steps and timers, while this one hangs
      stalled = projection->Describe().stalled;
    }
    return internal::Handle<Balances, Credited>(payload, c, rows);
  }};
  ledger_.Credit("a", 1);
  ledger_.RunProjection(type);
  executor = &ledger_.executor();
  projection = &ledger_.projection();
  executor->Advance(absl::Minutes(2));
  EXPECT_FALSE(projection->Describe().stalled);  // there is nothing to do
  ledger_.Credit("a", 1);
  executor->RunUntilIdle();
  EXPECT_TRUE(stalled);
  EXPECT_FALSE(projection->Describe().stalled);
  ExpectRowsAreTheFold();
  ASSERT_EQ(ledger_.logger().lines().size(), 1u);
  EXPECT_EQ(ledger_.logger().lines()[0].message, "projection does not move");
}

}  // namespace
}  // namespace everfold

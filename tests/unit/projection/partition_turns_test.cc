// Projections whose handlers commute are built partition by partition.
#include "everfold/projection/partition_turns.h"

#include <algorithm>
#include <utility>

#include "everfold/projection/event_folder.h"
#include "everfold/projection/next_version.h"
#include "everfold/projection/projection.h"
#include "everfold/projection/verify_read_model.h"
#include "everfold/projection/version_checks.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;

struct Commuting : Balances {
  static constexpr ProjectionOptions kOptions{
      .name = "balances", .revision = 1, .order = ProjectionOrder::kPerPartition};
};

std::vector<Position>* met = nullptr;  // in the order of the handlers' calls

bool Meet(std::string_view payload, const EventContext& c, RowStore& rows) {
  if (met != nullptr) met->push_back(c.position);
  return internal::Handle<Balances, Credited>(payload, c, rows);
}

// Of an order of events: how often one is of another partition than the one before.
int Changes(const std::vector<Position>& positions) {
  int changes = 0;
  for (std::size_t i = 1; i < positions.size(); ++i) {
    changes += positions[i].partition == positions[i - 1].partition ? 0 : 1;
  }
  return changes;
}

class PartitionTurnsTest : public ::testing::Test {
 protected:
  void SetUp() override { type_.handlers[EventTraits<Credited>::kName] = {Meet}; }
  void TearDown() override { met = nullptr; }

  std::unique_ptr<Subscription> Start(const Checkpoint& from) {
    auto turns = PartitionTurns::Start(feed_, from, {});
    EXPECT_TRUE(turns.ok()) << turns.status();
    return *std::move(turns);
  }
  std::vector<std::string> Rows() { return DumpTable(ledger_.projection().path(), "balance"); }
  void ExpectRowsAreTheFold() {
    EXPECT_EQ(Rows(), ledger_.Fold(ledger_.store().DurableHead()));
    EXPECT_EQ(ledger_.projection().checkpoint(), ledger_.store().DurableHead());
  }
  void Rebuild() {
    std::optional<absl::Status> rebuilt;
    ledger_.projection().Rebuild([&rebuilt](absl::Status status) { rebuilt = std::move(status); });
    ledger_.executor().RunUntilIdle();
    ASSERT_TRUE(rebuilt.has_value() && rebuilt->ok()) << *rebuilt;
  }

  Ledger ledger_;
  const StoreFeed feed_{ledger_.store()};
  ProjectionType type_ = MakeProjectionType<Commuting>();
};

TEST_F(PartitionTurnsTest, EachPartitionComesWholeAndInItsOrder) {
  ledger_.Trade(60);
  for (const std::size_t max_events : {1, 7, 1000}) {
    const auto turns = Start(BeginningOf(ledger_.store()));
    std::vector<Position> positions;
    PullResult pulled;
    do {
      const auto result = turns->Pull(max_events, [&positions](const RecordedEvent& event) {
        positions.push_back(event.position);
        return absl::OkStatus();
      });
      ASSERT_TRUE(result.ok()) << result.status();
      EXPECT_LE(result->events, max_events);
      pulled = *result;
    } while (!pulled.caught_up);
    EXPECT_EQ(positions.size(), EventsBefore(ledger_.store().DurableHead()));
    EXPECT_TRUE(std::is_sorted(positions.begin(), positions.end(), [](const Position& a, const Position& b) {
      return std::pair(a.partition, a.offset) < std::pair(b.partition, b.offset);
    }));
    EXPECT_EQ(turns->checkpoint(), ledger_.store().DurableHead());
  }
}

TEST_F(PartitionTurnsTest, GoesOnBehindWhatWasRefused) {
  ledger_.Trade(30);
  auto turns = Start(BeginningOf(ledger_.store()));
  std::vector<std::pair<PartitionId, Offset>> accepted;
  int calls = 0;
  const auto visit = [&](const RecordedEvent& event) {
    if (++calls % 5 == 0) return absl::AbortedError("for now");
    accepted.emplace_back(event.position.partition, event.position.offset);
    return absl::OkStatus();
  };
  for (bool caught_up = false; !caught_up;) {
    const auto pulled = turns->Pull(7, visit);
    EXPECT_EQ(EventsBefore(turns->checkpoint()), accepted.size());
    if (!pulled.ok()) {
      EXPECT_EQ(pulled.status().message(), "for now");
      turns = Start(Checkpoint(turns->checkpoint()));
    }
    caught_up = pulled.ok() && pulled->caught_up;
  }
  EXPECT_EQ(accepted.size(), EventsBefore(ledger_.store().DurableHead()));
  std::sort(accepted.begin(), accepted.end());
  EXPECT_EQ(std::unique(accepted.begin(), accepted.end()), accepted.end());
}

TEST_F(PartitionTurnsTest, ARebuildTakesThemAndWhatIsLiveDoesNot) {
  std::vector<Position> live, rebuilt, merged;
  ledger_.Trade(100);
  met = &live;
  ledger_.RunProjection(type_);
  EXPECT_GT(Changes(live), 20) << "merged by sequence";
  met = &rebuilt;
  Rebuild();
  EXPECT_LE(Changes(rebuilt), static_cast<int>(Ledger::kPartitions) - 1);
  EXPECT_EQ(rebuilt.size(), live.size());
  ExpectRowsAreTheFold();
  const auto findings =
      VerifyTallies(type_, ledger_.store(), ledger_.projection().checkpoint(), ledger_.projection().Describe().tallies);
  ASSERT_TRUE(findings.ok()) << findings.status();
  EXPECT_THAT(*findings, ElementsAre());
  type_.order = ProjectionOrder::kMerged;
  ledger_.CloseProjection();
  ledger_.RunProjection(type_);
  EXPECT_EQ(ledger_.projection().path(), ledger_.directory() + "/balances/2.db") << "it goes on with the same file";
  met = &merged;
  Rebuild();
  EXPECT_EQ(merged, live);
}

// A token that comes meanwhile is waited for until its position is there.
TEST_F(PartitionTurnsTest, TokensHoldThroughARebuild) {
  ledger_.Trade(40);
  ledger_.RunProjection(type_, /*max_batch_events=*/3);
  ledger_.projection().Rebuild([](const absl::Status&) {});
  for (int i = 0; i < 20; ++i) {
    const std::string account = absl::StrFormat("a%d", i % 7);
    const ConsistencyToken token = ledger_.Credit(account, 1);
    std::optional<absl::Status> waited;
    ledger_.projection().WaitFor(token.positions, [&waited](absl::Status status) { waited = std::move(status); });
    ASSERT_TRUE(ledger_.executor().RunUntil([&waited] { return waited.has_value(); }));
    ASSERT_TRUE(waited->ok()) << *waited;
    EXPECT_EQ(Rows(), ledger_.Fold(ledger_.projection().checkpoint()));
    for (const Position& position : token.positions) {
      EXPECT_GE(ledger_.projection().checkpoint().offsets[position.partition.value()], position.offset);
    }
  }
  ledger_.executor().RunUntilIdle();
  ExpectRowsAreTheFold();
}

// Of versions that are not as far in the same partitions.
TEST_F(PartitionTurnsTest, AsManyEventsNeedNotBeTheSame) {
  ledger_.Trade(60);
  const auto open = [this](const std::string& path) {
    auto file = ReadModelFile::Open(path, type_, BeginningOf(ledger_.store()));
    return EventFolder::Open(*std::move(file), type_, feed_).value();
  };
  const std::string first = ledger_.directory() + "/1.db", second = ledger_.directory() + "/2.db";
  const auto current = open(first);
  NextVersion next(2, VersionUse::kComparison, open(second), ledger_.executor().MakeStrand(), absl::Time());
  ASSERT_TRUE(current->FoldBatch(6).ok());
  ASSERT_TRUE(next.Fold(6).ok());
  ASSERT_NE(current->checkpoint(), next.folder->position());
  const auto events = BringToSameEvents(type_, *current, next, 3);
  ASSERT_TRUE(events.ok()) << events.status();
  EXPECT_GT(*events, 6u);
  EXPECT_EQ(current->checkpoint(), next.folder->checkpoint());
  EXPECT_EQ(Dump(first), Dump(second));
}

// While events come.
TEST_F(PartitionTurnsTest, AComparisonIsOfTheSameEvents) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Ledger ledger(seed);
    ledger.Trade(40);
    ledger.RunProjection(MakeProjectionType<Commuting>(), /*max_batch_events=*/1);
    std::optional<absl::StatusOr<VersionComparison>> compared;
    ledger.projection().Compare([&compared](absl::StatusOr<VersionComparison> c) { compared = std::move(c); });
    while (!compared.has_value()) {
      ledger.Credit(absl::StrFormat("a%d", seed % 7), 1);
      for (int i = 0; i < 12 && !compared.has_value(); ++i) ledger.executor().RunOne();
    }
    ASSERT_TRUE(compared->ok()) << compared->status() << ", seed " << seed;
    for (const TableDifference& table : (*compared)->tables) {
      EXPECT_TRUE(table.empty()) << "seed " << seed;
    }
    ledger.executor().RunUntilIdle();
  }
}

}  // namespace
}  // namespace everfold

#include "everfold/projection/event_folder.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

constexpr std::int64_t kPoison = 13;

bool FailsAtPoison(std::string_view payload, const EventContext& c, RowStore& rows) {
  Debited event;
  if (!event.ParseFromString(std::string(payload))) return false;
  if (event.value() == kPoison) throw std::runtime_error("poison");
  return internal::Handle<Balances, Debited>(payload, c, rows);
}

class EventFolderTest : public ::testing::Test {
 protected:
  void SetUp() override { type_.handlers[EventTraits<Debited>::kName] = {FailsAtPoison}; }

  std::string Path() const { return ledger_.directory() + "/1.db"; }
  std::unique_ptr<EventFolder> Open() {
    auto file = ReadModelFile::Open(Path(), type_, BeginningOf(ledger_.store()));
    EXPECT_TRUE(file.ok()) << file.status();
    auto folder = EventFolder::Open(*std::move(file), type_, feed_);
    EXPECT_TRUE(folder.ok()) << folder.status();
    return *std::move(folder);
  }

  // When they are written.
  void RefuseRowsOf(const std::string& account) {
    Alter(Path(), absl::StrFormat("CREATE TRIGGER refuse BEFORE INSERT ON balance WHEN NEW.account = '%s' "
                                  "BEGIN SELECT RAISE(ABORT, 'refused'); END",
                                  account));
  }

  Ledger ledger_;
  const StoreFeed feed_{ledger_.store()};
  ProjectionType type_ = MakeProjectionType<Balances>();
};

// Each part costs as much as several events.
TEST_F(EventFolderTest, WhatComesBeforeAnEventThatFailsIsFoldedWhole) {
  for (int i = 0; i < 60; ++i) ledger_.Credit("a", 1);
  ledger_.Debit("b", kPoison);
  for (int i = 0; i < 20; ++i) ledger_.Credit("b", 1);
  const auto folder = Open();
  const auto folded = folder->FoldBatch(100);
  ASSERT_TRUE(folded.ok()) << folded.status();
  EXPECT_EQ(*folded, (PullResult{.events = 60, .caught_up = false, .moved = true}));
  EXPECT_EQ(EventsBefore(folder->checkpoint()), 60u);
  EXPECT_THAT(folder->parked_keys(), ::testing::IsEmpty());
  const auto rest = folder->FoldBatch(100);
  ASSERT_TRUE(rest.ok()) << rest.status();
  EXPECT_TRUE(rest->caught_up);
  EXPECT_THAT(folder->parked_keys(), ::testing::ElementsAre("account/b"));
  EXPECT_THAT(DumpTable(Path(), "balance"), ::testing::ElementsAre("'a'|60|60"));
}

// A transaction that is held from batch to batch.
TEST_F(EventFolderTest, ALongTransactionIsTakenBackToTheEventThatFails) {
  constexpr int kGood = 90;
  for (int i = 0; i < kGood; ++i) ledger_.Credit("a", 1);
  ledger_.Debit("b", kPoison);
  ledger_.Credit("b", 1);
  ledger_.Credit("c", 1);
  ledger_.Debit("d", kPoison);
  for (int i = 0; i < 30; ++i) ledger_.Credit("a", 1);
  const auto folder = Open();
  std::vector<std::uint64_t> committed;
  for (PullResult folded; !folded.caught_up;) {
    const auto result = folder->FoldOn(4);
    ASSERT_TRUE(result.ok()) << result.status();
    EXPECT_LE(result->events, 4u);
    folded = *result;
    const std::uint64_t now = EventsBefore(folder->checkpoint());
    if (committed.empty() || now != committed.back()) committed.push_back(now);
  }
  EXPECT_THAT(committed, ::testing::Contains(std::uint64_t{kGood})) << "no event before the first that fails";
  EXPECT_THAT(folder->parked_keys(), ::testing::UnorderedElementsAre("account/b", "account/d"));
  EXPECT_THAT(DumpTable(Path(), "balance"), ::testing::ElementsAre("'a'|120|120", "'c'|1|1"));
  EXPECT_EQ(folder->checkpoint(), ledger_.store().DurableHead());
}

// A row that fails when it is written, which is at the end, beside an event that fails before.
TEST_F(EventFolderTest, WhatFailsAtTheCommitIsFoundBesideWhatFailsBefore) {
  for (const char* const account : {"a", "t", "b"}) ledger_.Credit(account, 1);
  ledger_.Debit("x", kPoison);
  ledger_.Credit("c", 1);
  const auto folder = Open();
  RefuseRowsOf("t");
  for (const bool caught_up : {false, true}) {
    const auto folded = folder->FoldBatch(100);
    ASSERT_TRUE(folded.ok()) << folded.status();
    if (folded->caught_up) break;
    EXPECT_FALSE(caught_up) << "two batches are enough";
  }
  EXPECT_EQ(folder->checkpoint(), ledger_.store().DurableHead());
  EXPECT_THAT(folder->parked_keys(), ::testing::UnorderedElementsAre("account/t", "account/x"));
  EXPECT_THAT(DumpTable(Path(), "balance"), ::testing::ElementsAre("'a'|1|1", "'b'|1|1", "'c'|1|1"));
}

// Ten million events in parts of their own would take minutes.
TEST_F(EventFolderTest, ALongTransactionWhoseCommitFailsIsCommittedByBatches) {
  for (int i = 0; i < 60; ++i) ledger_.Credit("a", 1);
  ledger_.Credit("t", 1);
  for (int i = 0; i < 60; ++i) ledger_.Credit("a", 1);
  const auto folder = Open();
  RefuseRowsOf("t");
  std::vector<std::uint64_t> committed;
  for (PullResult folded; !folded.caught_up;) {
    const auto result = folder->FoldOn(8);
    ASSERT_TRUE(result.ok()) << result.status();
    folded = *result;
    const std::uint64_t now = EventsBefore(folder->checkpoint());
    if (committed.empty() || now != committed.back()) committed.push_back(now);
  }
  EXPECT_THAT(committed, ::testing::IsSupersetOf({8u, 16u, 48u, 56u, 64u, 121u}));
  EXPECT_THAT(folder->parked_keys(), ::testing::ElementsAre("account/t"));
  EXPECT_THAT(DumpTable(Path(), "balance"), ::testing::ElementsAre("'a'|120|120"));
}

TEST_F(EventFolderTest, WhatCannotBeCommittedIsNotHeld) {
  for (const char* const account : {"a", "t", "b"}) ledger_.Credit(account, 1);
  const auto folder = Open();
  RefuseRowsOf("t");
  ASSERT_TRUE(folder->FoldOn(2).ok());
  EXPECT_TRUE(folder->holds());
  EXPECT_EQ(folder->CommitHeld(), absl::OkStatus());
  EXPECT_FALSE(folder->holds());
  EXPECT_EQ(EventsBefore(folder->checkpoint()), 0u);
  EXPECT_EQ(folder->CommitHeld(), absl::OkStatus());
  for (PullResult folded; !folded.caught_up;) folded = folder->FoldOn(2).value();
  EXPECT_THAT(folder->parked_keys(), ::testing::ElementsAre("account/t"));
  EXPECT_THAT(DumpTable(Path(), "balance"), ::testing::ElementsAre("'a'|1|1", "'b'|1|1"));
}

// It is parked no more, and left out when it comes again.
TEST_F(EventFolderTest, WhatIsDroppedMayBeAmongWhatIsTakenBack) {
  ledger_.Debit("x", kPoison);
  const auto folder = Open();
  for (PullResult folded; !folded.caught_up;) folded = folder->FoldOn(8).value();
  RefuseRowsOf("t");
  ledger_.Credit("x", 1);
  ledger_.Credit("t", 1);
  for (int i = 0; i < 20; ++i) ledger_.Credit("a", 1);
  ASSERT_TRUE(folder->FoldOn(4).ok());
  ASSERT_TRUE(folder->holds());
  const auto parked = folder->ParkedEventsOf("account/x", 5);
  ASSERT_TRUE(parked.ok()) << parked.status();
  ASSERT_EQ(parked->size(), 2u);
  EXPECT_EQ(folder->Drop(NameOf(parked->back())), absl::OkStatus());
  for (PullResult folded; !folded.caught_up;) folded = folder->FoldOn(4).value();
  PartitionTally all;
  for (const PartitionTally& tally : folder->tallies()) {
    all.applied += tally.applied;
    all.parked += tally.parked;
    all.dropped += tally.dropped;
  }
  EXPECT_EQ(all.applied.count, 20u);
  EXPECT_EQ(all.parked.count, 2u);  // that of x, and that of t
  EXPECT_EQ(all.dropped.count, 1u);
}

// Partition by partition, what is folded again begins with those that have come meanwhile.
TEST_F(EventFolderTest, EventsThatComeMeanwhileMayFailAsWell) {
  type_.order = ProjectionOrder::kPerPartition;
  std::map<std::uint32_t, std::string> account_in;
  for (int i = 0; account_in.size() < Ledger::kPartitions; ++i) {
    const std::string account = absl::StrFormat("a%d", i);
    account_in.emplace(ledger_.Credit(account, 1).positions.at(0).partition.value(), account);
  }
  for (int i = 0; i < 30; ++i) ledger_.Credit(account_in[0], 1);
  for (int i = 0; i < 30; ++i) ledger_.Credit(account_in[1], 1);
  ledger_.Debit(account_in[1], kPoison);
  const auto folder = Open();
  const std::uint64_t all = EventsBefore(ledger_.store().DurableHead());
  while (EventsBefore(folder->position()) + 5 < all - 1) ASSERT_TRUE(folder->FoldOn(4).ok());
  ledger_.Debit(account_in[0], kPoison);
  ledger_.Credit(account_in[0], 1);
  for (PullResult folded; !folded.caught_up;) {
    const auto result = folder->FoldOn(40);
    ASSERT_TRUE(result.ok()) << result.status();
    folded = *result;
  }
  EXPECT_THAT(folder->parked_keys(),
              ::testing::UnorderedElementsAre("account/" + account_in[0], "account/" + account_in[1]));
  EXPECT_EQ(folder->checkpoint(), ledger_.store().DurableHead());
}

TEST_F(EventFolderTest, FoldsWhatIsReadAhead) {
  for (int i = 0; i < 700; ++i) ledger_.Credit(absl::StrFormat("a%d", i % 9), i);
  ledger_.Debit("a3", kPoison);
  for (int i = 0; i < 900; ++i) ledger_.Debit(absl::StrFormat("a%d", i % 9), 1);
  const auto folder = Open();
  folder->ReadAheadBy([strand = std::shared_ptr<Strand>(ledger_.executor().MakeStrand())](Task step) {
    strand->Post(std::move(step));
    return true;
  });
  for (PullResult folded; !folded.caught_up;) {
    bool ready = false;
    const auto has = folder->AwaitReadAhead(EventFolder::Audience::kNobody, [&ready] { ready = true; });
    ASSERT_TRUE(has.ok()) << has.status();
    ready = ready || *has;
    ASSERT_TRUE(ledger_.executor().RunUntil([&ready] { return ready; }));
    const auto result = folder->FoldAhead(EventFolder::Audience::kNobody, 150);
    ASSERT_TRUE(result.ok()) << result.status();
    folded = *result;
  }
  EXPECT_EQ(folder->checkpoint(), ledger_.store().DurableHead());
  EXPECT_THAT(folder->parked_keys(), ::testing::ElementsAre("account/a3"));
  std::vector<std::string> rows = ledger_.Fold(ledger_.store().DurableHead());
  rows[3] = "'a3'|27261|78";  // 3 + 12 + ... + 696, and nothing behind that
  EXPECT_EQ(DumpTable(Path(), "balance"), rows);
  // What is asked for directly goes on from there.
  ledger_.Credit("b", 1);
  ASSERT_TRUE(folder->FoldBatch(10).ok());
  EXPECT_EQ(folder->checkpoint(), ledger_.store().DurableHead());
}

}  // namespace
}  // namespace everfold

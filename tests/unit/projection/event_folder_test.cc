#include "everfold/projection/event_folder.h"

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
    const auto has = folder->HasReadAhead([&ready] { ready = true; });
    ASSERT_TRUE(has.ok()) << has.status();
    ready = ready || *has;
    ASSERT_TRUE(ledger_.executor().RunUntil([&ready] { return ready; }));
    const auto result = folder->FoldAhead(150);
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

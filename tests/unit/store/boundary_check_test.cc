#include "everfold/store/boundary_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "everfold/runtime/manual_executor.h"
#include "tests/contract/scratch_directory.h"
#include "tests/unit/store/index_checks.h"
#include "tests/unit/store/index_log.h"

namespace everfold {
namespace {

constexpr std::uint32_t kPartitions = 4;

// An event as an index is to know it.
struct Known {
  TaggedEvent at;
  std::string tenant;
  std::string type;
  std::vector<std::string> tags;
};

class BoundaryCheckTest : public ::testing::Test {
 protected:
  BoundaryCheckTest() {
    options_.files = &PosixFiles();
    options_.directory = (scratch_.path() / "index").string();
    options_.max_memory_bytes = 10'000;
    options_.tag_head_bytes = 4096;
    std::string began_anew;
    index_ = *StoreIndex::Open(options_, log_.identity(), *strand_, began_anew);
  }

  // Groups of several commits, now and then written to files.
  void Fill(int groups) {
    for (int group = 0; group < groups; ++group) {
      std::vector<IndexedCommit> commits;
      for (std::uint64_t count = 1 + random_.Below(6); count > 0; --count) {
        commits.push_back(RandomCommit(random_));
        log_.Append(commits.back());
        Know(commits.back());
      }
      AddGroup(log_, *index_);
      if (random_.Below(8) == 0) executor_.RunUntilIdle();
    }
  }

  void Know(const IndexedCommit& commit) {
    for (const IndexedEvents& stream : commit.streams) {
      for (const auto& tags : stream.tags) {
        known_.push_back({{log_.last_sequence(), {}, 0}, stream.stream.tenant, stream.type, tags});
      }
    }
  }

  QueryItem RandomItem() {
    QueryItem item;
    for (std::uint64_t count = random_.Below(4); count > 0; --count) {
      item.tags.push_back("t" + std::to_string(random_.Below(2) == 0 ? random_.Below(4) : random_.Below(400)));
    }
    const bool types = item.tags.empty() || random_.Below(2) == 0;
    if (types) item.types.push_back(random_.Below(2) == 0 ? "test.v1.Broken" : "test.v1.Filled");
    if (types && random_.Below(2) == 0) item.types.push_back("test.v1.None");
    return item;
  }
  EventQuery RandomQuery() {
    EventQuery query;
    for (std::uint64_t count = random_.Below(4); count > 0; --count) query.items.push_back(RandomItem());
    return query;
  }

  // Sequences of the events that match.
  std::set<Sequence> Matching(const std::string& tenant, const EventQuery& query, Sequence after) const {
    std::set<Sequence> matching;
    for (const Known& event : known_) {
      if (event.tenant == tenant && event.at.sequence > after && Matches(query, event.type, event.tags)) {
        matching.insert(event.at.sequence);
      }
    }
    return matching;
  }

  ScratchDirectory scratch_;
  ManualExecutor executor_;
  std::unique_ptr<Strand> strand_ = executor_.MakeStrand();
  SeededRandom random_{3};
  IndexLog log_{kPartitions};
  StoreIndexOptions options_;
  std::unique_ptr<StoreIndex> index_;
  std::vector<Known> known_;
};

TEST_F(BoundaryCheckTest, FindsWhatAScanOfAllEventsFinds) {
  int matched = 0;
  for (int round = 0; round < 40; ++round) {
    Fill(20);
    for (int i = 0; i < 100; ++i) {
      const std::string tenant = random_.Below(3) == 0 ? "t" : "";
      const EventQuery query = RandomQuery();
      const std::uint64_t back = random_.Below(random_.Below(2) == 0 ? 20 : log_.last_sequence().value());
      const Sequence after(log_.last_sequence().value() - back);
      const std::set<Sequence> expected = Matching(tenant, query, after);
      const auto match = FindMatch(*index_, tenant, query, after);
      ASSERT_EQ(match.status(), absl::OkStatus());
      ASSERT_EQ(match->has_value(), !expected.empty()) << "after " << after.value();
      if (match->has_value()) {
        ASSERT_TRUE(expected.contains((*match)->sequence));
      }
      matched += match->has_value() ? 1 : 0;
    }
  }
  EXPECT_GT(matched, 500);
  EXPECT_LT(matched, 3500);
}

TEST_F(BoundaryCheckTest, PiecesComeToWhatAScanOfAllEventsFinds) {
  Fill(400);
  int pieces = 0;
  int matched = 0;
  for (int i = 0; i < 200; ++i) {
    EventQuery query = RandomQuery();
    std::erase_if(query.items, [](const QueryItem& item) { return item.tags.empty(); });
    if (query.items.empty()) continue;
    const std::size_t max_entries = 1 + random_.Below(60);
    std::set<Sequence> found;
    Sequence after;
    while (after < log_.last_sequence()) {
      const auto piece = FindMatchesUpTo(*index_, "", query, after, log_.last_sequence(), max_entries);
      ASSERT_EQ(piece.status(), absl::OkStatus());
      ASSERT_GT(piece->upto, after) << "it did not get on";
      for (const TaggedEvent& event : piece->events) {
        ASSERT_TRUE(event.sequence > after && event.sequence <= piece->upto);
        found.insert(event.sequence);
      }
      after = piece->upto;
      ++pieces;
    }
    ASSERT_EQ(found, Matching("", query, Sequence()));
    matched += static_cast<int>(found.size());
  }
  EXPECT_GT(pieces, 1000);
  EXPECT_GT(matched, 1000);
}

TEST_F(BoundaryCheckTest, APieceEndsAlsoWhereNothingMatches) {
  const std::vector<std::vector<std::string>> hot(900, {"hot"});
  for (int i = 0; i < 3; ++i) {
    log_.Append({.command = {}, .streams = {{{"", "jar", "j1"}, hot}}});
    AddGroup(log_, *index_);
  }
  const EventQuery query{{{.types = {"test.v1.None"}, .tags = {"hot"}}}};
  for (std::uint64_t after = 0; after < 2; ++after) {
    const auto piece = FindMatchesUpTo(*index_, "", query, Sequence(after), Sequence(3), 10);
    ASSERT_EQ(piece.status(), absl::OkStatus());
    EXPECT_TRUE(piece->events.empty());
    EXPECT_EQ(piece->upto, Sequence(after + 1)) << "a commit is looked at as a whole, and no more than it";
  }
}

TEST_F(BoundaryCheckTest, WalksThroughManyEventsOfOneTag) {
  const std::vector<std::vector<std::string>> hot(900, {"hot"});
  for (int i = 0; i < 3; ++i) {
    log_.Append({.command = {}, .streams = {{{"", "jar", "j1"}, hot}}});
    AddGroup(log_, *index_);
  }
  log_.Append({.command = {}, .streams = {{{"", "jar", "j2"}, {{"cold"}, {"cold", "hot"}}}}});
  AddGroup(log_, *index_);
  log_.Append({.command = {}, .streams = {{{"", "jar", "j1"}, hot}}});
  AddGroup(log_, *index_);
  const auto find = [this](const QueryItem& item, std::uint64_t after) {
    return *FindMatch(*index_, "", {{item}}, Sequence(after));
  };
  ASSERT_TRUE(find({.types = {}, .tags = {"hot", "cold"}}, 0).has_value());
  EXPECT_EQ(find({.types = {}, .tags = {"hot", "cold"}}, 0)->sequence, Sequence(4));
  EXPECT_EQ(find({.types = {}, .tags = {"cold", "hot"}}, 3)->sequence, Sequence(4));
  EXPECT_EQ(find({.types = {}, .tags = {"hot", "cold"}}, 4), std::nullopt);
  EXPECT_EQ(find({.types = {"test.v1.None"}, .tags = {"hot"}}, 0), std::nullopt);
  EXPECT_TRUE(find({.types = {}, .tags = {"hot"}}, 4).has_value());
}

TEST_F(BoundaryCheckTest, ATagThatWasFoundToHaveNoNewEventIsNoticedWhenItHasOne) {
  Fill(200);
  executor_.RunUntilIdle();
  const EventQuery query{{{.types = {}, .tags = {"rare"}}}};
  const Sequence after = log_.last_sequence();
  EXPECT_EQ(*FindMatch(*index_, "", query, after), std::nullopt);
  EXPECT_EQ(*FindMatch(*index_, "", query, Sequence(after.value() + 100)), std::nullopt);
  log_.Append({.command = {}, .streams = {{{"", "jar", "j1"}, {{"rare"}}}}});
  AddGroup(log_, *index_);
  EXPECT_TRUE(FindMatch(*index_, "", query, after)->has_value());
}

}  // namespace
}  // namespace everfold

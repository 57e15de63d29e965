#include "everfold/projection/cached_rows.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "everfold/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

void Set(CachedRows& rows, CachedRow& row, const std::string& bytes, bool exists = true) {
  std::memcpy(rows.Set(row, bytes.size(), exists), bytes.data(), bytes.size());
}

std::vector<std::string> KeysOf(const std::vector<CachedRow*>& rows) {
  std::vector<std::string> keys;
  for (const CachedRow* const row : rows) keys.emplace_back(row->key());
  return keys;
}

TEST(CachedRowsTest, HoldsWhatAMapHolds) {
  SeededRandom random(1);
  CachedRows rows;
  std::map<std::string, std::string> model;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = absl::StrFormat("key%d", random.Below(3000));
    // Most of them small; some grow out of their room, and of any block.
    const std::string bytes = random.Bytes(random.Below(1000) == 0 ? (3 << 20) : random.Below(200));
    CachedRow* row = rows.Find(key);
    ASSERT_EQ(row != nullptr, model.contains(key)) << key;
    if (row == nullptr) row = &rows.Add(key, random.Below(2) == 0 ? bytes.size() : 0);
    Set(rows, *row, bytes);
    model[key] = bytes;
    if (i % 5000 != 4999) continue;
    for (const auto& [known, held] : model) {
      const CachedRow* const found = rows.Find(known);
      ASSERT_NE(found, nullptr) << known;
      ASSERT_EQ(found->key(), known);
      ASSERT_EQ(found->bytes(), held) << known;
    }
  }
}

TEST(CachedRowsTest, ChangedOnesComeOnceInTheOrderOfTheirKeys) {
  CachedRows rows;
  const std::vector<std::string> keys = {
      "b", "a", "longer than eight bytes 2", "longer than eight bytes 1", std::string("a\0", 2), "\xff", ""};
  for (const std::string& key : keys) {
    CachedRow& row = rows.Add(key, 10);
    rows.MarkChanged(row);
    rows.MarkChanged(row);
  }
  rows.Add("unchanged", 0);
  EXPECT_GT(rows.changed_bytes(), 0u);
  EXPECT_THAT(KeysOf(rows.TakeChanged()),
              ::testing::ElementsAre("", "a", std::string("a\0", 2), "b", "longer than eight bytes 1",
                                     "longer than eight bytes 2", "\xff"));
  EXPECT_EQ(rows.changed_bytes(), 0u);
  EXPECT_THAT(rows.TakeChanged(), ::testing::IsEmpty());
  rows.MarkChanged(*rows.Find("b"));
  EXPECT_THAT(KeysOf(rows.TakeChanged()), ::testing::ElementsAre("b"));
}

TEST(CachedRowsTest, RowThatDoesNotExistMayHaveBytes) {
  CachedRows rows;
  CachedRow& row = rows.Add("a", 0);
  EXPECT_FALSE(row.exists());
  Set(rows, row, "there");
  EXPECT_TRUE(row.exists());
  Set(rows, row, "gone", false);
  EXPECT_FALSE(row.exists());
  EXPECT_EQ(row.bytes(), "gone");
}

TEST(CachedRowsTest, CountsItsMemory) {
  CachedRows rows;
  EXPECT_EQ(rows.bytes(), 0u);
  for (int i = 0; i < 1000; ++i) Set(rows, rows.Add(absl::StrFormat("%04d", i), 100), std::string(100, 'x'));
  EXPECT_GT(rows.bytes(), 1000u * 104);
  EXPECT_LT(rows.bytes(), 1000u * 200);
  CachedRow& row = *rows.Find("0000");
  rows.MarkChanged(row);
  const std::size_t before = rows.changed_bytes();
  Set(rows, row, std::string(10'000, 'x'));
  EXPECT_GE(rows.changed_bytes(), before + 9'000);
  rows.Clear();
  EXPECT_EQ(rows.changed_bytes(), 0u);
  EXPECT_LT(rows.bytes(), 100'000u);
  EXPECT_EQ(rows.Find("0000"), nullptr);
}

// Many keys begin with the same bytes, and some are no more than those.
TEST(CachedRowsTest, TheOrderIsThatOfTheBytesWhateverTheyBeginWith) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SeededRandom random(seed);
    CachedRows rows;
    for (int round = 0; round < 3; ++round) {
      const std::string common = random.Bytes(random.Below(12));
      std::set<std::string> keys;
      for (std::uint64_t i = random.Below(30) + 1; i > 0; --i) {
        std::string key = common;
        for (std::uint64_t size = random.Below(11); size > 0; --size) key += "\0a\xff"[random.Below(3)];
        keys.insert(std::move(key));
      }
      std::vector<std::string> shuffled(keys.begin(), keys.end());
      std::shuffle(shuffled.begin(), shuffled.end(), std::mt19937_64(seed));
      for (const std::string& key : shuffled) {
        CachedRow* const known = rows.Find(key);
        rows.MarkChanged(known != nullptr ? *known : rows.Add(key, 0));
      }
      ASSERT_THAT(KeysOf(rows.TakeChanged()), ::testing::ElementsAreArray(keys)) << "seed " << seed;
      if (random.Below(3) == 0) rows.Clear();
    }
  }
}

}  // namespace
}  // namespace everfold

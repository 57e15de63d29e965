#include "everfold/projection/row_comparison.h"

#include <map>
#include <random>

#include "absl/strings/str_format.h"
#include "everfold/projection/read_model_sql.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/temporary_folder.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = RowDifference::Kind;

class RowComparisonTest : public ::testing::Test {
 protected:
  void Build(const std::string& path, const std::string& rows) {
    std::string sql = "PRAGMA journal_mode = WAL; CREATE TABLE everfold_meta (tables TEXT)";
    for (const ReadModelSchema* schema : schemas_) sql += ";" + CreateTableSql(*schema);
    Alter(path, sql + ";" + rows);
  }
  std::unique_ptr<RowComparison> Begin() {
    auto comparison = RowComparison::Begin(before_, after_, schemas_);
    EXPECT_TRUE(comparison.ok()) << comparison.status();
    return *std::move(comparison);
  }
  std::vector<TableDifference> Compare() {
    auto differences = Begin()->Run();
    EXPECT_TRUE(differences.ok()) << differences.status();
    return differences.value_or(std::vector<TableDifference>());
  }

  const ReadModelSchema line_ = {
      .message = "shop.v1.Line",
      .table = "line",
      .columns = {{"order", ColumnType::kText}, {"number", ColumnType::kInteger}, {"note", ColumnType::kText, true}},
      .key = {1, 0}};
  const ReadModelSchema counter_ = {
      .message = "shop.v1.Counter", .table = "counter", .columns = {{"id", ColumnType::kInteger}}, .key = {0}};
  const std::vector<const ReadModelSchema*> schemas_ = {&line_, &counter_};
  TemporaryFolder folder_;
  const std::string before_ = folder_.path() + "/it's 1.db";
  const std::string after_ = folder_.path() + "/2.db";
};

TEST_F(RowComparisonTest, NamesWhatDiffers) {
  Build(before_,
        "INSERT INTO line VALUES ('o1', 1, 'a'), ('o1', 2, NULL), ('o2', 1, 'gone'); INSERT INTO counter VALUES (5)");
  Build(after_,
        "INSERT INTO line VALUES ('o1', 1, 'a'), ('o1', 2, 'now'), ('o3', 7, 'new'); INSERT INTO counter VALUES (5)");
  const std::vector<TableDifference> differences = Compare();
  ASSERT_EQ(differences.size(), 2u);
  EXPECT_EQ(differences[0].table, "line");
  EXPECT_EQ(differences[0].rows, 3u);
  EXPECT_THAT(
      differences[0].examples,
      ElementsAre(RowDifference{.kind = Kind::kAdded, .key = "7, 'o3'"},
                  RowDifference{.kind = Kind::kRemoved, .key = "1, 'o2'"},
                  RowDifference{.kind = Kind::kChanged, .key = "2, 'o1'", .columns = {{"note", "NULL", "'now'"}}}));
  EXPECT_EQ(differences[0].added + 10 * differences[0].removed + 100 * differences[0].changed, 111u);
  EXPECT_TRUE(differences[1].empty());
  EXPECT_EQ(differences[1].rows, 1u);
}

TEST_F(RowComparisonTest, IsOfTheMomentWhenItBegan) {
  Build(before_, "INSERT INTO line VALUES ('o1', 1, 'a')");
  Build(after_, "INSERT INTO line VALUES ('o1', 1, 'a')");
  const auto comparison = Begin();
  Alter(before_, "UPDATE line SET note = 'other'");
  Alter(after_, "DELETE FROM line");
  const auto differences = comparison->Run();
  ASSERT_TRUE(differences.ok()) << differences.status();
  EXPECT_TRUE((*differences)[0].empty());
  EXPECT_EQ(Compare()[0].removed, 1u);
}

TEST_F(RowComparisonTest, LongValuesAndManyRowsAreCut) {
  Build(before_, "");
  Build(after_,
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "INSERT INTO line SELECT printf('%s', hex(zeroblob(50))), i, NULL FROM n");
  const TableDifference line = Compare()[0];
  EXPECT_EQ(line.added, 1000u);
  EXPECT_EQ(line.examples.size(), 10u);
  EXPECT_EQ(line.examples[0].key, "1, '" + std::string(59, '0') + "...");
}

// Against a comparison in memory.
TEST_F(RowComparisonTest, FindsAllOfRandomDifferences) {
  std::mt19937 random(7);
  std::map<int, int> before, after;
  for (int i = 0; i < 2000; ++i) {
    if (random() % 3 != 0) before[i] = static_cast<int>(random() % 3);
    if (random() % 3 != 0) after[i] = static_cast<int>(random() % 3);
  }
  const auto insert = [](const std::map<int, int>& rows) {
    std::string sql;
    for (const auto& [key, value] : rows)
      sql += absl::StrFormat("INSERT INTO line VALUES ('o', %d, 'v%d');", key, value);
    return "BEGIN;" + sql + "COMMIT";
  };
  Build(before_, insert(before));
  Build(after_, insert(after));
  std::uint64_t added = 0, removed = 0, changed = 0;
  for (const auto& [key, value] : after) {
    const auto old = before.find(key);
    added += old == before.end();
    changed += old != before.end() && old->second != value;
  }
  for (const auto& [key, value] : before) removed += !after.contains(key);
  const TableDifference line = Compare()[0];
  EXPECT_EQ(line.added, added);
  EXPECT_EQ(line.removed, removed);
  EXPECT_EQ(line.changed, changed);
  EXPECT_EQ(line.rows, after.size());
}

}  // namespace
}  // namespace everfold

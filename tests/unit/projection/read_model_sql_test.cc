#include "everfold/projection/read_model_sql.h"

#include "everfold/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace everfold {
namespace {

ReadModelSchema Line() {
  return {.message = "shop.v1.Line",
          .table = "line",
          .columns = {{"order", ColumnType::kText},
                      {"number", ColumnType::kInteger},
                      {"note", ColumnType::kText, true},
                      {"weight", ColumnType::kReal},
                      {"photo", ColumnType::kBlob}},
          .key = {1, 0}};
}

ReadModelSchema Counter() {
  return {.message = "shop.v1.Counter", .table = "counter", .columns = {{"id", ColumnType::kInteger}}, .key = {0}};
}

std::string Refusal(const std::vector<const ReadModelSchema*>& schemas) {
  const absl::Status status = ValidateSchemas(schemas);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), reason::kRequestInvalid);
  return std::string(status.message());
}

TEST(ReadModelSql, SpellsTheTable) {
  EXPECT_EQ(CreateTableSql(Line()),
            "CREATE TABLE \"line\" (\"order\" TEXT NOT NULL, \"number\" INTEGER NOT NULL, \"note\" TEXT, "
            "\"weight\" REAL NOT NULL, \"photo\" BLOB NOT NULL, PRIMARY KEY (\"number\", \"order\")) "
            "STRICT, WITHOUT ROWID");
}

TEST(ReadModelSql, SpellsTheIndexes) {
  ReadModelSchema line = Line();
  line.indexes = {{.columns = {2, 1}, .unique = false}, {.columns = {3}, .unique = true}};
  EXPECT_THAT(CreateIndexesSql(line),
              testing::ElementsAre("CREATE INDEX \"line.note.number\" ON \"line\" (\"note\", \"number\")",
                                   "CREATE UNIQUE INDEX \"line.weight\" ON \"line\" (\"weight\")"));
  EXPECT_EQ(CreateTableSql(line), CreateBareTableSql(line) + ";\n" + CreateIndexesSql(line)[0]);
  EXPECT_EQ(CreateBareTableSql(line), CreateTableSql(Line()) + ";\n" + CreateIndexesSql(line)[1]) << "the rule";
}

TEST(ReadModelSql, RefusesAnIndexThatIsNone) {
  ReadModelSchema schema = Line();
  schema.indexes = {{.columns = {5}, .unique = false}};
  EXPECT_EQ(Refusal({&schema}), "read model shop.v1.Line has an index of column 5 of 5");
  schema.indexes = {{.columns = {}, .unique = false}};
  EXPECT_EQ(Refusal({&schema}), "read model shop.v1.Line has an index without columns");
}

TEST(ReadModelSql, SingleIntegerKeyIsTheRowid) {
  EXPECT_EQ(CreateTableSql(Counter()),
            "CREATE TABLE \"counter\" (\"id\" INTEGER NOT NULL, PRIMARY KEY (\"id\")) STRICT");
}

TEST(ReadModelSql, SpellsTheStatements) {
  const std::string select = "SELECT \"order\", \"number\", \"note\", \"weight\", \"photo\" FROM \"line\"";
  EXPECT_EQ(GetSql(Line()), select + " WHERE (\"number\", \"order\") = (?, ?)");
  EXPECT_EQ(ScanSql(Line()), select + " ORDER BY \"number\", \"order\"");
  EXPECT_EQ(SelectWhereSql(Line(), "note = ?"), select + " WHERE (note = ?\n) ORDER BY \"number\", \"order\"");
  EXPECT_EQ(RemoveSql(Line()), "DELETE FROM \"line\" WHERE (\"number\", \"order\") = (?, ?)");
  EXPECT_EQ(UpsertSql(Line()),
            "INSERT INTO \"line\" (\"order\", \"number\", \"note\", \"weight\", \"photo\") VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT (\"number\", \"order\") DO UPDATE SET \"note\" = excluded.\"note\", "
            "\"weight\" = excluded.\"weight\", \"photo\" = excluded.\"photo\"");
}

TEST(ReadModelSql, UpsertOfARowThatIsOnlyItsKeyChangesNothing) {
  EXPECT_EQ(UpsertSql(Counter()), "INSERT INTO \"counter\" (\"id\") VALUES (?) ON CONFLICT (\"id\") DO NOTHING");
}

TEST(ReadModelSql, AcceptsWhatCodegenMakes) {
  const ReadModelSchema line = Line();
  const ReadModelSchema counter = Counter();
  EXPECT_TRUE(ValidateSchemas({&line, &counter}).ok());
}

TEST(ReadModelSql, RefusesTwoReadModelsInOneTable) {
  const ReadModelSchema line = Line();
  ReadModelSchema other = Line();
  other.message = "stock.v1.Line";
  EXPECT_EQ(Refusal({&line, &other}), "two read models of one projection have the table \"line\"");
}

TEST(ReadModelSql, RefusesNamesOfTheFramework) {
  ReadModelSchema meta = Line();
  meta.table = "everfold_meta";
  EXPECT_EQ(Refusal({&meta}),
            "read model shop.v1.Line (table \"everfold_meta\") has a name of the framework's own; choose another one "
            "for the message");
  meta.table = "sqlite_stat1";
  EXPECT_EQ(Refusal({&meta}),
            "read model shop.v1.Line (table \"sqlite_stat1\") has a name of the framework's own; choose another one "
            "for the message");
}

TEST(ReadModelSql, RefusesAKeyThatIsNone) {
  ReadModelSchema schema = Line();
  schema.key = {};
  EXPECT_EQ(Refusal({&schema}), "read model shop.v1.Line (table \"line\") has no key");
  schema.key = {5};
  EXPECT_EQ(Refusal({&schema}), "read model shop.v1.Line (table \"line\") has a key that is none of its columns");
  schema.key = {2};
  EXPECT_EQ(Refusal({&schema}),
            "read model shop.v1.Line (table \"line\") has a key that may be missing; drop `optional` from its field");
}

}  // namespace
}  // namespace everfold

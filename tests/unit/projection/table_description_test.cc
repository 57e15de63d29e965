#include "everfold/projection/table_description.h"

#include <google/protobuf/descriptor.pb.h>

#include "everfold/base/error.h"
#include "everfold/projection/read_model_sql.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/dump.h"
#include "tests/unit/projection/temporary_folder.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

ReadModelSchema Line() {
  return {
      .message = "shop.v1.Line",
      .table = "line",
      .columns = {{"order", ColumnType::kText}, {"number", ColumnType::kInteger}, {"note", ColumnType::kText, true}},
      .key = {1, 0}};
}

ReadModelSchema Counter() {
  return {.message = "shop.v1.Counter", .table = "counter", .columns = {{"id", ColumnType::kInteger}}, .key = {0}};
}

Column Json(const std::string& name, const std::string& shape) {
  Column column{name, ColumnType::kText};
  column.meaning = ColumnMeaning::kJson;
  column.shape = shape;
  return column;
}

// A file that was built with `before`, read with `after`.
class TableDescriptionTest : public ::testing::Test {
 protected:
  void Build(const std::vector<const ReadModelSchema*>& before, const std::string& rows) {
    std::string sql = "PRAGMA journal_mode = WAL; CREATE TABLE everfold_meta (tables TEXT)";
    for (const ReadModelSchema* schema : before) sql += ";" + CreateTableSql(*schema);
    Alter(path_, sql + ";" + rows);
    Alter(path_, "INSERT INTO everfold_meta VALUES ('" + DescribeTables(before) + "')");
  }
  absl::StatusOr<std::vector<std::string>> Read(const std::vector<const ReadModelSchema*>& after,
                                                const std::string& select) {
    EVERFOLD_ASSIGN_OR_RETURN(const auto database, sqlite::Database::Open(path_, sqlite::Access::kReadOnly));
    EVERFOLD_RETURN_IF_ERROR(ShowAsOf(after, *database));
    EVERFOLD_ASSIGN_OR_RETURN(const auto statement, database->Prepare(select, sqlite::Permit::kRead));
    std::vector<std::string> rows;
    while (true) {
      EVERFOLD_ASSIGN_OR_RETURN(const bool found, statement->Step());
      if (!found) return rows;
      rows.emplace_back(statement->Text(0));
    }
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/1.db";
};

TEST(DescribeTables, SaysWhatRowsDependOn) {
  ReadModelSchema line = Line();
  line.columns.push_back(Json("parts", "0011"));
  line.columns.push_back({"at", ColumnType::kText, true, ColumnMeaning::kTimestamp});
  line.indexes = {{.columns = {2}, .unique = false}, {.columns = {2, 0}, .unique = true}};
  const ReadModelSchema counter = Counter();
  const std::string description =
      "table \"counter\" key \"id\"\ncolumn \"id\" INTEGER NOT NULL\n"
      "table \"line\" key \"number\", \"order\"\ncolumn \"order\" TEXT NOT NULL\ncolumn \"number\" INTEGER NOT NULL\n"
      "column \"note\" TEXT\ncolumn \"parts\" TEXT NOT NULL json 0011\ncolumn \"at\" TEXT time\n"
      "unique \"note\", \"order\"\n";
  EXPECT_EQ(DescribeTables({&line, &counter}), description);
  EXPECT_EQ(DescribeTables({&counter, &line}), description);
}

TEST(ViewsOfAdded, NoneWhereNothingWasAdded) {
  const ReadModelSchema line = Line();
  ReadModelSchema shorter = Line();
  shorter.columns.pop_back();
  ReadModelSchema indexed = Line();
  indexed.indexes = {{.columns = {2}, .unique = true}};
  EXPECT_THAT(ViewsOfAdded(DescribeTables({&line}), {&line}).value(), IsEmpty());
  EXPECT_THAT(ViewsOfAdded(DescribeTables({&line}), {&shorter}).value(), IsEmpty());
  EXPECT_THAT(ViewsOfAdded(DescribeTables({&line}), {&indexed}).value(), IsEmpty());
}

TEST(ViewsOfAdded, OtherColumnsOrKeysCannotBeRead) {
  const ReadModelSchema line = Line();
  ReadModelSchema type = Line();
  type.columns[2].type = ColumnType::kInteger;
  ReadModelSchema nullable = Line();
  nullable.columns[2].nullable = false;
  ReadModelSchema time = Line();
  time.columns[2].meaning = ColumnMeaning::kTimestamp;
  ReadModelSchema shape = Line();
  shape.columns[2].shape = "0011";
  ReadModelSchema key = Line();
  key.key = {0, 1};
  for (const ReadModelSchema* other : {&type, &nullable, &time, &shape, &key}) {
    EXPECT_EQ(ViewsOfAdded(DescribeTables({&line}), {other}), std::nullopt);
  }
}

TEST_F(TableDescriptionTest, AddedColumnsAreAsNobodyHasSetThem) {
  const ReadModelSchema before = Line();
  Build({&before}, "INSERT INTO line VALUES ('o1', 1, 'first'), ('o1', 2, NULL)");
  ReadModelSchema after = Line();
  Column kind{"kind", ColumnType::kText, false, ColumnMeaning::kEnum};
  kind.enumeration = google::protobuf::GetEnumDescriptor<google::protobuf::FieldOptions::CType>();
  after.columns.insert(after.columns.begin() + 1, {"count", ColumnType::kInteger});
  after.columns.insert(after.columns.end(), {kind,
                                             {"weight", ColumnType::kReal},
                                             {"owner", ColumnType::kText},
                                             {"photo", ColumnType::kBlob},
                                             {"maybe", ColumnType::kText, true},
                                             Json("parts", "0011")});
  after.key = {2, 0};
  const auto rows =
      Read({&after},
           "SELECT \"order\" || number || quote(note) || count || kind || weight || quote(owner) || "
           "quote(photo) || quote(maybe) || parts FROM line WHERE count = 0 AND weight < 1 ORDER BY number");
  ASSERT_TRUE(rows.ok()) << rows.status();
  EXPECT_THAT(*rows, ElementsAre("o11'first'0STRING0.0''X''NULLnull", "o12NULL0STRING0.0''X''NULLnull"));
  EXPECT_THAT(Select(path_, "SELECT count(*) FROM pragma_table_info('line')"), ElementsAre("3"));  // it is unchanged
}

// Rows hold names: one that is another by now would be read as damage.
TEST_F(TableDescriptionTest, ValuesOfAnEnumMayBeAddedAndNotRenamed) {
  google::protobuf::FileDescriptorProto file;
  file.set_name("kinds.proto");
  const auto add = [&file](const std::string& name, const std::vector<std::string>& values) {
    google::protobuf::EnumDescriptorProto& added = *file.add_enum_type();
    added.set_name(name);
    for (const std::string& value : values) {
      google::protobuf::EnumValueDescriptorProto& one = *added.add_value();
      one.set_name(value);
      one.set_number(added.value_size() - 1);
    }
  };
  file.set_package("of_before");
  add("Kind", {"NONE", "RED"});
  google::protobuf::DescriptorPool pool;
  const auto* const before_file = pool.BuildFile(file);
  file.Clear();
  file.set_name("more.proto");
  file.set_package("more");
  add("Kind", {"NONE", "RED", "BLUE"});
  const auto* const more_file = pool.BuildFile(file);
  file.Clear();
  file.set_name("renamed.proto");
  file.set_package("renamed");
  add("Kind", {"NONE", "CRIMSON"});
  const auto* const renamed_file = pool.BuildFile(file);
  const auto with = [](const google::protobuf::FileDescriptor* kinds) {
    ReadModelSchema line = Line();
    line.columns[2].nullable = false;
    line.columns[2].meaning = ColumnMeaning::kEnum;
    line.columns[2].enumeration = kinds->enum_type(0);
    return line;
  };
  const ReadModelSchema before = with(before_file), more = with(more_file), renamed = with(renamed_file);
  EXPECT_NE(DescribeTables({&before}), DescribeTables({&more}));
  EXPECT_THAT(ViewsOfAdded(DescribeTables({&before}), {&more}).value(), IsEmpty());
  EXPECT_EQ(ViewsOfAdded(DescribeTables({&before}), {&renamed}), std::nullopt);
  EXPECT_EQ(ViewsOfAdded(DescribeTables({&more}), {&before}), std::nullopt);
}

TEST_F(TableDescriptionTest, AddedTableIsEmpty) {
  const ReadModelSchema line = Line();
  const ReadModelSchema counter = Counter();
  Build({&line}, "INSERT INTO line VALUES ('o1', 1, 'first')");
  EXPECT_THAT(Read({&line, &counter}, "SELECT id FROM counter").value(), IsEmpty());
  EXPECT_THAT(Read({&line, &counter}, "SELECT note FROM line").value(), ElementsAre("first"));
}

TEST_F(TableDescriptionTest, OtherTablesAreRefused) {
  const ReadModelSchema line = Line();
  ReadModelSchema other = Line();
  other.columns[2].type = ColumnType::kInteger;
  Build({&line}, "");
  EXPECT_EQ(ReasonOf(Read({&other}, "SELECT 1").status()), reason::kReadModelFailed);
}

}  // namespace
}  // namespace everfold

// Typed tables on SQLite: what a handler does to rows, and what is read back.
#include "everfold/projection/tables.h"

#include <limits>

#include "everfold/base/error.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/projection/sqlite_row_store.h"
#include "gmock/gmock.h"
#include "google/protobuf/type.pb.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/columns_as_bytes.h"
#include "tests/unit/projection/temporary_folder.h"

namespace everfold {

// One column of each type and presence.
struct Sample {
  std::string id;
  std::int64_t number = 0;
  double share = 0;
  std::string bytes = {};
  std::optional<std::int64_t> maybe_number = {};
  std::optional<std::string> maybe_text = {};
  friend bool operator==(const Sample&, const Sample&) = default;
};

// A key of two columns, and nothing else.
struct Pair {
  std::int64_t left = 0;
  std::string right;
  friend bool operator==(const Pair&, const Pair&) = default;
};

template <>
struct ReadModelTraits<Sample> {
  struct Key {
    Key(std::string id) : id(std::move(id)) {}
    Key(const char* id) : id(id) {}
    std::string id;
  };
  static const ReadModelSchema& Schema() {
    static const ReadModelSchema schema{.message = "test.v1.Sample",
                                        .table = "order",  // a word of SQL
                                        .columns = {{"id", ColumnType::kText},
                                                    {"select", ColumnType::kInteger},
                                                    {"a\"b", ColumnType::kReal},
                                                    {"bytes", ColumnType::kBlob},
                                                    {"maybe_number", ColumnType::kInteger, true},
                                                    {"maybe_text", ColumnType::kText, true}},
                                        .key = {0}};
    return schema;
  }
  static void BindKey(const Key& key, ColumnWriter& out) { out.Text(0, key.id); }
  static void Bind(const Sample& row, ColumnWriter& out) {
    out.Text(0, row.id);
    out.Integer(1, row.number);
    out.Real(2, row.share);
    out.Blob(3, std::string(row.bytes));  // gone before the statement runs
    row.maybe_number.has_value() ? out.Integer(4, *row.maybe_number) : out.Null(4);
    row.maybe_text.has_value() ? out.Text(5, *row.maybe_text) : out.Null(5);
  }
  static void Read(const ColumnReader& in, Sample& row) {
    row = {.id = std::string(in.Text(0)),
           .number = in.Integer(1),
           .share = in.Real(2),
           .bytes = std::string(in.Blob(3)),
           .maybe_number = std::nullopt,
           .maybe_text = std::nullopt};
    if (!in.IsNull(4)) row.maybe_number = in.Integer(4);
    if (!in.IsNull(5)) row.maybe_text = std::string(in.Text(5));
  }
  static Key KeyOf(const Sample& row) { return {row.id}; }
  static void SetKey(const Key& key, Sample& row) { row.id = key.id; }
};

template <>
struct ReadModelTraits<Pair> {
  struct Key {
    std::int64_t left;
    std::string right;
  };
  static const ReadModelSchema& Schema() {
    static const ReadModelSchema schema{.message = "test.v1.Pair",
                                        .table = "pair",
                                        .columns = {{"right", ColumnType::kText}, {"left", ColumnType::kInteger}},
                                        .key = {1, 0}};
    return schema;
  }
  static void BindKey(const Key& key, ColumnWriter& out) {
    out.Integer(0, key.left);
    out.Text(1, key.right);
  }
  static void Bind(const Pair& row, ColumnWriter& out) {
    out.Text(0, row.right);
    out.Integer(1, row.left);
  }
  static void Read(const ColumnReader& in, Pair& row) {
    row = {.left = in.Integer(1), .right = std::string(in.Text(0))};
  }
  static Key KeyOf(const Pair& row) { return {row.left, row.right}; }
  static void SetKey(const Key& key, Pair& row) { row = {.left = key.left, .right = key.right}; }
};

template <>
struct internal::RowBytes<Sample> : ColumnsAsBytes<Sample> {};
template <>
struct internal::RowBytes<Pair> : ColumnsAsBytes<Pair> {};

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TablesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = sqlite::Database::Open(folder_.path() + "/tables.db", sqlite::Access::kReadWrite);
    ASSERT_TRUE(opened.ok()) << opened.status();
    database_ = *std::move(opened);
    for (const ReadModelSchema* schema : schemas_) {
      const absl::Status created = database_->Execute(CreateTableSql(*schema));
      ASSERT_TRUE(created.ok()) << created;
    }
    auto rows = SqliteRowStore::Prepare(*database_, schemas_);
    ASSERT_TRUE(rows.ok()) << rows.status();
    rows_ = *std::move(rows);
  }

  Table<Sample> Samples() { return Tables<Sample, Pair>(*rows_).Of<Sample>(); }
  Tables<Sample, Pair> Rows() { return Tables<Sample, Pair>(*rows_); }
  Table<Pair> Pairs() { return Tables<Sample, Pair>(*rows_).Of<Pair>(); }

  std::vector<std::string> Ids() {
    std::vector<std::string> ids;
    Samples().Scan([&ids](const Sample& row) { ids.push_back(row.id); });
    return ids;
  }
  void ExpectRoundTrip(const Sample& row) {
    Samples().Upsert(row);
    EXPECT_EQ(Samples().Get(row.id), row);
    EXPECT_TRUE(rows_->status().ok()) << rows_->status();
  }

  const std::vector<const ReadModelSchema*> schemas_ = {&ReadModelTraits<Sample>::Schema(),
                                                        &ReadModelTraits<Pair>::Schema()};
  TemporaryFolder folder_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<SqliteRowStore> rows_;
};

TEST_F(TablesTest, GetFindsNothingInAnEmptyTable) {
  EXPECT_EQ(Samples().Get("a"), std::nullopt);
  EXPECT_TRUE(rows_->status().ok());
}

TEST_F(TablesTest, UpsertInsertsAndReplaces) {
  Samples().Upsert({.id = "a", .number = 1, .share = 0.5, .bytes = "x", .maybe_number = 7, .maybe_text = "t"});
  const Sample replaced{.id = "a", .number = 2, .share = 1.5, .bytes = "y", .maybe_number = {}, .maybe_text = {}};
  ExpectRoundTrip(replaced);
  EXPECT_THAT(Ids(), ElementsAre("a"));
}

TEST_F(TablesTest, EditBeginsWithARowThatHasOnlyItsKey) {
  Samples().Edit("a", [](Sample& row) {
    EXPECT_EQ(row.id, "a");
    EXPECT_EQ(row.number, 0);
    row.number = 5;
  });
  Samples().Edit("a", [](Sample& row) { row.number += 2; });
  ASSERT_TRUE(Samples().Get("a").has_value());
  EXPECT_EQ(Samples().Get("a")->number, 7);
}

TEST_F(TablesTest, RemoveTakesTheRowAndIsIdempotent) {
  Samples().Upsert({.id = "a"});
  Samples().Upsert({.id = "b"});
  Samples().Remove("a");
  Samples().Remove("a");
  EXPECT_THAT(Ids(), ElementsAre("b"));
  EXPECT_TRUE(rows_->status().ok());
}

TEST_F(TablesTest, ScanGoesInTheOrderOfTheKeysBytes) {
  for (const char* id : {"b", "a", "B", "aa", "\xC3\xA4", ""}) Samples().Upsert({.id = id});
  EXPECT_THAT(Ids(), ElementsAre("", "B", "a", "aa", "b", "\xC3\xA4"));
}

TEST_F(TablesTest, KeyOfTwoColumnsIsFoundInItsOwnOrder) {
  for (const Pair& pair : {Pair{2, "a"}, Pair{-1, "b"}, Pair{2, "B"}, Pair{-1, "a"}}) Pairs().Upsert(pair);
  Pairs().Upsert({2, "a"});  // again: nothing to change
  std::vector<Pair> pairs;
  Pairs().Scan([&pairs](const Pair& pair) { pairs.push_back(pair); });
  EXPECT_THAT(pairs, ElementsAre(Pair{-1, "a"}, Pair{-1, "b"}, Pair{2, "B"}, Pair{2, "a"}));
  EXPECT_EQ(Pairs().Get({2, "B"}), (Pair{2, "B"}));
  EXPECT_EQ(Pairs().Get({3, "B"}), std::nullopt);
}

TEST_F(TablesTest, ExtremeNumbersComeBack) {
  ExpectRoundTrip({.id = "least", .number = std::numeric_limits<std::int64_t>::min(), .maybe_number = -1});
  ExpectRoundTrip({.id = "greatest", .number = std::numeric_limits<std::int64_t>::max(), .maybe_number = 0});
  ExpectRoundTrip({.id = "infinite", .share = -std::numeric_limits<double>::infinity()});
  ExpectRoundTrip({.id = "tiny", .share = std::numeric_limits<double>::denorm_min()});
  ExpectRoundTrip({.id = "huge", .share = std::numeric_limits<double>::max()});
  ExpectRoundTrip({.id = "exact", .share = 0.1 + 0.2});
}

TEST_F(TablesTest, AbsentAndEmptyAreNotTheSame) {
  ExpectRoundTrip({.id = "absent", .maybe_number = {}, .maybe_text = {}});
  ExpectRoundTrip({.id = "empty", .maybe_number = 0, .maybe_text = ""});
}

TEST_F(TablesTest, AnyTextAndAnyBytesComeBack) {
  const std::string all_bytes = [] {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
  }();
  using std::string_literals::operator""s;
  ExpectRoundTrip({.id = "nul", .bytes = "a\0b"s, .maybe_text = "a\0b\0"s});
  ExpectRoundTrip({.id = "all", .bytes = all_bytes});
  ExpectRoundTrip({.id = "key\0with nul"s});
  ExpectRoundTrip({.id = "'; DROP TABLE \"order\"; --", .bytes = "x'00'", .maybe_text = "\"?1 '' \\ % _ "});
  ExpectRoundTrip({.id = "long", .bytes = std::string(1 << 20, '\xff'), .maybe_text = std::string(1 << 20, 'y')});
  ExpectRoundTrip({.id = "\xF0\x9F\x92\xB6 Z\xC3\xBCrich"});
  EXPECT_EQ(Ids().size(), 6u);
}

TEST_F(TablesTest, ErrorIsStickyUntilTheNextTransaction) {
  Samples().Upsert({.id = "a", .share = std::numeric_limits<double>::quiet_NaN()});
  EXPECT_EQ(rows_->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(rows_->status().message(), "value 2 of the row is NaN, which SQLite cannot store");

  Samples().Upsert({.id = "b"});
  EXPECT_EQ(Samples().Get("b"), std::nullopt);
  EXPECT_THAT(Ids(), IsEmpty());
  EXPECT_EQ(rows_->status().message(), "value 2 of the row is NaN, which SQLite cannot store");

  rows_->BeginTransaction();
  EXPECT_TRUE(rows_->status().ok());
  EXPECT_THAT(Ids(), IsEmpty());
  Samples().Upsert({.id = "c"});
  EXPECT_THAT(Ids(), ElementsAre("c"));
}

TEST_F(TablesTest, BrokenConstraintIsKept) {
  ASSERT_TRUE(database_
                  ->Execute("CREATE TRIGGER refuse BEFORE INSERT ON \"order\" WHEN NEW.\"select\" < 0 "
                            "BEGIN SELECT RAISE(ABORT, 'negative'); END")
                  .ok());
  Samples().Upsert({.id = "a", .number = -1});
  EXPECT_EQ(rows_->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(rows_->status()), reason::kReadModelFailed);
  EXPECT_THAT(std::string(rows_->status().message()), HasSubstr("negative"));
}

TEST_F(TablesTest, ChangeInsideAScanIsRefused) {
  Samples().Upsert({.id = "a"});
  Samples().Upsert({.id = "b"});
  int visited = 0;
  Samples().Scan([&](const Sample& row) {
    ++visited;
    Samples().Remove(row.id);
  });
  EXPECT_EQ(visited, 1);
  EXPECT_EQ(rows_->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(rows_->status().message(), "table \"order\" was changed or scanned inside a scan of it");
  rows_->BeginTransaction();
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
}

TEST_F(TablesTest, OtherTablesMayChangeInsideAScan) {
  Samples().Upsert({.id = "a", .number = 1});
  Samples().Upsert({.id = "b", .number = 2});
  Samples().Scan([&](const Sample& row) {
    EXPECT_EQ(Samples().Get("b")->number, 2);
    Pairs().Upsert({row.number, row.id});
  });
  EXPECT_TRUE(rows_->status().ok()) << rows_->status();
  EXPECT_EQ(Pairs().Get({2, "b"}), (Pair{2, "b"}));
}

TEST_F(TablesTest, ExceptionInAScanLeavesTheTableUsable) {
  Samples().Upsert({.id = "a"});
  EXPECT_THROW(Samples().Scan([](const Sample&) { throw std::runtime_error("no"); }), std::runtime_error);
  Samples().Upsert({.id = "b"});
  EXPECT_THAT(Ids(), ElementsAre("a", "b"));
}

TEST_F(TablesTest, WhereFindsTheRowsOfAConditionInTheOrderOfTheKey) {
  for (const char* id : {"d", "b", "a", "c"}) Samples().Upsert({.id = id, .number = *id - 'a'});
  const auto rows = Samples().Where("\"select\" > ? AND id <> ?", 0, "c");
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0], (Sample{.id = "b", .number = 1}));
  EXPECT_EQ(rows[1], (Sample{.id = "d", .number = 3}));
  EXPECT_TRUE(rows_->status().ok()) << rows_->status();
}

TEST_F(TablesTest, WhereSeesWhatTheTransactionChanged) {
  ASSERT_TRUE(database_->Execute("BEGIN").ok());
  Samples().Upsert({.id = "a", .number = 7});
  EXPECT_EQ(Samples().Where("\"select\" = ?", 7).size(), 1u);
  Samples().Upsert({.id = "a", .number = 8});
  EXPECT_EQ(Samples().Where("\"select\" = ?", 7).size(), 0u);
  ASSERT_TRUE(database_->Execute("ROLLBACK").ok());
  EXPECT_EQ(Samples().Where("\"select\" = ?", 8).size(), 0u);
}

TEST_F(TablesTest, RowsOfWhereMayBeChangedMeanwhile) {
  for (const char* id : {"a", "b", "c"}) Samples().Upsert({.id = id});
  for (const Sample& row : Samples().Where("TRUE")) {
    Samples().Remove(row.id);
    Samples().Upsert({.id = row.id + row.id});
  }
  EXPECT_THAT(Ids(), ElementsAre("aa", "bb", "cc"));
  EXPECT_TRUE(rows_->status().ok()) << rows_->status();
}

TEST_F(TablesTest, ValuesAreNeverSql) {
  const std::string hostile = "x' OR '1' = '1'; DROP TABLE \"order\"; --";
  Samples().Upsert({.id = "a"});
  Samples().Upsert({.id = hostile});
  EXPECT_EQ(Samples().Where("id = ?", hostile).size(), 1u);
  Rows().Execute("DELETE FROM \"order\" WHERE id = ?", hostile);
  EXPECT_THAT(Ids(), ElementsAre("a"));
  EXPECT_TRUE(rows_->status().ok()) << rows_->status();
}

TEST_F(TablesTest, EachTypeIsBoundAsItsColumnHoldsIt) {
  google::protobuf::Timestamp time;
  time.set_seconds(1);
  std::vector<std::string> types;
  Rows().Query(
      "SELECT typeof(?), typeof(?), typeof(?), typeof(?), typeof(?), typeof(?), ?, ?",
      [&types](const ColumnReader& in) {
        for (int i = 0; i < 8; ++i) types.emplace_back(in.Text(i));
      },
      true, 7u, 0.5f, "text", SqlBlob{"\xff"}, std::nullopt, google::protobuf::Field::TYPE_BOOL,
      std::optional<google::protobuf::Timestamp>(time));
  EXPECT_THAT(types, ElementsAre("integer", "integer", "real", "text", "blob", "null", "TYPE_BOOL",
                                 "1970-01-01T00:00:01.000000000Z"));
  EXPECT_TRUE(rows_->status().ok()) << rows_->status();
}

TEST_F(TablesTest, SqlChangesRowsOfSeveralTables) {
  Samples().Upsert({.id = "a", .number = 1});
  Rows().Execute("UPDATE \"order\" SET \"select\" = \"select\" + ?", 41);
  Rows().Execute("INSERT INTO pair (\"right\", \"left\") SELECT id, \"select\" FROM \"order\"");
  EXPECT_EQ(Pairs().Get({42, "a"}), (Pair{42, "a"}));
  EXPECT_TRUE(rows_->status().ok()) << rows_->status();
}

TEST_F(TablesTest, SqlMayNotDoMoreThanRows) {
  ASSERT_TRUE(database_->Execute("CREATE TABLE everfold_meta (format_version INTEGER) STRICT").ok());
  const auto refused = [this](SqlText sql) {
    rows_->BeginTransaction();
    Rows().Execute(sql);
    EXPECT_EQ(rows_->status().code(), absl::StatusCode::kInvalidArgument) << sql.text();
    EXPECT_EQ(ReasonOf(rows_->status()), reason::kRequestInvalid);
    return std::string(rows_->status().message());
  };
  const std::string only = "SQL: only SELECT, INSERT, UPDATE and DELETE are available here";
  EXPECT_EQ(refused("COMMIT"), only);
  EXPECT_EQ(refused("SAVEPOINT a"), only);
  EXPECT_EQ(refused("DROP TABLE pair"), only);
  EXPECT_EQ(refused("CREATE TABLE t (a)"), only);
  EXPECT_EQ(refused("PRAGMA journal_mode = DELETE"), only);
  EXPECT_EQ(refused("ATTACH ':memory:' AS other"), only);
  EXPECT_EQ(refused("VACUUM INTO '/dev/null'"), only);
  EXPECT_EQ(refused("ANALYZE"), only);
  EXPECT_EQ(refused("REINDEX"), only);
  EXPECT_EQ(refused("UPDATE EVERFOLD_META SET format_version = 2"),
            "SQL: the table everfold_meta is the framework's own");
  EXPECT_EQ(refused("DELETE FROM everfold_meta"), "SQL: the table everfold_meta is the framework's own");
  EXPECT_EQ(refused("INSERT INTO pair VALUES ('a', random())"),
            "SQL: random values are not available: a rebuild must come to the same");
  EXPECT_EQ(refused("DELETE FROM pair; DELETE FROM pair"),
            "SQL: one statement at a time; there is more behind the first");
  EXPECT_EQ(refused(" -- nothing"), "SQL: there is no statement");
  EXPECT_EQ(refused("DELETE FORM pair"), "SQL: at 8: near \"FORM\": syntax error");
  EXPECT_EQ(refused("DELETE FROM pear"), "SQL: no such table: pear");
  EXPECT_EQ(refused("DELETE FROM pair WHERE \"left\" = ?"), "SQL: 1 parameter for 0 values");
}

TEST_F(TablesTest, ErrorOfSqlSticks) {
  Samples().Upsert({.id = "a"});
  Samples().Where("colour = ?", "red");
  EXPECT_THAT(std::string(rows_->status().message()), HasSubstr(": no such column: colour"));
  Rows().Execute("DELETE FROM \"order\"");
  EXPECT_THAT(std::string(rows_->status().message()), HasSubstr(": no such column: colour"));
  rows_->BeginTransaction();
  EXPECT_THAT(Ids(), ElementsAre("a"));
}

TEST_F(TablesTest, RowsAreNotChangedWhileAQueryVisitsThem) {
  Samples().Upsert({.id = "a"});
  Rows().Query("SELECT id FROM \"order\"", [this](const ColumnReader&) { Samples().Upsert({.id = "b"}); });
  EXPECT_EQ(rows_->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(rows_->status().message(), "table \"order\" was changed or scanned inside a query");
  rows_->BeginTransaction();
  Rows().Query("SELECT id FROM \"order\"", [this](const ColumnReader&) { Rows().Execute("DELETE FROM pair"); });
  EXPECT_EQ(rows_->status().message(), "rows were changed while others are visited: DELETE FROM pair");
  rows_->BeginTransaction();
  Samples().Scan([this](const Sample&) { Rows().Execute("DELETE FROM \"order\""); });
  EXPECT_EQ(rows_->status().code(), absl::StatusCode::kFailedPrecondition);
  rows_->BeginTransaction();
  EXPECT_THAT(Ids(), ElementsAre("a"));
}

TEST_F(TablesTest, SameQueryMayRunInsideItself) {
  for (const char* id : {"a", "b"}) Samples().Upsert({.id = id});
  int visits = 0;
  static constexpr SqlText kAll = "SELECT id FROM \"order\"";
  Rows().Query(kAll, [&](const ColumnReader&) { Rows().Query(kAll, [&](const ColumnReader&) { ++visits; }); });
  EXPECT_EQ(visits, 4);
  EXPECT_TRUE(rows_->status().ok()) << rows_->status();
}

TEST_F(TablesTest, UniqueIndexRefusesASecondRowButForNull) {
  ReadModelSchema schema = ReadModelTraits<Sample>::Schema();
  schema.table = "unique_order";
  schema.indexes = {{.columns = {1, 5}, .unique = true}};
  ASSERT_TRUE(database_->Execute(CreateTableSql(schema)).ok());
  auto rows = SqliteRowStore::Prepare(*database_, {&schema});
  ASSERT_TRUE(rows.ok()) << rows.status();
  const auto upsert = [&](const Sample& row) {
    (*rows)->BeginTransaction();
    (*rows)->Upsert(schema, [&row](ColumnWriter& out) { ReadModelTraits<Sample>::Bind(row, out); });
    return (*rows)->status();
  };
  EXPECT_TRUE(upsert({.id = "a", .number = 1, .maybe_text = "x"}).ok());
  EXPECT_TRUE(upsert({.id = "a", .number = 1, .maybe_text = "x"}).ok());  // the same row again
  EXPECT_TRUE(upsert({.id = "b", .number = 2, .maybe_text = "x"}).ok());
  EXPECT_TRUE(upsert({.id = "c", .number = 1, .maybe_text = {}}).ok());
  EXPECT_TRUE(upsert({.id = "d", .number = 1, .maybe_text = {}}).ok());
  const absl::Status second = upsert({.id = "e", .number = 1, .maybe_text = "x"});
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(second), reason::kReadModelFailed);
  EXPECT_THAT(std::string(second.message()), HasSubstr("UNIQUE constraint failed"));
  EXPECT_FALSE(upsert({.id = "b", .number = 1, .maybe_text = "x"}).ok());
}

TEST_F(TablesTest, ValueThatNoColumnHoldsFailsTheWrite) {
  const ReadModelSchema& schema = ReadModelTraits<Sample>::Schema();
  rows_->Upsert(schema, [](ColumnWriter& out) {
    ReadModelTraits<Sample>::Bind({.id = "a"}, out);
    out.CannotWrite(3, "is nested deeper than 32 levels");
  });
  EXPECT_EQ(rows_->status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ReasonOf(rows_->status()), reason::kReadModelFailed);
  EXPECT_EQ(rows_->status().message(), "value 3 of the row is nested deeper than 32 levels");
  rows_->BeginTransaction();
  EXPECT_THAT(Ids(), IsEmpty());
  Samples().Upsert({.id = "b"});  // the statement has forgotten it
  EXPECT_TRUE(rows_->status().ok()) << rows_->status();
}

TEST_F(TablesTest, ColumnThatHoldsNoValueOfItsFieldFailsTheRead) {
  Samples().Upsert({.id = "a"});
  const ReadModelSchema& schema = ReadModelTraits<Sample>::Schema();
  const auto expect_data_loss = [this] {
    EXPECT_EQ(rows_->status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(ReasonOf(rows_->status()), reason::kReadModelDamaged);
    EXPECT_EQ(rows_->status().message(), "column bytes of a row holds no time");
    rows_->BeginTransaction();
  };
  const auto refuse = [](const ColumnReader& in) { in.CannotRead(3, "holds no time"); };
  const auto key = [](ColumnWriter& out) { out.Text(0, "a"); };
  EXPECT_FALSE(rows_->Get(schema, key, refuse));
  expect_data_loss();
  rows_->Scan(schema, refuse);
  expect_data_loss();
  rows_->Select(
      schema, "TRUE", [](ColumnWriter&) {}, refuse);
  expect_data_loss();
  EXPECT_TRUE(rows_->Get(schema, key, [](const ColumnReader&) {}));
}

TEST_F(TablesTest, ReadModelOfAnotherProjectionIsRefused) {
  auto rows = SqliteRowStore::Prepare(*database_, {&ReadModelTraits<Sample>::Schema()});
  ASSERT_TRUE(rows.ok()) << rows.status();
  Tables<Pair>(**rows).Of<Pair>().Upsert({1, "a"});
  EXPECT_EQ((*rows)->status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ((*rows)->status().message(), "test.v1.Pair is not a read model of this projection");
}

}  // namespace
}  // namespace everfold

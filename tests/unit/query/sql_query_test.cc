#include "everfold/query/sql_query.h"

#include "absl/strings/str_format.h"
#include "everfold/base/clock.h"
#include "everfold/base/error.h"
#include "everfold/projection/sqlite.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/temporary_folder.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

SqlCell Integer(std::int64_t value) { return {ColumnType::kInteger, value}; }
SqlCell Real(double value) { return {ColumnType::kReal, value}; }
SqlCell Text(std::string value) { return {ColumnType::kText, std::move(value)}; }
SqlCell Blob(std::string value) { return {ColumnType::kBlob, std::move(value)}; }

// A clock that goes on by a millisecond each time it is asked.
class RunningClock final : public Clock {
 public:
  absl::Time Now() const override { return now_ += absl::Milliseconds(1); }

 private:
  mutable absl::Time now_ = absl::UnixEpoch();
};

class SqlQueryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto database = sqlite::Database::Open(path_, sqlite::Access::kReadWrite);
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = *std::move(database);
    ASSERT_TRUE(database_
                    ->Execute("PRAGMA journal_mode = WAL; CREATE TABLE wallet (id TEXT NOT NULL PRIMARY KEY, minor "
                              "INTEGER NOT NULL) STRICT; INSERT INTO wallet VALUES ('a', 1), ('b', 2), ('c', 3); "
                              "CREATE TABLE everfold_meta (tables TEXT); INSERT INTO everfold_meta VALUES ('')")
                    .ok());
  }

  absl::StatusOr<SqlResult> Run(const std::string& sql, std::vector<SqlCell> parameters = {}, int max_rows = 0) {
    return RunSqlQuery(path_, {},
                       {.projection = "wallets", .sql = sql, .parameters = std::move(parameters), .max_rows = max_rows},
                       [this] { return clock_.Now() >= absl::UnixEpoch() + absl::Seconds(500); });
  }
  SqlResult Good(const std::string& sql, std::vector<SqlCell> parameters = {}, int max_rows = 0) {
    auto result = Run(sql, std::move(parameters), max_rows);
    EXPECT_TRUE(result.ok()) << sql << ": " << result.status();
    return result.value_or(SqlResult());
  }
  std::string Refusal(const std::string& sql, std::vector<SqlCell> parameters = {}) {
    const absl::Status status = Run(sql, std::move(parameters)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << sql << ": " << status;
    return std::string(status.message());
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.path() + "/1.db";
  std::unique_ptr<sqlite::Database> database_;
  RunningClock clock_;
};

TEST_F(SqlQueryTest, AnswersColumnsAndRows) {
  const SqlResult result = Good("SELECT id, minor * 2 AS double FROM wallet WHERE minor > ? ORDER BY id", {Integer(1)});
  EXPECT_THAT(result.columns, ElementsAre("id", "double"));
  EXPECT_THAT(result.rows, ElementsAre(ElementsAre(Text("b"), Integer(4)), ElementsAre(Text("c"), Integer(6))));
  EXPECT_FALSE(result.more);
}

TEST_F(SqlQueryTest, ValuesKeepTheirTypes) {
  const std::vector<SqlCell> values = {Integer(-7), Real(0.5), Text("t\"'"), Blob(std::string("\0\xff", 2)), SqlCell()};
  EXPECT_THAT(Good("VALUES (?, ?, ?, ?, ?)", values).rows, ElementsAre(values));
  EXPECT_THAT(Good("VALUES (CAST(x'c3a4' AS TEXT), CAST(x'ff' AS TEXT), CAST(x'eda080' AS TEXT))").rows,
              ElementsAre(ElementsAre(Text("\xc3\xa4"), Blob("\xff"), Blob("\xed\xa0\x80"))));
}

TEST_F(SqlQueryTest, ValuesAreNeverSql) {
  EXPECT_THAT(Good("SELECT * FROM wallet WHERE id = ?", {Text("' OR '1'='1")}).rows, IsEmpty());
  EXPECT_EQ(Good("SELECT * FROM wallet").rows.size(), 3u);
}

TEST_F(SqlQueryTest, ReadsAndDoesNothingElse) {
  const std::string only = "SQL: only SELECT is available here";
  for (const char* sql :
       {"DELETE FROM wallet", "UPDATE wallet SET minor = 0", "INSERT INTO wallet VALUES ('d', 4)", "DROP TABLE wallet",
        "CREATE TEMP TABLE t (a)", "CREATE VIEW v AS SELECT 1", "ATTACH '/etc/passwd' AS p", "PRAGMA query_only = 0",
        "BEGIN", "SAVEPOINT s", "REINDEX", "ANALYZE", "VACUUM", "VACUUM INTO '/dev/null'", "EXPLAIN DELETE FROM wallet",
        "WITH x AS (SELECT 1) DELETE FROM wallet", "REPLACE INTO wallet VALUES ('a', 9)"}) {
    EXPECT_EQ(Refusal(sql), only) << sql;
  }
  EXPECT_EQ(Refusal("SELECT * FROM pragma_database_list"), only);
  EXPECT_THAT(Refusal("SELECT load_extension('x')"), HasSubstr("SQL: "));
  EXPECT_THAT(Refusal("SELECT fts3_tokenizer('simple')"), HasSubstr("fts3_tokenizer is not available here"));
  EXPECT_EQ(Good("SELECT * FROM wallet").rows.size(), 3u);
}

// Repeated fields are kept as JSON.
TEST_F(SqlQueryTest, FunctionsOfJsonAreTables) {
  EXPECT_THAT(Good("SELECT value FROM json_each('[7, 8]')").rows,
              ElementsAre(std::vector{Integer(7)}, std::vector{Integer(8)}));
  EXPECT_THAT(Good("SELECT wallet.id, fullkey FROM wallet, json_tree(json_object('m', minor)) WHERE atom = 2").rows,
              ElementsAre(std::vector{Text("b"), Text("$.m")}));
  EXPECT_EQ(Refusal("CREATE TABLE json_each (a)"), "SQL: only SELECT is available here");
}

// Of more than its cache takes; how much more is bounded where the files are (spill_files_test.cc).
TEST_F(SqlQueryTest, SortsWithFilesBesideTheReadModel) {
  const std::string rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300) ";
  EXPECT_EQ(Good(rows + "SELECT i FROM n ORDER BY zeroblob(60000), i DESC", {}, 1).rows[0][0], Integer(300));
}

TEST_F(SqlQueryTest, IsOneStatement) {
  const std::string more = "SQL: one statement at a time; there is more behind the first";
  EXPECT_EQ(Refusal("SELECT 1; SELECT 2"), more);
  EXPECT_EQ(Refusal("SELECT 1; DELETE FROM wallet"), more);
  EXPECT_EQ(Refusal("SELECT 1; nonsense"), more);
  EXPECT_EQ(Refusal(""), "SQL: there is no statement");
  EXPECT_EQ(Refusal(";"), "SQL: there is no statement");
  EXPECT_EQ(Refusal("-- nothing"), "SQL: there is no statement");
  EXPECT_EQ(Refusal(std::string("SELECT 1\0; DELETE FROM wallet", 30)), "SQL: a zero byte ends no statement");
  EXPECT_EQ(Good("SELECT 1 ; -- and no more").rows.size(), 1u);
}

TEST_F(SqlQueryTest, SaysWhatIsWrongAndWhere) {
  EXPECT_EQ(Refusal("SELECT id FORM wallet"), "SQL: at 16: near \"wallet\": syntax error");
  EXPECT_EQ(Refusal("SELECT colour FROM wallet"), "SQL: at 8: no such column: colour");
  EXPECT_EQ(Refusal("SELECT * FROM purse"), "SQL: no such table: purse");
  EXPECT_EQ(Refusal("SELECT ?"), "SQL: 1 parameter for 0 values");
  EXPECT_EQ(Refusal("SELECT 1", {Integer(1)}), "SQL: 0 parameters for 1 value");
  EXPECT_EQ(Refusal("SELECT abs(-9223372036854775808)"), "SQL: integer overflow");
  EXPECT_EQ(Refusal("SELECT ?", {Real(std::numeric_limits<double>::quiet_NaN())}),
            "SQL: parameter 1 is NaN, which SQLite does not have");
}

TEST_F(SqlQueryTest, HasBounds) {
  EXPECT_EQ(Refusal("SELECT 1 " + std::string(kMaxSqlBytes, ' ')), "bytes of sql: at most 65536, 65545 are given");
  EXPECT_EQ(Refusal("SELECT 1", std::vector<SqlCell>(101)), "parameters: at most 100, 101 are given");
  EXPECT_EQ(Run("SELECT 1", {}, -1).status().message(), "max_rows is -1; it must be 0 (for 1000) or more");
  EXPECT_EQ(Refusal("SELECT zeroblob(65537)"), "SQL: a value or a row has more than 65536 bytes");
  EXPECT_EQ(ReasonOf(Run("SELECT zeroblob(65537)").status()), reason::kLimitExceeded);
  EXPECT_EQ(Refusal("SELECT ?", {Text(std::string(65537, 'x'))}), "SQL: a value or a row has more than 65536 bytes");
  EXPECT_EQ(Good("SELECT zeroblob(65536)").rows.size(), 1u);
  std::string deep = "1";
  for (int i = 0; i < 200; ++i) deep += "+1";
  EXPECT_THAT(Refusal("SELECT " + deep), HasSubstr("Expression tree is too large"));
}

constexpr char kNumbers[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) ";

TEST_F(SqlQueryTest, AnswersAsManyRowsAsWereAskedForAndSaysThatThereAreMore) {
  const std::string sql = std::string(kNumbers) + "SELECT i FROM n";
  EXPECT_EQ(Good(sql).rows.size(), 1000u);
  EXPECT_TRUE(Good(sql).more);
  EXPECT_EQ(Good(sql, {}, 7).rows.size(), 7u);
  EXPECT_EQ(Good(sql, {}, 2147483647).rows.size(), 10000u);
  const SqlResult all = Good("SELECT id FROM wallet", {}, 3);
  EXPECT_EQ(all.rows.size(), 3u);
  EXPECT_FALSE(all.more);
}

TEST_F(SqlQueryTest, AnswersNoMoreBytesThanFit) {
  const SqlResult result = Good(std::string(kNumbers) + "SELECT zeroblob(60000) FROM n");
  EXPECT_EQ(result.rows.size(), 52u);
  EXPECT_TRUE(result.more);
  std::string columns = "zeroblob(65536)";
  for (int i = 0; i < 50; ++i) columns += ", zeroblob(65536)";
  const absl::Status large = Run("SELECT " + columns).status();
  EXPECT_EQ(ReasonOf(large), reason::kLimitExceeded);
  EXPECT_EQ(large.message(), "SQL: a row of the result has more than 3145728 bytes");
}

TEST_F(SqlQueryTest, ReadsRowsOfWhichAValueIsTooLargeWithoutIt) {
  ASSERT_TRUE(database_->Execute("INSERT INTO wallet VALUES (hex(zeroblob(40000)), 7)").ok());
  EXPECT_THAT(Good("SELECT minor FROM wallet WHERE minor = 7").rows, ElementsAre(ElementsAre(Integer(7))));
  EXPECT_EQ(Refusal("SELECT id FROM wallet WHERE minor = 7"), "SQL: a value or a row has more than 65536 bytes");
}

// What one call of a function may cost is bounded by the lengths of its arguments: nothing can stop it.
TEST_F(SqlQueryTest, PatternsAndCharactersToTrimHaveABound) {
  const std::string wide(101, 'x');
  EXPECT_EQ(Refusal("SELECT 'a' LIKE ?", {Text(wide)}), "SQL: LIKE or GLOB pattern too complex");
  EXPECT_EQ(Refusal("SELECT 'a' GLOB ?", {Text(wide)}), "SQL: LIKE or GLOB pattern too complex");
  EXPECT_EQ(Refusal("SELECT ltrim('a', ?)", {Text(wide)}),
            "SQL: ltrim: at most 100 bytes of characters to take off, 101 are given");
  EXPECT_EQ(Good("SELECT trim('a', ?)", {Text(wide.substr(1))}).rows.size(), 1u);
}

TEST_F(SqlQueryTest, TrimsAsSqliteDoes) {
  for (const char* text : {"", "xyx", "xaxyx", "\xc3\xa4xa\xc3\xa4", "aaa", "\xff\xffx", "x\xc3"}) {
    for (const char* characters : {"", "x", "yx", "\xc3\xa4", "\xc3", "\xff", "a\xc3\xa4x"}) {
      for (const char* trim : {"trim", "ltrim", "rtrim"}) {
        const auto own = database_->Prepare(absl::StrFormat("SELECT %s(CAST(? AS TEXT), CAST(? AS TEXT))", trim));
        ASSERT_TRUE(own.ok()) << own.status();
        (*own)->Blob(0, text);
        (*own)->Blob(1, characters);
        ASSERT_TRUE((*own)->Step().ok());
        const SqlResult result =
            Good(absl::StrFormat("SELECT CAST(%s(CAST(? AS TEXT), CAST(? AS TEXT)) AS BLOB)", trim),
                 {Blob(text), Blob(characters)});
        EXPECT_THAT(result.rows, ElementsAre(ElementsAre(Blob(std::string((*own)->Text(0))))))
            << trim << " of '" << text << "' by '" << characters << "'";
      }
    }
  }
  EXPECT_THAT(Good("VALUES (trim(NULL, 'x'), trim('x', NULL), trim(5, '5'), trim(' a '))").rows,
              ElementsAre(ElementsAre(SqlCell(), SqlCell(), Text(""), Text("a"))));
}

TEST_F(SqlQueryTest, AsksBetweenAnyFewCallsOfFunctionsWhetherItIsOver) {
  std::string sum = "length(?)";
  std::vector<SqlCell> values = {Text("")};
  for (int i = 0; i < 60; ++i) {
    sum += "+instr('abc', ?)";
    values.push_back(Text(absl::StrFormat("%d", i)));
  }
  int asked = 0;
  const absl::StatusOr<SqlResult> result =
      RunSqlQuery(path_, {}, {.projection = "wallets", .sql = "SELECT " + sum, .parameters = values}, [&asked] {
        ++asked;
        return false;
      });
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GE(asked, 60 / 4) << "of 60 calls more than four were made at a stretch";
}

TEST_F(SqlQueryTest, EndsAtItsDeadline) {
  const absl::Status late =
      Run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n").status();
  EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded) << late;
  EXPECT_EQ(ReasonOf(late), reason::kDeadlineExceeded);
}

TEST_F(SqlQueryTest, IsNotHeldUpByTheWriterNorHoldsItUp) {
  ASSERT_TRUE(database_->Execute("BEGIN IMMEDIATE; DELETE FROM wallet").ok());
  EXPECT_EQ(Good("SELECT * FROM wallet").rows.size(), 3u);
  ASSERT_TRUE(database_->Execute("COMMIT").ok());
  EXPECT_THAT(Good("SELECT * FROM wallet").rows, IsEmpty());
}

}  // namespace
}  // namespace everfold

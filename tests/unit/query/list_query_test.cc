// Pages of lists from a real table, against rows that are sorted and filtered in memory.
#include "everfold/query/list_query.h"

#include <algorithm>
#include <filesystem>
#include <random>

#include "absl/strings/str_format.h"
#include "everfold/base/error.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/projection/sqlite.h"
#include "everfold/projection/table_description.h"
#include "everfold/query/list_filter.h"
#include "everfold/query/list_order.h"
#include "everfold/query/read_pool.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/temporary_folder.h"
#include "tests/unit/query/order_rows.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Row = std::vector<ColumnValue>;

const ReadModelSchema& Schema() {
  static const ReadModelSchema& schema = *new ReadModelSchema(OrderRowSchema());
  return schema;
}

// As SQLite orders them: NULL first.
int Compare(const ColumnValue& a, const ColumnValue& b) {
  if (IsNull(a) || IsNull(b)) return static_cast<int>(IsNull(b)) - static_cast<int>(IsNull(a));
  return a < b ? -1 : b < a ? 1 : 0;
}

bool Satisfies(const Row& row, const Condition& condition) {
  const ColumnValue& value = row[condition.column];
  if (IsNull(value)) return false;
  const int compared = Compare(value, condition.value);
  switch (condition.comparison) {
    case Comparison::kEqual:
      return compared == 0;
    case Comparison::kNotEqual:
      return compared != 0;
    case Comparison::kLess:
      return compared < 0;
    case Comparison::kAtMost:
      return compared <= 0;
    case Comparison::kGreater:
      return compared > 0;
    case Comparison::kAtLeast:
      return compared >= 0;
  }
  return false;
}

class ListQueryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    path_ = folder_.path() + "/rows.db";
    auto database = sqlite::Database::Open(path_, sqlite::Access::kReadWrite);
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = *std::move(database);
    ASSERT_TRUE(database_->Execute("PRAGMA journal_mode = WAL").ok());
    ASSERT_TRUE(database_->Execute(CreateTableSql(Schema())).ok());
    ASSERT_TRUE(database_
                    ->Execute("CREATE TABLE everfold_meta (tables TEXT); INSERT INTO everfold_meta VALUES ('" +
                              DescribeTables({&Schema()}) + "')")
                    .ok());
    auto reader = ReadConnection::Open(path_, {&Schema()});
    ASSERT_TRUE(reader.ok()) << reader.status();
    reader_ = *std::move(reader);
  }

  void Insert(const Row& row) {
    rows_.push_back(row);
    const auto insert = database_->Prepare(UpsertSql(Schema()));
    ASSERT_TRUE(insert.ok()) << insert.status();
    for (std::size_t i = 0; i < row.size(); ++i) {
      WriteValue(Schema().columns[i].type, row[i], static_cast<int>(i), **insert);
    }
    const auto done = (*insert)->Step();
    ASSERT_TRUE(done.ok()) << done.status();
  }

  void InsertRandomRows(int count, std::uint32_t seed) {
    std::mt19937 random(seed);
    const auto one_of = [&random](int n) { return static_cast<std::int64_t>(random() % static_cast<unsigned>(n)); };
    ASSERT_TRUE(database_->Execute("BEGIN").ok());
    for (int i = 0; i < count; ++i) {
      Insert({absl::StrFormat("o%04d", (i * 7919) % count), absl::StrFormat("c%d", one_of(4)),
              std::string(one_of(2) == 0 ? "TYPE_BOOL" : "TYPE_INT64"), one_of(2),
              one_of(3) == 0 ? ColumnValue(std::monostate())
                             : ColumnValue(absl::StrFormat("2026-01-0%dT00:00:00.000000000Z", 1 + one_of(5))),
              one_of(3) == 0 ? ColumnValue(std::monostate()) : ColumnValue(one_of(5) - 2), 0.5 * one_of(3),
              std::string(1, static_cast<char>(one_of(3))), std::string("s")});
    }
    ASSERT_TRUE(database_->Execute("COMMIT").ok());
  }

  std::vector<std::string> Expected(const std::string& filter, const std::string& order_by) const {
    const auto conditions = *ParseFilter(Schema(), filter);
    const auto order = *ParseOrder(Schema(), order_by);
    std::vector<Row> rows;
    for (const Row& row : rows_) {
      const bool wanted = std::all_of(conditions.begin(), conditions.end(),
                                      [&row](const Condition& condition) { return Satisfies(row, condition); });
      if (wanted) rows.push_back(row);
    }
    std::sort(rows.begin(), rows.end(), [&order](const Row& a, const Row& b) {
      for (const OrderTerm& term : order) {
        const int compared = Compare(a[term.column], b[term.column]);
        if (compared != 0) return term.descending ? compared > 0 : compared < 0;
      }
      return false;
    });
    std::vector<std::string> ids;
    for (const Row& row : rows) ids.push_back(std::get<std::string>(row[0]));
    return ids;
  }

  ListQuery QueryOf(const std::string& filter, const std::string& order_by, int limit) const {
    return {.conditions = *ParseFilter(Schema(), filter),
            .order = *ParseOrder(Schema(), order_by),
            .after = std::nullopt,
            .limit = limit,
            .max_bytes = 1 << 20};
  }

  static constexpr std::size_t kRowBytes = 100;
  static std::size_t TakeNothing(const ColumnReader&, std::size_t) { return kRowBytes; }

  std::vector<std::string> AllPages(ListQuery query) {
    std::vector<std::string> ids;
    while (true) {
      int rows = 0;
      const auto last = reader_->List(Schema(), query, [&](const ColumnReader& in, std::size_t room) {
        if (kRowBytes > room) return kRowBytes;
        ids.emplace_back(in.Text(0));
        ++rows;
        return kRowBytes;
      });
      EXPECT_TRUE(last.ok()) << last.status();
      EXPECT_LE(rows, query.limit);
      if (!last.ok() || !last->has_value()) return ids;
      EXPECT_GT(rows, 0);
      query.after = *last;
    }
  }

  // What SQLite does for the query, in its own words.
  std::string Plan(const ListQuery& query) {
    const ListSql sql = ListSqlOf(Schema(), query);
    const auto explain = database_->Prepare("EXPLAIN QUERY PLAN " + sql.text);
    EXPECT_TRUE(explain.ok()) << explain.status();
    std::string plan;
    while (explain.ok() && (*explain)->Step().value_or(false)) plan += std::string((*explain)->Text(3)) + "\n";
    return plan;
  }

  TemporaryFolder folder_;
  std::string path_;
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<ReadConnection> reader_;
  std::vector<Row> rows_;
};

TEST_F(ListQueryTest, PagesAreWhatSortingAndFilteringInMemoryComesTo) {
  InsertRandomRows(300, 1);
  const std::vector<std::string> filters = {"",
                                            "customer = \"c1\"",
                                            "customer != \"c1\" AND paid = true",
                                            "placed_at >= \"2026-01-03T00:00:00Z\"",
                                            "total.minor <= 0 AND kind = TYPE_BOOL",
                                            "total.minor != 1",
                                            "weight > 0.25 AND mark < \"Ag==\"",
                                            "id = \"nobody\""};
  const std::vector<std::string> orders = {"",
                                           "id desc",
                                           "customer",
                                           "customer desc, placed_at desc",
                                           "customer, placed_at desc",
                                           "placed_at",
                                           "placed_at desc, total.minor",
                                           "total.minor desc, kind, placed_at",
                                           "paid desc, weight, mark desc"};
  for (const std::string& filter : filters) {
    for (const std::string& order : orders) {
      for (const int limit : {1, 7, 1000}) {
        EXPECT_EQ(AllPages(QueryOf(filter, order, limit)), Expected(filter, order))
            << "filter " << filter << ", order " << order << ", pages of " << limit;
      }
    }
  }
}

TEST_F(ListQueryTest, TextPutTogetherAtRandomIsRefusedOrRunsAsInMemory) {
  InsertRandomRows(40, 5);
  const std::vector<std::string> words = {"customer", "placed_at", "total.minor", "kind",
                                          "paid",     "weight",    "mark",        "secret",
                                          "=",        "!=",        "<",           ">=",
                                          "'c1'",     "\"c2\"",    "7",           "-1",
                                          "0.5",      "true",      "TYPE_BOOL",   "2026-01-03T00:00:00Z",
                                          "'AQ=='",   " AND ",     " AND ",       " OR ",
                                          "'",        "\"",        "\\",          "(",
                                          ")",        ",",         ";",           "--",
                                          " desc",    "NULL",      "\xff",        std::string("\0", 1)};
  // What a filter may be made of, mostly, so that not all are refused at the first word.
  const std::vector<std::string> conditions = {"customer = 'c1'",   "customer>='c2'",
                                               "total.minor < 1",   "paid != true",
                                               "kind = TYPE_INT64", "placed_at < 2026-01-03T00:00:00Z",
                                               "weight <= 0.5",     "mark != 'AQ=='"};
  std::mt19937 random(7);
  int accepted = 0, refused = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string filter, order;
    for (unsigned n = random() % 4; n > 0; --n) {
      filter += (filter.empty() ? "" : " AND ") + conditions[random() % conditions.size()];
    }
    for (unsigned n = random() % 3; n > 0; --n)
      filter.insert(random() % (filter.size() + 1), words[random() % words.size()]);
    for (unsigned n = random() % 4; n > 0; --n) order += words[random() % words.size()] + (n > 1 ? "," : "");
    const bool is_filter = ParseFilter(Schema(), filter).ok();
    const bool is_order = ParseOrder(Schema(), order).ok();
    is_filter&& is_order ? ++accepted : ++refused;
    if (!is_filter) filter.clear();
    if (!is_order) order.clear();
    EXPECT_EQ(AllPages(QueryOf(filter, order, 50)), Expected(filter, order)) << filter << " / " << order;
  }
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 100);
  EXPECT_EQ(AllPages(QueryOf("", "", 50)).size(), 40u);
}

TEST_F(ListQueryTest, TextOfAFilterIsNeverSql) {
  InsertRandomRows(10, 2);
  const std::string hostile = "c1' OR 1=1; DROP TABLE order_row; --";
  Insert({"x", hostile, "TYPE_BOOL", std::int64_t{1}, std::monostate(), std::monostate(), 0.0, std::string(),
          std::string()});
  EXPECT_THAT(AllPages(QueryOf("customer = \"" + hostile + "\"", "", 10)), ElementsAre("x"));
  EXPECT_EQ(AllPages(QueryOf("", "", 10)).size(), 11u);
}

TEST_F(ListQueryTest, TextsOfCallersAreParametersInOneStatement) {
  EXPECT_EQ(ListSqlOf(Schema(), QueryOf("customer = \"a\"", "", 1)).text,
            ListSqlOf(Schema(), QueryOf("customer = \"b\" ", "", 1)).text);
  EXPECT_THAT(ListSqlOf(Schema(), QueryOf("customer = \"needle\"", "", 1)).text, Not(HasSubstr("needle")));
}

TEST_F(ListQueryTest, IndexServesFilterOrderAndPlace) {
  ListQuery query = QueryOf("customer = \"c1\"", "customer, placed_at", 10);
  EXPECT_THAT(Plan(query), HasSubstr("USING INDEX order_row.customer.placed_at"));
  EXPECT_THAT(Plan(query), Not(HasSubstr("TEMP B-TREE")));
  query.after = Row{std::string("c1"), std::string("2026-01-02T00:00:00.000000000Z"), std::string("o1")};
  EXPECT_THAT(Plan(query), HasSubstr("SEARCH"));
  EXPECT_THAT(Plan(query), Not(HasSubstr("TEMP B-TREE")));
  query = QueryOf("", "customer desc, placed_at desc", 10);
  EXPECT_THAT(Plan(query), Not(HasSubstr("TEMP B-TREE")));
  query = QueryOf("", "", 10);
  query.after = Row{std::string("o1")};
  EXPECT_THAT(Plan(query), HasSubstr("SEARCH order_row USING PRIMARY KEY (id>?)"));
}

TEST_F(ListQueryTest, PageEndsWhereItsBytesDo) {
  for (int i = 0; i < 10; ++i) {
    Insert({absl::StrFormat("o%d", i), "c", "TYPE_BOOL", std::int64_t{0}, std::monostate(), std::monostate(), 0.0, "m",
            std::string()});
  }
  ListQuery query = QueryOf("", "", 100);
  query.max_bytes = 3 * kRowBytes;
  std::vector<std::string> ids;
  const auto last = reader_->List(Schema(), query, [&](const ColumnReader& in, std::size_t room) {
    if (kRowBytes <= room) ids.emplace_back(in.Text(0));
    return kRowBytes;
  });
  ASSERT_TRUE(last.ok()) << last.status();
  EXPECT_THAT(ids, ElementsAre("o0", "o1", "o2"));
  EXPECT_EQ(*last, Row{std::string("o2")});
  EXPECT_EQ(AllPages(query).size(), 10u);
  query.max_bytes = 1;  // a row that is larger by itself comes alone
  EXPECT_EQ(AllPages(query).size(), 10u);
}

// A clock that goes on by a second each time it is asked.
class RunningClock final : public Clock {
 public:
  absl::Time Now() const override {
    now_ += absl::Seconds(1);
    return now_;
  }

 private:
  mutable absl::Time now_ = absl::UnixEpoch();
};

TEST_F(ListQueryTest, QueryEndsAtItsDeadline) {
  InsertRandomRows(2000, 3);
  const RunningClock clock;
  const ListQuery query = QueryOf("weight = 99", "", 10);  // reads all rows, and has none
  reader_->SetDeadline(clock, absl::UnixEpoch() + absl::Seconds(2));
  const auto late = reader_->List(Schema(), query, TakeNothing);
  EXPECT_EQ(late.status().code(), absl::StatusCode::kDeadlineExceeded) << late.status();
  EXPECT_EQ(ReasonOf(late.status()), reason::kDeadlineExceeded);
  reader_->SetDeadline(clock, absl::InfiniteFuture());
  const auto in_time = reader_->List(Schema(), query, TakeNothing);
  EXPECT_TRUE(in_time.ok()) << in_time.status();
}

TEST_F(ListQueryTest, MoreFiltersThanStatementsAreKept) {
  InsertRandomRows(5, 4);
  std::string filter = "paid = true";
  for (int i = 0; i < 500; ++i) {
    const std::string order = i % 2 == 0 ? "customer" : "customer desc";
    std::string many;
    for (int j = 0; j <= i % 40; ++j)
      many += (j == 0 ? "" : " AND ") + std::string(((i + j) % 3) == 0 ? "id != 'a'" : "id > ''");
    EXPECT_EQ(AllPages(QueryOf(many, order, 10)), Expected(many, order));
  }
}

}  // namespace
}  // namespace everfold

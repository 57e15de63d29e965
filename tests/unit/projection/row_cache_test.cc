// Whatever handlers do, they see and leave the same with rows kept in memory as without.
#include "everfold/projection/row_cache.h"

#include <limits>

#include "everfold/base/random.h"
#include "everfold/projection/column_values.h"
#include "everfold/projection/read_model_sql.h"
#include "everfold/projection/sqlite_row_store.h"
#include "everfold/projection/tables.h"
#include "gmock/gmock.h"
#include "google/protobuf/struct.pb.h"
#include "google/protobuf/type.pb.h"
#include "gtest/gtest.h"
#include "tests/unit/projection/ledger.h"

namespace everfold {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A table in memory, as handlers have it.
class Store {
 public:
  explicit Store(bool caching, const ReadModelSchema& schema = ReadModelTraits<Balance>::Schema()) {
    database_ = *sqlite::Database::Open(":memory:", sqlite::Access::kReadWrite);
    const absl::Status created = database_->Execute(CreateTableSql(schema));
    EXPECT_TRUE(created.ok()) << created;
    rows_ = *SqliteRowStore::Prepare(*database_, {&schema});
    rows_->SetCaching(caching);
  }

  Table<Balance> table() { return Table<Balance>(*rows_); }
  Tables<Balance> tables() { return Tables<Balance>(*rows_); }
  SqliteRowStore& rows() { return *rows_; }
  // Past the cache.
  std::vector<std::string> InSqlite() {
    std::vector<std::string> lines;
    const auto select = *database_->Prepare("SELECT account || '|' || minor || '|' || events FROM balance ORDER BY 1");
    while (*select->Step()) lines.emplace_back(select->Text(0));
    return lines;
  }

 private:
  std::unique_ptr<sqlite::Database> database_;
  std::unique_ptr<SqliteRowStore> rows_;
};

// One thing that a handler may do, and what it sees of it.
std::string Act(Store& store, std::uint64_t action, const std::string& account, std::int64_t value) {
  Table<Balance> table = store.table();
  std::string seen;
  switch (action) {
    case 0:
      table.Upsert({account, value, 1});
      break;
    case 1:
      table.Edit(account, [&](Balance& row) {
        seen = ToString(row);
        row.minor += value;
        ++row.events;
      });
      break;
    case 2:
      table.Remove(account);
      break;
    case 3:
      if (const auto row = table.Get(account)) seen = ToString(*row);
      break;
    case 4:
      table.Scan([&seen](const Balance& row) { seen += ToString(row) + " "; });
      break;
    case 5:
      for (const Balance& row : table.Where("minor > ?", value)) seen += ToString(row) + " ";
      break;
    case 6:
      store.tables().Execute("UPDATE balance SET minor = minor + 1 WHERE minor < ?", value);
      break;
    case 7:
      store.tables().Query("SELECT count(*) FROM balance",
                           [&seen](const ColumnReader& row) { seen = absl::StrFormat("%d", row.Integer(0)); });
      break;
    case 8:
      table.Edit(account, [&](Balance& row) {
        row.minor += value;
        store.tables().Execute("UPDATE balance SET events = events + 1 WHERE minor < ?", value);
        store.tables().Query("SELECT ifnull(sum(minor), 0) FROM balance",
                             [&seen](const ColumnReader& sum) { seen = absl::StrFormat("%d", sum.Integer(0)); });
      });
      break;
    case 9:
      try {
        table.Edit(account, [&](Balance& row) {
          row.minor = 777;
          throw std::runtime_error("caught by the handler");
        });
      } catch (const std::runtime_error&) {
        if (const auto row = table.Get(account)) seen = ToString(*row);
      }
      break;
    case 10:  // one inside another, of the same row at times
      table.Edit(account, [&](Balance& row) {
        row.minor += value;
        table.Edit(absl::StrFormat("a%d", value % 8), [&](Balance& other) {
          seen = ToString(other);
          ++other.events;
        });
        if (const auto stored = table.Get(account)) seen += ToString(*stored);
      });
      break;
    case 11:  // what is inserted is seen at once
      store.tables().Query(
          "INSERT INTO balance VALUES (?, ?, 5) ON CONFLICT DO UPDATE SET events = events + 5 RETURNING events",
          [&](const ColumnReader& row) {
            seen = absl::StrFormat("%d", row.Integer(0));
            if (const auto stored = table.Get(account)) seen += ToString(*stored);
          },
          account, value);
      break;
    case 12:
      store.tables().Execute("DELETE FROM balance WHERE minor < ?", value * 10);
      break;
    default:  // a batch ends
      store.rows().Flush();
      if (value % 3 == 0) store.rows().ForgetCached();
  }
  return seen;
}

TEST(RowCacheTest, HandlersSeeAndLeaveTheSame) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SeededRandom random(seed);
    Store cached(true), plain(false);
    for (int step = 0; step < 300; ++step) {
      const std::uint64_t action = random.Below(14);
      const std::string account = absl::StrFormat("a%d", random.Below(8));
      const auto value = static_cast<std::int64_t>(random.Below(20));
      ASSERT_EQ(Act(cached, action, account, value), Act(plain, action, account, value))
          << "seed " << seed << ", step " << step << ", action " << action;
      ASSERT_EQ(cached.rows().status(), plain.rows().status());
    }
    cached.rows().Flush();
    ASSERT_EQ(cached.InSqlite(), plain.InSqlite()) << "seed " << seed;
  }
}

TEST(RowCacheTest, WritesAChangedRowOnceAndAtTheFlush) {
  Store store(true);
  for (int i = 0; i < 100; ++i) store.table().Edit("a", [](Balance& row) { ++row.minor; });
  EXPECT_THAT(store.InSqlite(), IsEmpty());
  EXPECT_GT(store.rows().cached().changed_bytes(), 0u);
  store.rows().Flush();
  EXPECT_THAT(store.InSqlite(), ElementsAre("a|100|0"));
  EXPECT_EQ(store.rows().cached().changed_bytes(), 0u);
  EXPECT_GT(store.rows().cached().bytes(), 0u);
}

// Also where they are written by statements of several rows, and some are left over.
TEST(RowCacheTest, FlushesAnyNumberOfRows) {
  for (int count = 0; count <= 70; ++count) {
    Store store(true);
    std::vector<std::string> expected;
    for (int i = count - 1; i >= 0; --i) {
      const std::string account = absl::StrFormat("a%02d", i);
      if (i % 2 == 0) store.table().Upsert({account, -1, -1});
    }
    store.rows().Flush();  // some are replaced
    for (int i = 0; i < count; ++i) {
      const std::string account = absl::StrFormat("a%02d", i);
      if (i % 7 == 3) {
        store.table().Remove(account);
      } else {
        store.table().Upsert({account, i, 2 * i});
        expected.push_back(absl::StrFormat("%s|%d|%d", account, i, 2 * i));
      }
    }
    store.rows().Flush();
    EXPECT_TRUE(store.rows().status().ok()) << store.rows().status();
    EXPECT_EQ(store.InSqlite(), expected) << count;
  }
}

// Sixteen a statement, and what is left over one by one: also of a key of several columns, and with nothing else.
TEST(SqliteRowStoreTest, UpsertsAllOfRowsThatAreOnlyTheirKeys) {
  const ReadModelSchema schema{.message = "shop.v1.Pair",
                               .table = "pair",
                               .columns = {{"left", ColumnType::kText}, {"right", ColumnType::kInteger}},
                               .key = {1, 0}};
  Store store(false, schema);
  const auto bind = [](std::size_t i, ColumnWriter& out) {
    out.Text(0, absl::StrFormat("left%d", i));
    out.Integer(1, static_cast<std::int64_t>(i));
  };
  store.rows().UpsertAll(schema, 37, bind);
  store.rows().UpsertAll(schema, 40, bind);
  std::vector<std::string> seen;
  store.rows().Scan(schema, [&seen](const ColumnReader& row) {
    seen.push_back(absl::StrFormat("%s|%d", row.Text(0), row.Integer(1)));
  });
  ASSERT_TRUE(store.rows().status().ok()) << store.rows().status();
  ASSERT_EQ(seen.size(), 40u);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], absl::StrFormat("left%d|%d", i, i));
}

TEST(SqliteRowStoreTest, ARowThatCannotBeSaysWhichOfItsValuesItIs) {
  Store store(false);
  store.rows().UpsertAll(ReadModelTraits<Balance>::Schema(), 20, [](std::size_t i, ColumnWriter& out) {
    out.Text(0, i == 9 ? "\xff" : absl::StrFormat("a%02d", i));
    out.Integer(1, 1);
    out.Integer(2, 1);
  });
  EXPECT_EQ(store.rows().status().message(), "value 0 of the row is a text that is not UTF-8");
  EXPECT_THAT(store.InSqlite(), IsEmpty());
}

TEST(RowCacheTest, CountsWhatAChangedRowGrowsBy) {
  Store store(true);
  store.table().Edit("a", [](Balance& row) { row.minor = 1; });
  const std::size_t bytes = store.rows().cached().bytes();
  EXPECT_GT(store.rows().cached().changed_bytes(), 0u);
  EXPECT_LT(store.rows().cached().changed_bytes(), bytes);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(store.table().Get(absl::StrFormat("none%d", i)), std::nullopt);
  EXPECT_GT(store.rows().cached().bytes(), bytes + 100 * sizeof(Balance));
}

TEST(RowCacheTest, WhatIsForgottenIsReadAnew) {
  Store store(true);
  store.table().Upsert({"a", 1, 1});
  store.rows().Flush();
  store.table().Upsert({"a", 2, 2});
  store.rows().ForgetCached();  // as when a batch is taken back
  EXPECT_EQ(store.table().Get("a")->minor, 1);
}

TEST(RowCacheTest, EditCannotChangeTheKey) {
  for (const bool caching : {true, false}) {
    Store store(caching);
    store.table().Edit("a", [](Balance& row) { row.account = "b"; });
    store.rows().Flush();
    EXPECT_THAT(store.InSqlite(), ElementsAre("a|0|0"));
  }
}

TEST(RowCacheTest, TextThatIsNotUtf8IsAnErrorOfTheChange) {
  for (const bool caching : {true, false}) {
    Store edited(caching);
    edited.table().Edit("\xff", [](Balance& row) { row.minor = 1; });
    EXPECT_EQ(edited.rows().status().message(), "value 0 of the row is a text that is not UTF-8") << caching;
    Store upserted(caching);
    upserted.table().Upsert({"a\xc3", 1, 1});
    EXPECT_TRUE(absl::IsFailedPrecondition(upserted.rows().status())) << upserted.rows().status();
    Store removed(caching);
    removed.table().Remove("\xed\xa0\x80");
    EXPECT_TRUE(absl::IsFailedPrecondition(removed.rows().status())) << removed.rows().status();
  }
}

// JSON leaves such a text out and says nothing, and the row's bytes could not be read again.
TEST(RowCacheTest, TextInsideJsonThatIsNotUtf8CannotBeWritten) {
  google::protobuf::Type row;
  row.add_oneofs("a\xc3");
  internal::WriteCheck refused;
  WriteJson(3, row, "oneofs", refused);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.column(), 3);
  row.set_oneofs(0, "a");
  internal::WriteCheck written;
  WriteJson(3, row, "oneofs", written);
  EXPECT_TRUE(written.ok());
}

// One large row does not make room for others as large.
TEST(RowCacheTest, NewRowsHaveLittleRoomWhateverTheLastOneHad) {
  Store store(true);
  store.table().Edit(std::string(500'000, 'x'), [](Balance& row) { row.minor = 1; });
  const std::size_t bytes = store.rows().cached().bytes();
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(store.table().Get(absl::StrFormat("none%d", i)), std::nullopt);
  EXPECT_LT(store.rows().cached().bytes(), bytes + 1'000'000);
}

// A change that reads nothing.
TEST(RowCacheTest, UpsertAndRemoveOfWhatIsInTheTable) {
  Store store(true);
  store.table().Upsert({"a", 1, 1});
  store.table().Upsert({"b", 1, 1});
  store.rows().Flush();
  store.rows().ForgetCached();
  store.table().Upsert({"a", 2, 2});
  store.table().Remove("b");
  EXPECT_EQ(store.table().Get("b"), std::nullopt);
  store.rows().Flush();
  EXPECT_THAT(store.InSqlite(), ElementsAre("a|2|2"));
}

// Deeper than Protobuf reads by itself.
TEST(RowCacheTest, RowOfDeepMessages) {
  google::protobuf::Value row;
  google::protobuf::Value* deepest = &row;
  for (int i = 0; i < 500; ++i) deepest = deepest->mutable_list_value()->add_values();
  deepest->set_string_value("here");
  using Bytes = internal::RowBytes<google::protobuf::Value>;
  std::string bytes(Bytes::Size(row), '\0');
  Bytes::Write(row, bytes.data(), bytes.size());
  google::protobuf::Value read;
  Bytes::Read(bytes, read);
  EXPECT_EQ(read.SerializeAsString(), bytes);
}

// An error of a change inside a scan is not one only when the rows are written.
TEST(RowCacheTest, ChangeInsideAScanIsRefusedAtOnce) {
  for (const bool caching : {true, false}) {
    Store store(caching);
    store.table().Upsert({"a", 1, 1});
    store.table().Scan([&store](const Balance&) { store.table().Upsert({"b", 1, 1}); });
    EXPECT_EQ(store.rows().status().message(), "table \"balance\" was changed or scanned inside a scan of it");
  }
}

// Two changes of which the first breaks a unique index, and the second mends it: the first one fails, cached or not.
TEST(RowCacheTest, TableWithAUniqueIndexIsNotKept) {
  ReadModelSchema schema = ReadModelTraits<Balance>::Schema();
  schema.indexes = {{.columns = {1}, .unique = true}};
  RowCache cache;
  EXPECT_EQ(cache.Find<Balance>(schema), nullptr);
  schema.indexes[0].unique = false;
  RowCache other;
  EXPECT_NE(other.Find<Balance>(schema), nullptr);
}

std::string BytesOf(const std::vector<std::string>& texts) {
  std::string bytes;
  internal::KeyBytes key(bytes);
  for (std::size_t i = 0; i < texts.size(); ++i) key.Text(static_cast<int>(i), texts[i]);
  key.Finish();
  return bytes;
}
std::string BytesOf(std::int64_t number) {
  std::string bytes;
  internal::KeyBytes key(bytes);
  key.Integer(0, number);
  key.Finish();
  return bytes;
}

TEST(RowCacheTest, KeysAreTheSameBytesOnlyIfTheyAreTheSame) {
  EXPECT_NE(BytesOf({"ab", "c"}), BytesOf({"a", "bc"}));
  EXPECT_NE(BytesOf({std::string("a\0", 2), "b"}), BytesOf({"a", std::string("\0b", 2)}));
  EXPECT_EQ(BytesOf({"a", "b"}), BytesOf({"a", "b"}));
  EXPECT_LT(BytesOf({"a"}), BytesOf({"ab"}));
  EXPECT_LT(BytesOf({"ab"}), BytesOf({"b"}));
  EXPECT_LT(BytesOf(-1), BytesOf(0));
  EXPECT_LT(BytesOf(std::numeric_limits<std::int64_t>::min()), BytesOf(-1));
  EXPECT_LT(BytesOf(1), BytesOf(256));
}

}  // namespace
}  // namespace everfold

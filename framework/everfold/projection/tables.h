// Read models as a projection's handlers see them.
//
//   using ReadModels = Tables<WalletBalance, DailyTurnover>;
//   static void On(const Deposited& e, const EventContext& c, ReadModels& t) {
//     t.Of<WalletBalance>().Edit(c.id, [&](WalletBalance& row) { row.set_balance_minor(...); });
//   }
//
// What a key does not find, a condition of SQL does, by an index where there is one; and any statement on the tables of
// the projection runs in the same transaction:
//
//   for (const OrderLine& line : t.Of<OrderLine>().Where("sku = ? AND shipped_at IS NULL", sku)) { ... }
//   t.Execute("UPDATE order_line SET held = 1 WHERE sku = ?", sku);
//
// Values are bound to the parameters; SQL is a literal of the program. It reads and changes rows of the projection's
// tables, and nothing else. Whatever comes of an event must be the same on a rebuild: no random(), no 'now'.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "everfold/decide/types.h"
#include "everfold/projection/read_model.h"
#include "everfold/projection/row_cache.h"
#include "everfold/projection/row_store.h"
#include "everfold/projection/sql_value.h"

namespace everfold {

// Rows of one read model in the running transaction. Threading: one thread. Lifetime: one call of a handler.
// Errors: sticky in the transaction (RowStore); a handler goes on, and its batch is not committed.
template <class Row>
class Table {
 public:
  using Key = typename ReadModelTraits<Row>::Key;

  explicit Table(RowStore& rows) : rows_(rows) {}

  std::optional<Row> Get(const Key& key) {
    if (auto* const cached = Cached()) return cached->Get(key, rows_);
    std::optional<Row> found;
    rows_.Get(
        Traits::Schema(), [&key](ColumnWriter& out) { Traits::BindKey(key, out); },
        [&found](const ColumnReader& in) { Traits::Read(in, found.emplace()); });
    return found;
  }

  void Upsert(const Row& row) {
    if (auto* const cached = Cached()) return cached->Upsert(row, rows_);
    rows_.Upsert(Traits::Schema(), [&row](ColumnWriter& out) { Traits::Bind(row, out); });
  }

  // Calls `edit` with the row of this key, or with an empty one that has the key set, and stores what it leaves; its
  // key stays what it is.
  template <class F>
  void Edit(const Key& key, F edit) {
    if (auto* const cached = Cached()) return cached->Edit(key, rows_, edit);
    Row row;
    const bool exists = rows_.Get(
        Traits::Schema(), [&key](ColumnWriter& out) { Traits::BindKey(key, out); },
        [&row](const ColumnReader& in) { Traits::Read(in, row); });
    if (!exists) Traits::SetKey(key, row);
    edit(row);
    Traits::SetKey(key, row);
    Upsert(row);
  }

  void Remove(const Key& key) {
    if (auto* const cached = Cached()) return cached->Remove(key, rows_);
    rows_.Remove(Traits::Schema(), [&key](ColumnWriter& out) { Traits::BindKey(key, out); });
  }

  // Calls `visit(const Row&)` for every row, in the order of the key. The table must not be changed meanwhile.
  template <class F>
  void Scan(F visit) {
    Row row;
    rows_.Scan(Traits::Schema(), [&](const ColumnReader& in) {
      Traits::Read(in, row);
      visit(std::as_const(row));
    });
  }

  // The rows for which the condition is true, in the order of the key; all of them in memory, so that they may be
  // changed meanwhile.
  template <class... Values>
  std::vector<Row> Where(SqlText condition, const Values&... values) {
    std::vector<Row> rows;
    rows_.Select(
        Traits::Schema(), condition.text(), [&](ColumnWriter& out) { WriteSqlValues(out, values...); },
        [&rows](const ColumnReader& in) { Traits::Read(in, rows.emplace_back()); });
    return rows;
  }

 private:
  using Traits = ReadModelTraits<Row>;

  RowCache::RowsOf<Row>* Cached() {
    RowCache* const cache = rows_.cache();
    return cache == nullptr ? nullptr : cache->Find<Row>(Traits::Schema());
  }

  RowStore& rows_;
};

template <class... Rows>
class Tables {
 public:
  using List = Types<Rows...>;

  explicit Tables(RowStore& rows) : rows_(rows) {}

  template <class Row>
  Table<Row> Of() {
    static_assert(kIsIn<Row, List>, "Of: this read model is not in the projection's Tables<...>");
    return Table<Row>(rows_);
  }

  // Runs one statement that changes rows.
  template <class... Values>
  void Execute(SqlText sql, const Values&... values) {
    rows_.Execute(
        sql.text(), [&](ColumnWriter& out) { WriteSqlValues(out, values...); }, [](const ColumnReader&) {});
  }

  // Calls `visit(const ColumnReader&)` for every row of one SELECT. Nothing may be changed meanwhile.
  template <class F, class... Values>
  void Query(SqlText sql, F visit, const Values&... values) {
    rows_.Execute(
        sql.text(), [&](ColumnWriter& out) { WriteSqlValues(out, values...); }, visit);
  }

 private:
  RowStore& rows_;
};

}  // namespace everfold
